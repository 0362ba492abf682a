"""Material change: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
from scipy.integrate import quad, solve_ivp, trapezoid
from scipy.optimize import brentq
from scipy.spatial import Delaunay, Voronoi
from scipy.stats import beta, norm

from event_library.families.material_change.cooking import BreadToasting, EggWhiteSetting
from event_library.families.material_change.drying import ClayDrying, MudCracking
from event_library.families.material_change.erosion import SandcastleErosion
from event_library.families.material_change.failing import FatigueCrack, RopeStrandFailure
from event_library.families.material_change.paper import OrigamiFolding, PaperCurling, PaperShredding
from event_library.families.material_change.popping import PopcornPopping
from event_library.families.material_change.sawing import LogBeingSawn
from event_library.families.material_change.shattering import PlateShattering
from event_library.families.material_change.swelling import BalloonInflating, DoughRising
from event_library.references.base import Array, Reference
from event_library.references.integrating import integrated, until


def balloon_inflating(event: BalloonInflating, t_s: Array) -> dict[str, Array]:
    """dR/dt = Q / (4 pi R^2) until the ball is full."""
    start = float(np.cbrt(event.start_m3 * 3 / (4 * np.pi)))
    radius = until(lambda t, r: [event.flow_m3_per_s / (4 * np.pi * r[0] ** 2)], start, 0.15, t_s)
    full_s = quad(lambda r: 4 * np.pi * r * r / event.flow_m3_per_s, start, 0.15)[0]
    return {"radius": radius, "trigger:full": np.array([full_s])}


def dough_rising(event: DoughRising, t_s: Array) -> dict[str, Array]:
    """Logistic growth dS/dtau = S (1 - S) / s of the share of the rise, integrated in physical minutes."""
    first = 1 / (1 + np.exp(event.fastest_min / event.width_min))
    rise = integrated(lambda tau, s: [s[0] * (1 - s[0]) / event.width_min], [first], t_s * event.time_scale_min_per_s)[
        0
    ]
    return {"volume_ratio": 1 + (event.swelling - 1) * (rise - first) / (1 - first)}


def bread_toasting(event: BreadToasting, t_s: Array) -> dict[str, Array]:
    """Temperature in closed form; what is left white is exp(-integral of the rate), by adaptive quadrature."""

    def kelvin(tau: Array) -> Array:
        return np.asarray(event.grill_k - (event.grill_k - 295.0) * np.exp(-tau / event.heating_s))

    def rate(tau: float) -> float:
        return float(event.browning_per_s * np.exp(-9.0e4 / 8.314 * (1 / kelvin(np.asarray(tau)) - 1 / 423.0)))

    tau = np.concatenate([[0.0], t_s * event.time_scale])
    steps = [quad(rate, a, b, epsabs=1e-13, epsrel=1e-11)[0] for a, b in itertools.pairwise(tau)]
    return {"T": kelvin(tau[1:]), "browning": 1 - np.exp(-np.cumsum(steps))}


def egg_white_setting(event: EggWhiteSetting, t_s: Array) -> dict[str, Array]:
    """The front's radius moves by d(r^2)/dtau = -(Re^2 - Ry^2) / ts until it is at the yolk."""
    outer, inner = event.edge_radius_m**2, 0.019**2
    square = until(lambda tau, q: [-(outer - inner) / event.setting_s], outer, inner, t_s * event.time_scale)
    set_s = quad(lambda q: event.setting_s / (outer - inner) / event.time_scale, inner, outer)[0]
    return {"set_fraction": (outer - square) / (outer - inner), "trigger:set": np.array([set_s])}


def paper_curling(event: PaperCurling, t_s: Array) -> dict[str, Array]:
    """dk/dt = (km - k) / tc; the end's direction is the integral of the curvature along the strip."""
    k = integrated(lambda t, k: [(event.final_per_m - k[0]) / event.drying_s], [0.0], t_s)[0]
    return {"k": k, "end_angle": trapezoid(np.repeat(k[:, None], 5, axis=1), dx=event.length_m / 4, axis=1)}


def origami_folding(event: OrigamiFolding, t_s: Array) -> dict[str, Array]:
    """sstep is the distribution function of Beta(2, 2)."""
    period = event.fold_s + event.wait_s
    folds = sum(beta.cdf(t_s - k * period, 2, 2, scale=event.fold_s) for k in range(event.num_folds))
    return {"folds": np.asarray(folds), "trigger:folded": np.array([event.num_folds * period - event.wait_s])}


def paper_shredding(event: PaperShredding, t_s: Array) -> dict[str, Array]:
    """d(left)/dt = -v until nothing is left; then the strips fall with 9.81 m/s2."""
    left = until(lambda t, y: [-event.feed_m_per_s], event.sheet_m, 0.0, t_s)
    cut_s = quad(lambda y: 1 / event.feed_m_per_s, 0.0, event.sheet_m)[0]
    fall = np.minimum(4.905 * np.maximum(t_s - cut_s, 0.0) ** 2, 0.332)
    return {"sheet_left": left, "fall": fall, "trigger:cut": np.array([cut_s])}


