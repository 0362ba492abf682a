"""A trough that tips when it is full."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Move, Rotate, Vertices, quaternion_about
from event_library.kit import streams, vessels
from event_library.kit.palette import GLASS, IRON, WATER, WOOD
from event_library.kit.shapes import at, extruded, rod
from event_library.laws import ease, started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.readouts import top_m
from event_library.taxonomy import facts

BAMBOO = Material(rgb=(0.45, 0.42, 0.10), roughness=0.5, pattern=Pattern("stripes", (0.36, 0.32, 0.07), 0.02))
REST_RAD = float(np.deg2rad(25))  # mouth up; it tips to as much below level
FLOOR_LONG_M, BACK_M = 0.15, 0.085  # inside of the trough: floor, closed end
PIVOT_M = 0.085  # of the axle along the floor, from the closed end
AXLE_Z_M = 0.165
WALL_M = 0.004
FEED_X_M = -0.045  # of the stream, seen from the axle
RING_M = 0.011  # rise of the basin by one dump
NUM_RINGS = 8  # then it is full


@dataclass(frozen=True, kw_only=True)
class TippingBucket(Event):
    """A pivoted trough (shishi-odoshi) fills, tips, pours out and swings back, over and over.

    It holds what lies below the lip of its mouth: the wedge L^2 tan(angle) / 2 of its tilted floor, so tipping pours it
    out by the law of the wedge. What has left it arrives in the basin during the tip, half of it at its lowest point.
    A valve on the axle shuts the feed while the trough is tipped, so that every dump is V_tip.
    """

    info = facts("tipping_bucket")
    variables = (
        state("angle", "rad", float(np.deg2rad(3)), domain="angle", flags="bounded"),
        state("fill", "frac", 0.05, flags="bounded"),
        state("poured", "ratio", 0.1, flags="monotone bounded", label="dumps that the basin holds"),
        readout("dumps", "count", 0.0, min_delta=1.0, domain="count", flags="monotone bounded", label="rings reached"),
    )

    fill_s: float = param("T_fill", "s", 1.5, 2.6)
    tip_s: float = param("t_tip", "s", 0.4, 0.7)
    dump_m3: float = param("V_tip", "m^3", 1.5e-4, 3.0e-4)

    def states(self, t_s: Array) -> dict[str, Array]:
        cycle, into = np.divmod(started(t_s), self.fill_s + self.tip_s)
        tip = np.maximum(into - self.fill_s, 0.0) / self.tip_s
        angle = REST_RAD * (1 - 2 * np.sin(np.pi * tip))
        wedge = np.clip(np.tan(angle) / np.tan(REST_RAD), 0.0, 1.0)
        fill = np.where(tip > 0, np.where(tip < 0.5, wedge, 0.0), into / self.fill_s)
        poured = np.minimum(cycle + ease(tip), NUM_RINGS)
        dumps = np.minimum(np.floor((started(t_s) + self.tip_s / 2) / (self.fill_s + self.tip_s)), NUM_RINGS)
        return {"angle": angle, "fill": fill, "poured": poured, "dumps": dumps}

    def triggers(self) -> dict[str, float]:
        return {"first_tip": self.fill_s}

    @property
    def width_m(self) -> float:
        """Inside width of the trough, from the wedge that it holds at rest."""
        return float(2 * self.dump_m3 / (FLOOR_LONG_M**2 * np.tan(REST_RAD)))

    @property
    def basin_radius_m(self) -> float:
        return float(np.sqrt(self.dump_m3 / (np.pi * RING_M)))

    @property
    def basin_m(self) -> tuple[float, float, float]:
        return 0.025 + self.basin_radius_m, 0.0, 0.0

    def _wedge(self, fill: float, angle_rad: float) -> Array:
        """[6, 3] vertices of the water in the trough's frame: level in the world, its corner at the closed end."""
        area = max(fill * self.dump_m3 / self.width_m, 1e-9)
        sine, cosine = np.sin(max(angle_rad, 1e-3)), np.cos(angle_rad)
        rise = np.sqrt(2 * area * sine * cosine)
        outline = at(0, 0, rise / sine, 0, 0, rise / cosine).reshape(3, 2) - [PIVOT_M, 0.0]
        return np.asarray(parts.moved(extruded(outline, self.width_m), y_m=-self.width_m / 2).vertices)

    def assembly(self) -> Assembly:
        half, long = self.width_m / 2, FLOOR_LONG_M
        floor = parts.block(
            (long + WALL_M, self.width_m + 2 * WALL_M, WALL_M), ((long - WALL_M) / 2 - PIVOT_M, 0, -WALL_M)
        )
        end = parts.block((WALL_M, self.width_m + 2 * WALL_M, BACK_M), (-PIVOT_M - WALL_M / 2, 0, 0))
        side = np.array([(0, 0), (long, 0), (long, 0.018), (0.02, BACK_M), (0, BACK_M)]) - [PIVOT_M, 0.0]
        back, front = (parts.moved(extruded(side, WALL_M), y_m=y) for y in (half, -half - WALL_M))
        wedge = trimesh.Trimesh(self._wedge(1.0, REST_RAD), extruded(side[[0, 1, 4]], 0.01).faces, process=False)
        y = half + WALL_M + 0.012
        posts = parts.join(
            *(parts.block((0.012, 0.008, AXLE_Z_M + 0.012), (0, s * y, 0)) for s in (-1, 1)),
            parts.block((0.035, 2 * y + 0.02, 0.01), (0, 0, 0)),
            rod((0, -y, AXLE_Z_M - 0.006), (0, y, AXLE_Z_M - 0.006), 0.004),
        )  # fmt: skip
        feed = parts.join(
            rod((FEED_X_M, 0.03 + y, 0.0), (FEED_X_M, 0.03 + y, self.feed_z_m + 0.02), 0.009),
            rod((FEED_X_M, 0.04 + y, self.feed_z_m + 0.016), (FEED_X_M, -0.006, self.feed_z_m + 0.006), 0.008),
        )
        marks = vessels.FLOOR_M + RING_M * np.arange(1, NUM_RINGS + 1)
        tall = vessels.FLOOR_M + RING_M * NUM_RINGS + 0.006
        return Assembly((
            Part("trough", parts.join(floor, end, back), BAMBOO, carries=True),
            Part("window", front, GLASS),
            Part("water", wedge, WATER, carries=True),
            vessels.liquid_column("gathered", self.basin_radius_m, RING_M * NUM_RINGS),
            streams.jet("feed"),
            streams.jet("pour"),
            *vessels.glass("basin", self.basin_radius_m, tall, self.basin_m),
            vessels.graduations("rings", self.basin_radius_m, marks, self.basin_m, span_rad=0.9),
            Part("posts", posts, WOOD),
            Part("pipe", feed, IRON, smooth_angle_deg=40),
        ))  # fmt: skip

    @property
    def feed_z_m(self) -> float:
        return AXLE_Z_M + 0.10

    def channels(self, state: State) -> ChannelMap:
        angle, fill, poured = (float(state[name]) for name in ("angle", "fill", "poured"))
        x, y, z = self.basin_m
        level = RING_M * poured
        swung = (Rotate(quaternion_about((0.0, 1.0, 0.0), -angle)), Move(at(0.0, 0.0, AXLE_Z_M)))
        lip = FLOOR_LONG_M - PIVOT_M
        mouth = (lip * float(np.cos(angle)), y, AXLE_Z_M + lip * float(np.sin(angle)))
        pouring = 1e-3 < poured % 1.0 < 0.6
        return {
            "trough": swung,
            "window": swung,
            "water": (Vertices(self._wedge(fill, angle)), *swung),
            **vessels.column_channels("gathered", level, RING_M * NUM_RINGS, (x, y, z + vessels.FLOOR_M)),
            **streams.falling_jet_channels(
                "feed", self.dump_m3 / self.fill_s, (FEED_X_M, 0.0, self.feed_z_m),
                AXLE_Z_M + FEED_X_M * float(np.tan(angle)) + 0.002, running=angle > REST_RAD - 1e-3,
            ),
            **streams.parabolic_jet_channels(
                "pour", 1.5 * self.dump_m3 / self.tip_s, mouth, (0.35, 0.0, 0.0), vessels.FLOOR_M + level,
                running=pouring,
            ),
        }  # fmt: skip

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        low, high = meshes["trough"].vertices[[0, 4]]  # along the floor's length
        along = high - low
        return {
            "fill": float(meshes["water"].volume) / self.dump_m3,
            "poured": float(meshes["gathered"].volume) / self.dump_m3,
            "angle": float(np.arctan2(along[2], along[0])),
        }

    def measure(self, view: View) -> dict[str, float]:
        """The ring that the basin's level has reached, or is nearer to than to the one below."""
        level = top_m(view, "gathered") - vessels.FLOOR_M
        return {"dumps": float(np.floor(level / RING_M + 0.5))}
