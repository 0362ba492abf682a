"""The command `remind`: it parses and calls, the packages do the work.

Every verb is imported when it is called, so that help is instant and that training runs where Blender is absent.
Exit status: 0 fine, 1 something was found wrong (a failed clip, a broken law), 2 the input was, 130 interrupted,
143 terminated (a training run saves first).
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from remind_bench_verbs import add_bench
from remind_experiment_verbs import add_experiment
from remind_trainer_verbs import add_trainer_verbs
from render_jobs.dataset_verbs import add_dataset_verbs
from render_jobs.verbs import Args, Handler, Verbs, add_render
from untrusted import one_line


# ---- events
def _events_list(args: Args) -> int:
    from event_library import commands

    return _show(commands.list_types(as_json=args.json))


def _events_show(args: Args) -> int:
    from event_library import commands

    return _show(commands.show_type(args.type, as_json=args.json))


def _events_check(args: Args) -> int:
    from event_library import commands

    reports = commands.check_types(args.types, args.samples)
    texts = [commands.report_text(reports)]
    if args.pictures:
        from render_jobs.pictures import check_all_pictures

        pictures = check_all_pictures(args.types)
        texts, reports = [*texts, "rendered:", commands.report_text(pictures)], [*reports, *pictures]
    return _show_findings("\n\n".join(texts), all(report.sound for report in reports))


def _events_gallery(args: Args) -> int:
    from render_jobs.gallery import write_gallery

    page, failed = write_gallery(args.out, args.types, size_px=args.size, index=args.index)
    return _show_findings("\n".join([*failed, f"{page}   (open it in a browser)"]), not failed)


# ---- scene
def _scene_init(args: Args) -> int:
    from scenes import commands

    return _show(commands.init(args.file))


def _scene_check(args: Args) -> int:
    from scenes import commands

    return _show(commands.check(args.files))


def _scene_schema(args: Args) -> int:
    from scenes import commands

    return _show(commands.schema())


def _scene_plan(args: Args) -> int:
    from scenes import commands

    return _show(commands.plan(args.file, args.count, args.out))


def _scene_preview(args: Args) -> int:
    from simulator import previewing

    return _show(previewing.preview(args.file, args.index, args.out))


# ---- clip
def _clip_info(args: Args) -> int:
    from simulator import commands

    return _show(*(commands.info(path) for path in commands.clip_paths(args.paths)))


def _clip_states(args: Args) -> int:
    from simulator import commands

    return _show(*(commands.states(path, args.event, args.at) for path in commands.clip_paths(args.paths)))


def _clip_verify(args: Args) -> int:
    from simulator import commands, verify

    sound = True
    for path in commands.clip_paths(args.paths):
        report = verify.examine_clip(path, deep=args.deep)
        _show(report.text)
        sound = sound and not report.findings
    return 0 if sound else 1


def _clip_export(args: Args) -> int:
    from simulator import commands

    return _show(*commands.export(args.paths, args.to, args.out))


def _clip_import(args: Args) -> int:
    from render_jobs import commands

    return _show(
        commands.import_video(
            args.video,
            args.out,
            cameras=args.cameras,
            prompt=args.prompt,
            fps=args.fps,
            size=args.size,
            max_frames=args.max_frames,
        )
    )


# ---- demo
def _demo(args: Args) -> int:
    from remind_demo import demo

    return _show(demo(args.out, minutes=args.minutes))


def _show(*texts: str) -> int:
    for text in texts:
        print(text)
    return 0


def _show_findings(text: str, sound: bool) -> int:
    print(text)
    return 0 if sound else 1


# ---- the verbs
def _add_events(verbs: Verbs) -> None:
    events = verbs.family("events", "the event types: what can happen in a scene")
    listing = events.add("list", _events_list, "list all event types", "remind events list")
    listing.add_argument("--json", action="store_true", help="for programs")
    show = events.add(
        "show", _events_show, "show one type: law, parameters, variables", "remind events show tank_filling"
    )
    show.add_argument("type", metavar="TYPE")
    show.add_argument("--json", action="store_true", help="for programs")
    check = events.add(
        "check",
        _events_check,
        "check that types keep their promises (law, flags, geometry); exit status 1 when one does not",
        "remind events check pendulum_swing",
    )
    check.add_argument("types", nargs="*", metavar="TYPE", help="all types when none is named")
    check.add_argument("--samples", type=int, default=4, metavar="N", help="parameter sets of each type (default 4)")
    check.add_argument("--pictures", action="store_true", help="render them too (all: tens of minutes)")
    gallery = events.add(
        "gallery", _events_gallery, "render every type into one page of strips", "remind events gallery --out gallery"
    )
    gallery.add_argument("types", nargs="*", metavar="TYPE", help="all types when none is named")
    gallery.add_argument("--size", type=int, default=160, metavar="PX", help="side of a picture (default 160)")
    gallery.add_argument("--index", type=int, default=0, metavar="I", help="another draw of parameters and place")
    gallery.add_argument("--out", type=Path, required=True, metavar="DIR")


def _add_scene(verbs: Verbs) -> None:
    scene = verbs.family("scene", "scene specs: write, check and sample them")
    init = scene.add("init", _scene_init, "write a commented spec to start from", "remind scene init kitchen.yaml")
    init.add_argument("file", type=Path, metavar="FILE")
    check = scene.add("check", _scene_check, "check specs without rendering", "remind scene check kitchen.yaml")
    check.add_argument("files", type=Path, nargs="+", metavar="FILE")
    scene.add(
        "schema",
        _scene_schema,
        "print the JSON schema of specs, for editors that complete and check",
        "remind scene schema > scene.schema.json",
    )
    plan = scene.add(
        "plan",
        _scene_plan,
        "sample concrete plans from a spec, without rendering",
        "remind scene plan kitchen.yaml --count 3 --out plans",
    )
    plan.add_argument("file", type=Path, metavar="FILE")
    plan.add_argument("--count", type=int, default=1, metavar="N", help="how many (default 1)")
    plan.add_argument("--out", type=Path, required=True, metavar="DIR")
    preview = scene.add(
        "preview",
        _scene_preview,
        "see what a spec does, in seconds: frames, camera path from above, state curve",
        "remind scene preview kitchen.yaml\nremind scene preview kitchen.yaml --index 3 --out kitchen.mp4",
    )
    preview.add_argument("file", type=Path, metavar="SPEC", help="a spec, or a plan (*.json)")
    preview.add_argument("--index", type=int, default=0, metavar="I", help="which sample of the spec (default 0)")
    preview.add_argument(
        "--out", type=Path, metavar="FILE", help="contact sheet (*.png) or film (*.mp4); default: SPEC-0000I.png here"
    )


def _add_clip(verbs: Verbs) -> None:
    clip = verbs.family("clip", "rendered clips: what is in them, and whether they are sound")
    info = clip.add("info", _clip_info, "what a clip shows", "remind clip info data")
    states = clip.add(
        "states",
        _clip_states,
        "print the true state of every frame, hidden ones included",
        "remind clip states data/clips/0123456789abcdef0123 --event glass --at 2.5",
    )
    states.add_argument("--event", metavar="E", help="one event only")
    states.add_argument("--at", type=float, metavar="T", help="the frame nearest to this time in seconds")
    verify = clip.add(
        "verify",
        _clip_verify,
        "re-check every hash and invariant; exit status 1 when something is wrong",
        "remind clip verify data --deep",
    )
    verify.add_argument("--deep", action="store_true", help="also by rendering and measuring")
    export = clip.add(
        "export",
        _clip_export,
        "write clips in the formats of other tools; never overwrites",
        "remind clip export data --to nerfstudio --out exported",
    )
    export.add_argument("--to", choices=["nerfstudio", "coco", "rerun", "blend"], required=True)
    export.add_argument("--out", type=Path, required=True, metavar="DIR")
    for parser in (info, states, verify, export):
        parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="clip directories or data sets")
    imports = clip.add(
        "import",
        _clip_import,
        "make a clip without states of any video, for training and for looking at",
        "remind clip import pan.mp4 --cameras transforms.json --prompt 'A dog on a lawn.' --out data",
    )
    imports.add_argument("video", type=Path, metavar="VIDEO")
    imports.add_argument(
        "--cameras", type=Path, metavar="FILE", help="transforms.json of nerfstudio, or our cameras.json"
    )
    imports.add_argument("--prompt", default="", metavar="TEXT", help="what a text-conditioned model is told")
    imports.add_argument("--fps", type=float, metavar="F", help="take the nearest frames at this rate (default: all)")
    imports.add_argument("--size", metavar="WxH", help="resize and crop in the middle (default: as it is)")
    imports.add_argument("--max-frames", type=int, metavar="N", help="the first N frames only")
    imports.add_argument("--out", type=Path, required=True, metavar="DATASET")


def _add_demo(verbs: Verbs) -> None:
    demo = verbs.add(
        "demo",
        _demo,
        "the whole line once: spec, renders, training, probe, report; run again, it resumes",
        "remind demo --out demo --minutes 2",
    )
    demo.add_argument("--out", type=Path, default=Path("demo"), metavar="DIR", help="default: demo")
    demo.add_argument("--minutes", type=float, default=2.0, metavar="M", help="of training (default 2)")


def build_parser() -> argparse.ArgumentParser:
    """All verbs."""
    parser = argparse.ArgumentParser(
        prog="remind",
        description="Scenes whose hidden events go on: exact states, Blender renders, a world model and its probe.",
        epilog="example:\n  remind demo --out demo\n\n`remind VERB --help` has an example for every verb.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--traceback", action="store_true", help="on an error, show where in the code it came from")
    parser.set_defaults(resume_hint="the same command again goes on where it was")
    verbs = Verbs(parser.add_subparsers(metavar="VERB", required=True))
    for add in (
        _add_events,
        _add_scene,
        add_render,
        _add_clip,
        add_dataset_verbs,
        add_trainer_verbs,
        add_bench,
        add_experiment,
        _add_demo,
    ):
        add(verbs)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. Errors of the user are lines on stderr, never tracebacks."""
    args = build_parser().parse_args(argv)
    handler: Handler = args.handler
    try:
        status = handler(args)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt as stop:  # a stop in order says what happened, and which signal it was
        command = shlex.join(["remind", *(argv or sys.argv[1:])])
        print(f"\nremind: {str(stop) or 'interrupted'}; {args.resume_hint}: {command}", file=sys.stderr)
        return 128 + getattr(stop, "signum", signal.SIGINT)
    except BrokenPipeError:  # `remind ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError, FloatingPointError) as error:
        if args.traceback:
            raise
        for line in _problems(error):
            print(f"remind: {one_line(line)}", file=sys.stderr)
        return 2


def _problems(error: Exception) -> list[str]:
    """What the user is told: every problem of a spec, else place and reason."""
    if isinstance(error, OSError) and error.filename is not None:
        return [f"{error.filename}: {error.strerror}"]
    problems: Sequence[str] = getattr(error, "problems", ())
    return list(problems) or str(error).splitlines() or [type(error).__name__]


if __name__ == "__main__":
    sys.exit(main())
