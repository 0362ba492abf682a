"""What happens in the sky: a sunset, a solar eclipse, the phases of the moon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap, Move, Power, VertexColours
from event_library.families.light_environment.diorama import (
    LAWN,
    SEA,
    backing,
    evenly,
    meshes_at_rest,
    shining,
    sky,
    sky_channels,
)
from event_library.figures.buildings import house
from event_library.figures.rig import set_down
from event_library.figures.trees import conifer, tree
from event_library.kit.copies import copies
from event_library.kit.palette import ramp
from event_library.kit.shapes import at, extruded, turned
from event_library.laws import started
from event_library.parts import Assembly, Lamp, Material, Part, Rgb
from event_library.readouts import linear_rgb
from event_library.taxonomy import facts

TURN = float(2 * np.pi)
NIGHT = Material(rgb=(0.004, 0.005, 0.012), roughness=0.9)


def _disc(radius_m: float, thick_m: float = 0.004) -> trimesh.Trimesh:
    """Round plate that faces the viewer, about its middle."""
    return turned(parts.cylinder(radius_m, thick_m, 64), (1.0, 0.0, 0.0), np.pi / 2)


@dataclass(frozen=True, kw_only=True)
class SunsetColour(Event):
    """el = el0 - w t down to -1 deg; air mass after Kasten & Young (1989), optical depths (.05, .10, .22) for R, G, B.

    T = exp(-m (.05, .10, .22)), times exp(el / 2 deg) below the horizon. The model draws 1 deg as 4 cm.
    """

    info = facts("sunset_colour")
    variables = (
        state("el", "rad", float(np.deg2rad(0.9)), domain="angle", flags="monotone bounded"),
        state("light", "ratio", 0.02, domain="vector", label="transmittance of R, G, B"),
        readout("elevation", "rad", float(np.deg2rad(0.9)), min_delta=float(np.deg2rad(2.2)), domain="angle",
                flags="monotone bounded", label="middle of the sun above the horizon"),
        readout("blue_red_ratio", "ratio", 0.1, flags="monotone", label="colour of the white post"),
    )  # fmt: skip

    start_rad: float = angle_param("el0", 6, 11)
    rate_rad_per_s: float = angle_param("w", 1.1, 1.8, unit="rad/s")

    LOWEST_RAD = float(np.deg2rad(-1))
    DEPTHS = np.array([0.05, 0.10, 0.22])
    M_PER_DEG = 0.04
    SUN_DEG = 2.4  # radius as drawn
    SEA_M = 0.16  # height of the horizon
    BACK_M = 0.25
    SKY_M = 0.68
    POST = (0.27, 0.0, 0.16)

    def transmittance(self, el_rad: Array) -> Array:
        """[T, 3]"""
        deg = np.rad2deg(el_rad)
        above = np.maximum(deg, 0.0)
        mass = 1 / (np.sin(np.deg2rad(above)) + 0.50572 * (above + 6.07995) ** -1.6364)
        return np.asarray(np.exp(-mass[:, None] * self.DEPTHS) * np.exp(np.minimum(deg, 0.0) / 2)[:, None])

    def states(self, t_s: Array) -> dict[str, Array]:
        el = np.maximum(self.start_rad - self.rate_rad_per_s * started(t_s), self.LOWEST_RAD)
        light = self.transmittance(el)
        return {"el": el, "light": light, "elevation": el.copy(), "blue_red_ratio": light[:, 2] / light[:, 0]}

    def assembly(self) -> Assembly:
        high = self.SEA_M
        sea = parts.block((1.0, 2 * self.BACK_M - 0.01, high), (0, 0, 0))
        island = parts.moved(parts.cylinder(0.13, 0.012, 32), -0.27, 0.02, high)
        sun = _disc(self.SUN_DEG * self.M_PER_DEG)
        lamps = [Lamp(f"sun_{c}", (0, self.BACK_M - 0.06, high + 0.3), 0.0, rgb, 0.06) for c, rgb in PRIMARIES.items()]
        return Assembly((
            Part("sun", sun, SUN, carries=True, smooth_angle_deg=30),
            sky("sky", 1.0, self.SKY_M, (0, self.BACK_M + 0.02, high)),
            shining("post", parts.block((0.05, 0.05, 0.17), self.POST)),
            Part("sea", sea, SEA),
            Part("island", island, Material(rgb=(0.03, 0.06, 0.02), roughness=0.9)),
            *set_down(tree("tree", 0.3, (0.01, 0.03, 0.01)), (-0.27, 0.02, high + 0.01)),
            backing(1.0, high + self.SKY_M, self.BACK_M + 0.02),
        ), lamps=tuple(lamps))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        light, meshes = np.asarray(state["light"]), meshes_at_rest(self)
        height = self.SEA_M + self.M_PER_DEG * float(np.rad2deg(state["el"]))
        glow = np.asarray(light) ** 0.35  # eye and camera adapt: the sky keeps hue, not contrast
        low = glow * [1.0, 0.62, 0.42]
        post = light / light[0] * (0.25 + 0.6 * light[0])
        top = np.array([0.10, 0.16, 0.34]) * (0.15 + 0.85 * glow[1])
        return {
            "sun": (
                Move(at(0.05, self.BACK_M, height)),
                *evenly("sun", meshes["sun"], glow * [1.0, 0.85, 0.45])["sun"],
            ),
            **sky_channels("sky", np.array([low, 0.5 * low + 0.5 * top, top, top])),
            **evenly("post", meshes["post"], post),
            **{
                f"sun_{c}": (Power(14.0 * float(post[k])), Move(at(0.05, self.BACK_M - 0.06, max(height, 0.2))))
                for k, c in enumerate(PRIMARIES)
            },
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        middle = float(meshes["sun"].bounds[:, 2].mean())
        return {"el": float(np.deg2rad((middle - self.SEA_M) / self.M_PER_DEG))}

    def measure(self, view: View) -> dict[str, float]:
        """The sun's upper rim; how blue the post is against how red."""
        sun, post = view.points_m["sun"], linear_rgb(view.rgb["post"])
        if len(sun) == 0:
            return {"elevation": float("nan")}
        rim = float(sun[:, 2].max()) + float(np.sqrt(np.median(view.pixel_area_m2["sun"]))) / 2
        found = {"elevation": float(np.deg2rad((rim - self.SEA_M) / self.M_PER_DEG - self.SUN_DEG))}
        if len(post) >= 4:
            red, _, blue = np.median(post, axis=0)
            found["blue_red_ratio"] = float(blue / max(red, 1e-6))
        return found


