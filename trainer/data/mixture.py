"""Several sources of clips, drawn by weight: rendered clips, and imported videos against forgetting.

Which clip is example number `position` of a run (step * batch_size + place in the batch) is a closed-form function of
(seed, position): a resumed run needs nothing but the step.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import lcm
from pathlib import Path

import numpy as np

from trainer.config import DataConfig, MixtureConfig, SourceConfig, TrainConfig, validate
from trainer.data.clips import ClipRecord
from trainer.data.interruptions import MIN_AFTER, checked_room, longest_hold_s
from trainer.data.prompts import told
from trainer.data.sources import ClipHeader, headers_of
from trainer.data.veils import CORRUPTIONS
from trainer.seeding import numpy_generator
from trainer.seen import Seen

MAX_BLOCK = 1000  # draws in which weights come out exactly; finer ones are rounded to a thousandth of all


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """One data set of a mixture."""

    name: str
    records: Sequence[ClipRecord]
    data: DataConfig  # its augmentations
    weight: float = 1.0


def draw(sizes: Sequence[int], weights: Sequence[float], *, seed: int, position: int) -> tuple[int, int]:
    """(source, clip of it) of example number `position`.

    Sources come in shuffled blocks that hold each of them by its weight; a source shows all its clips once, in an order
    of its own, before it shows one again.
    """
    quotas = block_quotas(tuple(weights))
    block, place = divmod(position, sum(quotas))
    order = _block_order(quotas, seed, block)
    source = int(order[place])
    count = block * quotas[source] + int((order[:place] == source).sum())
    epoch, index = divmod(count, sizes[source])
    return source, int(_epoch_order(sizes[source], seed, source, epoch)[index])


@lru_cache(maxsize=64)
def block_quotas(weights: tuple[float, ...]) -> tuple[int, ...]:
    """How often each source comes in a block: whole numbers in the ratio of the weights, at most MAX_BLOCK together."""
    if not weights or not all(weight > 0.0 for weight in weights):
        raise ValueError(f"mixture: weights {weights} must be above 0; leave a source out instead")
    shares = [Fraction(w).limit_denominator(10**6) for w in weights]
    total = sum(shares)
    shares = [share / total for share in shares]
    length = lcm(*(share.denominator for share in shares))
    if length > MAX_BLOCK:  # largest remainders
        length = MAX_BLOCK
        quotas = [int(share * length) for share in shares]
        rest = sorted(range(len(shares)), key=lambda i: (quotas[i] - shares[i] * length, i))
        for i in rest[: length - sum(quotas)]:
            quotas[i] += 1
    else:
        quotas = [int(share * length) for share in shares]
    if not all(quotas):
        least = float(min(shares))
        raise ValueError(f"mixture: a source of weight {least:.2g} of all would never come; give at least 0.001 of all")
    return tuple(quotas)


def sources_of(
    config: MixtureConfig, data: DataConfig, records: Sequence[tuple[str, Sequence[ClipRecord]]]
) -> tuple[Source, ...]:
    """The sources that a configuration describes, from (name, clips) of each. Raises ValueError when they don't fit."""
    names = [name for name, _ in records]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"mixture: two data sets are called {min(twice)!r}; rename a folder")
    known = {source.name: source for source in config.sources}
    if absent := known.keys() - set(names):
        raise ValueError(f"mixture.sources: no data was given for {min(absent)!r}; give --data a folder of that name")
    sources = []
    for name, clips in records:
        source = known.get(name, SourceConfig(name=name))
        sources.append(Source(name=name, records=clips, data=source.applied_to(data), weight=source.weight))
    return tuple(sources)


def with_weights(config: MixtureConfig, weights: Mapping[str, float | None]) -> MixtureConfig:
    """The mixture in which these sources, by name, are all named and have these weights (None: as it is, or 1)."""
    known = {source.name: source for source in config.sources}
    for name, weight in weights.items():
        source = known.get(name, SourceConfig(name=name))
        known[name] = source if weight is None else dataclasses.replace(source, weight=weight)
    return dataclasses.replace(config, sources=tuple(known.values()))


def with_folders(config: TrainConfig, texts: Sequence[str]) -> tuple[TrainConfig, list[Path]]:
    """Data sets as the command line names them, `DIR` or `DIR:WEIGHT`: the configuration with these sources, folders.

    A single folder without a weight needs no source of its own, so that its run does not depend on its name.
    """
    weights: dict[str, float | None] = {}
    folders = []
    for text in texts:
        folder, _, weight = text.rpartition(":")
        known = folder != "" and _is_number(weight)
        folders.append(Path(folder if known else text))
        weights[folders[-1].resolve().name] = float(weight) if known else None
    if len(folders) > 1 or any(weight is not None for weight in weights.values()):
        config = dataclasses.replace(config, mixture=with_weights(config.mixture, weights))
        validate(config)
    return config, folders


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def check_sources(sources: Sequence[Source], *, needs_cameras: bool) -> None:
    """Raises ValueError for clips that cannot be trained on together, or at all."""
    if not sources or not any(len(source.records) for source in sources):
        raise ValueError("mixture: there is no clip to train on; give --data a data set")
    first = next(headers_of(source.records)[0] for source in sources if len(source.records))
    for source in sources:
        if not len(source.records):
            raise ValueError(f"{source.name}: no clip of it is left to train on; leave it out or render more scenes")
        for clip in headers_of(source.records):
            if clip.shape != first.shape:
                raise ValueError(
                    f"{source.name}: clip {clip.clip_id} is {clip.shape} (frames, height, width) and "
                    f"{first.clip_id} is {first.shape}; import or render all sources in one shape"
                )
            if needs_cameras and not clip.cameras_known:
                raise ValueError(
                    f"{source.name}: the cameras of clip {clip.clip_id} are unknown; import it with --cameras, or "
                    f"train with model.mode=none"
                )
            _check_interruptions(clip, source)


