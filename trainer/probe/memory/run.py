"""`probe_cache(run, dataset, out)`: records the memory, decodes it, changes it; writes cache.json and cache.html."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from simulator.clip import Clip, list_clips
from trainer.build import build_model, default_device, for_use
from trainer.checkpoint import TrainedModel, load_trained
from trainer.probe.memory.causal import causal_tests
from trainer.probe.memory.changes import RolloutReturns, can_be_asked
from trainer.probe.memory.decoding import TRAINED, UNTRAINED, decode
from trainer.probe.memory.groups import MIN_SCENES, group_windows
from trainer.probe.memory.hidden import HiddenWindow, record_windows
from trainer.probe.memory.page import write_page
from trainer.probe.memory.result import CacheProbeResult, CausalResult, Settings
from trainer.probe.subject import Subject
from trainer.probe.templating import make_folder
from trainer.rollout import RolloutConfig
from trainer.seeding import derive_seed
from trainer.seen import read_seen, seen_file

BUDGET = 64  # principal components read of any place or picture
MAX_BINS = 6  # of hidden time
REPEATS = 10  # fold assignments
STEPS = 8  # Euler steps a frame, as `remind probe` has it


def probe_cache(
    run: Path | str,
    dataset: Path | str,
    out: Path | str,
    *,
    free: bool = False,
    causal: int | None = None,
    budget: int = BUDGET,
    repeats: int = REPEATS,
    seed: int = 0,
    progress: bool = True,
) -> CacheProbeResult:
    """Probe the memory of a run's newest checkpoint on the clips of a data set it was not trained on.

    free: hidden frames are generated (default: given as the clip shows them; the causal tests always have it so).
    causal: change the memory and look at the return in at most so many windows with twins and a sweep, of each event
    type in turn (default: all; 0: none; about 12 rollouts each). budget: principal components that a probe reads of any
    place or picture. repeats: fold assignments of the cross-validation; decoding takes time in proportion. Writes
    `out`/cache.json and `out`/cache.html. ValueError names what is wrong.
    """
    if budget < 1:
        raise ValueError(f"budget: {budget} principal components; give at least 1")
    if repeats < 1:
        raise ValueError(f"repeats: {repeats} fold assignments; give at least 1")
    if causal is not None and causal < 0:
        raise ValueError(f"causal: {causal} windows; give 0 or more, or leave it out for all")
    run_dir, out = Path(run), Path(out)
    if not run_dir.is_dir():
        raise ValueError(f"{run_dir}: no such run folder; train first, or give another")
    paths = list_clips(dataset)
    if not paths:
        raise ValueError(f"{dataset}: no published clips; render some first")
    make_folder(out)
    trained = load_trained(run_dir, device=default_device())
    facts = {
        "directory": str(run_dir),
        "step": trained.step,
        "parameters": sum(p.numel() for p in trained.model.parameters()),
        "config": dataclasses.asdict(trained.config),
    }
    result = probe_memory(
        {TRAINED: trained, UNTRAINED: untrained(trained)},
        [Clip.open(path) for path in paths],
        dataset=str(dataset),
        facts=facts,
        settings=Settings(free=free, causal=causal, budget=budget, repeats=repeats, seed=seed, steps=STEPS),
        known=read_seen(run_dir).scenes if seen_file(run_dir).exists() else frozenset(),
        progress=progress,
    )
    result.write(out / "cache.json")
    write_page(out / "cache.html", result)
    return result


def untrained(trained: TrainedModel) -> TrainedModel:
    """The same architecture before its first step, other random weights; of a pretrained model the pretrained ones."""
    config = dataclasses.replace(trained.config, seed=derive_seed(trained.config.seed, "untrained") % 2**31)
    device = next(trained.model.parameters()).device
    model = for_use(build_model(config), device)
    return TrainedModel(model=model, config=trained.config, codec=trained.codec, step=0)


def probe_memory(
    models: Mapping[str, TrainedModel],
    clips: Sequence[Clip],
    *,
    dataset: str,
    facts: Mapping[str, Any],
    settings: Settings,
    known: frozenset[str] = frozenset(),
    progress: bool = False,
) -> CacheProbeResult:
    """The same with models at hand: `trained` and `untrained`. known: scenes of the training, which are left out."""
    fresh = [clip for clip in clips if clip.scene_id not in known]
    left_out = [f"{clip.clip_id}: its scene was trained on" for clip in clips if clip.scene_id in known]
    if not fresh:
        raise ValueError(f"{dataset}: every scene in it was trained on; give a data set that was kept apart")
    config = RolloutConfig(steps=settings.steps, seed=settings.seed)
    windows: list[HiddenWindow] = []
    for clip in tqdm(fresh, desc="memory", unit="clip", disable=not progress):
        found = record_windows(clip, models, config, free=settings.free)
        if not found:
            left_out.append(f"{clip.clip_id}: no hidden frame that the model remembers")
        windows += found
    groups = group_windows(windows)
    few = sorted({w.event_type for w in windows} - {g.event_type for g in groups})
    left_out += [f"{name}: fewer than {MIN_SCENES} scenes in which a number moved while hidden" for name in few]
    if not groups:
        raise ValueError(
            f"{dataset}: nothing to probe; it takes {MIN_SCENES} scenes of one event type in which it moves unseen"
        )
    bins_s = time_bins(windows)
    decoded = [
        decode(group, bins_s, budget=settings.budget, repeats=settings.repeats, seed=settings.seed)
        for group in tqdm(groups, desc="decoding", unit="variable", disable=not progress)
    ]
    tested = None
    if settings.causal != 0:
        tested = _causal(models[TRAINED], fresh, config, settings.causal, progress)
        if tested is None:
            left_out.append("causal tests: no clip has twins, a sweep, and its return among the kept frames")
    return CacheProbeResult(
        dataset=dataset,
        run=dict(facts),
        settings=settings,
        bins_s=bins_s,
        num_clips=len(fresh),
        groups=tuple(decoded),
        left_out=tuple(left_out),
        causal=tested,
    )


def time_bins(windows: Sequence[HiddenWindow]) -> tuple[float, ...]:
    """Edges in s of at most `MAX_BINS` bins of hidden time, each a whole number of steps between hidden frames wide."""
    longest = max(float(w.elapsed_s[-1]) for w in windows)
    steps = [float(step) for w in windows for step in (w.elapsed_s[1:] - w.elapsed_s[:-1])]
    step = min(steps, default=longest)
    width = step * math.ceil(round(longest / step / MAX_BINS, 9))
    count = math.ceil(round(longest / width, 9))
    return tuple(round(n * width, 9) for n in range(count + 1))


def _causal(
    trained: TrainedModel, clips: Sequence[Clip], config: RolloutConfig, limit: int | None, progress: bool
) -> CausalResult | None:
    """On the first `limit` windows that can be asked about, of each event type in turn; None when there is none."""
    stride = trained.config.data.frame_stride
    swept = [clip for clip in clips if clip.sweeps and {"observed", "paused"} <= set(clip.twins)]
    subjects = [Subject.load(clip, n) for clip in swept for n in range(len(clip.sweeps))]
    fit = [subject for subject in subjects if can_be_asked(subject, stride)]
    if not fit:
        return None
    turn = [sum(s.event_type == subject.event_type for s in fit[:place]) for place, subject in enumerate(fit)]
    asked = [fit[place] for place in sorted(range(len(fit)), key=turn.__getitem__)[:limit]]
    bar = tqdm(asked, desc="causal tests", unit="clip", disable=not progress)
    return causal_tests(fit, RolloutReturns(trained, config), bar)
