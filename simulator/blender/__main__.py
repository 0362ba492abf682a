"""A render worker with Blender in it (simulator.serving): `python -m simulator.blender [--threads N]`."""

from __future__ import annotations

import argparse
import os
import tempfile

from simulator.blender.cores import loading_blender
from simulator.serving import serve


def leave_users_blender_alone() -> None:
    """Before Blender is loaded: its user's scripts, add-ons and startup file are no part of a render."""
    for name in [name for name in os.environ if name.startswith(("BLENDER_USER_", "BLENDER_SYSTEM_"))]:
        del os.environ[name]
    os.environ["BLENDER_USER_RESOURCES"] = os.path.join(tempfile.gettempdir(), "no-blender-user")  # need not exist


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m simulator.blender", description=__doc__)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    threads = parser.parse_args().threads
    leave_users_blender_alone()
    with loading_blender(threads):
        from simulator.blender.blend_file import produce_blend
        from simulator.blender.player import BlenderPlayer
    serve("cycles", lambda stage: BlenderPlayer(stage, threads), {"blend": produce_blend})


if __name__ == "__main__":
    main()
