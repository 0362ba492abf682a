"""Light environment: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import erf
from scipy.stats import gamma

from event_library.families.light_environment.optics import LighthouseBeam, MirrorReflection
from event_library.families.light_environment.skies import MoonPhase, SolarEclipse, SunsetColour
from event_library.families.light_environment.suns import DayNightStreet, SunShadowSweep
from event_library.families.light_environment.waters import FloodHydrograph, RainPuddles, TideRising
from event_library.families.light_environment.weather import CloudShadowCrossing, FogClearing, SnowAccumulating
from event_library.references.base import Array, Reference
from event_library.references.integrating import integrated, until


def sunset_colour(event: SunsetColour, t_s: Array) -> dict[str, Array]:
    """Linear sinking in degrees; Kasten & Young's air mass in zenith angles; Beer's law channel by channel."""
    deg = until(lambda t, y: [-np.rad2deg(event.rate_rad_per_s)], np.rad2deg(event.start_rad), -1.0, t_s)
    light = np.empty((len(t_s), 3))
    for i, el in enumerate(deg):
        zenith = 90.0 - max(el, 0.0)
        mass = 1.0 / (np.cos(np.deg2rad(zenith)) + 0.50572 / (96.07995 - zenith) ** 1.6364)
        dim = np.exp(el / 2) if el < 0 else 1.0
        light[i] = [dim * np.exp(-mass * depth) for depth in (0.05, 0.10, 0.22)]
    return {"elevation": np.deg2rad(deg), "light": light, "blue_red_ratio": light[:, 2] / light[:, 0]}


def tide_rising(event: TideRising, t_s: Array) -> dict[str, Array]:
    """h'' = -(2 pi / 12.42 h)^2 h in hours of the sea, from where q0 hours after low water have brought it."""
    w = 2 * np.pi / 12.42
    start = [-event.amplitude_m * np.cos(w * event.start_h), event.amplitude_m * w * np.sin(w * event.start_h)]
    return {"level": integrated(lambda t, y: [y[1], -w * w * y[0]], start, event.rate_h_per_s * t_s)[0]}


def flood_hydrograph(event: FloodHydrograph, t_s: Array) -> dict[str, Array]:
    """The density of a gamma distribution, scaled to its mode: Nash's cascade of reservoirs."""
    law = gamma(event.shape + 1, scale=event.crest_s / event.shape)
    return {
        "level": event.base_m + event.surge_m * law.pdf(t_s) / law.pdf(event.crest_s),
        "trigger:crest": np.array([event.crest_s]),
    }


def rain_puddles(event: RainPuddles, t_s: Array) -> dict[str, Array]:
    """Rain on the whole yard lifts what is flooded: du/dt = rain / (sg Phi(u)), until the kerb drains it."""
    rain = event.rain_mm_per_h / 3.6e6 * event.time_scale / event.roughness_m

    def share(u: float) -> float:
        return float(0.5 * (1 + erf(u / np.sqrt(2))))

    u = until(lambda t, y: [rain / share(y[0])], -2.0, 1.5, t_s)
    return {"u": u, "flooded": np.array([share(v) for v in u])}


def moon_phase(event: MoonPhase, t_s: Array) -> dict[str, Array]:
    """Half the disc and half the ellipse that the terminator is seen as, added or taken away."""
    f = event.start_rad + 2 * np.pi * event.rate_day_per_s * t_s / 29.530589
    ellipse = np.abs(np.sin(np.pi / 2 - f)) / 2
    share = np.where(np.cos(f) < 0, 0.5 + ellipse, 0.5 - ellipse)
    age = np.mod(event.start_rad / (2 * np.pi) * 29.530589 + event.rate_day_per_s * t_s, 29.530589) / 29.530589
    return {"age": age, "lit_share": share, "limb": (np.sin(f) > 0).astype(np.float64)}


def solar_eclipse(event: SolarEclipse, t_s: Array) -> dict[str, Array]:
    """Overlap of two unit discs as an integral over strips at right angles to the line of their middles."""

    def apart(t: float) -> float:
        return float(np.hypot(event.miss, 2 * (t - event.middle_s) / event.width_s))

    covered = []
    for t in t_s:
        s = apart(t)
        half = quad(lambda v: 2 * np.cos(v) ** 2, np.arcsin(min(s / 2, 1.0)), np.pi / 2, epsabs=1e-12)[0]
        covered.append(2 * half / np.pi)
    contacts = [
        brentq(lambda t: apart(t) - 2, event.middle_s, event.middle_s + side * event.width_s, xtol=1e-13)
        for side in (-2, 2)
    ]
    return {
        "covered": np.array(covered),
        "trigger:first_contact": np.array(contacts[:1]),
        "trigger:mid_eclipse": np.array([event.middle_s]),
        "trigger:last_contact": np.array(contacts[1:]),
    }


