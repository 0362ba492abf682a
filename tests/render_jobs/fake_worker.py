"""A worker that speaks the protocol and draws nothing; it misbehaves as its plan's name says.

`python fake_worker.py FOLDER THREADS`: FOLDER counts the attempts at each job (one byte each in FOLDER/<id>) and holds
FOLDER/pids (one line per started worker).
Names: `crash_N`, `kill_N`, `segv_N`, `hang_N`, `busy_N` (reports progress for ever), `eat_N` (takes memory for ever),
`error_N`, `bare_N` (done without a manifest) do so at the first N attempts; `impossible` is a spec error; `noise` talks
nonsense on stdout; `slow` takes its time; `meet` does, too, once another job is begun; `big` writes 1 MiB; `grow` never
gives back 64 MiB; anything else works.
"""

import errno
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

HELD: list[bytes] = []


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
    if manner in ("kill", "segv"):
        os.kill(os.getpid(), getattr(signal, f"SIG{manner.upper()}"))
    if manner == "hang":
        time.sleep(600)
    while manner == "busy":
        say(kind="progress", done=1, total=2)
        time.sleep(0.05)
    while manner == "eat":
        HELD.append(b"x" * 2**24)
        time.sleep(0.02)
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
        (out / "index.bin").write_text("half done")
        say(kind="progress", done=1, total=2)
        if misbehave(plan["name"], attempt):
            continue
        if plan["name"] == "grow":
            HELD.append(b"x" * 2**26)
        while plan["name"] == "meet" and len(list(folder.iterdir())) < 3:  # two jobs and the list of workers
            time.sleep(0.02)
        if plan["name"] in ("slow", "meet"):
            time.sleep(0.1)
        try:
            fill(out, plan)
        except OSError as error:
            say(kind="error", retry=True, storage=error.errno == errno.ENOSPC, message=f"OSError: {error}")
            continue
        say(kind="progress", done=2, total=2)
        say(kind="done", stats={"frames": 2})


def fill(out: Path, plan: dict[str, Any]) -> None:
    """A clip whose bytes follow from the plan alone."""
    content = {"index.bin": str(plan["index"]).encode() * 100, "big.bin": bytes(2**20 if plan["name"] == "big" else 0)}
    for name, data in content.items():
        (out / name).write_bytes(data)
    gpu = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    manifest = {"name": plan["name"], "gpu": gpu, "file_bytes": {name: len(data) for name, data in content.items()}}
    (out / "manifest.json").write_text(json.dumps(manifest))


if __name__ == "__main__":
    main()
