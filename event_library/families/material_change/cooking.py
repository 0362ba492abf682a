"""What heat does in a kitchen: toast under a grill, an egg in a pan."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, VertexColours, Vertices, Visible
from event_library.kit.faces import disc_faces
from event_library.kit.palette import CHROME, DARK, IRON, PORCELAIN, paint, ramp
from event_library.kit.shapes import extruded, extruded_ring, rod, solid_of_revolution, swept
from event_library.laws import ode_values, started
from event_library.parts import Assembly, Lamp, Material, Part
from event_library.readouts import linear_rgb
from event_library.taxonomy import facts

GAS_J_PER_MOL_K = 8.314
ACTIVATION_J_PER_MOL = 9.0e4
COLD_K, RATED_K = 295.0, 423.0
BROWNING = (0.0, 0.3, 0.65, 1.0)
BREAD_RGB = ((0.82, 0.68, 0.46), (0.66, 0.33, 0.10), (0.22, 0.075, 0.02), (0.035, 0.018, 0.012))
LOG_RGB = tuple((math.log(r), math.log(g), math.log(b)) for r, g, b in BREAD_RGB)
SLICE_M = 0.06  # height of the slice's underside
THICK_M = 0.016
NUM_RINGS = 12
LIT_QUANTILE = 0.85  # of the plate: the rest lies in the shade of slice and oven
SHEEN = 0.006  # white gloss on the crumb, as reflectance
CRUMB = Material(rgb=BREAD_RGB[0], roughness=0.9, per_vertex=True)
GLOW = Material(rgb=(0.9, 0.2, 0.04), roughness=0.6, emission_rgb=(1.0, 0.22, 0.03), emission_strength=3.5)


@dataclass(frozen=True, kw_only=True)
class BreadToasting(Event):
    """Newton heating of a thin slice and Arrhenius browning of first order (Maillard, Ea = 90 kJ/mol): see the facts.

    The colour is even in the logarithm of its light, so that browning can be told from it to a few hundredths.
    """

    info = facts("bread_toasting")
    variables = (
        state("T", "K", 5.0, flags="monotone bounded", label="temperature of the crumb"),
        state("B", "frac", 0.07, flags="monotone"),
        readout("browning", "frac", 0.07, min_delta=0.15, flags="monotone", label="0 white, 1 burnt"),
    )

    costly_rules = True
    accept_rules = (("it is not burnt black within 8 s", lambda e: ode_values(e, np.array([8.0]))[0, 1] <= 0.78),)

    grill_k: float = param("Tinf", "K", 445, 470)
    heating_s: float = param("th", "s", 35, 60)
    browning_per_s: float = param("kr", "1/s", 0.004, 0.008)
    time_scale: float = param("time_scale", "s/s", 14, 26, default=16.0)

    def start_values(self) -> tuple[float, ...]:
        return COLD_K, 0.0

    def rates(self, values: tuple[float, ...]) -> tuple[float, ...]:
        kelvin, brown = values
        speed = math.exp(-ACTIVATION_J_PER_MOL / GAS_J_PER_MOL_K * (1 / kelvin - 1 / RATED_K))
        return (
            self.time_scale * (self.grill_k - kelvin) / self.heating_s,
            self.time_scale * self.browning_per_s * speed * (1 - brown),
        )

    def states(self, t_s: Array) -> dict[str, Array]:
        kelvin, brown = ode_values(self, t_s).T
        return {"T": kelvin, "B": brown, "browning": brown.copy()}

    def assembly(self) -> Assembly:
        outline = _slice_outline()
        crust = parts.moved(extruded(1.05 * outline, THICK_M, flat=True), z_m=SLICE_M)
        wires = [
            rod((-0.11, y, SLICE_M - 0.008), (0.11, y, SLICE_M - 0.008), 0.0018, 8) for y in np.linspace(-0.07, 0.07, 6)
        ]
        legs = [rod((x, y, 0.012), (x, y, SLICE_M - 0.008), 0.0025, 8) for x in (-0.11, 0.11) for y in (-0.07, 0.07)]
        oven = parts.join(
            parts.block((0.27, 0.012, 0.16), (0, 0.106, 0)),
            *(parts.block((0.012, 0.20, 0.16), (s * 0.129, 0.006, 0)) for s in (-1, 1)),
            parts.block((0.27, 0.224, 0.008), (0, 0, 0)),
        )
        rods = [
            swept(np.array([(-0.12, 0.095, z), (-0.115, 0.05, z), (0.115, 0.05, z), (0.12, 0.095, z)]), 0.0048, 12)
            for z in (0.135,)
        ] + [rod((-0.122, 0.085, 0.135), (0.122, 0.085, 0.135), 0.0048)]
        return Assembly(
            parts=(
                Part(
                    "crumb", _rings_mesh(outline, SLICE_M + THICK_M + 4e-4), CRUMB, carries=True, smooth_angle_deg=180
                ),
                Part("crust", crust, Material(rgb=(0.30, 0.12, 0.035), roughness=0.8)),
                Part("rack", parts.join(*wires, *legs), CHROME, smooth_angle_deg=40),
                Part("plate", parts.moved(parts.bevelled_box((0.225, 0.19, 0.012), 0.001), z_m=SLICE_M), PORCELAIN),
                Part("oven", oven, paint((0.05, 0.06, 0.08))),
                Part("grill", parts.join(*rods), GLOW, smooth_angle_deg=60),
            ),
            lamps=tuple(Lamp(f"heat_{s}", (s * 0.06, 0.03, 0.26), 0.04, (1.0, 0.45, 0.18), 0.02) for s in (-1, 1)),
        )

    def channels(self, state: State) -> ChannelMap:
        colour = ramp(np.array(float(state["B"])), LOG_RGB, BROWNING)
        return {"crumb": (VertexColours(np.clip(np.exp(colour) * _pores()[:, None], 0.0, 1.0)),)}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {}

    def measure(self, view: View) -> dict[str, float]:
        """Green light from the crumb over that from the lit part of the white plate, on the bread's scale of tones."""
        upward = view.points_m["plate"][:, 2] > SLICE_M + 0.005
        crumb, plate = view.rgb["crumb"], view.rgb["plate"][upward]
        if min(len(crumb), len(plate)) < 5:
            return {"browning": float("nan")}
        white = np.quantile(linear_rgb(plate)[:, 1], LIT_QUANTILE)
        tone = linear_rgb(np.median(crumb, axis=0))[1] / white * PORCELAIN.rgb[1] - SHEEN
        return {"browning": float(np.interp(-math.log(max(tone, 1e-6)), [-stop[1] for stop in LOG_RGB], BROWNING))}


