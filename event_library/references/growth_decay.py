"""Growth and decay: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.spatial import cKDTree

from event_library.families.growth_decay.colonies import MouldColonies, RustSpreading
from event_library.families.growth_decay.flowers import FlowerOpening, SunflowerTracking
from event_library.families.growth_decay.fruit import AppleSliceBrowning, BananaRipening
from event_library.families.growth_decay.plants import PlantWilting, SeedlingGrowing
from event_library.families.growth_decay.pond import LotkaVolterraPond
from event_library.families.growth_decay.trees import AutumnTreeShedding, LsystemTree
from event_library.references.base import Array, Reference
from event_library.references.integrating import integrated


def seedling_growing(event: SeedlingGrowing, t_s: Array) -> dict[str, Array]:
    """dh/dtau = r h (1 - h / Hm), and the leaves' opening as the integral of a parabola over the height."""
    days = t_s * event.time_scale_day_per_s
    height = integrated(lambda d, h: [event.rate_per_day * h[0] * (1 - h[0] / event.final_m)], [event.start_m], days)[0]
    share = np.clip((height / event.final_m - 0.3) / 0.5, 0.0, 1.0)
    return {"height": height, "leaf_angle": np.deg2rad(70) * (share**2 * 3 - share**3 * 2)}


def plant_wilting(event: PlantWilting, t_s: Array) -> dict[str, Array]:
    """d theta / d tau = 2 tau / tw^2 (theta_m - theta)."""
    hours = t_s * event.scale_h_per_s
    theta = integrated(lambda h, y: [2 * h / event.half_h**2 * (event.sink_rad - y[0])], [0.0], hours)[0]
    return {"theta": theta, "stem_bend": np.deg2rad(14) + theta}


def flower_opening(event: FlowerOpening, t_s: Array) -> dict[str, Array]:
    """Logistic equation dx/dtau = x (1 - x) / s from the share open at the start."""
    first = 1 / (1 + np.exp(event.middle_h / event.spread_h))
    hours = t_s * event.scale_h_per_s
    share = integrated(lambda h, x: [x[0] * (1 - x[0]) / event.spread_h], [first], hours)[0]
    return {"petal_angle": np.deg2rad(8 + 77 * share)}


def sunflower_tracking(event: SunflowerTracking, t_s: Array) -> dict[str, Array]:
    """The lag integrated stage by stage: while the sun moves, and after it has stopped."""
    end = np.deg2rad(80)
    noon = 2 * end / event.sweep_rad_per_h
    hours = t_s * event.scale_h_per_s

    def moving(h: float, y: Array) -> list[float]:
        return [(-end + event.sweep_rad_per_h * h - y[0]) / event.lag_h]

    before = integrated(moving, [-end], np.append(np.minimum(hours, noon), noon))[0]
    after = integrated(lambda h, y: [(end - y[0]) / event.lag_h], [before[-1]], np.maximum(hours - noon, 0.0))[0]
    return {
        "head_azimuth": np.where(hours <= noon, before[:-1], after),
        "sun_azimuth": np.minimum(-end + event.sweep_rad_per_h * hours, end),
        "trigger:sun_stops": np.array([noon / event.scale_h_per_s]),
    }


def mould_colonies(event: MouldColonies, t_s: Array) -> dict[str, Array]:
    """Instant by instant: which sample points lie within reach of which colony."""
    radii = np.array([
        [max(0.0, event.spread_mm_per_day * (t * event.scale_day_per_s - lag)) for lag in event.lags_day] for t in t_s
    ])  # fmt: skip
    tree = cKDTree(event.samples_m)
    shares = []
    for row in radii:
        under = np.zeros(len(event.samples_m), dtype=bool)
        for centre, radius in zip(event.centres_m, row, strict=True):
            under[tree.query_ball_point(centre, radius * 1e-3)] |= radius > 0
        shares.append(under.mean())
    starts = {f"trigger:colony_{i}_starts": np.array([d]) for i, d in enumerate(event.lags_day / event.scale_day_per_s)}
    return {"coverage": np.array(shares), **starts}


