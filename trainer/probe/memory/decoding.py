"""What can be read from the memory: targets, controls, and R2 with intervals and tests, for one group of hidden frames.

Targets
    state   the hidden variable at that frame
    rate    its change per second over the whole hiding
    beyond  the state less what last-seen state and elapsed time say of it (ordinary least squares within the fold)

Controls, read in the same way: the untrained model, pictures, labels of other scenes (Ojala and Garriga 2010), and a
random number for each scene (a control task, Hewitt and Liang 2019; also with scenes shared between folds, which shows
what a probe could learn by heart).
R2 = 1 - sum (y - y^)^2 / sum (y - mean of the training rows)^2 over rows that are predicted from other scenes, and
over several fold assignments (`repeated`). Intervals: bootstrap over scenes and assignments. p: sign flips of whole
scenes, of their means over assignments, adjusted by Holm over layers, or over rows of a table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trainer.probe.bootstrap import Estimate, crossed_ratio, holm, sign_flip_p
from trainer.probe.memory.groups import Group, Site
from trainer.probe.memory.hidden import Labels
from trainer.probe.memory.nested import Target, regression
from trainer.probe.memory.repeated import Repeated, chosen_of_each, fold_seeds, r2_of, repeated_ridge
from trainer.probe.memory.result import DecodedGroup, DecodedTarget, Row, SiteScore
from trainer.seeding import numpy_generator

TRAINED, UNTRAINED = "trained", "untrained"
STATE, RATE, BEYOND = "state", "rate", "beyond"
TARGETS = (STATE, RATE, BEYOND)
NUM_SHUFFLES = 5
NOTHING_LEFT = 1e-6  # of the state's spread: a residual below this is rounding
SHUFFLED, CONTROL = "labels of other scenes", "a random number for each scene"
SHARED = "a random number for each scene, scenes shared between folds"
PRIOR, PAUSED = "last state and elapsed time", "paused: the state last seen, no change"

Array = NDArray[np.float64]


def decode(group: Group, bins_s: Sequence[float], *, budget: int, repeats: int, seed: int = 0) -> DecodedGroup:
    """All figures of one group. bins_s: edges of hidden time for the heat maps. repeats: fold assignments."""
    rng = numpy_generator(seed, "cache probe", group.event_type)  # variables of one type share nulls and folds
    seeds = fold_seeds(seed, group.event_type, repeats)
    targets = targets_of(group.labels)
    nulls = {
        f"{SHUFFLED} {n} {name}": target
        for n in range(NUM_SHUFFLES)
        for name, target in targets_of(group.labels.take(group.shuffled(rng))).items()
    }
    random = {f"{CONTROL} {n}": Target(values_NO=_random_numbers(group.scenes, rng)) for n in range(NUM_SHUFFLES)}
    own, other = group.sites(TRAINED), group.sites(UNTRAINED)
    pictures = group.pictures
    asked = {**targets, **nulls, **random}
    mine = repeated_ridge(list(own.values()), asked, group.scenes, budget=budget, seeds=seeds)
    theirs = repeated_ridge([*other.values(), *pictures.values()], targets, group.scenes, budget=budget, seeds=seeds)
    found = []
    for name, target in targets.items():
        found.append(
            _target(
                name,
                target,
                group,
                dict(zip(own, (m[name] for m in mine), strict=True)),
                dict(zip(other, (t[name] for t in theirs), strict=False)),
                dict(zip(pictures, (t[name] for t in theirs[len(other) :]), strict=True)),
                [chosen_of_each([m[f"{SHUFFLED} {n} {name}"] for m in mine])[0] for n in range(NUM_SHUFFLES)],
                [chosen_of_each([m[f"{CONTROL} {n}"] for m in mine])[0] for n in range(NUM_SHUFFLES)],
                bins_s,
            )
        )
    return DecodedGroup(
        event_type=group.event_type,
        variable=group.variable,
        unit=group.unit,
        num_windows=len(group.windows),
        num_scenes=len(set(group.scenes)),
        num_rows=len(group.scenes),
        targets=tuple(_with_shared(found, own, group, random, budget, seeds)),
    )


def targets_of(labels: Labels) -> dict[str, Target]:
    """The three targets of a group's labels."""
    return {
        STATE: Target(values_NO=labels.state_NO),
        RATE: Target(values_NO=labels.rate_N[:, None]),
        BEYOND: Target(values_NO=labels.state_NO, known_NQ=labels.known_NQ),
    }


def gain(better: Repeated, worse: Repeated, scenes: Sequence[str]) -> tuple[Estimate, float]:
    """R2 of one less R2 of the other on the same rows, with its interval, and the p value of "no difference"."""
    apart = worse.errors_KN - better.errors_KN
    return crossed_ratio(apart, better.spreads_KN, scenes), sign_flip_p(apart.mean(0).tolist(), scenes)