def _slice_outline() -> Array:
    """[64, 2] outline of a slice of tin loaf about its middle, counter-clockwise: square foot, waist, domed top."""
    angle = 2 * np.pi * (np.arange(64) + 0.5) / 64
    c, s = np.cos(angle), np.sin(angle)
    box = 0.076 / (np.abs(c) ** 6 + np.abs(s) ** 6) ** (1 / 6)
    x, y = box * c, box * s * 0.94
    x *= np.where(y > 0, 1 + 0.10 * np.sin(np.pi * np.clip(y / 0.072, 0, 1)), 1.0)
    return np.column_stack([x, y])


def _rings_mesh(outline_m: Array, z_m: float) -> trimesh.Trimesh:
    """Flat sheet of rings of vertices from the middle out to an outline [P, 2]; 1 + NUM_RINGS P vertices."""
    rings = [outline_m * k / NUM_RINGS for k in range(1, NUM_RINGS + 1)]
    flat = np.vstack([np.zeros((1, 2)), *rings])
    vertices = np.column_stack([flat, np.full(len(flat), z_m)])
    return trimesh.Trimesh(vertices, disc_faces(NUM_RINGS, len(outline_m)), process=False)


def _pores() -> Array:
    """[V] factors about 1 that mottle the crumb."""
    drawn = np.random.Generator(np.random.PCG64(7)).normal(size=1 + NUM_RINGS * 64)
    return np.asarray(np.exp(0.09 * drawn))


YOLK_M = 0.019  # radius of the yolk's foot, beside which the ring of white begins
PAN_M = 0.088  # radius of the pan's floor
PAN_FLOOR_M, WHITE_M = 0.006, 0.0035  # top of the pan's floor, thickness of the white
NUM_ROUND = 72
RAW = Material(rgb=(0.80, 0.72, 0.45), kind="liquid")
SET = Material(rgb=(0.93, 0.93, 0.90), roughness=0.35)
_ROUND = 2 * np.pi * np.arange(NUM_ROUND) / NUM_ROUND
_WAVY = 1 + 0.05 * np.cos(3 * _ROUND + 0.6) + 0.035 * np.cos(5 * _ROUND + 2.0)
WAVE = np.column_stack([_WAVY * np.cos(_ROUND), _WAVY * np.sin(_ROUND)])  # outline of a white of radius 1


