"""The probe of a run, or of the pictures alone: `probe(run_dir, dataset, out)` writes probe.json and index.html."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.clip import Clip
from trainer.probe.calibration import baselines
from trainer.probe.estimator import Estimator
from trainer.probe.instrument import read_instrument
from trainer.probe.readout import measure
from trainer.probe.report import write_report
from trainer.probe.result import PROBE, ClipFacts, Key, ProbeResult
from trainer.probe.score import Generated, score
from trainer.probe.splits import WindowFacts, splits_of
from trainer.probe.strips import write_strips
from trainer.probe.subject import Subject, load_subjects
from trainer.probe.templating import make_folder
from trainer.probe.verdict import TOLERANT, read
from trainer.seen import Seen, read_seen

if TYPE_CHECKING:
    from trainer.rollout import RolloutConfig

Rollout = Callable[[Clip], Generated]
WindowRollout = Callable[[Clip, int], Generated]  # after the window of that number


def probe(
    run_dir: Path | str | None,
    dataset: Path | str,
    out: Path | str,
    *,
    rollout: Rollout | Sequence[Rollout] | None = None,
    samples: int = 1,
    config: RolloutConfig | None = None,
    second_opinion: bool = True,
    instrument: Path | str | None = None,
) -> ProbeResult:
    """Read truth, calibration and corruption pictures, and a model's rollouts, of every window with a sweep.

    run_dir: a training run, which continues a clip after each window by itself; None: no model (only the instrument is
    checked). rollout: instead of the run's own, any callable clip -> pictures of all its windows, or one for each
    sample. samples: rollouts of each window by the run, with the seeds config.seed, config.seed + 1 ...; config:
    sampler, guidance and memory of them (the default remembers everything).
    second_opinion: train an estimator on each sweep and let it read everything too (about a CPU second a window).
    instrument: folder that keeps what the readout makes of true, calibration and corruption pictures, for the next
    probe of the same clips. Writes `out`/probe.json, `out`/index.html and a film strip of each window under
    `out`/strips. ValueError names the folder that is wrong.
    """
    if samples < 1:
        raise ValueError(f"samples: {samples}, but each clip needs at least one; give 1 or more")
    facts: dict[str, Any] | None = {"directory": str(run_dir)} if run_dir is not None else None
    seen: Seen | None = None
    given = [] if rollout is None else [rollout] if callable(rollout) else list(rollout)
    generators = [_of_every_window(generate) for generate in given]
    if rollout is None and run_dir is not None:
        generators, facts, seen = _load_run(Path(run_dir), samples, config)
    subjects = load_subjects(dataset)
    out, kept = Path(out), None if instrument is None else Path(instrument)
    for folder in (out, kept):  # before minutes are spent on what goes there
        if folder is not None:
            make_folder(folder)
    fitted: dict[Key, Estimator] = {}

    def estimator_of(subject: Subject) -> Estimator:
        if subject.key not in fitted:
            fitted[subject.key] = Estimator.fit(subject)
        return fitted[subject.key]

    known = read_instrument(subjects, TOLERANT, estimator_of if second_opinion else None, kept)
    rollouts = {s.key: [generate(s.clip, s.number) for generate in generators] for s in subjects}
    result = ProbeResult(
        dataset=str(dataset),
        run=facts,
        limits=TOLERANT,
        clips=tuple(_facts(s, subjects, seen) for s in subjects),
        exhibits=known.exhibits,
        model=tuple(
            score(s, made, TOLERANT, sample, estimator_of(s) if second_opinion else None)
            for s in subjects
            for sample, made in enumerate(rollouts[s.key])
        ),
        floors=known.floors,
        instrument=known.source,
    )
    result.write(out / PROBE)
    write_strips(out / "strips", subjects, result.clips, {key: made[0] for key, made in rollouts.items() if made})
    write_report(out / "index.html", result, subjects, rollouts)
    return result


def _of_every_window(rollout: Rollout) -> WindowRollout:
    """The same pictures of a clip whichever window is asked about, made once."""
    made: dict[str, Generated] = {}

    def generate(clip: Clip, window: int) -> Generated:
        if clip.clip_id not in made:
            made[clip.clip_id] = rollout(clip)
        return made[clip.clip_id]

    return generate


def _load_run(
    run_dir: Path, samples: int, config: RolloutConfig | None
) -> tuple[list[WindowRollout], dict[str, Any], Seen]:
    """The newest checkpoint of a run as a callable for each sample, and what is to be said of it. Imports torch."""
    if not run_dir.is_dir():
        raise ValueError(f"{run_dir}: no such run folder; train first, or give another")
    from trainer.build import default_device
    from trainer.checkpoint import load_trained
    from trainer.rollout import RolloutConfig, rollout

    how = config or RolloutConfig()
    trained = load_trained(run_dir, device=default_device())
    facts = {
        "directory": str(run_dir),
        "step": trained.step,
        "parameters": sum(p.numel() for p in trained.model.parameters()),
        "rollout": f"{how.text()}, {samples} sample(s) a clip, seeds from {how.seed}",
        "config": dataclasses.asdict(trained.config),
    }

    def generate(clip: Clip, window: int, sample: int) -> Generated:
        return rollout(trained, clip, dataclasses.replace(how, seed=how.seed + sample), window=window)

    return [partial(generate, sample=n) for n in range(samples)], facts, read_seen(run_dir)


def _facts(subject: Subject, subjects: Sequence[Subject], seen: Seen | None) -> ClipFacts:
    clip = subject.clip
    paused = measure(subject.sweep, clip.twin("paused").rgb[subject.t_r])
    return ClipFacts(
        clip_id=clip.clip_id,
        window=subject.number,
        num_windows=sum(s.clip.clip_id == clip.clip_id for s in subjects),
        scene_id=subject.scene_id,
        event_type=subject.event_type,
        family=subject.facts.get("family"),
        category=subject.facts.get("stevo_category"),
        interruption=subject.window.kind,
        held_out=None if seen is None else subject.scene_id not in seen.scenes,
        prompt=clip.prompt,
        variable=subject.variable,
        unit=str(subject.meta["unit"]),
        t_h=subject.t_h,
        t_r=subject.t_r,
        fps=clip.fps,
        monotone=subject.is_monotone,
        truth=tuple(map(float, subject.values)),
        paused=tuple(map(float, clip.series(subject.target, subject.variable, twin="paused"))),
        baselines=baselines(subject, subjects),
        paused_as_model=read(subject.sweep, paused, subject.sweep.t_r_s),
        splits=() if seen is None else splits_of(WindowFacts.of(subject), seen),
    )
