"""Things that slide or sink: a block down a ramp, a puck on air, a marble in honey."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap, Move, Rotate, quaternion_about
from event_library.kit import boards, shapes, vessels
from event_library.kit.palette import INK, PALE_WOOD, RED, WHITE, WOOD, paint
from event_library.kit.shapes import at
from event_library.laws import GRAVITY_M_PER_S2, started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.readouts import sphere_centre_m
from event_library.taxonomy import facts

BLOCK_M = (0.26, 0.20, 0.16)
RAMP_DEPTH_M = 0.28
BLOCK = Material(rgb=(0.62, 0.10, 0.03), roughness=0.5, pattern=Pattern("stripes", (0.75, 0.40, 0.05), 0.065))

PUCK_M, PUCK_TALL_M = 0.11, 0.045  # radius, height
TABLE_M = 0.06  # height of the air table's top
AIR_TABLE = paint((0.55, 0.66, 0.72), 0.25)

HONEY_M = 0.040  # inner radius of the jar
OVER_M = 0.018  # honey above the marble's top at the start
MARBLE = paint((0.02, 0.03, 0.16), 0.15)
HONEY = Material(rgb=(1.0, 0.80, 0.38), kind="shell", roughness=0.0)


@dataclass(frozen=True, kw_only=True)
class BlockSlidingRamp(Event):
    """Coulomb friction on a slope: s = a tau^2 / 2, a = g (sin(theta) - mu cos(theta)), to the stop; tau = scale t."""

    info = facts("block_sliding_ramp")
    variables = (
        state("s", "m", 0.045, flags="monotone bounded"),
        readout("position", "m", 0.045, min_delta=0.11, flags="monotone bounded", label="way down the ramp"),
    )
    accept_rules = (
        ("friction is beaten, but not by much", lambda e: 0.3 <= e.pull_m_per_s2 <= 1.5),
        ("sliding takes 5 to 8 s", lambda e: 5 <= e.slide_s <= 8),
    )

    slope_rad: float = angle_param("theta", 16, 24, default_deg=20)
    friction: float = param("mu", "ratio", 0.2, 0.35, default=0.28)
    way_m: float = param("Lr", "m", 0.7, 1.0)
    time_scale: float = param("time_scale", "s/s", 0.18, 0.3)

    @property
    def pull_m_per_s2(self) -> float:
        return GRAVITY_M_PER_S2 * float(np.sin(self.slope_rad) - self.friction * np.cos(self.slope_rad))

    @property
    def slide_s(self) -> float:
        """Clip time of reaching the stop."""
        return float(np.sqrt(2 * self.way_m / max(self.pull_m_per_s2, 1e-6))) / self.time_scale

    @property
    def downward(self) -> Array:
        return at(np.cos(self.slope_rad), 0.0, -np.sin(self.slope_rad))

    @property
    def top_m(self) -> Array:
        """Where the block's middle lies over the slope at s = 0, on the slope's surface."""
        return at(-self.way_m * np.cos(self.slope_rad) / 2, 0.0, self._height_m(0.0))

    def _height_m(self, s: float) -> float:
        """Of the slope under the block's middle; its foot, below the stop, is 2 cm high."""
        return 0.02 + (self.way_m - s + BLOCK_M[0] / 2 + 0.05) * float(np.sin(self.slope_rad))

    def states(self, t_s: Array) -> dict[str, Array]:
        tau = np.minimum(started(t_s), self.slide_s) * self.time_scale
        s = np.minimum(self.pull_m_per_s2 * tau**2 / 2, self.way_m)
        return {"s": s, "position": s.copy()}

    def triggers(self) -> dict[str, float]:
        return {"at_stop": self.slide_s}

    def assembly(self) -> Assembly:
        high, low = self.top_m - 0.19 * self.downward, self.top_m + (self.way_m + BLOCK_M[0] / 2 + 0.05) * self.downward
        outline = np.array([(high[0], 0), (low[0], 0), (low[0], low[2]), (high[0], high[2])])
        tilt = ((0.0, 1.0, 0.0), self.slope_rad)
        marks = [shapes.turned(parts.box((0.018, 0.06, 0.002)), *tilt) for _ in range(int(self.way_m / 0.1) + 1)]
        for k, mark in enumerate(marks):
            parts.moved(mark, *(self.top_m + 0.1 * k * self.downward + at(0, 0.03 - RAMP_DEPTH_M / 2, 0)))
        stop = shapes.turned(parts.block((0.05, RAMP_DEPTH_M, 0.10), (0.025, 0, -0.01)), *tilt)
        parts.moved(stop, *(self.top_m + (self.way_m + BLOCK_M[0] / 2) * self.downward))
        return Assembly((
            Part("block", parts.moved(parts.bevelled_box(BLOCK_M, 0.008), z_m=BLOCK_M[2] / 2), BLOCK, carries=True),
            Part("ramp", parts.moved(shapes.extruded(outline, RAMP_DEPTH_M), y_m=-RAMP_DEPTH_M / 2), PALE_WOOD),
            Part("marks", parts.join(*marks), INK),
            Part("stop", stop, WOOD),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        turn = quaternion_about((0.0, 1.0, 0.0), self.slope_rad)
        return {"block": (Rotate(turn), Move(self.top_m + float(state["s"]) * self.downward))}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"s": float((meshes["block"].vertices.mean(axis=0) - self.top_m) @ self.downward)}

    def measure(self, view: View) -> dict[str, float]:
        along = (view.points_m["block"] - self.top_m) @ self.downward
        return {"position": float(along.min() + along.max()) / 2 if len(along) else float("nan")}


@dataclass(frozen=True, kw_only=True)
class AirPuckBox(Event):
    """Uniform motion between mirrors, by unfolding: x = tri(x0 + vx t; Wx) with tri(u; W) = W - |mod(u, 2 W) - W|."""

    info = facts("air_puck_box")
    variables = (
        state("x", "m", 0.05, flags="bounded"),
        state("y", "m", 0.05, flags="bounded"),
        readout("across", "m", 0.05, min_delta=0.16, flags="bounded", label="from the left cushion"),
        readout("away", "m", 0.05, flags="bounded", label="from the near cushion"),
    )

    width_m: float = param("Wx", "m", 0.65, 0.85)
    depth_m: float = param("Wy", "m", 0.36, 0.5)
    speed_x_m_per_s: float = param("vx", "m/s", 0.18, 0.36)
    speed_y_m_per_s: float = param("vy", "m/s", 0.12, 0.26)
    start_x_m: float = param("x0", "m", 0.05, 0.4)
    start_y_m: float = param("y0", "m", 0.05, 0.3)

    @property
    def corner_m(self) -> Array:
        """Where the puck's middle is at x = y = 0."""
        return at(-self.width_m / 2, -self.depth_m / 2, TABLE_M)

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)
        x = _unfolded(self.start_x_m + self.speed_x_m_per_s * t, self.width_m)
        y = _unfolded(self.start_y_m + self.speed_y_m_per_s * t, self.depth_m)
        return {"x": x, "y": y, "across": x.copy(), "away": y.copy()}

    def assembly(self) -> Assembly:
        inner = self.width_m + 2 * PUCK_M, self.depth_m + 2 * PUCK_M
        grid = boards.Grid(4, 6, inner, (0.0, 0.0, TABLE_M))
        puck = parts.join(
            shapes.solid_of_revolution(_PUCK, 40),
            parts.moved(parts.ring(0.045, 0.065, 0.006, 0.001, 32), z_m=PUCK_TALL_M),
        )
        arrow = shapes.placed(shapes.arrow(0.07, 0.05, 0.004), (0.0, -0.035, PUCK_TALL_M + 0.003), "up")
        lines = boards.grid_lines("lines", grid, width_m=0.008, material=paint((0.10, 0.25, 0.45), 0.5))
        parts.moved(lines.mesh, z_m=-0.0035)
        return Assembly((
            Part("puck", puck, paint(RED, 0.25), carries=True, smooth_angle_deg=35),
            Part("sticker", arrow, paint(WHITE, 0.5), carries=True),
            Part("table", parts.block((*inner, TABLE_M), shapes.ORIGIN), AIR_TABLE),
            lines,
            boards.frame("cushions", grid, width_m=0.05, depth_m=0.035, material=WOOD),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        where = Move(self.corner_m + at(state["x"], state["y"], 0.001))
        return {"puck": (where,), "sticker": (where,)}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        x, y, _ = meshes["puck"].bounds.mean(axis=0) - self.corner_m
        return {"x": float(x), "y": float(y)}

    def measure(self, view: View) -> dict[str, float]:
        """The middle of the puck's top: its rim's extremes across, and away from the viewer."""
        points = np.vstack([view.points_m["puck"], view.points_m["sticker"]])
        top = points[points[:, 2] > TABLE_M + 0.8 * PUCK_TALL_M]
        if len(top) == 0:
            return {"across": float("nan"), "away": float("nan")}
        middle = (top.min(axis=0) + top.max(axis=0)) / 2 - self.corner_m
        return {"across": float(middle[0]), "away": float(middle[1])}


_PUCK = np.array([
    (PUCK_M - 0.008, 0.0), (PUCK_M, 0.008), (PUCK_M, PUCK_TALL_M - 0.006), (PUCK_M - 0.006, PUCK_TALL_M)
])  # fmt: skip


def _unfolded(way_m: Array, width_m: float) -> Array:
    """Position between two mirrors at 0 and `width_m` of what has gone `way_m` past the first."""
    return np.asarray(width_m - np.abs(way_m % (2 * width_m) - width_m))


@dataclass(frozen=True, kw_only=True)
class SphereSinkingSyrup(Event):
    """Stokes drag with Francis' wall factor ((1 - q) / (1 - .475 q))^4, q = ball / tube radius (1933)."""

    info = facts("sphere_sinking_syrup")
    variables = (
        state("z", "m", 0.006, flags="monotone bounded"),
        readout("height", "m", 0.006, min_delta=0.015, flags="monotone bounded", label="the marble's foot"),
    )  # fmt: skip
    accept_rules = (("sinking takes 5.5 to 12 s", lambda e: 5.5 <= e.way_m / e.speed_m_per_s <= 12),)

    radius_m: float = param("Rb", "m", 0.0125, 0.0145)
    excess_kg_per_m3: float = param("drho", "kg/m^3", 1050, 1200)
    viscosity_pa_s: float = param("mu", "Pa s", 9, 18)
    way_m: float = param("Lt", "m", 0.085, 0.11)

    @property
    def speed_m_per_s(self) -> float:
        q = self.radius_m / HONEY_M
        wall = ((1 - q) / (1 - 0.475 * q)) ** 4
        return 2 * self.excess_kg_per_m3 * GRAVITY_M_PER_S2 * self.radius_m**2 / (9 * self.viscosity_pa_s) * wall

    def states(self, t_s: Array) -> dict[str, Array]:
        z = np.maximum(0.0, self.way_m - self.speed_m_per_s * started(t_s))
        return {"z": z, "height": z.copy()}

    def assembly(self) -> Assembly:
        floor = vessels.FLOOR_M
        level = floor + self.way_m + 2 * self.radius_m + OVER_M
        jar = vessels.glass("jar", HONEY_M, level + 0.014)
        wall = vessels.wall_radius_m(HONEY_M)  # clear glass above the honey only: two shells would darken each other
        dry = parts.lathe(np.array([(wall, level), (wall, level + 0.014)]), 64)
        honey = parts.lathe(np.array([(wall, floor), (wall, level), (0.0, level)]), 64)
        steps = np.arange(0.01, self.way_m + 2 * self.radius_m, 0.02)
        return Assembly((
            Part("marble", parts.sphere(self.radius_m), MARBLE, carries=True, smooth_angle_deg=60),
            Part("honey", honey, HONEY, smooth_angle_deg=40),
            *(p if not p.see_through else Part(p.name, dry, p.material) for p in jar),
            vessels.graduations("marks", HONEY_M, floor + steps, facing_rad=-0.9, thick_m=0.0016),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        return {"marble": (Move(at(0.0, 0.0, vessels.FLOOR_M + self.radius_m + state["z"])),)}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"z": float(meshes["marble"].bounds[:, 2].mean()) - self.radius_m - vessels.FLOOR_M}

    def measure(self, view: View) -> dict[str, float]:
        centre = sphere_centre_m(view.points_m["marble"])
        return {"height": float(centre[2]) - self.radius_m - vessels.FLOOR_M}