def _check_interruptions(clip: ClipHeader, source: Source) -> None:
    """ValueError for a clip that can be shown in no way that its source asks for: now, not when it is first drawn."""
    if not clip.uninterrupted_known and not clip.returns:
        raise ValueError(
            f"{source.name}: clip {clip.clip_id} never returns at this data.frame_stride and has no uninterrupted "
            f"twin; render the output 'twins' or leave the clip out"
        )
    if _randomly_interrupted(clip, source.data):
        checked_room(
            clip.num_frames,
            seconds_per_frame=clip.seconds_per_frame,
            hidden_s=(source.data.hidden_min_s, source.data.hidden_max_s),
            min_seen_s=source.data.min_seen_s,
            min_after=MIN_AFTER,
        )


def single_source(records: Sequence[ClipRecord], data: DataConfig) -> tuple[Source, ...]:
    """One data set on its own."""
    return (Source(name="data", records=records, data=data),)


def clips_digest(sources: Sequence[Source]) -> str:
    """Of the ids of all clips, source by source and in order. Not of the sources' names: a folder may be renamed."""
    ids = [[header.clip_id for header in headers_of(source.records)] for source in sources]
    return hashlib.sha256(json.dumps(ids).encode()).hexdigest()[:16]


def prompts_of(sources: Sequence[Source]) -> set[str]:
    """All that training on these sources may tell the model; see `examples`."""
    found = set()
    for source in sources:
        kinds = ["", *(kind for kind, weight in source.data.interruptions.items() if weight)]
        for header in headers_of(source.records):
            found |= {header.prompt, *(told(header.prompt, kind) for kind in kinds if header.uninterrupted_known)}
        found |= {""} if source.data.prompt_dropout > 0.0 else set()
    return found


def seen_by(sources: Sequence[Source]) -> Seen:
    """What training on these sources shows: their clips' own events and windows, and random interruptions over them."""
    headers = [(header, source.data) for source in sources for header in headers_of(source.records)]
    shown = [window for header, data in headers for window in _interruptions(header, data)]
    return Seen(
        scenes=frozenset(header.scene_id for header, _ in headers),
        compositions=frozenset(tuple(sorted(header.event_types)) for header, _ in headers if header.event_types),
        interruptions=frozenset(kind for kinds, _ in shown for kind in kinds),
        longest_hidden_s=max((hidden_s for _, hidden_s in shown), default=0.0),
    )


def _interruptions(header: ClipHeader, data: DataConfig) -> list[tuple[frozenset[str], float]]:
    """(kinds, longest hidden time) of everything that may hide this clip in training; see `examples`."""
    found = []
    interrupted = data.interrupted_share > 0.0
    if not header.uninterrupted_known or (interrupted and data.own_window_share > 0.0):
        found += [(frozenset(window.kind.split("+")), window.hidden_s) for window in header.windows]
    if _randomly_interrupted(header, data):
        kinds = frozenset("corrupt" if k in CORRUPTIONS else k for k, weight in data.interruptions.items() if weight)
        longest_s = longest_hold_s(
            header.num_frames,
            seconds_per_frame=header.seconds_per_frame,
            hidden_s=(data.hidden_min_s, data.hidden_max_s),
            min_seen_s=data.min_seen_s,
            min_after=MIN_AFTER,
        )
        found.append((kinds, longest_s))
    return found


def _randomly_interrupted(header: ClipHeader, data: DataConfig) -> bool:
    """Whether training may draw an interruption over this clip."""
    own_alone = header.returns and data.own_window_share == 1.0
    return header.uninterrupted_known and data.interrupted_share > 0.0 and not own_alone


@lru_cache(maxsize=64)
def _block_order(quotas: tuple[int, ...], seed: int, block: int) -> np.ndarray:
    order = np.repeat(np.arange(len(quotas)), quotas)
    return numpy_generator(seed, "mixture", block).permutation(order) if len(quotas) > 1 else order


@lru_cache(maxsize=64)
def _epoch_order(size: int, seed: int, source: int, epoch: int) -> np.ndarray:
    return numpy_generator(seed, "epoch", source, epoch).permutation(size)
