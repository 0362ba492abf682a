"""The command line of `remind bench`. Light: it only parses; `remind_bench` does the work."""

from __future__ import annotations

import os
from pathlib import Path

from remind_trainer_verbs import add_rollout, rollout_config
from render_jobs.verbs import Args, Verbs

SUITES = ("v1", "v1-small")


def _list(args: Args) -> int:
    import remind_bench

    print(remind_bench.list_suite(args.suite))
    return 0


def _render(args: Args) -> int:
    import remind_bench

    failed = remind_bench.render_truth(args.suite, args.data, args.only, workers=args.workers, renderer=args.renderer)
    for line in failed:
        print(f"failed {line}")
    return 1 if failed else 0


def _export(args: Args) -> int:
    import remind_bench

    print(remind_bench.export(args.suite, args.out, args.data))
    return 0


def _generate(args: Args) -> int:
    import remind_bench

    how = remind_bench.generate(
        args.suite, args.run, args.data, args.out, given=args.given, config=rollout_config(args)
    )
    print(f"{args.out}: videos and map.json, for `remind bench score`; {how}")
    return 0


def _baselines(args: Args) -> int:
    import remind_bench
    from trainer.bench.page import interval

    for row in remind_bench.score_baselines(args.suite, args.data, args.out, workers=args.workers):
        print(f"{row.name:22} memory {interval(row.memory)}, recovery {interval(row.recovery)}")
    print(f"table: {args.out / 'table.csv'}; to set them beside a model's: --beside {args.out / 'scores'}/*")
    return 0


def _score(args: Args) -> int:
    import remind_bench
    from trainer.bench.page import interval

    result, row = remind_bench.score(
        args.suite, args.outputs, args.data, args.out, beside=args.beside, label=args.name or "", workers=args.workers
    )
    for line in result.problems:
        print(line)
    unofficial = "" if row.official else " (not official: the page says why)"
    print(f"{row.name}: memory {interval(row.memory)} over {row.num_tasks} tasks{unofficial}")
    print(f"page: {args.out / 'index.html'}, row: {args.out / 'row.json'}")
    return 1 if result.problems else 0


def add_bench(verbs: Verbs) -> None:
    """`remind bench`."""
    bench = verbs.family("bench", "the benchmark: tasks for any video model, scores of the videos that come back")
    listing = bench.add("list", _list, "list the tasks of a suite", "remind bench list --suite v1")
    render = bench.add(
        "render",
        _render,
        "render the truth of a suite (kept private); run again, it resumes",
        "remind bench render --suite v1 --data truth",
    )
    render.add_argument("--data", type=Path, required=True, metavar="TRUTH", help="data set to render into")
    render.add_argument("--only", action="append", default=[], metavar="TASK", help="this task (may be repeated)")
    render.add_argument("--workers", type=int, metavar="N", help="render processes (default: one for each GPU or core)")
    render.add_argument(
        "--renderer", choices=["cycles", "preview"], help="preview: seconds instead of hours, but no official score"
    )
    export = bench.add(
        "export",
        _export,
        "write what models are given: first frames, prompt, cameras, schedule; no answers",
        "remind bench export --suite v1 --out tasks --data truth",
    )
    export.add_argument("--out", type=Path, required=True, metavar="DIR")
    export.add_argument("--data", type=Path, metavar="TRUTH", help="rendered truth (default: DIR-truth, rendered now)")
    generate = bench.add(
        "generate",
        _generate,
        "make the videos of a model of ours",
        "remind bench generate runs/mymodel --suite v1 --data truth --out outputs/mymodel\n"
        "remind bench generate runs/mymodel --data truth --window 8 --out outputs/mymodel-bounded",
        resume_hint="the same command goes on; with other options, choose another --out",
    )
    generate.add_argument("run", type=Path, metavar="RUN")
    generate.add_argument("--data", type=Path, required=True, metavar="TRUTH", help="read up to the last given frame")
    generate.add_argument("--out", type=Path, required=True, metavar="OUTPUTS")
    generate.add_argument(
        "--given",
        choices=["seen", "hidden"],
        default="seen",
        help="seen: what every model is given (default); hidden: the frames that show nothing of the event as well",
    )
    add_rollout(generate)
    baselines = bench.add(
        "baselines",
        _baselines,
        "make the videos of all baselines and score them",
        "remind bench baselines --suite v1 --data truth --out baselines",
    )
    baselines.add_argument("--data", type=Path, required=True, metavar="TRUTH")
    baselines.add_argument("--out", type=Path, required=True, metavar="DIR")
    score = bench.add(
        "score",
        _score,
        "score any model's videos; exit status 1 when some are missing or wrong",
        "remind bench score outputs/mymodel --suite v1 --data truth --out report --beside baselines/scores/*",
    )
    score.add_argument("outputs", type=Path, metavar="OUTPUTS", help="folder: <task>.mp4 and exactly one JSON map")
    score.add_argument("--data", type=Path, required=True, metavar="TRUTH")
    score.add_argument("--out", type=Path, required=True, metavar="DIR")
    score.add_argument("--name", metavar="NAME", help="of the run (default: the folder's)")
    score.add_argument(
        "--beside",
        type=Path,
        nargs="*",
        default=[],
        metavar="DIR",
        help="earlier scores to set beside it",
    )
    for parser in (baselines, score):
        parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="default: one a core")
    for parser in (listing, render, export, generate, baselines, score):
        parser.add_argument("--suite", choices=SUITES, default="v1", help="default v1")
