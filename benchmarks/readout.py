"""Does the sweep readout keep its promises? Calibration and corruption rows over all clips with sweeps.

    python benchmarks/readout.py DATASET [--out FILE.json]

Side by side: the tolerant limits (what reports use), the strict ones (99th percentile of true frames, learned leaving
the scene at hand out), and the naive nearest match that both replace. "Worst error" is that of the nearest member of
the set of times that look alike; "of best" that of the single best time, where the set is one interval.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from trainer.probe.calibration import Exhibit, Judged, judge, measure_all
from trainer.probe.readout import Evidence
from trainer.probe.subject import Subject, load_subjects
from trainer.probe.verdict import TOLERANT, Limits, learn_strict

Measured = Sequence[tuple[Subject, Exhibit, Evidence]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--out", type=Path, help="write every single reading as JSON")
    arguments = parser.parse_args()
    began = time.perf_counter()
    subjects = load_subjects(arguments.dataset)
    measured = measure_all(subjects)
    tolerant = [judge(*row, TOLERANT) for row in measured]
    strict = [judge(*row, limits) for row, limits in zip(measured, strict_limits(measured), strict=True)]
    seconds = time.perf_counter() - began
    num_scenes = len({s.scene_id for s in subjects})
    print(f"{len(subjects)} clips, {num_scenes} scenes, {len(measured)} pictures, {seconds:.0f} s\n")
    print(table(tolerant, strict))
    print("\n" + evidence_table(measured))
    failed = [judged for judged in tolerant if not judged.passed]
    print(f"\n{len(tolerant) - len(failed)} of {len(tolerant)} pictures as they should be (tolerant)")
    for judged in failed:
        print("  ", judged.event_type, judged.clip_id, judged.name, judged.reading)
    if arguments.out:
        readings = {"tolerant": [asdict(j) for j in tolerant], "strict": [asdict(j) for j in strict]}
        arguments.out.write_text(json.dumps(readings))


def strict_limits(measured: Measured) -> list[Limits]:
    """For each row the limits learned from true frames of the other scenes (tolerant ones where there is no other)."""
    limits: dict[str, Limits] = {}
    for scene in {subject.scene_id for subject, _, _ in measured}:
        true_frames = [e for s, x, e in measured if x.sharp and s.scene_id != scene]
        limits[scene] = learn_strict(true_frames) if true_frames else TOLERANT
    return [limits[subject.scene_id] for subject, _, _ in measured]


def table(tolerant: Sequence[Judged], strict: Sequence[Judged]) -> str:
    """Markdown: one row per exhibit."""
    lines = [
        "| picture | should be | CR | worst error | of best | set | readable | right | strict | right | naive CR |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(j.name for j in tolerant):
        loose, tight = ([j for j in rows if j.name == name] for rows in (tolerant, strict))
        verdict = loose[0].verdict
        should = {"exact": "its own +-0.05", "near or unreadable": "1 +-0.1 or unr."}.get(verdict, verdict)
        naive = f"{np.mean([j.reading.naive_clock_ratio for j in loose]):.2f}"
        cells = [name, should, *_errors(loose), *_counts(loose), *_counts(tight), naive]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _errors(rows: Sequence[Judged]) -> list[str]:
    """Mean clock ratio, worst error of the nearest member, worst error of the best point, mean set size."""
    readable = [j for j in rows if j.reading.clock_ratio is not None]
    if not readable:
        return ["-"] * 4
    ratios = [j.reading.clock_ratio or 0.0 for j in readable]
    errors = [abs(ratio - j.expected_ratio) for ratio, j in zip(ratios, readable, strict=True)]
    single = [j for j in readable if j.reading.num_alternatives == 1]
    best = [abs(j.reading.best_clock_ratio - j.expected_ratio) for j in single]
    sizes = [j.reading.set_size for j in readable]
    return [
        f"{np.mean(ratios):.3f}",
        f"{max(errors):.3f}",
        f"{max(best):.3f}" if best else "-",
        f"{np.mean(sizes):.3f}",
    ]


def _counts(rows: Sequence[Judged]) -> list[str]:
    readable = sum(j.reading.clock_ratio is not None for j in rows)
    return [f"{readable}/{len(rows)}", f"{sum(j.passed for j in rows)}/{len(rows)}"]


def evidence_table(measured: Measured) -> str:
    """Markdown: where each kind of picture lies on the three scales (median, least, greatest)."""
    lines = ["| picture | residual / V | mixture gain / V | sharpness |", "|---|---|---|---|"]
    for name in dict.fromkeys(x.name for _, x, _ in measured):
        rows = [e for _, x, e in measured if x.name == name]
        cells = [[getattr(e, key) for e in rows] for key in ("residual", "mixture_gain", "sharpness")]
        text = " | ".join(f"{np.median(c):.3f} ({min(c):.3f} .. {max(c):.3f})" for c in cells)
        lines.append(f"| {name} | {text} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
