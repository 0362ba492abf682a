"""`remind demo`: the whole line once. Every stage reads the files of the one before, so a second run resumes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from render_jobs.commands import render_plans
from scenes.loading import load_spec
from scenes.plan import ScenePlan
from scenes.sampling import sample_plans
from trainer.probe.run import probe
from trainer.train import train

NUM_CLIPS, NUM_SWEEPS = 12, 4


def packaged_specs() -> list[Path]:
    """The example specs that come with the package."""
    return sorted(Path(str(files("scenes"))).glob("specs/*.yaml"))


def spread_plans(specs: Sequence[Path], num_clips: int, num_sweeps: int) -> list[ScenePlan]:
    """`num_clips` plans, the specs in turn; only the first `num_sweeps` keep the sweep, which is dear."""
    counts = [num_clips // len(specs) + (i < num_clips % len(specs)) for i in range(len(specs))]
    sampled = [sample_plans(load_spec(spec), count) for spec, count in zip(specs, counts, strict=True) if count]
    turns = [of_spec[i] for i in range(max(counts)) for of_spec in sampled if i < len(of_spec)]
    return [plan if i < num_sweeps else without_sweep(plan) for i, plan in enumerate(turns)]


def without_sweep(plan: ScenePlan) -> ScenePlan:
    """The same clip without its sweep."""
    return dataclasses.replace(plan, outputs=tuple(name for name in plan.outputs if name != "sweep"))


def run_line(plans: Sequence[ScenePlan], out: Path, *, recipe: str, minutes: float) -> Path:
    """Render `plans`, train `recipe` on them for `minutes`, probe; returns the report. What is there is kept.

    Raises ValueError when clips failed: a data set with holes is not what was asked for.
    """
    data, run, report = out / "data", out / "run", out / "report"
    failed = [result for result in render_plans(plans, data) if result.state == "failed"]
    if failed:
        raise ValueError(f"{len(failed)} clips failed, the first: {failed[0].message} (see {failed[0].path})")
    train(recipe, data, run, minutes=minutes, resume=True)
    probe(run, data, report)
    return report / "index.html"


def demo(out: Path, *, minutes: float) -> str:
    """The line with a two-minute model. Returns where each artefact lies."""
    report = run_line(spread_plans(packaged_specs(), NUM_CLIPS, NUM_SWEEPS), out, recipe="tiny", minutes=minutes)
    return "\n".join(
        [
            f"specs    {packaged_specs()[0].parent}",
            f"clips    {out / 'data' / 'clips'}   (video.mp4 in each; `remind clip info {out / 'data'}`)",
            f"model    {out / 'run'}",
            f"report   {report}   (open it in a browser)",
        ]
    )