def rust_spreading(event: RustSpreading, t_s: Array) -> dict[str, Array]:
    """Distance of each sample point from the nearest centre by a tree, counted instant by instant."""
    away = cKDTree(event.centres_m).query(event.samples_m)[0]
    radii = 1e-3 * event.spread_mm_per_day * event.scale_day_per_s * t_s
    return {"coverage": np.array([(away <= radius).mean() if radius > 0 else 0.0 for radius in radii])}


def banana_ripening(event: BananaRipening, t_s: Array) -> dict[str, Array]:
    """dG = -k1 G, dY = k1 G - k2 Y, dB = k2 Y."""
    first, second = event.unripe_per_day, event.spoil_per_day
    green, yellow, brown = integrated(
        lambda d, y: [-first * y[0], first * y[0] - second * y[1], second * y[1]],
        [1.0, 0.0, 0.0],
        t_s * event.time_scale_day_per_s,
    )
    return {"brown_fraction": brown, "green_fraction": green, "Y": yellow}


def apple_slice_browning(event: AppleSliceBrowning, t_s: Array) -> dict[str, Array]:
    """db/dtau = k (1 - b)."""
    return {"browning": integrated(lambda s, b: [event.rate_per_s * (1 - b[0])], [0.0], t_s * event.time_scale)[0]}


def lsystem_tree(event: LsystemTree, t_s: Array) -> dict[str, Array]:
    """The rewriting itself, on strings: a tip F becomes b bracketed tips; the depth of brackets is the generation."""
    words = ["F"]
    for _ in range(event.num_levels):
        words.append(words[-1].replace("F", "G" + "[F]" * event.num_shoots))
    depths = [max(np.cumsum([(c == "[") - (c == "]") for c in word])) for word in words]
    assert [word.count("F") for word in words] == [event.num_shoots**k for k in range(len(words))]
    forks = event.period_s * np.arange(1, event.num_levels + 1)
    generation = np.array([float(depths[int((forks <= t).sum())]) for t in t_s])
    return {"generation": generation, **{f"trigger:fork_{k}": np.array([s]) for k, s in enumerate(forks, 1)}}


def autumn_tree_shedding(event: AutumnTreeShedding, t_s: Array) -> dict[str, Array]:
    """How many have gone: the logistic curve F itself, rounded to whole leaves (u = (j - 1/2) / N <= F)."""

    def gone(t: Array) -> Array:
        curve = 1 / (1 + np.exp(-(t * event.scale_day_per_s - event.middle_day) / event.spread_day))
        return np.floor(event.num_leaves * curve + 0.5)

    return {"leaves_left": 1 - gone(t_s) / event.num_leaves, "ground_cover": gone(t_s - 1.0) / event.num_leaves}


def lotka_volterra_pond(event: LotkaVolterraPond, t_s: Array) -> dict[str, Array]:
    """The same in logarithms, by scipy: (ln x)' = a (1 - y / Y), (ln y)' = c (x / X - 1)."""
    most, fewest = event.num_prey, event.num_predators

    def rates(t: float, logs: Array) -> list[float]:
        x, y = np.exp(logs)
        return [event.birth_per_s * (1 - y / fewest), event.death_per_s * (x / most - 1)]

    logs = integrated(rates, [float(np.log(event.excess * most)), float(np.log(0.6 * fewest))], t_s)
    return {"x": np.exp(logs[0]), "y": np.exp(logs[1])}


REFERENCES: Mapping[str, Reference] = {
    "seedling_growing": seedling_growing,
    "sunflower_tracking": sunflower_tracking,
    "mould_colonies": mould_colonies,
    "banana_ripening": banana_ripening,
    "apple_slice_browning": apple_slice_browning,
    "rust_spreading": rust_spreading,
    "plant_wilting": plant_wilting,
    "flower_opening": flower_opening,
    "lsystem_tree": lsystem_tree,
    "autumn_tree_shedding": autumn_tree_shedding,
    "lotka_volterra_pond": lotka_volterra_pond,
}
