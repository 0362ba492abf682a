"""What does the share of the residual that a mixture explains add to its gain alone? Readable pictures of each kind.

    python -m benchmarks.ghosts DATASET [DATASET ...]

Beside the exhibits of every probe: ghost and mean of the sweep painted soft (sigma 0.7 px, blotches 2 %). "Wrong":
read, and more than 0.1 off or not to be read at all. Last, the ghosts by data set.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from trainer.probe import corruptions
from trainer.probe.calibration import NEAR_TOLERANCE, Exhibit, exhibits
from trainer.probe.readout import Evidence, measure
from trainer.probe.subject import Subject, load_subjects
from trainer.probe.verdict import TOLERANT, Limits, read

GAIN_ALONE = dataclasses.replace(TOLERANT, mixture_share=1.0)
GHOST = "50/50 ghost"
Measured = tuple[Subject, Exhibit, Evidence]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", type=Path, nargs="+", metavar="DATASET")
    arguments = parser.parse_args()
    found = {path: [row for s in load_subjects(path) for row in pictures(s)] for path in arguments.datasets}
    rows = [row for part in found.values() for row in part]
    print(
        "| picture | windows | readable by the gain alone | wrong | with the share | wrong |\n|---|---|---|---|---|---|"
    )
    for name in dict.fromkeys(exhibit.name for _, exhibit, _ in rows):
        some = [row for row in rows if row[1].name == name]
        counts = [count(some, limits) for limits in (GAIN_ALONE, TOLERANT)]
        print(f"| {name} | {len(some)} | " + " | ".join(f"{read} | {wrong}" for read, wrong in counts) + " |")
    for path, part in found.items():
        ghosts = [row for row in part if row[1].name == GHOST]
        gains = [evidence.mixture_gain for _, _, evidence in ghosts]
        between = f"{min(gains):.2f}-{max(gains):.2f} V"
        print(f"{path}: {count(ghosts, GAIN_ALONE)[0]} of {len(ghosts)} ghosts read by the gain alone, gains {between}")


def pictures(subject: Subject) -> Iterator[Measured]:
    """Exhibits and the two soft ones, measured."""
    shown = exhibits(subject, None)
    for exhibit in shown:
        if exhibit.name in (GHOST, "mean of sweep"):
            soft = corruptions.soft(exhibit.rgb, 0.7, 0.02, seed=1)
            shown = [*shown, dataclasses.replace(exhibit, name=f"{exhibit.name}, soft", rgb=soft)]
    return ((subject, exhibit, measure(subject.sweep, exhibit.rgb)) for exhibit in shown)


def count(rows: Sequence[Measured], limits: Limits) -> tuple[int, int]:
    """How many are read, and how many of these wrongly."""
    num_read = num_wrong = 0
    for subject, exhibit, evidence in rows:
        sweep = subject.sweep
        reference_s = sweep.t_h_s + exhibit.expected_ratio * (sweep.t_r_s - sweep.t_h_s)
        ratio = read(sweep, evidence, reference_s, limits).clock_ratio
        if ratio is not None:
            off = abs(ratio - exhibit.expected_ratio) > NEAR_TOLERANCE
            num_read += 1
            num_wrong += exhibit.verdict.startswith("unreadable") or off
    return num_read, num_wrong


if __name__ == "__main__":
    main()