def clay_drying(event: ClayDrying, t_s: Array) -> dict[str, Array]:
    """dw/dtau = -rd while w > 0.5, then -2 rd w."""
    rate = event.rate_per_h * event.time_scale_h_per_s
    dry_s = quad(lambda w: 1 / rate, 0.5, 1.0)[0]
    early = until(lambda t, w: [-rate], 1.0, 0.5, t_s)
    late = integrated(lambda t, w: [-2 * rate * w[0]], [0.5], np.maximum(t_s - dry_s, 0.0))[0]
    return {
        "moisture": np.where(early > 0.5, early, late),
        "trigger:surface_dry": np.array([dry_s]),
    }


def mud_cracking(event: MudCracking, t_s: Array) -> dict[str, Array]:
    """Lloyd's rounds by scipy's Voronoi diagrams; outlines as points on lines half a crack before the bisectors."""
    num = int(event.num_plates)
    sites = np.random.Generator(np.random.PCG64(int(event.seed))).uniform(-0.135, 0.135, (num, 2))
    for _ in range(3):
        net = _walled(sites)
        triangles = [c[Delaunay(c).simplices] for c in (_corners(net, i) for i in range(num))]
        sites = np.array([
            np.average(t.mean(axis=1), axis=0, weights=np.abs(np.linalg.det(t[:, 1:] - t[:, :1]))) for t in triangles
        ])  # fmt: skip
    net = _walled(sites)
    pairs = sorted({(min(i, j), max(i, j)) for i, j in net.ridge_points.tolist() if max(i, j) < num})
    rank = np.random.Generator(np.random.PCG64((int(event.seed), 1))).permutation(len(pairs))
    opened = event.drying_s * np.interp(rank, [0, len(pairs) - 1], [0.08, 0.90])
    widths = np.stack([
        until(lambda t, w: [event.widening_m_per_s], 0.0, event.full_width_m, np.maximum(t_s - start, 0.0))
        for start in opened
    ], axis=1)  # fmt: skip
    crack_m = dict(zip(pairs, widths.T, strict=True))
    plates = np.zeros(len(t_s))
    for i, site in enumerate(sites):
        even = np.linspace(-np.pi, np.pi, 48, endpoint=False)
        rays = np.exp(1j * np.sort([*even, *np.arctan2(*(_corners(net, i) - site).T[::-1])]))
        reach = np.full((len(t_s), len(rays)), np.inf)
        for pair in net.ridge_points[(net.ridge_points == i).any(axis=1)].tolist():
            away = complex(*(net.points[sum(pair) - i] - site))
            ahead = (rays * np.conj(away / abs(away))).real
            room = abs(away) / 2 - crack_m.get((min(pair), max(pair)), np.zeros(len(t_s))) / 2
            faced = ahead > 1e-3
            reach[:, faced] = np.minimum(reach[:, faced], room[:, None] / ahead[faced])
        rim = reach * rays
        plates += (np.conj(rim) * np.roll(rim, -1, axis=1)).imag.sum(axis=1) / 2
    return {
        "widths": widths,
        "dryness": np.interp(t_s, [0.0, event.drying_s], [0.0, 1.0]),
        "crack_share": 1 - plates / 0.3**2,
    }


def _walled(sites: Array) -> Voronoi:
    """The diagram of the sites and their mirror images in the four walls of a tray of 0.3 m."""
    flips = ((axis, side) for axis in (0, 1) for side in (-0.3, 0.3))
    mirrored = [np.where(np.arange(2) == axis, side - sites, sites) for axis, side in flips]
    return Voronoi(np.vstack([sites, *mirrored]))


def _corners(net: Voronoi, cell: int) -> Array:
    return np.asarray(net.vertices[net.regions[net.point_region[cell]]])


def fatigue_crack(event: FatigueCrack, t_s: Array) -> dict[str, Array]:
    """da/dt = C a^(3/2) until the crack is through."""
    speed = 2 / (event.life_s * np.sqrt(event.start_m))
    length = until(lambda t, a: [speed * a[0] ** 1.5], event.start_m, event.width_m, t_s)
    return {
        "crack_length": length,
        "trigger:parted": np.array([quad(lambda a: a**-1.5 / speed, event.start_m, event.width_m)[0]]),
    }


def rope_strand_failure(event: RopeStrandFailure, t_s: Array) -> dict[str, Array]:
    """The bundle loaded bit by bit: raise the load until the weakest cord breaks, let all go that then must."""
    strengths = [0.1 + 1.8 * (k + 0.5) / event.num_cords for k in range(event.num_cords)]
    left, load, loads = list(strengths), 0.0, []
    while left:
        load = max(load, len(left) * left[0])
        left.pop(0)
        loads.append(load)
        while left and load >= len(left) * left[0]:
            left.pop(0)
            loads.append(load)
    breaks = np.array(loads) * event.collapse_s / load
    after = np.maximum(t_s - event.collapse_s, 0.0)
    return {
        "intact": event.num_cords - np.searchsorted(breaks * (1 - 1e-12), t_s, side="right").astype(np.float64),
        "F": np.interp(t_s, [0.0, event.collapse_s], [0.0, load]),
        "drop": np.minimum(4.905 * after**2, 0.13),
        "trigger:first_break": np.array([breaks[0]]),
        "trigger:collapse": np.array([breaks[-1]]),
    }


