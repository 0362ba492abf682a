"""`remind events gallery`: every event type as Blender shows it, hidden and back, and had it stood still."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from tqdm import tqdm

from event_library.base import EventInfo
from event_library.registry import EVENT_TYPES, get_type
from render_jobs.strips import run_strips
from scenes.errors import SpecError
from scenes.showing import showing_plan
from simulator.strips import NAMES, Strip

SIZE_PX = 160
_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222}
h2{margin:2.2rem 0 0} p{margin:.3rem 0} figure{margin:.6rem 0;overflow-x:auto} code{background:#eee;padding:0 .3em}
.labels{display:flex;font-size:13px;color:#555} .labels span{width:160px;text-align:center}"""


def write_gallery(
    out: Path, type_ids: Sequence[str] = (), *, size_px: int = SIZE_PX, index: int = 0, num_workers: int | None = None
) -> tuple[Path, list[str]]:
    """Render `out/<type>.png` for the named types (all when none is named) and write `out/index.html`.

    Returns the page and one line for each type that could not be shown.
    """
    kinds = [get_type(name) for name in type_ids] or list(EVENT_TYPES.values())
    out.mkdir(parents=True, exist_ok=True)
    plans, failed = {}, []
    for kind in tqdm(kinds, desc="plan", unit="types"):
        try:
            plans[kind.info.id] = showing_plan(kind.info.id, index, size_px)
        except SpecError as error:
            failed.append(f"{kind.info.id}: {error}")
    for name, outcome in tqdm(run_strips(plans, num_workers), desc="render", unit="types", total=len(plans)):
        if isinstance(outcome, Strip):
            iio.imwrite(out / f"{name}.png", np.hstack(list(outcome.pictures)))
        else:
            failed.append(f"{name}: {outcome}")
    sections = [_section(kind.info) for kind in kinds if (out / f"{kind.info.id}.png").exists()]
    page = out / "index.html"
    page.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Event types</title><style>{_STYLE}</style>'
        f"<h1>Event types</h1><p>Each event goes on while nobody sees it. "
        f"The last picture is the moment of return had its clock stood still meanwhile.</p>{''.join(sections)}</html>\n"
    )
    return page, failed


def _section(info: EventInfo) -> str:
    labels = "".join(f"<span>{label}</span>" for label in NAMES)
    return (
        f"<h2>{escape(info.id)}</h2><p>{escape(info.family)}, {escape(info.stevo_category)}, "
        f'difficulty {info.difficulty}</p><p>“{escape(info.prompt)}”</p>'
        f'<figure><img src="{escape(info.id)}.png" alt="{escape(info.summary)}">'
        f'<div class="labels">{labels}</div></figure><p><code>{escape(info.law)}</code></p>'
    )
