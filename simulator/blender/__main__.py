"""A render worker with Blender in it (simulator.serving): `python -m simulator.blender [--threads N]`."""

from __future__ import annotations

import argparse
import os

from simulator.blender.cores import loading_blender
from simulator.serving import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m simulator.blender", description=__doc__)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    threads = parser.parse_args().threads
    with loading_blender(threads):
        from simulator.blender.blend_file import produce_blend
        from simulator.blender.player import BlenderPlayer
    serve("cycles", lambda stage: BlenderPlayer(stage, threads), {"blend": produce_blend})


if __name__ == "__main__":
    main()
