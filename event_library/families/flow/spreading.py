"""What spreads: a heap of sand, a puddle of syrup, dampness in paper."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh
from scipy.special import lambertw

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap, Move, Scale, Vertices
from event_library.families.flow.stands import stand_towards_axis
from event_library.kit import furniture, streams, vessels
from event_library.kit.palette import DARK, PAPER, PORCELAIN, RED, SAND, STEEL, SYRUP, paint
from event_library.kit.shapes import at, cone, extruded, solid_of_revolution
from event_library.laws import GRAVITY_M_PER_S2, started
from event_library.parts import Assembly, Material, Part
from event_library.readouts import boundary_height_m, disc_radius_m, pixel_pitch_m
from event_library.taxonomy import facts

BOARD_M = 0.008  # top of the board under the heap
HEAP_RADIUS_M = 0.105  # of all the sand in the hopper
MOUTH_M = 0.12  # of the hopper above the board


@dataclass(frozen=True, kw_only=True)
class SandPileGrowing(Event):
    """Sand at a steady rate builds a cone at its angle of repose: its volume Q t = pi/3 tan(theta) r^3.

    The hopper holds a heap of 0.105 m radius.
    """

    info = facts("sand_pile_growing")
    variables = (
        state("r", "m", 0.003, flags="monotone bounded"),
        readout("base_radius", "m", 0.003, min_delta=0.007, flags="monotone bounded", label="heap's edge on the board"),
        readout("height", "m", 0.003, flags="monotone bounded", label="top of the heap above the board"),
    )

    flow_m3_per_s: float = param("Q", "m^3/s", 1.5e-5, 5.0e-5)
    repose_rad: float = angle_param("theta", 28, 36)

    def states(self, t_s: Array) -> dict[str, Array]:
        slope = np.tan(self.repose_rad)
        cube = np.minimum(3 * self.flow_m3_per_s * started(t_s) / (np.pi * slope), HEAP_RADIUS_M**3)
        r = np.cbrt(cube)
        return {"r": r, "base_radius": r.copy(), "height": r * slope}

    def triggers(self) -> dict[str, float]:
        return {"hopper_empty": float(np.pi * np.tan(self.repose_rad) * HEAP_RADIUS_M**3 / (3 * self.flow_m3_per_s))}

    def assembly(self) -> Assembly:
        heap = cone(HEAP_RADIUS_M, HEAP_RADIUS_M * np.tan(self.repose_rad), num_sides=64)
        hopper = parts.lathe(
            np.array([(0.005, 0.0), (0.007, 0.02), (0.036, 0.058), (0.036, 0.066), (0.033, 0.066), (0.004, 0.02)]), 32
        )
        rings = [parts.torus(r, 0.0012, 64, 6) for r in (0.04, 0.08, 0.115)]
        z = BOARD_M + MOUTH_M
        return Assembly((
            Part("heap", heap, SAND, carries=True, smooth_angle_deg=30),
            streams.jet("stream", SAND),
            Part("board", parts.cylinder(0.125, BOARD_M, 64), DARK, smooth_angle_deg=40),
            Part("rings", parts.moved(parts.join(*rings), z_m=BOARD_M - 0.0008), PORCELAIN, smooth_angle_deg=60),
            Part("hopper", parts.moved(hopper, z_m=z), STEEL, smooth_angle_deg=40),
            stand_towards_axis("stand", z + 0.06, z + 0.05, 0.155, 2.4),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        r = float(state["r"])
        running = 0 < r < HEAP_RADIUS_M
        top, tip = (0.0, 0.0, BOARD_M + MOUTH_M + 0.002), BOARD_M + r * float(np.tan(self.repose_rad))
        return {
            "heap": (Scale(np.full(3, max(r, 1e-5) / HEAP_RADIUS_M)), Move(at(0.0, 0.0, BOARD_M))),
            **streams.falling_jet_channels("stream", self.flow_m3_per_s, top, tip, speed_m_per_s=0.5, running=running),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"r": float(np.ptp(meshes["heap"].vertices[:, 0])) / 2}

    def measure(self, view: View) -> dict[str, float]:
        """The straight flank through the visible points: where it meets the axis and where it meets the board."""
        points = view.points_m["heap"]
        away = np.hypot(points[:, 0], points[:, 1])
        if len(points) < 4:
            return {"base_radius": float(away.max(initial=0.0)) if len(view.points_m["board"]) else float("nan")}
        slope, height = np.polyfit(away, points[:, 2] - BOARD_M, 1)
        return {"base_radius": float(-height / slope), "height": float(height)}


PLATE_M = 0.006  # top of the plate
RIM_M = 0.12  # radius at which the plate's rim stops the puddle and the pouring
BOTTLE_M = 0.09  # mouth of the bottle above the plate
HUPPERT = 0.715  # constant of the viscous gravity current at constant flux
PROFILE_SHARE = 9 / 14  # volume of the profile (1 - r)^(1/3) over that of its cylinder


@dataclass(frozen=True, kw_only=True)
class SyrupPuddleSpreading(Event):
    """Viscous gravity current at constant flux: r = 0.715 (g Q^3 / (3 nu))^(1/8) sqrt(t) (Huppert 1982, JFM 121).

    Its thickness stays; the profile falls to the front as (1 - r/R)^(1/3), scaled to hold Q t. At the rim of the plate
    the bottle is taken back and the puddle rests.
    """

    info = facts("syrup_puddle_spreading")
    variables = (
        state("r", "m", 0.004, flags="monotone bounded"),
        readout("puddle_radius", "m", 0.004, min_delta=0.009, flags="monotone bounded", label="edge of the puddle"),
    )

    flow_m3_per_s: float = param("Q", "m^3/s", 6.0e-6, 2.0e-5)
    viscosity_m2_per_s: float = param("nu", "m^2/s", 2.0e-3, 8.0e-3)

    @property
    def spread_m_per_root_s(self) -> float:
        buoyancy = GRAVITY_M_PER_S2 * self.flow_m3_per_s**3 / (3 * self.viscosity_m2_per_s)
        return float(HUPPERT * buoyancy**0.125)

    def states(self, t_s: Array) -> dict[str, Array]:
        r = np.minimum(self.spread_m_per_root_s * np.sqrt(started(t_s)), RIM_M)
        return {"r": r, "puddle_radius": r.copy()}

    def assembly(self) -> Assembly:
        share = np.sin(np.linspace(0.0, np.pi / 2, 10))[::-1]
        thick = self.flow_m3_per_s / (np.pi * PROFILE_SHARE * self.spread_m_per_root_s**2)
        profile = np.column_stack([RIM_M * np.maximum(share, 1e-3), thick * np.cbrt(1 - share)])
        plate = [
            (0.0, 0.0),
            (0.1, 0.0),
            (0.142, 0.010),
            (0.144, 0.012),
            (0.142, 0.014),
            (RIM_M + 0.006, PLATE_M),
            (0.0, PLATE_M),
        ]
        bottle = solid_of_revolution(np.array([
            (0.003, 0.0), (0.005, 0.002), (0.008, 0.022), (0.020, 0.026), (0.024, 0.034), (0.026, 0.08), (0.022, 0.088),
        ]), 32)  # fmt: skip
        cap = solid_of_revolution(
            np.array([(0.0036, 0.001), (0.0056, 0.002), (0.0086, 0.0225), (0.021, 0.026), (0.022, 0.030)]), 32
        )
        z = PLATE_M + BOTTLE_M
        return Assembly((
            Part("puddle", solid_of_revolution(profile, 64), SYRUP, carries=True, smooth_angle_deg=60),
            streams.jet("thread", SYRUP),
            Part("plate", parts.lathe(np.array(plate), 64), PORCELAIN, smooth_angle_deg=50),
            Part("bottle", parts.moved(bottle, z_m=z), paint((0.55, 0.16, 0.01), 0.15), smooth_angle_deg=50),
            Part("cap", parts.moved(cap, z_m=z), paint(RED), smooth_angle_deg=40),
            stand_towards_axis("stand", z + 0.07, z + 0.055, 0.18, 2.4),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        r = float(state["r"])
        mouth, wide = (0.0, 0.0, PLATE_M + BOTTLE_M + 0.002), max(r, 1e-5) / RIM_M
        return {
            "puddle": (Scale(at(wide, wide, 1.0)), Move(at(0.0, 0.0, PLATE_M))),
            **streams.falling_jet_channels(
                "thread", self.flow_m3_per_s, mouth, PLATE_M + 0.001, speed_m_per_s=0.15, running=0 < r < RIM_M
            ),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"r": float(np.ptp(meshes["puddle"].vertices[:, 0])) / 2}

    def measure(self, view: View) -> dict[str, float]:
        puddle, plate = (view.points_m[n] for n in ("puddle", "plate"))
        return {"puddle_radius": disc_radius_m(puddle, view.pixel_area_m2["puddle"], plate)}


STRIP_M = (0.045, 0.0012)  # width and thickness of the paper
DIP_M = 0.018  # how deep it hangs in the water
WATER_M = 0.024  # depth of the water
CLIP_M = 0.008  # how far down the clips hold the paper
TENSION_N_PER_M, DYNAMIC_PA_S, DENSITY_KG_PER_M3 = 0.072, 1e-3, 1000.0


@dataclass(frozen=True, kw_only=True)
class PaperTowelWicking(Event):
    """Capillary rise against viscosity and weight (Washburn 1921): L' = rp^2 / (8 mu) (2 gam cosT / (rp L) - rho g).

    Solved exactly by the Lambert W function (Fries & Dreyer 2008): L = Le (1 + W0(-exp(-1 - tau / te))).
    """

    info = facts("paper_towel_wicking")
    variables = (
        state("L", "m", 0.003, flags="monotone bounded"),
        readout(
            "front_height", "m", 0.003, min_delta=0.007, flags="monotone bounded", label="damp edge above the water"
        ),
    )
    accept_rules = (
        ("the front rises 0.035 to 0.09 m in 8 s", lambda e: 0.035 <= float(e.states(np.array([8.0]))["L"][0]) <= 0.09),
    )  # fmt: skip

    pore_m: float = param("rp", "m", 4.0e-6, 1.0e-5)
    wetting: float = param("cosT", "ratio", 0.4, 0.7)
    time_scale: float = param("time_scale", "s/s", 2.0, 5.0)
    strip_m: float = param("L_strip", "m", 0.09, 0.12)

    def states(self, t_s: Array) -> dict[str, Array]:
        weight = DENSITY_KG_PER_M3 * GRAVITY_M_PER_S2
        equilibrium_m = 2 * TENSION_N_PER_M * self.wetting / (weight * self.pore_m)
        settling_s = 8 * DYNAMIC_PA_S * equilibrium_m / (self.pore_m**2 * weight)
        tau = started(t_s) * self.time_scale / settling_s
        risen = np.where(tau > 0, equilibrium_m * (1 + lambertw(-np.exp(-1 - tau)).real), 0.0)
        front = np.minimum(risen, self.strip_m)
        return {"L": front, "front_height": front.copy()}

    @property
    def surface_m(self) -> float:
        return vessels.FLOOR_M + WATER_M

    def _wet(self, front_m: float) -> Array:
        """[2 P, 3] vertices of the damp part, its ragged upper edge on average at the front."""
        mesh = _damp_slab()
        vertices = np.array(mesh.vertices)
        vertices[vertices[:, 2] > 0, 2] += front_m - RAGGED_AT_M
        return vertices

    def assembly(self) -> Assembly:
        wide, thick = STRIP_M
        top = self.surface_m + self.strip_m
        strip = parts.block((wide, thick, self.strip_m + DIP_M), (0.0, 0.0, self.surface_m - DIP_M))
        clips = parts.join(*(parts.block((0.008, 0.012, 0.02), (s * 0.013, 0, top - CLIP_M)) for s in (-1, 1)))
        mesh = _damp_slab()
        return Assembly((
            Part("damp", mesh, Material(rgb=(0.05, 0.25, 0.75), roughness=0.6), carries=True),
            dataclasses.replace(vessels.liquid_column("water", 0.045, WATER_M), carries=False),
            *vessels.glass("dish", 0.045, vessels.FLOOR_M + WATER_M + 0.01),
            Part("strip", strip, PAPER),
            Part("clips", clips, paint(RED)),
            furniture.gantry("gantry", 0.11, top + 0.008, bar_m=0.008, depth_m=0.07),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        return {
            "damp": (Vertices(self._wet(float(state["L"]))), Move(at(0.0, 0.0, self.surface_m))),
            **vessels.column_channels("water", WATER_M, WATER_M, (0.0, 0.0, vessels.FLOOR_M)),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"L": float(meshes["damp"].volume) / (STRIP_M[0] * DAMP_THICK_M) - DIP_M}

    def measure(self, view: View) -> dict[str, float]:
        damp, dry = view.points_m["damp"], view.points_m["strip"]
        if len(dry) == 0:
            wet = len(damp) > 0 and float(damp[:, 2].max()) > self.surface_m + self.strip_m - CLIP_M
            return {"front_height": self.strip_m if wet else float("nan")}
        edge = boundary_height_m(damp, dry, pixel_pitch_m(view.pixel_area_m2["strip"]))
        return {"front_height": 0.0 if np.isnan(edge) else edge - self.surface_m}


DAMP_THICK_M = STRIP_M[1] + 0.0008
RAGGED_AT_M = 0.02  # front at which `_damp_slab` is built


def _damp_slab() -> trimesh.Trimesh:
    """Damp paper from below the water (z = 0) to a ragged edge whose mean height is RAGGED_AT_M."""
    x = np.linspace(-STRIP_M[0] / 2, STRIP_M[0] / 2, 25)
    ragged = 0.0011 * (np.sin(2.1 * np.arange(25)) + np.sin(0.9 * np.arange(25) + 1))
    ragged -= ((ragged[1:] + ragged[:-1]) / 2).mean()
    low = [(float(x[0]), -DIP_M), (float(x[-1]), -DIP_M)]
    outline = np.vstack([low, np.column_stack([x, RAGGED_AT_M + ragged])[::-1]])
    return parts.moved(extruded(outline, DAMP_THICK_M), y_m=-DAMP_THICK_M / 2)
