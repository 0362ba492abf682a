"""A render worker without Blender (simulator.serving): `python -m simulator.preview`."""

from __future__ import annotations

import argparse
import os
import sys

from simulator.preview import open_preview, require_preview
from simulator.serving import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m simulator.preview", description=__doc__)
    parser.add_argument("--threads", type=int, default=1, help="of Mesa's software rasteriser, where it is used")
    threads = parser.parse_args().threads
    os.environ.setdefault("LP_NUM_THREADS", str(threads if threads > 1 else 0))  # 0: in the calling thread itself
    try:
        require_preview()
    except ValueError as error:
        sys.exit(str(error))
    serve("preview", open_preview)


if __name__ == "__main__":
    main()
