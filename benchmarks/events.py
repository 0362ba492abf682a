"""All event types: every promise over many parameter sets, rendered too, and what a timeline costs.

    python -m benchmarks.events --cost               # milliseconds for 121 frames, first time and again
    python -m benchmarks.events --full               # 20 parameter sets each by law, 3 rendered: tens of minutes
    python -m benchmarks.events --full --write       # and into docs/RESULTS.md, with what the tests need to know

Sound results are kept in `--keep FILE` by type and source: a second run checks only what changed or was broken.
`--write` replaces the table between the markers of docs/RESULTS.md and tests/render_jobs/checked_pictures.txt.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np

from event_library.check import CheckReport, Finding
from event_library.commands import check_types
from event_library.registry import EVENT_TYPES
from render_jobs.pictures import check_all_pictures, source_digest

REPOSITORY = Path(__file__).parents[1]
RESULTS, RECORD = REPOSITORY / "docs" / "RESULTS.md", REPOSITORY / "tests" / "render_jobs" / "checked_pictures.txt"
NUM_LAWS, NUM_PICTURES, NUM_FRAMES = 20, 3, 121
GROUP = 26  # types between two savings of --keep
LAW = ("agrees with an independent reference", "energy never grows", "converges under refinement")


def cost_ms(type_id: str) -> tuple[float, float]:
    """Milliseconds for the states of 121 frames at 24 fps: of an event never asked before, and again."""
    event = EVENT_TYPES[type_id].sample(np.random.default_rng(77))
    t_s = np.arange(NUM_FRAMES) / 24.0
    spent = []
    for _ in range(2):
        began = time.perf_counter()
        event.states(t_s)
        spent.append(1e3 * (time.perf_counter() - began))
    return spent[0], spent[1]


def costs() -> dict[str, tuple[float, float]]:
    """Type -> cost; every type's code has run once before, with other parameters."""
    for kind in EVENT_TYPES.values():
        kind().states(np.array([0.0]))
    return {name: cost_ms(name) for name in EVENT_TYPES}


def cost_summary(found: dict[str, tuple[float, float]]) -> str:
    """Median and worst over all types."""
    first = np.array([ms for ms, _ in found.values()])
    slowest = sorted(found, key=lambda name: -found[name][0])[:8]
    return "\n".join(
        [
            f"{NUM_FRAMES} frames, {len(found)} types: median {np.median(first):.2f} ms, worst {first.max():.0f} ms",
            *(f"  {name:30} {found[name][0]:8.1f} ms, again {found[name][1]:8.2f} ms" for name in slowest),
        ]
    )


def checked(what: str, check: Callable[[list[str]], list[CheckReport]], keep: Path) -> list[CheckReport]:
    """Reports of all types; sound ones of unchanged source are taken from the file `keep`, where new ones go."""
    kept = json.loads(keep.read_text("utf-8")) if keep.exists() else {}
    keys = {name: f"{what} {name} {source_digest(name)}" for name in EVENT_TYPES}
    due = [name for name in EVENT_TYPES if keys[name] not in kept]
    found: dict[str, CheckReport] = {}
    for start in range(0, len(due), GROUP):
        for report in check(due[start : start + GROUP]):
            found[report.type_id] = report
            if report.sound:
                kept[keys[report.type_id]] = [asdict(f) for f in report.findings]
            else:
                print(report.table(), flush=True)
        keep.write_text(json.dumps(kept), encoding="utf-8")
    for name in EVENT_TYPES:
        if name not in found:
            found[name] = CheckReport(name, tuple(Finding(**f) for f in kept[keys[name]]))
    return [found[name] for name in EVENT_TYPES]


def figure(report: CheckReport, *names: str) -> str:
    """The first of the named findings, '-' where there is none."""
    return next((f"{f.figure:.2g}" for f in report.findings if f.name in names), "-")


def table(laws: list[CheckReport], pictures: list[CheckReport], cost: dict[str, tuple[float, float]]) -> str:
    """Markdown: a row a type."""
    shown = {report.type_id: report for report in pictures}
    rows = [
        "| type | law kind | law off by | geometry off by | misread looks | rendered: paused against went on | "
        "readings wrong | ms | sound |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for law in laws:
        picture = shown[law.type_id]
        change = next((f.note for f in picture.findings if f.name == "paused looks like went on"), "not shown")
        wrong = next((f for f in picture.findings if f.name == "readings off in rendered passes"), None)
        readings = "-" if wrong is None else f"{wrong.figure:.0f} {wrong.note if wrong.holds else ''}".strip()
        cells = (
            law.type_id,
            EVENT_TYPES[law.type_id].info.law_kind,
            figure(law, *LAW),
            figure(law, "geometry holds the state"),
            figure(law, "readouts misread at 64 px"),
            change,
            readings,
            f"{cost[law.type_id][0]:.1f}",
            "yes" if law.sound and picture.sound else "NO",
        )
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def write(text: str, pictures: list[CheckReport]) -> None:
    """Into docs/RESULTS.md between its markers, and the digests of what was rendered and sound."""
    marked = re.compile(r"(<!-- event types begin -->\n).*(<!-- event types end -->)", re.DOTALL)
    RESULTS.write_text(marked.sub(lambda m: f"{m[1]}{text}\n{m[2]}", RESULTS.read_text("utf-8")), encoding="utf-8")
    lines = [f"{r.type_id} {source_digest(r.type_id)}\n" for r in sorted(pictures, key=lambda r: r.type_id) if r.sound]
    RECORD.write_text("".join(lines), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--keep", type=Path, default=Path("checked_types.json"), metavar="FILE")
    args = parser.parse_args()
    cost = costs()
    print(cost_summary(cost), flush=True)
    if not args.full:
        return 0
    pictures = checked("pictures", partial(check_all_pictures, num_samples=NUM_PICTURES), args.keep)
    laws = checked("laws", partial(check_types, num_samples=NUM_LAWS), args.keep)
    sound = sum(a.sound for a in laws), sum(r.sound for r in pictures)
    head = f"{sound[0]} of {len(laws)} sound by law, {sound[1]} of {len(pictures)} rendered."
    text = "\n".join([head, "", cost_summary(cost).splitlines()[0] + ".", "", table(laws, pictures, cost)])
    print(text)
    if args.write:
        write(text, pictures)
    return 0 if sound == (len(laws), len(pictures)) else 1


if __name__ == "__main__":
    sys.exit(main())
