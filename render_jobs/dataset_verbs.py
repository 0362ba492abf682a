"""The verbs `remind dataset ...`: they parse and call."""

from __future__ import annotations

from pathlib import Path

from render_jobs.verbs import Args, Verbs


def _info(args: Args) -> int:
    from render_jobs import dataset_commands

    return _show(dataset_commands.info(args.dataset, as_json=args.json, name=args.name, licence=args.licence))


def _pack(args: Args) -> int:
    from render_jobs import dataset_commands

    return _show(
        dataset_commands.pack(
            args.dataset,
            args.out,
            shard_mb=args.shard_mb,
            split=args.split,
            outputs=args.outputs,
            name=args.name,
            licence=args.licence,
            skip_bad=args.skip_bad,
        )
    )


def _merge(args: Args) -> int:
    from render_jobs import dataset_commands

    return _show(
        dataset_commands.merge(args.datasets, args.out, name=args.name, licence=args.licence, skip_bad=args.skip_bad)
    )


def _unpack(args: Args) -> int:
    from render_jobs import dataset_commands

    return _show(dataset_commands.unpack(args.pack, args.out, skip_bad=args.skip_bad))


def _show(told: tuple[str, bool]) -> int:
    text, well = told
    print(text)
    return 0 if well else 1


def add_dataset_verbs(verbs: Verbs) -> None:
    """`remind dataset info | pack | merge | unpack`."""
    dataset = verbs.family("dataset", "data sets as a whole: what is in them, packing, merging")
    info = dataset.add(
        "info",
        _info,
        "what is in a data set or pack; writes its dataset.json",
        "remind dataset info data\nremind dataset info data --licence CC-BY-4.0",
    )
    info.add_argument("dataset", type=Path, metavar="DATASET", help="a data set or a pack")
    info.add_argument("--json", action="store_true", help="for programs")
    pack = dataset.add(
        "pack",
        _pack,
        "pack a data set into WebDataset shards with an index; run again, it resumes",
        "remind dataset pack data --out packed\nremind dataset pack data --split train --outputs rgb,depth --out small",
    )
    pack.add_argument("dataset", type=Path, metavar="DATASET", help="a data set or another pack")
    pack.add_argument("--out", type=Path, required=True, metavar="DIR")
    pack.add_argument("--shard-mb", type=float, default=512, metavar="N", help="size of a shard (default 512)")
    pack.add_argument(
        "--split", choices=["train", "heldout", "all"], default="all", help="by event types (default all)"
    )
    pack.add_argument("--outputs", metavar="A,B", help="only these of the clips' outputs, for example rgb,depth")
    merge = dataset.add(
        "merge",
        _merge,
        "bring data sets and packs into one data set; run again, it resumes",
        "remind dataset merge data_a data_b --out data",
    )
    merge.add_argument("datasets", type=Path, nargs="+", metavar="DATASET", help="data sets or packs")
    unpack = dataset.add(
        "unpack", _unpack, "make a data set of a pack again", "remind dataset unpack packed --out data"
    )
    unpack.add_argument("pack", type=Path, metavar="PACK")
    for parser in (merge, unpack):
        parser.add_argument("--out", type=Path, required=True, metavar="DATASET")
    for parser in (info, pack, merge):
        parser.add_argument("--name", metavar="NAME", help="name in dataset.json (default: as it is, or the folder's)")
        parser.add_argument("--licence", metavar="SPDX", help="licence in dataset.json, for example CC-BY-4.0")
    for parser in (pack, merge, unpack):
        parser.add_argument("--skip-bad", action="store_true", help="leave torn clips out instead of stopping there")
