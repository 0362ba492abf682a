"""The command line of `remind experiment`. Light: it only parses; `remind_experiment` does the work."""

from __future__ import annotations

from pathlib import Path

from render_jobs.verbs import Args, Verbs


def _run(args: Args) -> int:
    import remind_experiment

    if args.dry_run:
        print(remind_experiment.describe(args.file, args.out))
        return 0
    if args.out is None:
        raise ValueError("--out: is missing; give it (only --dry-run does without)")
    num_failed = remind_experiment.run_experiment(args.file, args.out, jobs=args.jobs)
    print(f"report: {remind_experiment.report(args.out)}   (open it in a browser)")
    return 1 if num_failed else 0


def _report(args: Args) -> int:
    import remind_experiment

    print(f"report: {remind_experiment.report(args.out)}   (open it in a browser)")
    return 0


def add_experiment(verbs: Verbs) -> None:
    """`remind experiment`."""
    group = verbs.family("experiment", "several models compared: data, arms and seeds from one file")
    run = group.add(
        "run",
        _run,
        "render the data, train every arm with every seed, probe all on every split, report; run again, it resumes",
        "remind experiment run two_kinds.yaml --out two --dry-run\nremind experiment run two_kinds.yaml --out two",
    )
    run.add_argument("file", type=Path, metavar="FILE")
    run.add_argument("--out", type=Path, metavar="DIR")
    run.add_argument("--jobs", type=int, metavar="N", help="runs side by side (default: one for each core; 1 on a GPU)")
    run.add_argument("--dry-run", action="store_true", help="say what would be done and what is done already")
    report = group.add("report", _report, "write the report of what is there so far", "remind experiment report two")
    report.add_argument("out", type=Path, metavar="DIR")
