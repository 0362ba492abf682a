"""The loop of a long-lived render worker: one JSON line in, one clip (or strip) out.

stdin:   {"id": ..., "what": "clip" | "strip" | "hiding" ..., "plan": <plan.json>, "out": <directory to fill>}; end of
         file ends the worker.
stdout:  {"kind": "ready"}, {"kind": "progress", "done", "total"}, {"kind": "done", "stats"},
         {"kind": "error", "retry": bool, "message"}. Whatever the renderer prints goes to stderr.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, NoReturn

from scenes.plan import ScenePlan
from simulator.hiding import produce_hiding
from simulator.produce import OpenRenderer, Progress, produce_clip
from simulator.strips import produce_strip

Producer = Callable[[ScenePlan, Path, OpenRenderer, Progress], dict[str, float]]
_PRODUCERS: Mapping[str, Producer] = MappingProxyType(
    {"clip": produce_clip, "strip": produce_strip, "hiding": produce_hiding}
)


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
    try:
        plan = ScenePlan.read(Path(job["plan"]))
        if plan.render.engine != engine:
            raise ValueError(f"{job['plan']}: render.engine: the plan asks for {plan.render.engine!r}, not {engine!r}")
        stats = producers[job.get("what", "clip")](
            plan,
            Path(job["out"]),
            open_renderer,
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


def _reply(replies: IO[str], **message: Any) -> None:
    replies.write(json.dumps(message) + "\n")
    replies.flush()
