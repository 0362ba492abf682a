"""The rendered part of `check_event`: pausing shows, what is hidden is hidden, the state reads back from the passes."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from event_library.check import CheckReport, Finding
from event_library.registry import EVENT_TYPES, get_type
from render_jobs.strips import Outcome, run_strips
from scenes.errors import SpecError
from scenes.plan import ScenePlan
from scenes.showing import showing_plan
from simulator.strips import Strip

MIN_MEAN_CHANGE, MIN_CHANGED_SHARE = 8.0, 0.05  # DESIGN section 4; one of the two must hold
SIZE_PX = 64


def check_pictures(
    type_ids: Sequence[str], num_samples: int = 3, num_workers: int | None = None
) -> Iterator[CheckReport]:
    """A report for each type, as soon as its `num_samples` strips are there."""
    plans: dict[str, ScenePlan] = {}
    outcomes: dict[str, list[Outcome]] = {name: [] for name in type_ids}
    for name in type_ids:
        for index in range(num_samples):
            try:
                plans[f"{name}/{index}"] = showing_plan(name, index, SIZE_PX)
            except SpecError as error:
                outcomes[name].append(str(error))
    for name, failed in outcomes.items():
        if len(failed) == num_samples:
            yield _report(name, failed)
    for key, outcome in run_strips(plans, num_workers):
        name = key.split("/")[0]
        outcomes[name].append(outcome)
        if len(outcomes[name]) == num_samples:
            yield _report(name, outcomes[name])


def source_digest(type_id: str) -> str:
    """Changes when the module that defines a type, or its facts, change: its pictures are then worth another look."""
    kind = get_type(type_id)
    text = Path(inspect.getsourcefile(kind) or "").read_text("utf-8") + repr(kind.info)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def check_all_pictures(type_ids: Sequence[str] = (), num_samples: int = 3) -> list[CheckReport]:
    """Reports of the named types (all when none is named), in their order; a bar tells how far it is."""
    names = list(type_ids) or list(EVENT_TYPES)
    reports = tqdm(check_pictures(names, num_samples), desc="pictures", unit="types", total=len(names))
    return sorted(reports, key=lambda r: names.index(r.type_id))


def _report(name: str, outcomes: Sequence[Outcome]) -> CheckReport:
    strips = [o for o in outcomes if isinstance(o, Strip)]
    reasons = [o for o in outcomes if isinstance(o, str)]
    findings = [Finding("plans that cannot be shown", float(len(reasons)), 0.0, "; ".join(reasons)[:300])]
    if strips:
        faint = min(strips, key=_strength)
        note = f"mean {faint.mean_change:.1f}/255, {100 * faint.changed_share:.0f} % of pixels by 24/255"
        findings.append(Finding("paused looks like went on", 1 / max(_strength(faint), 1e-9), 1.0, note))
        readings = [r for s in strips for r in s.readings]
        wrong = [r for r in readings if not r.holds]
        note = "; ".join(f"{r.name} {r.measured:.4g} for {r.truth:.4g} +- {r.tolerance:.2g}" for r in wrong[:3])
        note = note or f"of {len(readings)}"
        findings.append(Finding("readings off in rendered passes", float(len(wrong)), 0.0, note))
    return CheckReport(name, tuple(findings))


def _strength(strip: Strip) -> float:
    """At least 1 where the picture of the paused event differs as it must."""
    return max(strip.mean_change / MIN_MEAN_CHANGE, strip.changed_share / MIN_CHANGED_SHARE)
