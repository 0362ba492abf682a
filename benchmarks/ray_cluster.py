"""Clips from Blender over a Ray cluster that loses a node, against the same clips from an undisturbed local run.

    python -m benchmarks.ray_cluster --out DIR [--spec SPEC.yaml] [--count N]

Two node processes of one CPU each on this machine. When the second clip is published, every process of the second node
is killed at once (SIGKILL), Blender among them. Both runs are the command `remind render`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from simulator.clip import Clip, list_clips

SPEC = Path("benchmarks/specs/learn_train.yaml")
RAY = [
    sys.executable,
    "-m",
    "ray.scripts.scripts",
    "start",
    "--block",
    "--num-cpus=1",
    "--object-store-memory=80000000",
]


WAIT = """
import sys, time, ray
ray.init(address=sys.argv[1], log_to_driver=False)
while sum(node["Alive"] for node in ray.nodes()) < int(sys.argv[2]):
    time.sleep(0.2)
"""


def free_port() -> int:
    with socket.create_server(("", 0)) as server:
        return int(server.getsockname()[1])


def end(node: subprocess.Popen[bytes]) -> None:
    """SIGKILL to all processes of a node at once."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(node.pid)
        for each in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
    node.wait()


@contextlib.contextmanager
def two_nodes() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Address of a cluster, and the node in it that may be killed."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    folder = tempfile.mkdtemp(prefix="ray-")
    address = f"127.0.0.1:{free_port()}"
    place = [f"--port={address.split(':')[1]}", f"--temp-dir={folder}", "--include-dashboard=false"]
    nodes = [subprocess.Popen([*RAY, "--head", "--node-ip-address=127.0.0.1", *place], stdout=subprocess.DEVNULL)]
    try:
        for number in (1, 2):
            subprocess.run([sys.executable, "-c", WAIT, address, str(number)], check=True, capture_output=True)
            if number == 1:
                nodes.append(subprocess.Popen([*RAY, f"--address={address}"], stdout=subprocess.DEVNULL))
        yield address, nodes[1]
    finally:
        for node in nodes:
            end(node)
        shutil.rmtree(folder, ignore_errors=True)


def render(out: Path, spec: Path, count: int, *backend: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "remind", "render", str(spec), "--count", str(count), "--out", str(out)]
    return subprocess.Popen([*command, *backend])


def hashes(root: Path) -> dict[str, str]:
    return {Clip.open(path).clip_id: Clip.open(path).manifest["arrays_sha256"] for path in list_clips(root)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--spec", type=Path, default=SPEC)
    parser.add_argument("--count", type=int, default=8)
    options = parser.parse_args()
    over_ray, local = options.out / "ray", options.out / "local"
    with two_nodes() as (address, second):
        begun_s = time.monotonic()
        run = render(over_ray, options.spec, options.count, "--backend", "ray", "--address", address)
        while run.poll() is None and len(list((over_ray / "clips").glob("*"))) < 2:
            time.sleep(0.05)
        end(second)
        killed_s = time.monotonic() - begun_s
        status = run.wait()
        print(f"ray: exit status {status}, {time.monotonic() - begun_s:.0f} s, node killed after {killed_s:.0f} s")
    begun_s = time.monotonic()
    print(f"local: exit status {render(local, options.spec, options.count).wait()}, {time.monotonic() - begun_s:.0f} s")
    clips, undisturbed = hashes(over_ray), hashes(local)
    equal = sum(undisturbed.get(clip_id) == arrays for clip_id, arrays in clips.items())
    print(f"{len(clips)} clips over Ray, {len(undisturbed)} locally, arrays_sha256 equal: {equal}")
    print((over_ray / "render.log").read_text())


if __name__ == "__main__":
    main()