def _target(
    name: str,
    target: Target,
    group: Group,
    own: Mapping[Site, Repeated],
    untrained: Mapping[Site, Repeated],
    pictures: Mapping[str, Repeated],
    shuffled: Sequence[Repeated],
    control: Sequence[Repeated],
    bins_s: Sequence[float],
) -> DecodedTarget:
    scenes, some = group.scenes, next(iter(own.values())).readings[0]
    states = group.labels.state_NO
    whole = ((states - states.mean(0)) ** 2).sum() if name == BEYOND else (target.values_NO**2).sum()
    if some.spreads.sum() <= NOTHING_LEFT * whole:
        return DecodedTarget(name=name, rows=(), sites=(), chosen=(), explained=1.0 if name == BEYOND else None)
    best, picks = chosen_of_each(list(own.values()))
    table: list[tuple[str, Repeated, bool]] = [("memory", best, False)]
    for source in dict.fromkeys(site.source for site in own):
        table.append((f"{source} alone", chosen_of_each([o for s, o in own.items() if s.source == source])[0], True))
    table.append(("untrained model", chosen_of_each(list(untrained.values()))[0], True))
    table += [(label, found, True) for label, found in pictures.items()]
    table += [(label, found, True) for label, found in _predictors(name, target, group, best).items()]
    rows = [_row(label, found, best if compared else None, scenes) for label, found, compared in table]
    adjusted = iter(holm([row.p_value for row in rows if row.p_value is not None]))
    rows = [replace(row, p_holm=next(adjusted) if row.p_value is not None else None) for row in rows]
    rows += [_mean_row(SHUFFLED, shuffled, scenes), _mean_row(CONTROL, control, scenes)]
    explained = None
    if name == BEYOND:
        explained = 1.0 - float(best.spreads_KN.sum(1).mean() / whole)
    counts = Counter(list(own)[pick] for pick in picks)
    return DecodedTarget(
        name=name,
        rows=tuple(rows),
        sites=_site_scores(TRAINED, own, group, bins_s) + _site_scores(UNTRAINED, untrained, group, bins_s),
        chosen=tuple((str(site), count) for site, count in counts.most_common()),
        explained=explained,
    )


def _predictors(name: str, target: Target, group: Group, best: Repeated) -> dict[str, Repeated]:
    """Those that need no memory; none for what is left when they are regressed out."""
    labels = group.labels
    if name == BEYOND:
        return {}
    known = Target(values_NO=target.values_NO, known_NQ=labels.known_NQ)
    prior = best.of(lambda reading: regression(known, reading.fold_N))
    if name == RATE:
        return {PRIOR: prior}
    return {PRIOR: prior, PAUSED: best.of(lambda _: labels.last_NO)}


def _row(label: str, found: Repeated, best: Repeated | None, scenes: Sequence[str]) -> Row:
    apart, p_value = (None, None) if best is None else gain(best, found, scenes)
    r2 = found.r2(scenes)
    return Row(name=label, r2=r2, fold_sd=found.fold_sd, less=apart, p_value=p_value, p_holm=None)


def _mean_row(label: str, draws: Sequence[Repeated], scenes: Sequence[str]) -> Row:
    """Over several draws of a null: their errors and spreads together."""
    errors_KN = np.sum([d.errors_KN for d in draws], axis=0)
    r2 = r2_of(errors_KN, np.sum([d.spreads_KN for d in draws], axis=0), scenes)
    return Row(name=label, r2=r2, fold_sd=None, less=None, p_value=None, p_holm=None)


def _site_scores(
    model: str, found: Mapping[Site, Repeated], group: Group, bins_s: Sequence[float]
) -> tuple[SiteScore, ...]:
    """Every place by itself; p values adjusted over the layers of one source and area."""
    elapsed = group.labels.elapsed_N
    number = np.clip(np.digitize(elapsed, bins_s[1:-1], right=True), 0, len(bins_s) - 2)
    p_values = {site: _p_of_nothing(out, group.scenes) for site, out in found.items()}
    scores = []
    for site, out in found.items():
        family = [s for s in found if (s.source, s.area) == (site.source, site.area)]
        adjusted = holm([p_values[s] for s in family])[family.index(site)]
        by_time = tuple(_r2_in(out, number == n, group.scenes) for n in range(len(bins_s) - 1))
        scores.append(
            SiteScore(
                model=model,
                source=site.source,
                area=site.area,
                layer=site.layer,
                r2=out.r2(group.scenes),
                by_time=by_time,
                p_value=p_values[site],
                p_holm=adjusted,
            )
        )
    return tuple(scores)


def _p_of_nothing(found: Repeated, scenes: Sequence[str]) -> float:
    """One-sided: a probe that is shrunk to the mean is a little worse than it, reliably so, and that is no finding."""
    won = (found.spreads_KN - found.errors_KN).mean(0)
    both_sides = sign_flip_p(won.tolist(), scenes)
    return both_sides / 2 if won.sum() > 0 else 1.0 - both_sides / 2


def _r2_in(found: Repeated, rows: NDArray[np.bool_], scenes: Sequence[str]) -> float | None:
    """R2 over some rows; None where fewer than three scenes have one."""
    spread = found.spreads_KN[:, rows].sum()
    if len({scene for scene, used in zip(scenes, rows, strict=True) if used}) < 3 or not spread > 0:
        return None
    return 1.0 - float(found.errors_KN[:, rows].sum() / spread)


def _random_numbers(scenes: Sequence[str], rng: np.random.Generator) -> Array:
    """[N, 1] the same for all rows of a scene."""
    drawn = {scene: rng.normal() for scene in dict.fromkeys(scenes)}
    return np.array([[drawn[scene]] for scene in scenes])


def _with_shared(
    found: Sequence[DecodedTarget],
    own: Mapping[Site, Array],
    group: Group,
    random: Mapping[str, Target],
    budget: int,
    seeds: Sequence[int],
) -> list[DecodedTarget]:
    """The control task again at each target's most chosen place, folds of rows: what grouping by scene prevents."""
    rows_alone = list(range(len(group.scenes)))
    known: dict[str, Row] = {}
    for place in {t.chosen[0][0] for t in found if t.chosen}:
        site = next(features for s, features in own.items() if str(s) == place)
        (draws,) = repeated_ridge([site], random, rows_alone, budget=budget, seeds=seeds)
        known[place] = _mean_row(SHARED, list(draws.values()), group.scenes)
    return [replace(t, rows=(*t.rows, known[t.chosen[0][0]])) if t.chosen else t for t in found]
