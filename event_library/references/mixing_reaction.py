"""Mixing reaction: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
from scipy.integrate import quad
from scipy.linalg import expm
from scipy.ndimage import binary_dilation
from scipy.optimize import brentq

from event_library.families.mixing_reaction.chromatography import PaperChromatography
from event_library.families.mixing_reaction.crystals import LiesegangRings, SnowflakeGrowth
from event_library.families.mixing_reaction.diffusion import DyeDropDiffusing, DyeVortexWinding
from event_library.families.mixing_reaction.patterns import BzTargetWaves
from event_library.families.mixing_reaction.settling import BeerFoamCollapse, EffervescentTablet, SedimentSettling
from event_library.families.mixing_reaction.stirring import BatterStirring
from event_library.families.mixing_reaction.titration import IodineClockRow, TitrationEndpoint
from event_library.references.base import Array, Reference
from event_library.references.integrating import integrated, until


def dye_drop_diffusing(event: DyeDropDiffusing, t_s: Array) -> dict[str, Array]:
    """dc/dt = D lap c as a Galerkin system of Legendre polynomials in (r/R)^2; its weak form has a tight wall."""
    num, radius = 60, 0.09
    nodes, weights = np.polynomial.legendre.leggauss(600)
    s = (nodes + 1) / 2  # (r/R)^2; area element pi R^2 ds
    basis = np.polynomial.legendre.legvander(nodes, num - 1)
    slopes = np.stack(
        [np.polynomial.legendre.legval(nodes, np.polynomial.legendre.legder(np.eye(num)[k])) * 2 for k in range(num)],
        axis=1,
    )
    mass = (basis * weights[:, None] / 2).T @ basis
    stiff = (slopes * (4 * s * weights / 2)[:, None]).T @ slopes / radius**2  # |grad c|^2 = 4 s (dc/ds)^2 / R^2
    start = np.exp(-s * radius**2 / (2 * event.drop_m**2))
    shares = np.linalg.solve(mass, (basis * (weights / 2)[:, None]).T @ start)
    decay = -event.diffusivity_m2_per_s * np.linalg.solve(mass, stiff)
    sigma = []
    for t in t_s:
        c = basis @ (expm(decay * t) @ shares)
        sigma.append(np.sqrt((c * s * weights).sum() / (c * weights).sum() * radius**2 / 2))
    return {"sigma": np.array(sigma)}


def dye_vortex_winding(event: DyeVortexWinding, t_s: Array) -> dict[str, Array]:
    """Two particles carried by the vortex in Cartesian coordinates; their angles, unwound."""
    ends = []
    fine = np.unique(np.concatenate([t_s, np.linspace(0, float(t_s[-1]), 2001)]))
    for start in (0.3 * event.dish_m, event.dish_m):

        def carried(t: float, at: Array) -> list[float]:
            turn = event.core_rate_rad_per_s / (1 + (at[0] ** 2 + at[1] ** 2) / event.core_m**2)
            return [-turn * at[1], turn * at[0]]

        x, y = integrated(carried, [start, 0.0], fine)
        ends.append(np.unwrap(np.arctan2(y, x))[np.searchsorted(fine, t_s)])
    return {"winding": (ends[0] - ends[1]) / (2 * np.pi)}


def titration_endpoint(event: TitrationEndpoint, t_s: Array) -> dict[str, Array]:
    """Charge balance [H] + [Na] = Cl + Kw / [H], solved for the pH by bisection, drop by drop."""
    drops = np.minimum(np.floor(t_s / event.drop_s), 24)
    acid = event.num_needed - 0.5
    ph = {
        n: brentq(
            lambda p, n=n: 10.0**-p - 10.0 ** (p - 14) + 0.1 * (n - acid) / (acid + n),
            0.0,
            14.0,
            xtol=1e-13,
            rtol=1e-14,
        )
        for n in np.unique(drops)
    }
    value = np.array([ph[n] for n in drops])
    half_pink = next(n for n in range(25) if 10.0**-9.4 - 10.0**-4.6 + 0.1 * (n - acid) / (acid + n) > 0)
    return {
        "pH": value, "pink": 10**value / (10**value + 10**9.4), "burette_level": drops,
        "trigger:end_point": np.array([half_pink * event.drop_s]),
    }  # fmt: skip


def bz_target_waves(event: BzTargetWaves, t_s: Array) -> dict[str, Array]:
    """The rule by sets: how many steps ago each cell fired, dilation for what the firing ones set off."""
    span = np.arange(-2, 3)
    foot = span[:, None] ** 2 + span**2 <= 5
    points = np.zeros((96, 96), dtype=bool)
    points[tuple(event.pacemakers().T)] = True
    x = (np.arange(96) + 0.5) / 48 - 1
    dish = x[:, None] ** 2 + x**2 < 0.93**2
    steps = (t_s / event.step_s).astype(int)
    ago, seen = np.full((96, 96), 1000), np.zeros_like(points)
    reach = []
    for step in range(steps.max() + 1):
        firing = ago == 0
        fires = (ago > event.num_tired) & binary_dilation(firing, foot) if step else np.zeros_like(points)
        fires |= points & (step % event.num_period_steps == 0)
        ago = np.where(fires, 0, ago + 1)
        seen = seen | fires
        reach.append(seen[dish].mean())
    return {"excited_reach": np.array(reach)[steps]}


def paper_chromatography(event: PaperChromatography, t_s: Array) -> dict[str, Array]:
    """dL/dtau = K / (2 L) as d(L^2)/dtau = K; a dye moves at its share of the front's speed once it is wet."""
    squared = until(lambda t, y: [event.pull_m2_per_s * event.time_scale], 0.0, 0.12**2, t_s)
    front = np.sqrt(np.maximum(squared, 0.0))
    lag = np.maximum(front, event.start_m) - event.start_m
    return {"fast_band": event.start_m + 0.85 * event.retention_ratio * lag}


