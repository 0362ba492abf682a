"""The loop of a long-lived render worker: one JSON line in, one clip (or strip) out.

stdin:   {"id": ..., "what": "clip" | "strip" | "hiding" ..., "plan": <plan.json>, "out": <directory to fill>}, or
         {"what": "plan", "plan": <spec.yaml>, "index": n, "out": ...} to draw a spec's sample n into out/plan.json.
         End of file ends the worker.
stdout:  {"kind": "ready"}, {"kind": "progress", "done", "total"}, {"kind": "done", "stats"},
         {"kind": "error", "retry": bool, "storage": bool, "message"}: retry: it may be the worker's fault; storage: the
         disk's. Whatever the renderer prints goes to stderr.
What a worker reports as done is on the disk: it would outlive a power cut.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, NoReturn

from scenes.loading import load_spec
from scenes.plan import ScenePlan
from scenes.sampling import sample_plans
from simulator.durable import sync_tree
from simulator.hiding import produce_hiding
from simulator.produce import OpenRenderer, Progress, produce_clip
from simulator.strips import produce_strip

Producer = Callable[[ScenePlan, Path, OpenRenderer, Progress], dict[str, float]]
_PRODUCERS: Mapping[str, Producer] = MappingProxyType(
    {"clip": produce_clip, "strip": produce_strip, "hiding": produce_hiding}
)

# what the disk says when it is the disk's fault: full, over quota, read-only, not ours, failing, gone
_STORAGE_ERRORS = ("ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EIO", "ESTALE")


def is_storage_fault(error: BaseException) -> bool:
    """Whether an error, or one that it came from, is the storage's and would befall the next job, too."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and errno.errorcode.get(seen.errno or 0) in _STORAGE_ERRORS:
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def serve(engine: str, open_renderer: OpenRenderer, own: Mapping[str, Producer] = MappingProxyType({})) -> NoReturn:
    """Serve until stdin ends, then leave the process. Plans for another engine than `engine` are refused.

    own: what this renderer alone can make, by the name that a job asks for in "what".
    """
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # renderers print to stdout from C: keep the protocol clean
    _reply(replies, kind="ready")
    for line in sys.stdin:
        _answer(json.loads(line), replies, engine, open_renderer, {**_PRODUCERS, **own})
    replies.flush()
    os._exit(0)  # Blender inside Python can hang at interpreter exit


def _answer(
    job: dict[str, Any],
    replies: IO[str],
    engine: str,
    open_renderer: OpenRenderer,
    producers: Mapping[str, Producer],
) -> None:
    out = Path(job["out"])
    try:
        if job.get("what") == "plan":
            (plan,) = sample_plans(load_spec(job["plan"]), 1, int(job["index"]))
            (out / "plan.json").write_text(plan.to_json())
            stats: dict[str, float] = {}
        else:
            plan = _read_plan(job["plan"], engine)
            producer = producers[job.get("what", "clip")]
            stats = producer(plan, out, open_renderer, _progress(replies))
        sync_tree(out)
    except ValueError as error:  # the plan's own fault: trying again cannot help
        traceback.print_exc()
        storage = is_storage_fault(error)
        _reply(replies, kind="error", retry=storage, storage=storage, message=str(error))
    except Exception as error:
        traceback.print_exc()
        message = f"{type(error).__name__}: {error}"
        _reply(replies, kind="error", retry=True, storage=is_storage_fault(error), message=message)
    else:
        _reply(replies, kind="done", stats=stats)


def _read_plan(path: str, engine: str) -> ScenePlan:
    plan = ScenePlan.read(Path(path))
    if plan.render.engine != engine:
        raise ValueError(f"{path}: render.engine: the plan asks for {plan.render.engine!r}, not {engine!r}")
    return plan


def _progress(replies: IO[str]) -> Progress:
    return lambda done, total: _reply(replies, kind="progress", done=done, total=total)


def _reply(replies: IO[str], **message: Any) -> None:
    replies.write(json.dumps(message) + "\n")
    replies.flush()
