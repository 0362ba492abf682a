"""One job for Blender from a process without it: started, asked, waited for."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

from scenes.plan import ScenePlan


def blender_is_here() -> bool:
    """Whether Blender's Python module can be imported by a worker (it exists for Python 3.11 only)."""
    return importlib.util.find_spec("bpy") is not None


def ask_blender(plan: ScenePlan, what: str, folder: Path) -> None:
    """Have a `python -m simulator.blender` process make `what` of the plan into the folder.

    Raises ValueError with Blender's own reason when it does not.
    """
    (folder / "plan.json").write_text(plan.to_json())
    job = {"id": what, "what": what, "plan": str(folder / "plan.json"), "out": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "simulator.blender"],
        input=json.dumps(job) + "\n",
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, "TMPDIR": str(folder)},  # Blender leaves a session folder behind
    )
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    if not replies or replies[-1]["kind"] != "done":
        reason = replies[-1].get("message") if replies else None
        raise ValueError(str(reason or done.stderr[-400:]))