def sandcastle_erosion(event: SandcastleErosion, t_s: Array) -> dict[str, Array]:
    """Wave by wave: ln h falls by ln q times the distribution function of Beta(2, 2) over 0.3 s."""
    hits = (np.arange(1, 200) - 0.5) * event.wave_s
    worn = beta.cdf(t_s[:, None] - hits, 2, 2, scale=0.3).sum(axis=1)
    return {
        "height": event.start_m * np.exp(np.log(event.keep) * worn),
        "waves": np.searchsorted(hits, t_s, side="right").astype(float),
    }


def popcorn_popping(event: PopcornPopping, t_s: Array) -> dict[str, Array]:
    """The j with (j - 1/2) / N under the normal distribution function."""
    under = norm.cdf(t_s, event.middle_s, event.spread_s)
    popped = np.floor(event.num_kernels * under + 0.5)
    last = event.middle_s + event.spread_s * norm.isf(0.5 / event.num_kernels)
    return {"popped_fraction": popped / event.num_kernels, "trigger:last_pop": np.array([last])}


def log_being_sawn(event: LogBeingSawn, t_s: Array) -> dict[str, Array]:
    """Whole strokes and the Beta(2, 2) share of the one under way; through at the root of depth = diameter."""

    def depth(t: Array) -> Array:
        starts = event.stroke_s * np.arange(200)
        return np.asarray(
            event.bite_m * beta.cdf(np.asarray(t)[..., None] - starts, 2, 2, scale=event.stroke_s).sum(axis=-1)
        )

    through = brentq(lambda t: float(depth(np.array(t))) - event.diameter_m, 0.0, 60.0, xtol=1e-13)
    after = np.maximum(t_s - through, 0.0)
    return {
        "depth": np.where(t_s < through, depth(t_s), event.diameter_m),
        "fall": np.minimum(4.905 * after**2, 0.34 - event.diameter_m / 2),
        "trigger:through": np.array([through]),
    }


def plate_shattering(event: PlateShattering, t_s: Array) -> dict[str, Array]:
    """Flight integrated from the edge until the lower rim meets the floor; then the fall of its middle from rest."""

    def touches(s: float, y: Array) -> float:
        return float(y[0] - 0.13 * np.sin(y[2]))

    touches.terminal = True  # type: ignore[attr-defined]
    turning = np.deg2rad(200)
    run = solve_ivp(
        lambda s, y: [y[1], -9.81, turning], (0.0, 1.0), [event.table_m, 0.0, 0.0], events=touches,
        rtol=1e-11, atol=1e-13, dense_output=True,
    )  # fmt: skip
    edge, flight, hit = event.way_m / event.push_m_per_s, run.t[-1], run.y[:, -1]
    tau = t_s * event.time_scale
    z, _, tilt = run.sol(np.clip(tau - edge, 0.0, flight))
    after = np.maximum(tau - edge - flight, 0.0)
    z = np.where(after > 0, np.maximum(hit[0] - 4.905 * after**2, 0.0), z)
    return {
        "plate_height": z,
        "tilt": tilt,
        "x": np.interp(tau, [0.0, edge + flight], [-event.way_m, event.push_m_per_s * flight]),
        "trigger:edge": np.array([edge / event.time_scale]),
        "trigger:impact": np.array([(edge + flight) / event.time_scale]),
        "trigger:shards_at_rest": np.array([(edge + flight + _shards_still_s(event, hit[0])) / event.time_scale]),
    }


def _shards_still_s(event: PlateShattering, height_m: float) -> float:
    """From the impact on until the middle has fallen, the shards lie down (0.16 s) and the fastest is braked."""
    rng = np.random.Generator(np.random.PCG64(event.seed))
    rng.uniform(size=2 * event.num_shards)  # the shards' sites come first
    fastest = rng.uniform(0.4, 1.2, event.num_shards).max()
    fallen = brentq(lambda s: quad(lambda u: 9.81 * u, 0, s)[0] - height_m, 0, 2, xtol=1e-14)
    braked = brentq(lambda s: quad(lambda u: 0.4 * 9.81, 0, s)[0] - fastest, 0, 2, xtol=1e-14)
    return float(max(fallen, 0.16, braked))


REFERENCES: Mapping[str, Reference] = {
    "balloon_inflating": balloon_inflating,
    "bread_toasting": bread_toasting,
    "clay_drying": clay_drying,
    "dough_rising": dough_rising,
    "egg_white_setting": egg_white_setting,
    "fatigue_crack": fatigue_crack,
    "log_being_sawn": log_being_sawn,
    "mud_cracking": mud_cracking,
    "origami_folding": origami_folding,
    "paper_curling": paper_curling,
    "paper_shredding": paper_shredding,
    "plate_shattering": plate_shattering,
    "popcorn_popping": popcorn_popping,
    "rope_strand_failure": rope_strand_failure,
    "sandcastle_erosion": sandcastle_erosion,
}
