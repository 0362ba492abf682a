"""A worker's Blender starts from the factory: nothing of the user's own (scripts, add-ons, startup file) runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("bpy")
pytestmark = pytest.mark.blender

SCRIPT = "from pathlib import Path\nPath({proof!r}).write_text('ran')\ndef register(): pass\ndef unregister(): pass\n"
CODE = """
import os, sys
sys.argv = ["python -m simulator.blender"]
os.environ["TMPDIR"] = {tmp!r}
import simulator.blender.__main__ as worker
worker.leave_users_blender_alone()
import bpy
bpy.ops.wm.read_factory_settings(use_empty=True)
assert not bpy.context.preferences.filepaths.use_scripts_auto_execute
assert not any({user!r} in path for path in bpy.utils.script_paths()), bpy.utils.script_paths()
print("asked", flush=True)
os._exit(0)
"""


def test_scripts_of_the_user_do_not_run(tmp_path: Path) -> None:
    user, proof = tmp_path / "user", tmp_path / "proof"
    for folder in ("startup", "addons", "modules"):
        (user / "scripts" / folder).mkdir(parents=True)
        (user / "scripts" / folder / "evil.py").write_text(SCRIPT.format(proof=str(proof)))
    own = {"BLENDER_USER_RESOURCES": str(user), "BLENDER_USER_SCRIPTS": str(user / "scripts")}
    code = CODE.format(tmp=str(tmp_path), user=str(user))
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **own}, capture_output=True, text=True, timeout=300
    )
    assert "asked" in done.stdout, done.stderr
    assert not proof.exists()


def test_only_files_are_written_never_opened() -> None:
    """No call of the Blender side opens, links or appends a .blend file, or runs a script of one."""
    folder = Path(__file__).parents[2] / "simulator" / "blender"
    text = "\n".join(path.read_text() for path in folder.rglob("*.py"))
    for call in ("open_mainfile", "libraries.load", "wm.append", "wm.link", "addon_enable", "script.python_file_run"):
        assert call not in text
