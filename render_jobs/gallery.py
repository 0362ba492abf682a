"""`remind events gallery`: every event type as Blender shows it, hidden and back, and had it stood still."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from html import escape
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray

from event_library.base import EventInfo
from event_library.registry import EVENT_TYPES
from render_jobs.commands import render_plans
from scenes.loading import load_spec
from scenes.plan import ScenePlan
from scenes.sampling import sample_plans
from simulator.clip import Clip

SIZE_PX = 160
_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222}
h2{margin:2.2rem 0 0} p{margin:.3rem 0} figure{margin:.6rem 0;overflow-x:auto} code{background:#eee;padding:0 .3em}
.labels{display:flex;font-size:13px;color:#555} .labels span{width:160px;text-align:center}"""
_LABELS = ("start", "last seen", "hidden", "seen again", "end", "had it paused")


def gallery_plans(specs: Sequence[Path]) -> dict[str, ScenePlan]:
    """Event type -> a plan that shows it, from the first spec whose event is of that type, at the gallery's size.

    Raises ValueError when a registered type has no spec.
    """
    plans: dict[str, ScenePlan] = {}
    for path in specs:
        plan = sample_plans(load_spec(path), 1)[0]
        if (kind := plan.events[0].type) in plans:
            continue
        clip = dataclasses.replace(plan.clip, width_px=SIZE_PX, height_px=SIZE_PX)
        plans[kind] = dataclasses.replace(plan, clip=clip, outputs=("rgb", "segmentation", "twins"))
    if missing := sorted(set(EVENT_TYPES) - set(plans)):
        raise ValueError(f"no example spec shows {', '.join(missing)}; add scenes/specs/{missing[0]}.yaml")
    return {kind: plans[kind] for kind in EVENT_TYPES}


def write_gallery(out: Path, specs: Sequence[Path]) -> Path:
    """Render (or take what is rendered already) and write `out/index.html` with one strip for each type."""
    plans = gallery_plans(specs)
    results = {r.job_id: r for r in render_plans(list(plans.values()), out / "data")}
    sections = []
    for kind, plan in plans.items():
        result = results[plan.plan_id[:20]]
        if result.state == "failed":
            raise ValueError(f"{kind}: {result.message} (see {result.path})")
        iio.imwrite(out / f"{kind}.png", strip(Clip.open(result.path)))
        sections.append(_section(EVENT_TYPES[kind].info))
    page = out / "index.html"
    page.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Event types</title><style>{_STYLE}</style>'
        f"<h1>Event types</h1><p>Each event goes on while nobody sees it. "
        f"The last picture is the moment of return had its clock stood still meanwhile.</p>{''.join(sections)}</html>\n"
    )
    return page


def strip(clip: Clip) -> NDArray[np.uint8]:
    """[H, 6 W, 3]: start, last seen, hidden, seen again, end, and the paused twin at the return."""
    window = clip.windows[0]
    middle = window.hidden_frames[len(window.hidden_frames) // 2]
    frames = (0, window.t_h, middle, window.t_r, clip.num_frames - 1)
    return np.hstack([*(clip.rgb[f] for f in frames), clip.twin("paused").rgb[window.t_r]])


def _section(info: EventInfo) -> str:
    labels = "".join(f"<span>{label}</span>" for label in _LABELS)
    return (
        f"<h2>{escape(info.id)}</h2><p>{escape(info.family)}, {escape(info.stevo_category)}, "
        f'difficulty {info.difficulty}</p><p>“{escape(info.prompt)}”</p>'
        f'<figure><img src="{escape(info.id)}.png" alt="{escape(info.summary)}">'
        f'<div class="labels">{labels}</div></figure><p><code>{escape(info.law)}</code></p>'
    )