PRIMARIES: dict[str, Rgb] = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1)}
SUN_RGB = np.array([1.0, 0.85, 0.45])
SUN = Material(rgb=(0.5, 0.5, 0.5), per_vertex=True, emission_strength=1.6)


@dataclass(frozen=True, kw_only=True)
class SolarEclipse(Event):
    """Two discs of one size, s = hypot(b, 2 (t - tm) / tw) radii apart; covered: lens area / pi."""

    info = facts("solar_eclipse")
    variables = (
        state("s", "ratio", 0.1, label="distance of the middles in radii"),
        state("x", "ratio", 0.1, flags="monotone", label="moon to the right of the sun, in radii"),
        readout("covered", "frac", 0.08, min_delta=0.18, flags="bounded", label="share of the sun's disc"),
        readout("dark_side", "index", 0.0, domain="discrete", label="side that is bitten: 1 right, -1 left"),
    )

    miss: float = param("b", "ratio", 0, 0.5)
    middle_s: float = param("tm", "s", 3.6, 5.0)
    width_s: float = param("tw", "s", 3.2, 4.4)

    RADIUS_M = 0.15
    SUN = (0.0, 0.185, 0.56)
    SKY_RGB = np.array([0.16, 0.36, 0.68])
    FURTHEST = 2.6  # radii: the moon waits there before and after, outside the sun

    def states(self, t_s: Array) -> dict[str, Array]:
        x = -2 * (started(t_s) - self.middle_s) / self.width_s
        s = np.hypot(self.miss, x)
        half = np.minimum(s / 2, 1.0)
        covered = 2 / np.pi * (np.arccos(half) - half * np.sqrt(1 - half**2))
        return {"s": s, "x": x, "covered": covered, "dark_side": np.where(x > 0, 1.0, -1.0)}

    def triggers(self) -> dict[str, float]:
        """First and last contact, and mid-eclipse."""
        half_s = self.width_s / 2 * float(np.sqrt(4 - self.miss**2))
        return {
            "first_contact": self.middle_s - half_s,
            "mid_eclipse": self.middle_s,
            "last_contact": self.middle_s + half_s,
        }

    def assembly(self) -> Assembly:
        x = np.linspace(-0.55, 0.55, 40)
        ridge = 0.20 + 0.06 * np.sin(7 * x + 0.6) + 0.025 * np.sin(17 * x)
        hills = extruded(np.vstack([[(-0.55, 0.02)], np.column_stack([x, ridge]), [(0.55, 0.02)]]), 0.05)
        return Assembly((
            Part("sun", _disc(self.RADIUS_M), ECLIPSED, carries=True, smooth_angle_deg=30),
            shining("moon", _disc(self.RADIUS_M), smooth_angle_deg=30),
            sky("sky", 1.1, 0.66, (0, 0.2, 0.13), num_rows=2),
            Part("hills", parts.moved(hills, y_m=0.12), Material(rgb=(0.03, 0.14, 0.06), roughness=0.95)),
            Part("meadow", parts.block((1.1, 0.42, 0.02), (0, 0, 0)), LAWN),
            *house("house", 0.2, 1, 3, at_m=(-0.2, -0.05, 0.02), heading_rad=-np.pi / 2, carries=False),
            *set_down(conifer("fir", 0.24), (0.3, -0.04, 0.02)),
            backing(1.1, 0.79, 0.2),
        ), lamps=(Lamp("daylight", (0.2, -0.8, 1.2), 0.0, (1.0, 0.95, 0.85), 0.05),))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        light = 1 - 0.93 * float(state["covered"])
        x = float(np.clip(state["x"], -self.FURTHEST, self.FURTHEST))
        meshes = meshes_at_rest(self)
        day = self.SKY_RGB * light
        moon = at(*self.SUN) + self.RADIUS_M * at(x, 0, self.miss) + at(0, -0.006, 0)
        return {
            "sun": (Move(at(*self.SUN)),),
            "moon": (Move(moon), *evenly("moon", meshes["moon"], 0.93 * day)["moon"]),
            **sky_channels("sky", day, 2),
            "daylight": (Power(75.0 * light),),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        offset = (meshes["moon"].bounds.mean(axis=0) - meshes["sun"].bounds.mean(axis=0))[[0, 2]] / self.RADIUS_M
        if abs(offset[0]) > self.FURTHEST - 1e-6:
            return {}
        return {"s": float(np.hypot(*offset)), "x": float(offset[0])}

    def measure(self, view: View) -> dict[str, float]:
        """Area of what is seen of the sun, and on which side of its middle it lies."""
        sun = view.points_m["sun"]
        if len(sun) == 0:
            return {"covered": 1.0 if len(view.points_m["moon"]) else float("nan")}
        towards = view.eye_m - sun
        cosine = np.abs(towards[:, 1]) / np.linalg.norm(towards, axis=1)
        area = float((view.pixel_area_m2["sun"] / cosine).sum())
        covered = min(max(1 - area / (np.pi * self.RADIUS_M**2), 0.0), 1.0)
        side = (float(sun[:, 0].mean()) - self.SUN[0]) / self.RADIUS_M
        bitten = {"dark_side": -float(np.sign(side))} if covered > 0.12 and abs(side) > 0.15 else {}
        return {"covered": covered, **bitten}


ECLIPSED = Material(rgb=(1.0, 0.9, 0.5), emission_rgb=(1.0, 0.86, 0.42), emission_strength=2.5)


@dataclass(frozen=True, kw_only=True)
class MoonPhase(Event):
    """Steady elongation f = f0 + 360 deg tau / 29.530589 d (mean synodic month); lit share (1 - cos f) / 2.

    0 is new, 180 deg full; the right limb is lit while f < 180 deg (north up). Libration is left out. The state is the
    moon's age f / 360 deg; colours alone carry it.
    """

    info = facts("moon_phase")
    variables = (
        state("age", "frac", 0.03, flags="periodic", cycle=1.0, label="share of the month since new moon"),
        readout(
            "lit_share", "frac", 0.07, min_delta=0.15, flags="periodic bounded", label="of the disc as seen in front"
        ),
        readout("limb", "index", 0.0, domain="discrete", flags="periodic", label="lit side: 1 right, 0 left"),
    )

    start_rad: float = angle_param("f0", 10, 120)
    rate_day_per_s: float = param("time_scale", "day/s", 1.0, 2.2)

    RADIUS_M = 0.19
    MIDDLE = (0.0, 0.0, 0.26)
    MONTH_DAYS = 29.530589

    def states(self, t_s: Array) -> dict[str, Array]:
        f = (self.start_rad + TURN * self.rate_day_per_s * started(t_s) / self.MONTH_DAYS) % TURN
        return {"age": f / TURN, "lit_share": (1 - np.cos(f)) / 2, "limb": (f < np.pi).astype(np.float64)}

    def assembly(self) -> Assembly:
        stars = np.random.Generator(np.random.PCG64(3)).uniform(-1, 1, (70, 2)) * [0.29, 0.25]
        spots = np.column_stack([stars[:, 0], np.full(70, 0.196), 0.26 + stars[:, 1]])
        sizes = np.random.Generator(np.random.PCG64(4)).uniform(0.4, 1.0, 70)
        glint = Material(rgb=(1, 1, 1), emission_rgb=(1.0, 0.95, 0.85), emission_strength=1.5)
        return Assembly((
            Part("moon", parts.moved(parts.sphere(self.RADIUS_M, 4), *self.MIDDLE), MOON, True, 180.0),
            copies("stars", parts.sphere(0.005, 0), spots, glint, scales=sizes, carries=False),
            Part("night", parts.block((0.62, 0.02, 0.53), (0, 0.21, 0)), NIGHT),
            Part("arm", turned(parts.cylinder(0.02, 0.2, 16), (1, 0, 0), np.pi / 2).apply_translation((0, 0.2, 0.26)),
                 NIGHT),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        normal, albedo = _moon_surface()
        f = TURN * float(state["age"])
        sunlight = np.clip(normal @ [np.sin(f), np.cos(f), 0.0] / 0.06, 0, 1) ** 0.8  # a short dusk, as without air
        return {"moon": (VertexColours(albedo * (0.01 + 0.5 * sunlight[:, None])),)}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {}  # only colours carry the phase

    def measure(self, view: View) -> dict[str, float]:
        """The direction of sunlight that parts lit from dark points best; the share lit as seen from straight ahead."""
        points = view.points_m["moon"]
        if len(points) < 20:
            return {"lit_share": float("nan")}
        lit = view.rgb["moon"].max(axis=1) > 0.3
        normal = points - self.MIDDLE
        f = np.deg2rad(np.arange(0.0, 360.0, 1.0))
        wrong = ((normal @ np.stack([np.sin(f), np.cos(f), 0 * f]) > 0.03 * self.RADIUS_M) != lit[:, None]).sum(axis=0)
        best = np.exp(1j * f[wrong == wrong.min()]).mean()
        found = {"lit_share": float(1 - best.real / abs(best)) / 2}
        return {**found, "limb": float(best.imag > 0)} if abs(best.imag) > 0.25 * abs(best) else found


MOON = Material(rgb=(0.5, 0.5, 0.5), roughness=1.0, per_vertex=True, emission_strength=0.8)


@lru_cache(maxsize=1)
def _moon_surface() -> tuple[Array, Array]:
    """Normals [V, 3] and colours [V, 3] of the moon: pale highlands, dark maria, a few bright craters."""
    normal = np.asarray(parts.sphere(1.0, 4).vertices)
    rng = np.random.Generator(np.random.PCG64(11))

    def spots(num: int, low: float, high: float) -> Array:
        middle = rng.normal(size=(num, 3)) * [1, 0.6, 1] - [0, 0.6, 0]
        middle /= np.linalg.norm(middle, axis=1, keepdims=True)
        reach = rng.uniform(low, high, num)
        return np.asarray(np.clip((normal @ middle.T - np.cos(reach)) / (1 - np.cos(reach)) * 3, 0, 1).max(axis=1))

    grey = 0.74 - 0.40 * spots(9, 0.2, 0.42) + 0.22 * spots(14, 0.06, 0.12)
    return normal, np.asarray(ramp(grey, ((0.0, 0.0, 0.0), (1.0, 0.97, 0.88))))