def sun_shadow_sweep(event: SunShadowSweep, t_s: Array) -> dict[str, Array]:
    """The sun as a unit vector, turned about the pole and tilted by the latitude; its ray meets the ground."""
    hours = np.minimum(event.start_h + event.rate_h_per_s * t_s, 15.5)
    angle = np.pi * (hours - 12) / 12
    pole, equator = np.sin(event.declination_rad), np.cos(event.declination_rad)
    tilt = np.pi / 2 - event.latitude_rad
    # axes: south, west, up; the pole stands `latitude` above the north point
    across, west = equator * np.cos(angle), equator * np.sin(angle)
    south = across * np.cos(tilt) - pole * np.sin(tilt)
    up = across * np.sin(tilt) + pole * np.cos(tilt)
    north_m, east_m = event.post_m * south / up, event.post_m * west / up  # of the shadow's tip
    return {"shadow_bearing": np.arctan2(east_m, north_m), "shadow_length": np.hypot(north_m, east_m)}


def day_night_street(event: DayNightStreet, t_s: Array) -> dict[str, Array]:
    """Daylight as an oscillator of a period of a day, cut off at night."""
    w = 2 * np.pi / 24
    phase = w * (event.start_h - 6)
    swing = integrated(lambda h, y: [y[1], -w * w * y[0]], [np.sin(phase), w * np.cos(phase)], event.rate_h_per_s * t_s)
    light = np.maximum(swing[0], 0.0)
    dusk = (18 - np.arcsin(event.threshold) / w - event.start_h) / event.rate_h_per_s
    return {
        "ambient": light,
        "lamps": (light < event.threshold).astype(np.float64),
        "trigger:lamps_on": np.array([dusk]),
    }


def snow_accumulating(event: SnowAccumulating, t_s: Array) -> dict[str, Array]:
    """dd/dtau = rs in hours of the snowfall, until 0.4 m lie."""
    stops = quad(lambda d: 1 / event.fall_m_per_h, 0.0, 0.4)[0] / event.rate_h_per_s
    return {
        "depth": until(lambda tau, d: [event.fall_m_per_h], 0.0, 0.4, event.rate_h_per_s * t_s),
        "trigger:snow_stops": np.array([stops]),
    }


def fog_clearing(event: FogClearing, t_s: Array) -> dict[str, Array]:
    """db/dt = -b / tc; each post is tried: is its contrast still 2 %?"""
    b = integrated(lambda t, y: [-y[0] / event.clearing_s], [event.start_per_m], t_s)[0]
    seen = [np.exp(-b * 6.0 * (k + 1)) >= np.exp(-3.912) for k in range(10)]
    return {"visible_posts": np.sum(seen, axis=0).astype(np.float64), "contrast_30m": np.exp(-30 * b)}


def cloud_shadow_crossing(event: CloudShadowCrossing, t_s: Array) -> dict[str, Array]:
    """dx/dt = v for the edge; houses enter one by one as it passes and leave as the band's other end does."""
    edge = until(lambda t, x: [event.speed_m_per_s], 6.0, 110.0, t_s)
    entered = [(edge >= x).astype(np.float64) for x in np.linspace(8.0, 64.0, 8)]
    left = [(edge - event.width_m > x).astype(np.float64) for x in np.linspace(8.0, 64.0, 8)]
    return {"edge_x": edge, "shaded_houses": np.sum(entered, axis=0) - np.sum(left, axis=0)}


def lighthouse_beam(event: LighthouseBeam, t_s: Array) -> dict[str, Array]:
    """A unit vector turned by x' = -w y, y' = w x; a rock is lit when its direction is near enough in cosine."""
    w = event.rate_rad_per_s
    x, y = integrated(lambda t, v: [-w * v[1], w * v[0]], [np.cos(event.start_rad), np.sin(event.start_rad)], t_s)
    rocks = 2 * np.pi * np.arange(8) / 8
    cosine = np.outer(x, np.cos(rocks)) + np.outer(y, np.sin(rocks))
    return {
        "beam_bearing": np.arctan2(y, x) % (2 * np.pi),
        "lit": (cosine > np.cos(np.deg2rad(8))).astype(np.float64),
    }


def mirror_reflection(event: MirrorReflection, t_s: Array) -> dict[str, Array]:
    """A point that runs at 4 A / Tp and turns at either end, followed leg by leg."""
    speed, reach = 4 * event.amplitude_m / event.period_s, event.amplitude_m
    place = []
    for t in t_s:
        way = (t / event.period_s + event.start) * event.period_s * speed  # from its start at one end
        legs, rest = divmod(way, 2 * reach)
        place.append(rest - reach if int(legs) % 2 == 0 else reach - rest)
    return {"image_x": np.array(place)}


REFERENCES: Mapping[str, Reference] = {
    "sunset_colour": sunset_colour,
    "tide_rising": tide_rising,
    "flood_hydrograph": flood_hydrograph,
    "rain_puddles": rain_puddles,
    "moon_phase": moon_phase,
    "solar_eclipse": solar_eclipse,
    "sun_shadow_sweep": sun_shadow_sweep,
    "day_night_street": day_night_street,
    "snow_accumulating": snow_accumulating,
    "fog_clearing": fog_clearing,
    "cloud_shadow_crossing": cloud_shadow_crossing,
    "lighthouse_beam": lighthouse_beam,
    "mirror_reflection": mirror_reflection,
}
