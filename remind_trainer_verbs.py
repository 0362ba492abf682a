"""The command line of the trainer: train, generate, probe, probe-cache, forgetting, export. It only parses."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from render_jobs.verbs import Args, Verbs

if TYPE_CHECKING:
    from trainer.rollout import RolloutConfig


def _train(args: Args) -> int:
    from trainer import train
    from trainer.commands import dry_run
    from trainer.config import override
    from trainer.data.mixture import with_folders
    from trainer.recipes import arm, recipe

    changes = _assignments(args.set) | ({"loader.skip_bad": "true"} if args.skip_bad else {})
    changes |= {"model.init_from": str(args.init_from)} if args.init_from else {}
    length = {name: value for name, value in changes.items() if name == "steps"}  # schedules of an arm depend on it
    config = override(arm(override(recipe(args.recipe), length), args.curriculum), changes)
    config, folders = with_folders(config, args.data)
    if args.dry_run:
        print(dry_run(config, folders[0] if folders else None, args.devices))
        return 0
    for name in ("data", "out"):
        if not getattr(args, name) and not (name == "out" and args.show_graph):
            raise ValueError(f"--{name}: is missing; give it (only --dry-run does without)")
    if args.show_graph:
        from trainer.graph_picture import show_graph

        show_graph(config, folders, args.show_graph, sample=args.sample, step=args.step)
        print(f"picture: {args.show_graph}")
        return 0
    train.train(
        config,
        folders,
        args.out,
        heldout_dir=args.heldout,
        steps=args.steps,
        minutes=args.minutes,
        resume=args.resume,
    )
    return 0


def _assignments(texts: Sequence[str]) -> dict[str, str]:
    """FIELD=VALUE texts of the command line as a mapping; ValueError for one that has no name or no `=`."""
    for text in texts:
        if not text.partition("=")[0] or "=" not in text:
            raise ValueError(f"--set: {text!r} is not FIELD=VALUE; write for example optim.lr=1e-3")
    return dict(text.split("=", 1) for text in texts)


def rollout_config(args: Args) -> RolloutConfig:
    """What the options of `add_rollout` say. ValueError for values that do not go, alone or together."""
    from trainer.rollout import CacheConfig, RolloutConfig

    cache = CacheConfig(
        sink=args.sink,
        window=args.window,
        capacity=args.capacity,
        time_policy=args.time_policy,
        horizon=args.horizon,
    )
    return RolloutConfig(
        steps=args.steps,
        shift=args.shift,
        guidance_scale=args.guidance,
        negative_prompt=args.negative_prompt,
        seed=args.seed,
        cache=cache,
    )


def _generate(args: Args) -> int:
    from trainer.rollout import generate

    config = rollout_config(args)
    request = generate.Request(
        free=args.free,
        drop_hidden=args.drop_hidden,
        context=args.context,
        chunk=args.chunk,
        num_frames=args.frames,
        path=args.path,
        prompts=generate.prompt_schedule(args.prompt, args.prompt_at),
        attention=args.attention,
    )
    record = generate.generate(args.run, args.out, clip=args.clip, dataset=args.data, config=config, request=request)
    print(f"films, strips and {record}")
    return 0


def _probe(args: Args) -> int:
    from trainer.probe import run

    how = rollout_config(args)
    run.probe(args.run, args.data, args.out, samples=args.samples, config=how, instrument=args.instrument)
    print(f"report: {args.out / 'index.html'}")
    return 0


def _probe_cache(args: Args) -> int:
    from trainer.probe.memory import run

    run.probe_cache(
        args.run,
        args.data,
        args.out,
        free=args.free,
        causal=args.causal,
        budget=args.budget,
        repeats=args.repeats,
    )
    print(f"report: {args.out / 'cache.html'}")
    return 0


def _compare(args: Args) -> int:
    from trainer.probe.compare import compare, comparison_table
    from trainer.probe.result import PROBE, ProbeResult

    files = [path / PROBE if path.is_dir() else path for path in args.probes]
    names = args.names.split(",") if args.names else [str(path) for path in args.probes]
    if len(set(names)) < len(files) or len(names) != len(files):
        raise ValueError(f"--names: {len(set(names))} different names for {len(files)} probes; give one for each")
    results = [ProbeResult.read(path) for path in files]
    print(comparison_table(compare(dict(zip(names, results, strict=True)), args.category, args.split)))
    return 0


def _forgetting(args: Args) -> int:
    from trainer.forgetting import Options, forgetting

    options = Options(clips=args.clips, draws=args.draws, steps=args.steps, chunk=args.chunk, seed=args.seed)
    forgetting(args.before, args.after, args.data, args.out, options)
    print(f"report: {args.out / 'index.html'}")
    return 0


def _export(args: Args) -> int:
    from trainer import commands

    print(f"exported: {commands.export(args.run, args.out, weights=args.weights)}")
    return 0


def add_trainer_verbs(verbs: Verbs) -> None:
    """All verbs of the trainer."""
    train = verbs.add(
        "train",
        _train,
        "train a world model on a data set",
        "remind train tiny --data data --out runs/tiny --minutes 2\nremind train wan1_3b --dry-run --devices 8\n"
        "remind train tiny --data renders:0.8 --data videos:0.2 --curriculum all --out runs/mixed\n"
        "remind train tiny --data data --show-graph graph.png --step 100 --sample 2",
        resume_hint="the same command with --resume goes on from the last checkpoint",
    )
    train.add_argument("recipe", metavar="RECIPE", help="name of a recipe in trainer/recipes.py")
    train.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="DATASET[:WEIGHT]",
        help="may be given again: examples are mixed by weight",
    )
    train.add_argument(
        "--heldout", type=Path, metavar="DATASET", help="other scenes to score on (default: a share of --data)"
    )
    train.add_argument("--out", type=Path, metavar="RUN")
    train.add_argument("--dry-run", action="store_true", help="print parameters, memory and FLOPs, and train nothing")
    train.add_argument("--devices", type=int, default=1, metavar="N", help="of the dry run (default 1)")
    train.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="FIELD=VALUE", help="such as optim.lr=1e-3"
    )
    train.add_argument("--init-from", type=Path, metavar="RUN", help="begin with another run's averaged weights")
    train.add_argument("--curriculum", choices=["none", "drop_noise", "all"], help="stages (default: the recipe's)")
    train.add_argument("--show-graph", type=Path, metavar="PNG", help="draw what the model may see, and train nothing")
    train.add_argument("--sample", type=int, default=0, metavar="N", help="of --show-graph: example of the batch")
    train.add_argument("--step", type=int, default=0, metavar="S", help="of --show-graph: step of training")
    train.add_argument("--steps", type=int, metavar="N", help="stop after so many steps (default: the recipe's)")
    train.add_argument("--minutes", type=float, metavar="M", help="stop after so many minutes")
    train.add_argument("--resume", action="store_true", help="go on from the run's last checkpoint")
    train.add_argument("--skip-bad", action="store_true", help="leave out clips that cannot be read, and list them")
    _add_generate(verbs)
    _add_export(verbs)
    probe = verbs.add(
        "probe",
        _probe,
        "ask a trained model what it remembered, in state units; writes a report",
        "remind probe runs/tiny --data data --out report\n"
        "remind probe runs/tiny --data data --window 8 --sink 1 --out bounded",
    )
    probe.add_argument("run", type=Path, metavar="RUN")
    probe.add_argument("--data", type=Path, required=True, metavar="DATASET")
    probe.add_argument("--out", type=Path, required=True, metavar="DIR")
    probe.add_argument("--samples", type=int, default=1, metavar="N", help="rollouts of each clip, seeds S, S + 1, ...")
    probe.add_argument(
        "--instrument",
        type=Path,
        metavar="DIR",
        help="keeps readings of true pictures for the next probe of these clips",
    )
    add_rollout(probe)
    _add_probe_cache(verbs)
    compare = verbs.add(
        "compare",
        _compare,
        "compare models in pairs on the windows that both were probed on: differences, p values, Holm",
        "remind compare reports/none reports/all --names plain,curriculum",
    )
    compare.add_argument("probes", type=Path, nargs="+", metavar="REPORT", help="folders that `remind probe` wrote")
    compare.add_argument("--names", metavar="A,B,...", help="of the models (default: the folders)")
    compare.add_argument("--category", metavar="NAME", help="only windows of this STEVO category")
    compare.add_argument("--split", metavar="NAME", help="only windows in this split, such as 'new types'")
    _add_forgetting(verbs)


def _add_forgetting(verbs: Verbs) -> None:
    forgetting = verbs.add(
        "forgetting",
        _forgetting,
        "what fine-tuning took away: plain image-to-video loss and sample quality before and after",
        "remind forgetting runs/base runs/tuned --data data --out forgetting\n"
        "remind forgetting Wan-AI/Wan2.2-TI2V-5B-Diffusers runs/wan5b --data videos --chunk 99 --out forgetting",
    )
    forgetting.add_argument("before", metavar="BEFORE", help="a run, a hub id, or a folder in the hub's layout")
    forgetting.add_argument("after", type=Path, metavar="AFTER", help="a run")
    forgetting.add_argument("--data", type=Path, required=True, metavar="DATASET", help="rendered or imported clips")
    forgetting.add_argument("--out", type=Path, required=True, metavar="DIR")
    forgetting.add_argument("--clips", type=int, metavar="N", help="the first N (default: all)")
    forgetting.add_argument("--draws", type=int, default=4, metavar="N", help="of noise, for each loss (default 4)")
    forgetting.add_argument("--steps", type=int, default=8, metavar="N", help="Euler steps of a latent (default 8)")
    forgetting.add_argument("--chunk", type=int, default=1, metavar="N", help="latents made together (default 1)")
    forgetting.add_argument("--seed", type=int, default=0, metavar="S", help="of all noise (default 0)")


def _add_generate(verbs: Verbs) -> None:
    generate = verbs.add(
        "generate",
        _generate,
        "continue clips with a trained model: films, strips of truth above generated, a record of what was done",
        "remind generate runs/tiny --data data --out made\n"
        "remind generate runs/tiny --clip data/clips/0123456789abcdef0123 --context 1 --frames 240 --window 32 --out o",
        resume_hint="nothing is resumed; choose another --out",
    )
    generate.add_argument("run", type=Path, metavar="RUN")
    source = generate.add_mutually_exclusive_group(required=True)
    source.add_argument("--clip", type=Path, metavar="PATH", help="one clip")
    source.add_argument("--data", type=Path, metavar="DATASET", help="every clip of a data set or pack")
    generate.add_argument("--out", type=Path, required=True, metavar="DIR", help="never overwritten")
    given = generate.add_argument_group(
        "what is given (default: all frames up to the last hidden one)"
    ).add_mutually_exclusive_group()
    given.add_argument(
        "--context", type=int, metavar="N", help="the first N frames: 1 continues a picture, more a video"
    )
    given.add_argument("--free", action="store_true", help="hidden frames are generated too")
    given.add_argument("--drop-hidden", action="store_true", help="hidden frames are absent, a gap in time")
    what = generate.add_argument_group("what is made")
    what.add_argument(
        "--frames", type=int, metavar="N", help="of the result, given ones included (default: the clip's)"
    )
    what.add_argument(
        "--path", choices=["bounce", "hold"], default="bounce", help="the camera beyond the clip's end (default bounce)"
    )
    what.add_argument("--prompt", metavar="TEXT", help="instead of the clip's")
    what.add_argument(
        "--prompt-at",
        nargs=2,
        action="append",
        default=[],
        metavar=("FRAME", "TEXT"),
        help="from that frame on; repeat",
    )
    what.add_argument("--chunk", type=int, default=1, metavar="N", help="latents that are made together (default 1)")
    what.add_argument("--attention", action="store_true", help="also a picture of where generated frames look")
    add_rollout(generate)


def _add_probe_cache(verbs: Verbs) -> None:
    cache = verbs.add(
        "probe-cache",
        _probe_cache,
        "ask a trained model's KV cache whether the hidden state is in it, goes on there, and is used; writes a page",
        "remind probe-cache runs/tiny --data data --out report",
    )
    cache.add_argument("run", type=Path, metavar="RUN")
    cache.add_argument("--data", type=Path, required=True, metavar="DATASET", help="clips of scenes not trained on")
    cache.add_argument("--out", type=Path, required=True, metavar="DIR")
    cache.add_argument("--free", action="store_true", help="hidden frames are generated (default: given as shown)")
    cache.add_argument("--causal", type=int, metavar="N", help="windows of the causal tests (default: all; 0: none)")
    cache.add_argument("--budget", type=int, default=64, metavar="N", help="components a probe may read (default 64)")
    cache.add_argument("--repeats", type=int, default=10, metavar="N", help="fold assignments (default 10)")


def _add_export(verbs: Verbs) -> None:
    export = verbs.add(
        "export",
        _export,
        "write a run's weights for diffusers, camera modules beside them; every verb that takes a RUN reads it back",
        "remind export runs/tiny --out exported\nremind export runs/tiny --weights model --out last",
        resume_hint="nothing is resumed; choose another --out",
    )
    export.add_argument("run", type=Path, metavar="RUN")
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="never overwritten")
    export.add_argument("--weights", choices=["ema", "model"], default="ema", help="averaged or last (default ema)")


def add_rollout(verb: ArgumentParser) -> None:
    """How frames are generated, the same for every verb that generates; see `rollout_config`."""
    how = verb.add_argument_group("how frames are generated")
    how.add_argument("--steps", type=int, default=8, metavar="N", help="Euler steps a frame (default 8)")
    how.add_argument(
        "--shift", type=float, default=1.0, metavar="S", help="of the steps to high noise (default 1: none)"
    )
    how.add_argument("--guidance", type=float, default=1.0, metavar="G", help="classifier-free (default 1: none)")
    how.add_argument("--negative-prompt", default="", metavar="TEXT", help="what guidance leads away from")
    how.add_argument("--seed", type=int, default=0, metavar="S", help="of the noise (default 0)")
    memory = verb.add_argument_group(
        "what is remembered (default: all; the first frame, and the last one seen, always)"
    )
    memory.add_argument("--sink", type=int, default=0, metavar="N", help="the first N frames stay")
    memory.add_argument("--window", type=int, metavar="N", help="of the others, the newest N stay")
    memory.add_argument("--capacity", type=int, metavar="N", help="most frames held, protected ones included")
    memory.add_argument(
        "--time-policy",
        choices=["absolute", "relative", "clamped"],
        default="absolute",
        help="times that attention sees (default absolute)",
    )
    memory.add_argument("--horizon", type=float, metavar="T", help="of clamped times, in latent steps")
