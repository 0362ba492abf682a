"""What a run would take in time and on the disk, before it is begun."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from render_jobs.dataset import Dataset
from render_jobs.jobs import Draw, Job
from render_jobs.local import LocalCrew
from render_jobs.progress import spoken_bytes, spoken_s
from scenes.loading import parse_spec
from scenes.plan import ScenePlan
from scenes.sampling import sample_plans

NUM_SAMPLED = 50  # clips of the data set that are looked at
NUM_DRAWN = 12  # specs of which a first sample is drawn
_DONE = re.compile(r"\d+: (?P<id>\S+) done at attempt \d+: (?P<stats>\{.*\})$")

# A first guess, mended by what clips of the data set took: docs/RESULTS.md, cores of 2.5 GHz
PICTURE_S, PIXEL_SAMPLE_S = 0.03, 3e-6
PIXEL_BYTES, SWEEP_PICTURES, SWEEP_SAMPLES_FACTOR, TWIN_SHARE = 6.0, 43, 4, 0.6


@dataclass(frozen=True)
class Cost:
    """Of one clip."""

    worker_s: float  # seconds of one worker with one core
    size_bytes: float

    @classmethod
    def modelled(cls, plan: ScenePlan) -> Cost:
        """By pictures, pixels and samples alone."""
        pixels, samples = plan.clip.width_px * plan.clip.height_px, plan.render.samples
        pictures = plan.clip.num_frames * (1 + 2 * TWIN_SHARE * ("twins" in plan.outputs))
        sweep = SWEEP_PICTURES * len(plan.interruptions) * ("sweep" in plan.outputs)
        drawn = pictures + sweep * SWEEP_SAMPLES_FACTOR
        per_sample_s = PIXEL_SAMPLE_S if plan.render.engine == "cycles" else 0.0
        return cls(
            (pictures + sweep) * PICTURE_S + drawn * pixels * samples * per_sample_s,
            (pictures + sweep) * pixels * PIXEL_BYTES,
        )


def estimate(
    dataset: Dataset,
    jobs: Sequence[Job | Draw],
    *,
    num_workers: int | None = None,
    limit: int | None = None,
    retry_quarantined: bool = False,
) -> list[str]:
    """Lines for people: clips, time, disk. Nothing is written."""
    todo, present, failed = [], 0, 0
    for work in jobs:
        job_id = dataset.drawn_id(work) or work.id if isinstance(work, Draw) else work.id
        if dataset.is_done(job_id):
            present += 1
        elif dataset.cause(job_id) is not None and not retry_quarantined:
            failed += 1
        else:
            todo.append(work)
    todo = todo[:limit]
    samples = _sample_plans(todo)
    costs = [samples[work.spec.digest] if isinstance(work, Draw) else Cost.modelled(work.plan) for work in todo]
    crew = LocalCrew.of_this_machine(num_workers, len(todo))
    slower, larger, source = _compared_with_clips(dataset)
    seconds = sum(cost.worker_s for cost in costs) * slower / crew.size
    size = sum(cost.size_bytes for cost in costs) * larger
    lines = [
        f"{len(jobs)} clips: {present} there already, {failed} quarantined, {len(todo)} to render",
        f"about {spoken_s(seconds)} with {crew.size} workers, about {spoken_bytes(size)} ({source})",
    ]
    root = next(folder for folder in (dataset.root, *dataset.root.resolve().parents) if folder.is_dir())
    free = shutil.disk_usage(root).free
    if size > free:
        lines.append(f"the disk has only {spoken_bytes(free)} free")
    return lines


def _sample_plans(todo: Sequence[Job | Draw]) -> dict[str, Cost]:
    """Spec digest -> cost of its first sample; beyond NUM_DRAWN specs, the mean of those."""
    specs = {work.spec.digest: work.spec for work in todo if isinstance(work, Draw)}
    costs = {}
    for spec in list(specs.values())[:NUM_DRAWN]:
        (plan,) = sample_plans(parse_spec(spec.text, f"{spec.name}.yaml"), 1)
        costs[spec.digest] = Cost.modelled(plan)
    mean = Cost(
        sum(cost.worker_s for cost in costs.values()) / max(1, len(costs)),
        sum(cost.size_bytes for cost in costs.values()) / max(1, len(costs)),
    )
    return {digest: costs.get(digest, mean) for digest in specs}


def _compared_with_clips(dataset: Dataset) -> tuple[float, float, str]:
    """Real time and size of clips rendered here before, divided by the modelled ones, and what to tell of it."""
    told = [found for line in _lines(dataset) if (found := _DONE.search(line))][-NUM_SAMPLED:]
    real, modelled = [], []
    for found in told:
        try:
            plan = ScenePlan.read(dataset.plan(found["id"]))
            seconds = float(json.loads(found["stats"])["seconds_total"])
            files = [path for path in dataset.clip(found["id"]).rglob("*") if path.is_file()]
        except (OSError, ValueError, KeyError):
            continue
        real.append(Cost(seconds, sum(path.stat().st_size for path in files)))
        modelled.append(Cost.modelled(plan))
    if not real:
        return 1.0, 1.0, "a rough guess: no clip was rendered here to go by"
    slower = sum(cost.worker_s for cost in real) / sum(cost.worker_s for cost in modelled)
    larger = sum(cost.size_bytes for cost in real) / sum(cost.size_bytes for cost in modelled)
    return slower, larger, f"by the last {len(real)} clips rendered here"


def _lines(dataset: Dataset) -> list[str]:
    if not dataset.log.is_file():
        return []
    return dataset.log.read_text(encoding="utf-8", errors="replace").splitlines()