def snowflake_growth(event: SnowflakeGrowth, t_s: Array) -> dict[str, Array]:
    """The rule cell by cell on lists of neighbours, for one of six sectors' worth of symmetry none assumed."""
    limit = 44
    cells = [(q, s) for q in range(-limit, limit + 1) for s in range(-limit, limit + 1) if abs(q + s) <= limit]
    number = {cell: k for k, cell in enumerate(cells)}
    ways = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1))
    near = np.array([[number.get((q + i, s + j), k) for i, j in ways] for k, (q, s) in enumerate(cells)])
    far = np.array([max(abs(q), abs(s), abs(q + s)) for q, s in cells])
    edge = far == limit
    level = np.full(len(cells), event.vapour_ratio)
    level[number[0, 0]] = 1.0
    radius = [0]
    for _ in range(int(t_s[-1] * event.steps_per_s) + 1):
        if radius[-1] >= 38:
            radius.append(38)
            continue
        ice = level >= 1
        wet = ice | ice[near].any(axis=1)
        dry = np.where(wet, 0.0, level)
        level = np.where(wet, level + event.gain_ratio, 0.0) + dry / 2 + dry[near].sum(axis=1) / 12
        level[edge] = event.vapour_ratio
        radius.append(max(radius[-1], int(far[level >= 1].max())))
    return {"radius": np.array(radius)[np.floor(t_s * event.steps_per_s).astype(int)].astype(np.float64)}


def beer_foam_collapse(event: BeerFoamCollapse, t_s: Array) -> dict[str, Array]:
    """dH/dtau = -H / tf."""
    rate = event.time_scale / event.decay_s
    return {"foam_height": integrated(lambda t, h: [-rate * h[0]], [event.head_m], t_s)[0]}


