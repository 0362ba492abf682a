"""A worker that speaks the protocol and draws nothing; it misbehaves as its plan's name says.

`python fake_worker.py FOLDER THREADS`: FOLDER counts the attempts at each job (one byte each in FOLDER/<id>) and holds
FOLDER/pids (one line per started worker).
Names: `crash_N`, `kill_N`, `hang_N`, `error_N`, `bare_N` do so at the first N attempts; `impossible` is a spec error;
`noise` talks nonsense on stdout; `slow` takes a while; anything else works.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any


def say(**message: Any) -> None:
    print(json.dumps(message), flush=True)


def misbehave(name: str, attempt: int) -> bool:
    """True when the attempt ends here without a clip but with the worker alive."""
    manner, _, times = name.partition("_")
    if manner == "impossible":
        say(kind="error", retry=False, message="ValueError: the target cannot be hidden")
        return True
    if manner == "slow":
        time.sleep(0.2)
    if manner == "noise":
        print("Blender says hello", flush=True)
    if not times.isdigit() or attempt > int(times):
        return False
    if manner == "crash":
        print("about to crash", file=sys.stderr, flush=True)
        os._exit(7)
    if manner == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if manner == "hang":
        time.sleep(600)
    if manner == "error":
        say(kind="error", retry=True, message="RuntimeError: out of memory")
        return True
    if manner == "bare":
        say(kind="done", stats={})
        return True
    return False


def main() -> None:
    folder = Path(sys.argv[1])
    with open(folder / "pids", "a") as file:
        file.write(f"{os.getpid()}\n")
    say(kind="ready")
    for line in sys.stdin:
        job = json.loads(line)
        with open(folder / job["id"], "a") as file:
            file.write("x")
        attempt = (folder / job["id"]).stat().st_size
        plan = json.loads(Path(job["plan"]).read_text())
        out = Path(job["out"])
        (out / "half.txt").write_text("half done")
        say(kind="progress", done=1, total=2)
        if misbehave(plan["name"], attempt):
            continue
        (out / "manifest.json").write_text(json.dumps({"name": plan["name"], "threads": sys.argv[2]}))
        say(kind="progress", done=2, total=2)
        say(kind="done", stats={"frames": 2})


if __name__ == "__main__":
    main()
