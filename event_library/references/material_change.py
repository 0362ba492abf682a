"""Material change: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
from scipy.integrate import quad

from event_library.families.material_change.cooking import BreadToasting, EggWhiteSetting
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
    return {"set_fraction": (outer - square) / (outer - inner)}


REFERENCES: Mapping[str, Reference] = {
    "balloon_inflating": balloon_inflating,
    "dough_rising": dough_rising,
    "bread_toasting": bread_toasting,
    "egg_white_setting": egg_white_setting,
}
