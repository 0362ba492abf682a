"""Flow: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.integrate import quad

from event_library.families.flow.draining import FunnelDraining, TankDrainingTorricelli
from event_library.families.flow.filling import LeakyTankBalance, OverflowCascade, TankFilling
from event_library.families.flow.linked import HydraulicSyringes, SiphonEqualising, ThreeVesselsEqualising
from event_library.families.flow.spreading import PaperTowelWicking, SandPileGrowing, SyrupPuddleSpreading
from event_library.families.flow.tipping import TippingBucket
from event_library.references.base import Array, Reference
from event_library.references.integrating import integrated, until

G = 9.81
NEARLY_0 = 1e-13  # share of the start at which a law with a root's corner is called done


def tank_filling(event: TankFilling, t_s: Array) -> dict[str, Array]:
    """dV/dt = Q until the volume reaches that of the full glass."""
    area = np.pi * event.radius_m**2
    full, start = area * event.fill_height_m, area * event.start_level_m
    volume = until(lambda t, v: [event.inflow_m3_per_s], start, full, t_s)
    return {"level": volume / area, "trigger:full": np.asarray((full - start) / event.inflow_m3_per_s)}


def tank_draining_torricelli(event: TankDrainingTorricelli, t_s: Array) -> dict[str, Array]:
    """A dh/dt = -Cd a sqrt(2 g h) until (nearly) nothing is left; the jet's range from its speed and its fall."""
    speed = event.contraction * (event.hole_m / (2 * event.radius_m)) ** 2 * np.sqrt(2 * G)
    rate = lambda t, h: [-speed * np.sqrt(max(h[0], 0.0))]  # noqa: E731
    h = until(rate, event.start_level_m, NEARLY_0 * event.start_level_m, t_s, end=0.0)
    basin = event.basin_m[0] * event.basin_m[1]
    gathered = np.pi * event.radius_m**2 * (event.start_level_m - h) / basin
    drop = event.mouth_m[2] - 0.005 - gathered
    empty_s = quad(lambda root: -2 * root / rate(0.0, [root**2])[0], 0, np.sqrt(event.start_level_m))[0]
    return {
        "level": h, "jet_reach": np.sqrt(2 * G * h) * np.sqrt(2 * drop / G), "trigger:empty": np.array([empty_s]),
    }  # fmt: skip


def funnel_draining(event: FunnelDraining, t_s: Array) -> dict[str, Array]:
    """pi (h tan(alpha))^2 dh/dt = -Cd a sqrt(2 g h) until (nearly) nothing is left; the flask has the rest."""
    slope, leak = np.tan(event.half_angle_rad), event.contraction * np.pi * event.bore_m**2 / 4
    rate = lambda t, h: [-leak * np.sqrt(2 * G * h[0]) / (np.pi * (slope * h[0]) ** 2)]  # noqa: E731
    h = until(rate, event.start_level_m, 1e-4 * event.start_level_m, t_s, end=0.0)
    empty_s = quad(lambda level: -1 / rate(0.0, [level])[0], 0, event.start_level_m)[0]
    return {"level": h, "flask_fill": 1 - (h / event.start_level_m) ** 3, "trigger:empty": np.array([empty_s])}


def overflow_cascade(event: OverflowCascade, t_s: Array) -> dict[str, Array]:
    """What has run in, handed down cup by cup."""
    left, fills = t_s / event.cup_s, []
    for _ in range(event.num_cups):
        fills.append(np.minimum(left, 1.0))
        left = left - fills[-1]
    fill = np.stack(fills, axis=1)
    return {"fill": fill, "total_fill": fill.sum(axis=1), "full_cups": np.isclose(fill, 1.0, atol=1e-12).sum(axis=1)}


def leaky_tank_balance(event: LeakyTankBalance, t_s: Array) -> dict[str, Array]:
    """A dh/dt = Q - Cd a sqrt(2 g h)."""
    area, hole = np.pi * event.radius_m**2, event.contraction * np.pi * event.hole_m**2 / 4
    rates = lambda t, h: [(event.inflow_m3_per_s - hole * np.sqrt(2 * G * h[0])) / area]  # noqa: E731
    return {"level": integrated(rates, [event.start_level_m], t_s)[0]}


def siphon_equalising(event: SiphonEqualising, t_s: Array) -> dict[str, Array]:
    """A1 dh1/dt = -q, A2 dh2/dt = q, q = Cd a sqrt(2 g (h1 - h2)); levels from what is kept."""
    left, right = np.pi * event.left_radius_m**2, np.pi * event.right_radius_m**2
    flow = event.contraction * np.pi * event.bore_m**2 / 4 * np.sqrt(2 * G)
    rate = lambda t, y: [-flow * np.sqrt(max(y[0], 0.0)) * (1 / left + 1 / right)]  # noqa: E731
    gap = until(rate, event.start_gap_m, NEARLY_0 * event.start_gap_m, t_s, end=0.0)
    volume = left * (event.right_level_m + event.start_gap_m) + right * event.right_level_m
    return {"level_gap": gap, "level_2": (volume - left * gap) / (left + right)}


def three_vessels_equalising(event: ThreeVesselsEqualising, t_s: Array) -> dict[str, Array]:
    """The flows through the two pipes, each proportional to its difference of levels."""

    def rates(t: float, h: Array) -> list[float]:
        first, second = event.rate_per_s * (h[0] - h[1]), event.rate_per_s * (h[1] - h[2])
        return [-first, first - second, second]

    h1, h2, h3 = integrated(rates, [event.start_level_m, 0.0, 0.0], t_s)
    return {"h1": h1, "h2": h2, "h3": h3}


