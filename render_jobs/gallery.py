"""`remind events gallery`: every event type as Blender shows it, hidden and back, and had it stood still."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from tqdm import tqdm

from event_library.base import Event
from event_library.commands import type_facts
from event_library.registry import EVENT_TYPES, get_type
from render_jobs.strips import run_strips
from render_jobs.typeset import law_html
from scenes.errors import SpecError
from scenes.showing import showing_plan
from simulator.strips import NAMES, Strip

SIZE_PX = 160
TEMPLATES = Environment(loader=PackageLoader("render_jobs"), autoescape=True, trim_blocks=True, lstrip_blocks=True)


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
    shown = [kind for kind in kinds if (out / f"{kind.info.id}.png").exists()]
    page = out / "index.html"
    page.write_text(_page(shown, size_px), encoding="utf-8")
    return page, failed


def _page(kinds: Sequence[type[Event]], size_px: int) -> str:
    """One static page: types grouped by family, searchable, with law, parameters and readouts."""
    families: dict[str, list[dict[str, Any]]] = {}
    for kind in kinds:
        facts = type_facts(kind)
        facts["law_html"] = Markup(law_html(facts["law"]))  # noqa: S704 (law_html escapes what it does not set)
        families.setdefault(kind.info.family, []).append(facts)
    return TEMPLATES.get_template("gallery.html.j2").render(
        families=families, moments=NAMES, size_px=size_px, num_types=len(kinds)
    )
