"""`python drive.py ROOT WORKERS NAME:COUNT ...`: renders fake jobs in a process of its own; the last line is JSON.

A `NAME:COUNT` stands for COUNT jobs of that name. FULL=<file> in the environment: when the disk is full, the file is
removed and the run begun again.
"""

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from render_jobs.jobs import Job
from tests.render_jobs.support import fake_pool, job


def jobs(wanted: Sequence[str]) -> list[Job]:
    """The jobs that NAME:COUNT words stand for."""
    pairs = [each.split(":") for each in wanted]
    return [job(name, index) for name, count in pairs for index in range(int(count))]


def main() -> None:
    root, workers = Path(sys.argv[1]), int(sys.argv[2])
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell is born deaf to it
    states: dict[str, str] = {}

    def run() -> None:
        for result in fake_pool(root, num_workers=workers).run(jobs(sys.argv[3:])):
            states[result.job_id] = result.state

    stopped: list[str] = []
    try:
        run()
    except OSError as error:
        stopped.append(f"{error.filename}: {error.strerror}")
        half_done = [str(path) for path in (root / ".attempts").glob("*")]
        assert not half_done, half_done
        os.unlink(os.environ["FULL"])
        run()
    files = {str(p.relative_to(root)): p.read_bytes().hex()[:400] for p in sorted(root.glob("clips/*/*"))}
    print(json.dumps({"states": states, "stopped": stopped, "files": files}))


if __name__ == "__main__":
    main()