@dataclass(frozen=True, kw_only=True)
class EggWhiteSetting(Event):
    """Heat creeps into the white from its thin rim: the opaque share of its area grows evenly, A = min(1, tau / ts).

    The outline is a wavy circle; all radii are wavy alike, so that shares of area are those of the circles.
    """

    info = facts("egg_white_setting")
    variables = (
        state("A", "frac", 0.06, flags="monotone bounded"),
        readout(
            "set_fraction", "frac", 0.06, min_delta=0.16, flags="monotone bounded", label="opaque share of the white"
        ),
    )
    accept_rules = (("setting takes 6 to 12 s", lambda e: 6 <= e.setting_s / e.time_scale <= 12),)

    setting_s: float = param("ts", "s", 60, 110)
    time_scale: float = param("time_scale", "s/s", 7, 15, default=9.5)
    edge_radius_m: float = param("Re", "m", 0.055, 0.07)

    def states(self, t_s: Array) -> dict[str, Array]:
        share = np.minimum(self.time_scale * started(t_s) / self.setting_s, 1.0)
        return {"A": share, "set_fraction": share.copy()}

    def triggers(self) -> dict[str, float]:
        return {"set": self.setting_s / self.time_scale}

    def front_m(self, share: float) -> float:
        return float(np.sqrt(YOLK_M**2 + (1 - share) * (self.edge_radius_m**2 - YOLK_M**2)))

    def assembly(self) -> Assembly:
        yolk = [
            (0.0, 0.0),
            (YOLK_M * 1.12, 0.001),
            (YOLK_M * 1.14, 0.006),
            (YOLK_M * 0.9, 0.0125),
            (YOLK_M * 0.5, 0.0165),
            (0, 0.018),
        ]
        pan = [
            (0.0, 0.0), (PAN_M, 0.0), (PAN_M + 0.022, 0.030), (PAN_M + 0.020, 0.032), (PAN_M - 0.001, PAN_FLOOR_M),
            (0.0, PAN_FLOOR_M),
        ]  # fmt: skip
        handle = swept(
            np.array([(0.10, 0, 0.026), (0.125, 0, 0.034), (0.155, 0, 0.036)]), np.array([0.007, 0.009, 0.01]), 14
        )
        front = self.front_m(0.0)
        return Assembly((
            Part("raw", self._raw(front), RAW, carries=True, smooth_angle_deg=40),
            Part("set", self._set(0.999 * front), SET, carries=True, smooth_angle_deg=40),
            Part("yolk", parts.moved(solid_of_revolution(np.array(yolk), 40), z_m=PAN_FLOOR_M + 0.001),
                 paint((0.95, 0.42, 0.015), 0.15), smooth_angle_deg=180),
            Part("pan", parts.lathe(np.array(pan), 64), IRON, smooth_angle_deg=40),
            Part("handle", handle, DARK, smooth_angle_deg=60),
        ))  # fmt: skip

    def _raw(self, front_m: float) -> trimesh.Trimesh:
        return parts.moved(extruded(front_m * WAVE, WHITE_M - 3e-4, flat=True), z_m=PAN_FLOOR_M + 2e-4)

    def _set(self, front_m: float) -> trimesh.Trimesh:
        ring = extruded_ring(self.edge_radius_m * WAVE, front_m * WAVE, WHITE_M, flat=True)
        return parts.moved(ring, z_m=PAN_FLOOR_M + 2e-4)

    def channels(self, state: State) -> ChannelMap:
        front = self.front_m(float(state["A"]))
        return {
            "raw": (Vertices(np.asarray(self._raw(front).vertices)),),
            "set": (Visible(float(state["A"]) > 0), Vertices(np.asarray(self._set(front).vertices))),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        wave = np.hypot(*WAVE.T)
        front = float(np.hypot(*meshes["raw"].vertices[:, :2].T).max() / wave.max())
        return {"A": (self.edge_radius_m**2 - front**2) / (self.edge_radius_m**2 - YOLK_M**2)}

    def measure(self, view: View) -> dict[str, float]:
        """White over all of the ring's ground, but for the sector behind the yolk."""
        areas = {}
        for name in ("raw", "set"):
            points = view.points_m[name]
            beside = (points[:, 1] < 0.6 * np.abs(points[:, 0])) & (points[:, 2] > PAN_FLOOR_M + WHITE_M - 5e-4)
            gaze = view.eye_m - points[beside]
            areas[name] = float((view.pixel_area_m2[name][beside] * np.linalg.norm(gaze, axis=1) / gaze[:, 2]).sum())
        total = areas["raw"] + areas["set"]
        return {"set_fraction": areas["set"] / total if total > 0 else float("nan")}