def hydraulic_syringes(event: HydraulicSyringes, t_s: Array) -> dict[str, Array]:
    """The volume pushed out of one barrel over the area of the other."""
    area = np.pi * event.left_bore_m**2 / 4
    pushed = until(lambda t, v: [area * event.push_m_per_s], 0.0, area * event.stroke_m, t_s)
    home = np.asarray(event.stroke_m / event.push_m_per_s)
    return {"plunger_2": pushed / (np.pi * event.right_bore_m**2 / 4), "x1": pushed / area, "trigger:pushed_home": home}


def sand_pile_growing(event: SandPileGrowing, t_s: Array) -> dict[str, Array]:
    """dV/dt = Q until the hopper is empty; the cone of volume V at the angle of repose, of height z."""
    slope = np.tan(event.repose_rad)
    volume = until(lambda t, v: [event.flow_m3_per_s], 0.0, np.pi / 3 * 0.105**3 * slope, t_s)
    height = np.cbrt(3 * volume * slope**2 / np.pi)
    return {"height": height, "base_radius": height / slope}


def syrup_puddle_spreading(event: SyrupPuddleSpreading, t_s: Array) -> dict[str, Array]:
    """2 pi r thick dr/dt = Q (from 10 nm on): a sheet whose mean thickness stays takes up the flux."""
    thick = (event.flow_m3_per_s * 3 * event.viscosity_m2_per_s / 9.81) ** 0.25 / (np.pi * 0.715**2)
    rate = lambda t, r: [event.flow_m3_per_s / (2 * np.pi * r[0] * thick)]  # noqa: E731
    return {"puddle_radius": until(rate, 1e-8, 0.12, t_s)}


def paper_towel_wicking(event: PaperTowelWicking, t_s: Array) -> dict[str, Array]:
    """Washburn: y = L^2 (no singular start), dy/dtau = rp^2 / (4 mu) (2 gam cosT / rp - rho g sqrt(y))."""
    suction = 2 * 0.072 * event.wetting / event.pore_m

    def rate(tau: float, y: Array) -> list[float]:
        return [event.pore_m**2 / 4e-3 * (suction - 1000 * G * np.sqrt(max(y[0], 0.0)))]

    square = until(rate, 0.0, event.strip_m**2, t_s * event.time_scale)
    return {"L": np.sqrt(square)}


def tipping_bucket(event: TippingBucket, t_s: Array) -> dict[str, Array]:
    """Cycle by cycle: filled at a steady rate, swung as half an oscillation, poured at the speed 6 u (1 - u); what the
    trough holds is its outline, tilted and cut off level with its lip, as long as that is less than before."""
    rest, cycle_s = np.deg2rad(25), event.fill_s + event.tip_s
    starts = np.arange(int(t_s[-1] / cycle_s) + 1) * cycle_s
    tip = np.array([(t - starts[starts <= t][-1] - event.fill_s) / event.tip_s for t in t_s])
    order = np.argsort(tip)
    swing = np.zeros(len(t_s))
    swing[order] = integrated(lambda u, y: [y[1], -(np.pi**2) * y[0]], [0.0, np.pi], np.maximum(tip[order], 0.0))[0]
    angle = rest * (1 - 2 * swing)
    held = np.array([_below_lip_m2(a) if u < 0.5 else 0.0 for a, u in zip(angle, tip, strict=True)])
    fill = np.where(tip <= 0, 1 + tip * event.tip_s / event.fill_s, held / _below_lip_m2(rest))
    poured, dumps = np.zeros(len(t_s)), np.zeros(len(t_s))
    for start_s in starts:
        u = np.clip((t_s - start_s - event.fill_s) / event.tip_s, 0.0, 1.0)
        poured += [quad(lambda v: 6 * v * (1 - v), 0, end)[0] for end in u]
        dumps += u >= 0.5
    return {
        "angle": angle, "fill": fill, "poured": np.minimum(poured, 8), "dumps": np.minimum(dumps, 8),
        "trigger:first_tip": np.asarray(event.fill_s),
    }  # fmt: skip


def _below_lip_m2(angle_rad: float) -> float:
    """Area of the trough's outline (0.15 m of floor, a wall of 0.085 m at its closed end) that lies below the lip."""
    outline = np.array([(0.0, 0.0), (0.15, 0.0), (0.15, 0.085), (0.0, 0.085)])
    sine, cosine = np.sin(angle_rad), np.cos(angle_rad)
    turned = outline @ np.array([[cosine, sine], [-sine, cosine]])
    over = turned[:, 1] - turned[1, 1]  # above the lip
    kept = []
    for a, b, za, zb in zip(turned, np.roll(turned, -1, axis=0), over, np.roll(over, -1), strict=True):
        kept += [a] if za <= 0 else []
        kept += [a + (b - a) * za / (za - zb)] if za * zb < 0 else []
    x, z = np.array(kept).T
    return float(abs((x * np.roll(z, -1) - z * np.roll(x, -1)).sum()) / 2)


REFERENCES: Mapping[str, Reference] = {
    "tank_filling": tank_filling,
    "tank_draining_torricelli": tank_draining_torricelli,
    "funnel_draining": funnel_draining,
    "overflow_cascade": overflow_cascade,
    "leaky_tank_balance": leaky_tank_balance,
    "siphon_equalising": siphon_equalising,
    "three_vessels_equalising": three_vessels_equalising,
    "hydraulic_syringes": hydraulic_syringes,
    "sand_pile_growing": sand_pile_growing,
    "syrup_puddle_spreading": syrup_puddle_spreading,
    "paper_towel_wicking": paper_towel_wicking,
    "tipping_bucket": tipping_bucket,
}
