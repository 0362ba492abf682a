"""The probe of a run, or of the pictures alone: `probe(run_dir, dataset, out)` writes probe.json and index.html."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from simulator.clip import Clip
from trainer.probe.calibration import baselines, judge, measure_all
from trainer.probe.readout import measure
from trainer.probe.report import write_report
from trainer.probe.result import ClipFacts, ProbeResult
from trainer.probe.score import Generated, score
from trainer.probe.subject import Subject, load_subjects
from trainer.probe.verdict import TOLERANT, read

Rollout = Callable[[Clip], Generated]
ROLLOUT_STEPS, ROLLOUT_SEED = 8, 0


def probe(
    run_dir: Path | str | None, dataset: Path | str, out: Path | str, *, rollout: Rollout | None = None
) -> ProbeResult:
    """Read truth, calibration and corruption pictures, and a model's rollouts, of every clip with a sweep.

    run_dir: a training run; None: no model (only the instrument is checked). rollout: instead of the run's own, any
    callable clip -> pictures. Writes `out`/probe.json and `out`/index.html. ValueError names the folder that is wrong.
    """
    facts: dict[str, Any] | None = {"directory": str(run_dir)} if run_dir is not None else None
    trained: frozenset[str] | None = None
    if rollout is None and run_dir is not None:
        rollout, facts, trained = _load_run(Path(run_dir))
    subjects = load_subjects(dataset)
    rollouts = {s.clip.clip_id: rollout(s.clip) for s in subjects} if rollout else {}
    result = ProbeResult(
        dataset=str(dataset),
        run=facts,
        limits=TOLERANT,
        clips=tuple(_facts(s, subjects, trained) for s in subjects),
        exhibits=tuple(judge(*row, TOLERANT) for row in measure_all(subjects)),
        model=tuple(score(s, rollouts[s.clip.clip_id], TOLERANT) for s in subjects if rollouts),
    )
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    result.write(out / "probe.json")
    write_report(out / "index.html", result, subjects, rollouts)
    return result


def _load_run(run_dir: Path) -> tuple[Rollout, dict[str, Any], frozenset[str]]:
    """The newest checkpoint of a run as a callable, and what is to be said about it. Imports torch only here."""
    if not run_dir.is_dir():
        raise ValueError(f"{run_dir}: no such run folder; train first, or give another")
    from trainer.checkpoint import load_trained, trained_scenes
    from trainer.rollout import rollout

    trained = load_trained(run_dir)
    facts = {
        "directory": str(run_dir),
        "step": trained.step,
        "parameters": sum(p.numel() for p in trained.model.parameters()),
        "rollout": f"{ROLLOUT_STEPS} steps a frame, seed {ROLLOUT_SEED}",
        "config": dataclasses.asdict(trained.config),
    }

    def generate(clip: Clip) -> Generated:
        return rollout(trained, clip, steps=ROLLOUT_STEPS, seed=ROLLOUT_SEED)

    return generate, facts, trained_scenes(run_dir)


def _facts(subject: Subject, subjects: Sequence[Subject], trained: frozenset[str] | None) -> ClipFacts:
    clip = subject.clip
    held_out = None if trained is None else subject.scene_id not in trained
    paused = measure(subject.sweep, clip.twin("paused").rgb[subject.t_r])
    return ClipFacts(
        clip_id=clip.clip_id,
        scene_id=subject.scene_id,
        event_type=subject.event_type,
        interruption=clip.windows[0].kind,
        held_out=held_out,
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
    )
