"""Days in the sun: a post's shadow, a street whose lamps come on at dusk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap, Emission, Move, Power, Rotate, Vertices, quaternion_about
from event_library.families.light_environment.diorama import (
    backing,
    evenly,
    meshes_at_rest,
    shining,
    sky,
    sky_channels,
)
from event_library.figures.buildings import house, street_lamp, street_lamp_light_m
from event_library.figures.rig import set_down
from event_library.figures.trees import tree
from event_library.kit.palette import WHITE, paint
from event_library.kit.shapes import at
from event_library.laws import started
from event_library.parts import Assembly, Lamp, Material, Part, Pattern
from event_library.readouts import linear_rgb
from event_library.taxonomy import facts

TURN = float(2 * np.pi)
PAVING = Material(rgb=(0.62, 0.56, 0.46), roughness=0.9, pattern=Pattern("checker", (0.54, 0.48, 0.39), 0.32))
SHADE = Material(rgb=(0.035, 0.03, 0.045), roughness=1.0)


@dataclass(frozen=True, kw_only=True)
class SunShadowSweep(Event):
    """Sun's place from latitude, declination and hour angle (spherical triangle; Meeus 1998), no equation of time.

    The viewer looks south, so the shadow falls towards them: bearing az from north, eastward; length hp / tan(el). It
    is drawn where it is, and the lamp stands on the ray through the post's top and the shadow's tip. Stops at 15.5 h.
    """

    info = facts("sun_shadow_sweep")
    variables = (
        state("az", "rad", float(np.deg2rad(7)), domain="angle", flags="monotone bounded",
              label="sun from south, west positive"),
        state("el", "rad", float(np.deg2rad(4)), domain="angle", flags="bounded"),
        readout("shadow_bearing", "rad", float(np.deg2rad(7)), min_delta=float(np.deg2rad(15)), domain="angle",
                flags="monotone bounded", cycle=TURN, label="from north, eastward"),
        readout("shadow_length", "m", 0.15, flags="bounded"),
    )  # fmt: skip
    accept_rules = (
        ("the run ends by 15.5 h", lambda e: e.start_h + 8 * e.rate_h_per_s <= 15.5),
        ("the sun is above 27 deg from start to end", lambda e: e.lowest_rad >= np.deg2rad(27)),
        ("the sun stays below 60 deg", lambda e: e.latitude_rad - e.declination_rad >= np.deg2rad(30)),
    )

    latitude_rad: float = angle_param("lat", 25, 50, default_deg=42)
    declination_rad: float = angle_param("dec", -5, 20, default_deg=10)
    start_h: float = param("t0", "h", 8, 11)
    rate_h_per_s: float = param("time_scale", "h/s", 0.4, 0.9, default=0.65)
    post_m: float = param("hp", "m", 0.8, 1.2)

    END_H = 15.5
    RADIUS_M = 0.17
    GROUND_M = 0.02
    LAMP_M = 7.0  # from the shadow's tip

    def sun(self, hours: Array) -> tuple[Array, Array]:
        """Azimuth and elevation [T]."""
        angle, lat, dec = np.deg2rad(15 * (hours - 12)), self.latitude_rad, self.declination_rad
        el = np.arcsin(np.sin(lat) * np.sin(dec) + np.cos(lat) * np.cos(dec) * np.cos(angle))
        return np.arctan2(np.sin(angle), np.cos(angle) * np.sin(lat) - np.tan(dec) * np.cos(lat)), el

    @property
    def lowest_rad(self) -> float:
        return float(self.sun(np.array([self.start_h, self.END_H]))[1].min())

    @property
    def longest_m(self) -> float:
        return self.post_m / float(np.tan(self.lowest_rad))

    def states(self, t_s: Array) -> dict[str, Array]:
        az, el = self.sun(np.minimum(self.start_h + self.rate_h_per_s * started(t_s), self.END_H))
        return {"az": az, "el": el, "shadow_bearing": az.copy(), "shadow_length": self.post_m / np.tan(el)}

    def assembly(self) -> Assembly:
        z, (az, el) = self.GROUND_M, self.sun(np.linspace(self.start_h, self.END_H, 40))
        reach = self.longest_m + self.RADIUS_M
        tips = self.post_m / np.tan(el) * np.array([-np.sin(az), -np.cos(az)])
        low, high = tips.min(axis=1) - self.RADIUS_M - 0.12, np.array([tips[0].max(), 0.0]) + self.RADIUS_M + 0.12
        low[0], high[0] = min(low[0], -0.5), max(high[0], 0.5)
        size, middle = high - low, (high + low) / 2
        pave = parts.block((float(size[0]), float(size[1]), z), (float(middle[0]), float(middle[1]), 0.0))
        rings = [
            parts.moved(parts.ring(r - 0.018, r + 0.018, 0.003, 0.001, 64), z_m=z)
            for r in np.arange(0.5, reach, 0.5)
        ]  # fmt: skip
        half = [_within(r, low, high) for r in rings]
        column = parts.moved(parts.cylinder(self.RADIUS_M, self.post_m, 32), z_m=z)
        return Assembly((
            Part("shadow", self._shadow(1.0), SHADE, carries=True),
            Part("post", column, paint((0.55, 0.10, 0.05)), smooth_angle_deg=40),
            Part("rings", parts.join(*half), paint((0.35, 0.29, 0.22), 0.9)),
            Part("paving", pave, PAVING),
        ), lamps=(Lamp("sun", (0.0, 3.0, 6.0), SUN_W, (1.0, 0.94, 0.82), 0.06),))  # fmt: skip

    def _shadow(self, length_m: float) -> trimesh.Trimesh:
        """Flat shadow of a cylinder along +x: its foot's width, a half disc at the tip."""
        bow = np.linspace(-np.pi / 2, np.pi / 2, 17)
        rim = np.vstack([
            [(0.0, -1.0)], np.column_stack([length_m / self.RADIUS_M + np.cos(bow), np.sin(bow)]), [(0.0, 1.0)]
        ]) * self.RADIUS_M  # fmt: skip
        vertices = np.column_stack([np.vstack([[(length_m / 2, 0.0)], rim]), np.zeros(len(rim) + 1)])
        side = 1 + np.arange(len(rim))
        return trimesh.Trimesh(vertices, np.column_stack([0 * side, side, np.roll(side, -1)]), process=False)

    def channels(self, state: State) -> ChannelMap:
        az, el = float(state["az"]), float(state["el"])
        length = self.post_m / float(np.tan(el))
        way = at(-np.sin(az), -np.cos(az), 0)  # of the shadow
        tip = length * way + at(0, 0, self.GROUND_M)
        lamp = tip + self.LAMP_M * (np.cos(el) * -way + at(0, 0, np.sin(el)))
        return {
            "shadow": (
                Vertices(np.asarray(self._shadow(length).vertices)),
                Rotate(quaternion_about((0, 0, 1), float(np.arctan2(way[1], way[0])))),
                Move(at(0, 0, self.GROUND_M + 0.004)),
            ),
            "sun": (Power(SUN_W), Move(lamp)),
        }

    def _read(self, points_m: Array) -> tuple[float, float]:
        """Bearing of the middle line and reach along it less the tip's half disc."""
        flat = np.asarray(points_m)[:, :2]
        way = (flat * np.linalg.norm(flat, axis=1, keepdims=True)).sum(axis=0)
        way /= np.linalg.norm(way)
        return float(np.arctan2(-way[0], -way[1])), float((flat @ way).max()) - self.RADIUS_M

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        bearing, length = self._read(np.asarray(meshes["shadow"].vertices))
        return {"az": bearing, "el": float(np.arctan2(self.post_m, length))}

    def measure(self, view: View) -> dict[str, float]:
        points = view.points_m["shadow"]
        if len(points) < 6:
            return {"shadow_bearing": float("nan")}
        bearing, length = self._read(points)
        towards = view.eye_m - points.mean(axis=0)
        sine = towards[2] / np.linalg.norm(towards)  # of the view's height: pixels are long along the line of sight
        along = np.array([-np.sin(bearing), -np.cos(bearing)]) @ towards[:2] / np.linalg.norm(towards[:2])
        pixel = np.sqrt(np.median(view.pixel_area_m2["shadow"])) * np.hypot(along / sine, np.sqrt(1 - along**2))
        return {"shadow_bearing": bearing, "shadow_length": length + float(pixel) / 2}


