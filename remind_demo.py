"""`remind demo`: the whole line once. Every stage reads the files of the one before, so a second run resumes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from render_jobs.commands import render_plans
from render_jobs.dataset import write_atomically
from render_jobs.jobs import SpecText
from scenes.commands import example_specs
from scenes.loading import load_spec
from scenes.plan import ScenePlan
from scenes.sampling import sample_plans
from trainer.probe.run import probe
from trainer.train import train

NUM_CLIPS, NUM_SWEEPS = 12, 4
TYPES = ("candle_burning_down", "domino_chain", "pendulum_swing", "tank_filling", "tower_of_hanoi")


def plan_line(specs: Sequence[Path], folder: Path, *, num_clips: int, num_sweeps: int) -> list[ScenePlan]:
    """`num_clips` plans, the specs in turn, kept in `folder`; only the first `num_sweeps` keep their sweep."""
    plans = []
    for number in tqdm(range(num_clips), desc="plan", unit="plans"):
        index, which = divmod(number, len(specs))
        plan = sample_once(specs[which], index, folder)
        plans.append(plan if number < num_sweeps else without_sweep(plan))
    return plans


def sample_once(spec: Path, index: int, folder: Path) -> ScenePlan:
    """Plan `index` of a spec, from `folder` when it was sampled before from the same text by the same version."""
    text = SpecText.read(spec)
    path = folder / f"{text.name}-{text.digest}-{index:03d}.json"
    if not path.exists():
        (plan,) = sample_plans(load_spec(spec), 1, index)
        write_atomically(path, plan.to_json())
    return ScenePlan.read(path)


def without_sweep(plan: ScenePlan) -> ScenePlan:
    """The same clip without its sweep."""
    return dataclasses.replace(plan, outputs=tuple(name for name in plan.outputs if name != "sweep"))


def render_all(plans: Sequence[ScenePlan], data: Path) -> None:
    """Render `plans` into `data`; ValueError when clips failed: a data set with holes is not what was asked for."""
    failed = [result for result in render_plans(plans, data) if result.state == "failed"]
    if failed:
        raise ValueError(f"{len(failed)} clips failed, the first: {failed[0].message} (see {failed[0].path})")


def run_line(plans: Sequence[ScenePlan], out: Path, *, recipe: str, minutes: float | None = None) -> Path:
    """Render `plans`, train `recipe` on them (for `minutes` at most), probe; returns the report. What is there is kept.

    Raises ValueError when clips failed: a data set with holes is not what was asked for.
    """
    data, run, report = out / "data", out / "run", out / "report"
    render_all(plans, data)
    train(recipe, data, run, minutes=minutes, resume=True)
    probe(run, data, report)
    return report / "index.html"


def demo(out: Path, *, minutes: float) -> str:
    """The line with a two-minute model. Returns where each artefact lies."""
    specs = [path for path in example_specs() if path.stem in TYPES]
    plans = plan_line(specs, out / "plans", num_clips=NUM_CLIPS, num_sweeps=NUM_SWEEPS)
    report = run_line(plans, out, recipe="tiny", minutes=minutes)
    return "\n".join(
        [
            f"specs    {specs[0].parent}",
            f"plans    {out / 'plans'}",
            f"clips    {out / 'data' / 'clips'}   (video.mp4 in each; `remind clip info {out / 'data'}`)",
            f"model    {out / 'run'}",
            f"report   {report}   (open it in a browser)",
        ]
    )
