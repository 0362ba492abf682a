"""A long-lived render worker: one JSON line in, one clip (or strip) out. `python -m simulator.blender [--threads N]`.

stdin:   {"id": ..., "what": "clip" | "strip", "plan": <plan.json>, "out": <directory to fill>}; end of file ends the
         worker.
stdout:  {"kind": "ready"}, {"kind": "progress", "done", "total"}, {"kind": "done", "stats"},
         {"kind": "error", "retry": bool, "message"}. Whatever Blender prints goes to stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from pathlib import Path
from typing import IO, Any

from scenes.plan import ScenePlan
from simulator.blender.player import BlenderPlayer
from simulator.produce import produce_clip
from simulator.strips import produce_strip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m simulator.blender", description=__doc__)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    threads = parser.parse_args().threads
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # Blender prints to stdout from C: keep the protocol clean
    _reply(replies, kind="ready")
    for line in sys.stdin:
        _serve(json.loads(line), replies, threads)
    replies.flush()
    os._exit(0)  # Blender inside Python can hang at interpreter exit


def _serve(job: dict[str, Any], replies: IO[str], threads: int) -> None:
    try:
        plan = ScenePlan.read(Path(job["plan"]))
        stats = _PRODUCERS[job.get("what", "clip")](
            plan,
            Path(job["out"]),
            lambda stage: BlenderPlayer(stage, threads),
            lambda done, total: _reply(replies, kind="progress", done=done, total=total),
        )
    except ValueError as error:  # the plan's own fault: trying again cannot help
        traceback.print_exc()
        _reply(replies, kind="error", retry=False, message=f"{type(error).__name__}: {error}")
    except Exception as error:
        traceback.print_exc()
        _reply(replies, kind="error", retry=True, message=f"{type(error).__name__}: {error}")
    else:
        _reply(replies, kind="done", stats=stats)


_PRODUCERS = {"clip": produce_clip, "strip": produce_strip}


def _reply(replies: IO[str], **message: Any) -> None:
    replies.write(json.dumps(message) + "\n")
    replies.flush()


if __name__ == "__main__":
    main()