SUN_W = 1500.0


def _within(mesh: trimesh.Trimesh, low_m: Array, high_m: Array) -> trimesh.Trimesh:
    """The faces of a mesh over a rectangle [2], [2] of the ground."""
    middle = np.asarray(mesh.triangles_center)[:, :2]
    keep = ((middle > low_m + 0.04) & (middle < high_m - 0.04)).all(axis=1)
    return trimesh.Trimesh(mesh.vertices, np.asarray(mesh.faces)[keep], process=False)


@dataclass(frozen=True, kw_only=True)
class DayNightStreet(Event):
    """Daylight I = max(0, sin(2 pi (h - 6) / 24)) (equinox); the street lamps' sensors switch them on while I < Ith."""

    info = facts("day_night_street")
    variables = (
        state("h", "h", 0.5, domain="scalar", flags="periodic", cycle=24.0, label="time of day"),
        state("lamps_on", "index", 0.0, domain="discrete", flags="periodic"),
        readout("ambient", "frac", 0.1, min_delta=0.2, flags="periodic bounded", label="brightness of the sky"),
        readout("lamps", "index", 0.0, domain="discrete", flags="periodic", label="1 while the street lamps are lit"),
    )

    start_h: float = param("h0", "h", 11.5, 14.5)
    rate_h_per_s: float = param("time_scale", "h/s", 0.75, 1.15)
    threshold: float = param("Ith", "frac", 0.08, 0.2)

    WIDTH_M = 1.5
    SKY_M = 0.72
    BACK_M = 0.34
    DAY, NIGHT = np.array([0.14, 0.26, 0.46]), np.array([0.006, 0.010, 0.035])
    RIM_RGB = np.array([0.25, 0.25, 0.25])
    LAMP_X_M = (-0.5, 0.0, 0.5)
    LAMP_M = 0.42

    def states(self, t_s: Array) -> dict[str, Array]:
        h = (self.start_h + self.rate_h_per_s * started(t_s)) % 24
        light = np.maximum(0.0, np.sin(TURN * (h - 6) / 24))
        on = (light < self.threshold).astype(np.float64)
        return {"h": h, "lamps_on": on, "ambient": light, "lamps": on.copy()}

    def triggers(self) -> dict[str, float]:
        """Dusk: the first time at which the lamps come on."""
        dusk_h = 18 - 24 / TURN * float(np.arcsin(self.threshold))
        return {"lamps_on": (dusk_h - self.start_h) / self.rate_h_per_s}

    def assembly(self) -> Assembly:
        width, back = self.WIDTH_M, self.BACK_M
        walls = ((0.80, 0.58, 0.32), (0.62, 0.66, 0.70), (0.72, 0.36, 0.26))
        houses = [
            part
            for k, (x, wall) in enumerate(zip((-0.47, 0.0, 0.47), walls, strict=True))
            for part in house(
                f"house_{k}", 0.36, 1 + (k == 1), 3, wall, at_m=(x, 0.16, 0.02), heading_rad=-np.pi / 2, carries=False
            )
        ]
        posts = [
            part for k, x in enumerate(self.LAMP_X_M)
            for part in street_lamp(f"lamp_{k}", self.LAMP_M, (x - 0.12, -0.14, 0.02), -np.pi / 2)
        ]  # fmt: skip
        dashes = [parts.block((0.1, 0.018, 0.002), (x, -0.28, 0.012)) for x in np.arange(-0.6, 0.61, 0.24)]
        lights = [
            Lamp(f"light_{k}", _spot(street_lamp_light_m(self.LAMP_M, (x - 0.12, -0.14, 0.02), -np.pi / 2)), 0.0,
                 (1.0, 0.66, 0.28), 0.03) for k, x in enumerate(self.LAMP_X_M)
        ]  # fmt: skip
        return Assembly((
            sky("sky", width - 0.08, self.SKY_M - 0.04, (0, back, 0.03), num_rows=2),
            self._rim(),
            *posts,
            *houses,
            *set_down(tree("tree", 0.3), (0.235, 0.14, 0.02)),
            Part("pavement", parts.block((width, 0.5, 0.02), (0, 0.09, 0)), paint((0.42, 0.40, 0.37), 0.9)),
            Part("road", parts.block((width, 0.26, 0.012), (0, -0.29, 0)), paint((0.06, 0.06, 0.065), 0.9)),
            Part("dashes", parts.join(*dashes), paint(WHITE)),
            backing(width, self.SKY_M, back + 0.004),
        ), lamps=(Lamp("sun", (0.9, -1.3, 1.8), 0.0, (1.0, 0.95, 0.86), 0.08), *lights))  # fmt: skip

    def _rim(self) -> Part:
        """Frame about the sky in a colour of its own that never changes: what the sky is compared with."""
        x, z, y = self.WIDTH_M / 2, self.SKY_M, self.BACK_M - 0.001
        bars = [parts.block((0.04, 0.004, z), (s * (x - 0.02), y, 0.0)) for s in (-1, 1)]
        return shining("rim", parts.join(*bars, parts.block((2 * x, 0.004, 0.04), (0, y, z - 0.04))), carries=False)

    def channels(self, state: State) -> ChannelMap:
        light, on = float(state["ambient"]), float(state["lamps_on"])
        return {
            **sky_channels("sky", self.NIGHT + light * (self.DAY - self.NIGHT), 2),
            **evenly("rim", meshes_at_rest(self)["rim"], self.RIM_RGB),
            "sun": (Power(110.0 * light),),
            **{f"light_{k}": (Power(3.5 * on),) for k in range(3)},
            **{f"lamp_{k}_bulb": (Emission(5.0 * on),) for k in range(3)},
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {}  # only brightness carries the time of day

    def measure(self, view: View) -> dict[str, float]:
        """Blue of the sky against its rim; bulbs brighter than their rim would be."""
        above, rim = linear_rgb(view.rgb["sky"]), linear_rgb(view.rgb["rim"])
        if len(above) < 20 or len(rim) < 8:
            return {"ambient": float("nan")}
        blue = float(np.median(above[:, 2]) / np.median(rim[:, 2])) * self.RIM_RGB[2]
        found = {"ambient": (blue - self.NIGHT[2]) / (self.DAY[2] - self.NIGHT[2])}
        bulbs = [view.rgb[f"lamp_{k}_bulb"] for k in range(3) if len(view.rgb[f"lamp_{k}_bulb"]) > 1]
        if bulbs:
            found["lamps"] = float(np.median(np.vstack(bulbs)[:, 0]) > 0.93)
        return found


def _spot(place: Array) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in place)
    return x, y, z
