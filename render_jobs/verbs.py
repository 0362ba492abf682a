"""The command line of this room, and the class that all rooms add their verbs with. Light: it only parses."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Args = argparse.Namespace
Handler = Callable[[Args], int]


class Verbs:
    """Adds verbs with help and an example to a group of subcommands."""

    def __init__(self, group: Any) -> None:
        self._group = group

    def add(self, name: str, handler: Handler, summary: str, example: str, **defaults: Any) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = self._group.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog="example:\n" + "\n".join(f"  {line}" for line in example.split("\n")),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.set_defaults(handler=handler, **defaults)
        return parser

    def family(self, name: str, summary: str) -> Verbs:
        parser = self._group.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        return Verbs(parser.add_subparsers(metavar="VERB", required=True))


def _render(args: Args) -> int:
    if args.status is not None:
        from render_jobs.status import read_status  # light: it may be asked for every few seconds

        print("\n".join(read_status(args.status).lines()))
        return 0
    from render_jobs import commands

    if not args.paths or args.out is None:
        raise ValueError("render: give spec or plan files and --out DATASET, or --status DATASET")
    options = commands.RenderOptions(
        count=args.count,
        num_workers=args.workers,
        renderer=args.renderer,
        only=tuple(args.only),
        limit=args.limit,
        retry_quarantined=args.retry_quarantined,
        timeout_s=None if args.timeout is None else 60.0 * args.timeout,
        memory_gb=args.memory_gb,
        backend=args.backend,
        address=args.address,
        cpus_per_worker=args.cpus_per_worker,
    )
    return commands.render(args.paths, args.out, options, dry_run=args.dry_run)


def add_render(verbs: Verbs) -> None:
    """`remind render`."""
    render = verbs.add(
        "render",
        _render,
        "render specs or plans into a data set; run again, it resumes",
        "remind render kitchen.yaml --count 20 --out data\nremind render --status data",
    )
    render.add_argument("paths", type=Path, nargs="*", metavar="FILE_or_DIR", help="specs, plans, folders of either")
    render.add_argument("--out", type=Path, metavar="DATASET")
    render.add_argument("--count", type=int, default=1, metavar="N", help="samples of each spec (default 1)")
    render.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="PATTERN",
        help="only clips whose spec or event type is named so (* and ? stand for anything) or whose id begins so",
    )
    render.add_argument("--limit", type=int, metavar="N", help="render at most N clips now")
    render.add_argument(
        "--dry-run", action="store_true", help="count the clips, estimate time and disk, render nothing"
    )
    render.add_argument("--status", type=Path, metavar="DATASET", help="how far this data set is; renders nothing")
    render.add_argument(
        "--retry-quarantined", action="store_true", help="take up again the clips that failed three times"
    )
    render.add_argument(
        "--renderer", choices=["cycles", "preview"], help="draw with this instead of what each spec asks for"
    )
    render.add_argument("--workers", type=int, metavar="N", help="render processes (default: one for each GPU or core)")
    render.add_argument(
        "--timeout", type=float, metavar="MIN", help="for one attempt at one clip (default 360 minutes)"
    )
    render.add_argument("--memory-gb", type=float, metavar="GB", help="for one worker (default: its share of 90 %%)")
    render.add_argument(
        "--backend", choices=["local", "ray"], default="local", help="where workers run (default local)"
    )
    render.add_argument("--address", metavar="ADDR", help="of a Ray cluster (default: the one this machine is in)")
    render.add_argument(
        "--cpus-per-worker", type=int, metavar="N", help="that a Ray worker takes and renders with (default 1)"
    )