def effervescent_tablet(event: EffervescentTablet, t_s: Array) -> dict[str, Array]:
    """The linear size shrinks steadily; the dissolved volume is the integral of surface times speed."""
    rate = event.time_scale / event.dissolving_s
    size = until(lambda t, s: [-rate], 1.0, 0.0, t_s)
    ends_s = 1 / rate
    tint = integrated(lambda t, m: [3 * rate * max(1 - rate * t, 0.0) ** 2], [0.0], np.minimum(t_s, ends_s))[0]
    return {"size": size, "tint": tint, "trigger:dissolved": np.array([ends_s])}


def sediment_settling(event: SedimentSettling, t_s: Array) -> dict[str, Array]:
    """The front sinks at v; mass balance of a bed five times as dense says how thick that is."""
    z = until(lambda t, z: [-event.speed_m_per_s * event.time_scale], event.height_m, 0.2 * event.height_m, t_s)

    def mud_left_m(t: float) -> float:
        front = event.height_m - event.speed_m_per_s * event.time_scale * t
        return front - (event.height_m - front) / 4

    settled = brentq(mud_left_m, 0.0, 60.0, xtol=1e-13)
    return {"interface": z, "bed": (event.height_m - z) / 4, "trigger:settled": np.array([settled])}


def _used_up(rate_per_s: float, t: float, left: Array) -> list[float]:
    return [-rate_per_s]


def iodine_clock_row(event: IodineClockRow, t_s: Array) -> dict[str, Array]:
    """Beaker by beaker: thiosulphate is used up at a rate that goes down by rho from each to the next."""
    count, rate = np.zeros(len(t_s)), 1 / event.first_s
    flips = {}
    for i in range(event.num_beakers):
        left = until(functools.partial(_used_up, rate), 1.0, 0.0, np.concatenate([t_s, [20.0]]))[:-1]
        count += left <= 0
        flips[f"trigger:beaker_{i + 1}_turns"] = np.array([1 / rate])
        rate /= event.dilution_ratio
    return {"dark_count": count, **flips}


def liesegang_rings(event: LiesegangRings, t_s: Array) -> dict[str, Array]:
    """The front's area grows steadily; whenever it is (1 + p)^2 times that of the last ring there is another."""
    pace = event.front_m2_per_s * 3600 * event.time_scale_h_per_s
    area = until(lambda t, a: [pace], 0.0, 0.055**2, t_s)
    rings, outer, ring, fall_s = np.zeros(len(t_s)), np.zeros(len(t_s)), event.first_m**2, list[float]()
    while ring * 1.07**2 <= 0.055**2:
        rings += area >= ring
        outer = np.where(area >= ring, np.sqrt(ring), outer)
        fall_s.append(quad(lambda a: 1 / pace, 0.0, ring)[0])
        ring *= (1 + event.spacing_ratio) ** 2
    falls = {f"trigger:ring_{m}": np.array([when]) for m, when in enumerate(fall_s, 1)}
    return {"rings": rings, "outer_radius": outer, **falls}


def batter_stirring(event: BatterStirring, t_s: Array) -> dict[str, Array]:
    """dC/dt = -C / tm."""
    return {"contrast": integrated(lambda t, c: [-c[0] / event.mixing_s], [1.0], t_s)[0]}


REFERENCES: Mapping[str, Reference] = {
    "dye_drop_diffusing": dye_drop_diffusing,
    "dye_vortex_winding": dye_vortex_winding,
    "titration_endpoint": titration_endpoint,
    "bz_target_waves": bz_target_waves,
    "paper_chromatography": paper_chromatography,
    "snowflake_growth": snowflake_growth,
    "beer_foam_collapse": beer_foam_collapse,
    "effervescent_tablet": effervescent_tablet,
    "sediment_settling": sediment_settling,
    "iodine_clock_row": iodine_clock_row,
    "liesegang_rings": liesegang_rings,
    "batter_stirring": batter_stirring,
}
