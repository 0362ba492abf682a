"""Does the sweep readout keep its promises? Calibration and corruption rows over all clips with sweeps.

    python benchmarks/readout.py DATASET [--out FILE.json]

Three columns of figures: the tolerant limits (what reports use), the strict ones (99th percentile of true frames, learned
leaving the scene at hand out), and the naive nearest match that both replace.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

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
    print(f"{len(subjects)} clips, {len({s.scene_id for s in subjects})} scenes, {len(measured)} pictures, {seconds:.0f} s\n")
    print(table(tolerant, strict))
    print("\n" + evidence_table(measured))
    failed = [judged for judged in tolerant if not judged.passed]
    print(f"\n{len(tolerant) - len(failed)} of {len(tolerant)} pictures as they should be (tolerant)")
    for judged in failed:
        print("  ", judged.event_type, judged.clip_id, judged.name, judged.reading)
    if arguments.out:
        arguments.out.write_text(json.dumps({"tolerant": list(map(asdict, tolerant)), "strict": list(map(asdict, strict))}))


def strict_limits(measured: Measured) -> list[Limits]:
    """For each row the limits learned from the true frames of the other scenes (tolerant ones where there is no other)."""
    limits: dict[str, Limits] = {}
    for scene in {subject.scene_id for subject, _, _ in measured}:
        true_frames = [e for s, x, e in measured if x.sharp and s.scene_id != scene]
        limits[scene] = learn_strict(true_frames) if true_frames else TOLERANT
    return [limits[subject.scene_id] for subject, _, _ in measured]


def table(tolerant: Sequence[Judged], strict: Sequence[Judged]) -> str:
    """Markdown: one row per exhibit."""
    lines = [
        "| picture | should be | n | CR tolerant | worst error | readable | right | CR strict | readable | right | naive CR |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(j.name for j in tolerant):
        loose, tight = ([j for j in rows if j.name == name] for rows in (tolerant, strict))
        should = {"exact": "its own +-0.05", "near or unreadable": "1 +-0.1 or unr."}.get(loose[0].verdict, loose[0].verdict)
        naive = float(np.mean([j.reading.naive_clock_ratio for j in loose]))
        cells: list[Any] = [name, should, len(loose), *_cells(loose, worst=True), *_cells(tight), f"{naive:.2f}"]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def _cells(rows: Sequence[Judged], worst: bool = False) -> list[str]:
    ratios = [(j.reading.clock_ratio, j.expected_ratio) for j in rows if j.reading.clock_ratio is not None]
    mean = f"{np.mean([r for r, _ in ratios]):.3f}" if ratios else "-"
    errors = [f"{max(abs(r - e) for r, e in ratios):.3f}" if ratios else "-"] if worst else []
    return [mean, *errors, f"{len(ratios)}/{len(rows)}", f"{sum(j.passed for j in rows)}/{len(rows)}"]


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
