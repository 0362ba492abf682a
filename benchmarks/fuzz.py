"""Fuzzing at length: no input may end in a traceback or take longer than its limit.

    python -m benchmarks.fuzz loader --inputs 100000
    python -m benchmarks.fuzz planner --inputs 2000
    python -m benchmarks.fuzz plans --inputs 10000

Run again with more --inputs, it goes on where it was. Inputs that end badly are kept in the --out folder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.fuzzing import plans, specs, targets
from benchmarks.fuzzing.watch import Subject, fuzz, summary

SUBJECTS: Mapping[str, Subject] = {
    "loader": Subject(make=specs.loader_input, target=targets.load, limit_s=10.0),
    "planner": Subject(make=specs.planner_input, target=targets.plan, limit_s=60.0),
    "plans": Subject(make=plans.plan_input, target=targets.read_plan, limit_s=30.0),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", choices=list(SUBJECTS))
    parser.add_argument("--inputs", type=int, required=True, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: fuzz/SUBJECT")
    args = parser.parse_args()
    folder = args.out or Path("fuzz") / args.subject
    outcomes = fuzz(SUBJECTS[args.subject], seed=args.seed, inputs=args.inputs, folder=folder)
    print(summary(outcomes))
    return 1 if any(outcome.bad for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
