"""A rocket at the end of a fuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Move, Power, Vertices, Visible
from event_library.families.thermal_combustion.smouldering import CHAR, PALE_CORD, nearest_arc_m
from event_library.figures import craft
from event_library.kit import flames, furniture, shapes, streams
from event_library.kit.palette import IRON, paint
from event_library.laws import started
from event_library.parts import Assembly, Lamp, Material, Part
from event_library.readouts import pixel_pitch_m
from event_library.taxonomy import facts

CONCRETE = paint((0.36, 0.36, 0.35), 0.9)
SPARK_M = 0.019


@dataclass(frozen=True, kw_only=True)
class FuseRocketLaunch(Event):
    """A fuse burns at constant speed to a toy rocket; 0.3 s after ignition it lifts off with a constant acceleration.

    z = a t^2 / 2 up to GONE_M, above which it has left the scene.
    """

    info = facts("fuse_rocket_launch")
    variables = (
        state("s", "m", 0.04, flags="monotone bounded", label="fuse burnt"),
        state("thrust", "index", 0.0, domain="discrete", flags="monotone bounded"),
        state("z", "m", 0.04, flags="monotone bounded"),
        readout("rocket_z", "m", 0.04, min_delta=0.12, flags="monotone bounded", label="rocket above its pad"),
        readout("fuse_left", "m", 0.04, flags="monotone bounded", label="unburnt fuse"),
    )
    accept_rules = (("the fuse burns for 2.2 to 3.4 s", lambda e: 2.2 <= e.ignition_s <= 3.4),)

    speed_m_per_s: float = param("v", "m/s", 0.12, 0.22)
    fuse_m: float = param("Lf", "m", 0.36, 0.55)
    acceleration_m_per_s2: float = param("a", "m/s^2", 0.16, 0.32)

    BUILD_UP_S, GONE_M = 0.3, 0.8
    TALL_M, PAD_M, CORD_M = 0.42, 0.05, 0.009
    NUM = 60

    @property
    def ignition_s(self) -> float:
        return self.fuse_m / self.speed_m_per_s

    @property
    def gone_s(self) -> float:
        return self.ignition_s + self.BUILD_UP_S + float(np.sqrt(2 * self.GONE_M / self.acceleration_m_per_s2))

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)
        s = np.minimum(self.speed_m_per_s * t, self.fuse_m)
        flying = np.maximum(t - self.ignition_s - self.BUILD_UP_S, 0.0)
        z = np.minimum(self.acceleration_m_per_s2 * flying**2 / 2, self.GONE_M)
        thrust = (t >= self.ignition_s).astype(np.float64)
        return {"s": s, "thrust": thrust, "z": z, "rocket_z": z.copy(), "fuse_left": self.fuse_m - s}

    def triggers(self) -> dict[str, float]:
        return {"ignition": self.ignition_s, "lift_off": self.ignition_s + self.BUILD_UP_S, "gone": self.gone_s}

    @cached_property
    def path_m(self) -> Array:
        """[401, 3] middle of the cord, `fuse_m` long, in a slack wave that ends at the pad."""
        u = np.linspace(0.0, 1.0, 401)
        heading = 0.7 * np.sin(2 * np.pi * (1 - u)) * np.minimum(1.0, 4 * (1 - u) + 0.2)
        middle = (heading[1:] + heading[:-1]) / 2
        steps = np.column_stack([np.cos(middle), -np.sin(middle)]) * self.fuse_m / 400
        line = np.vstack([[(0.0, 0.0)], np.cumsum(steps, axis=0)])
        line += np.array([-0.14, -0.01]) - line[-1]
        return np.column_stack([line, np.full(401, self.CORD_M)])

    def _cord(self, from_m: float, to_m: float, radius_m: float) -> trimesh.Trimesh:
        return shapes.swept(
            shapes.along(self.path_m, np.linspace(from_m, max(to_m, from_m + 1e-6), self.NUM)), radius_m, 8
        )

    def assembly(self) -> Assembly:
        pad = parts.join(
            parts.moved(parts.cylinder(0.125, 0.012, 40)),
            *(
                parts.block((0.016, 0.016, self.PAD_M - 0.012), (0.1 * np.cos(a), 0.1 * np.sin(a), 0.012))
                for a in np.arange(4) * np.pi / 2 + np.pi / 4
            ),
        )
        ring = parts.moved(parts.ring(0.075, 0.125, 0.008, 0.002), z_m=self.PAD_M - 0.008)
        low = float(self.path_m[:, 0].min())
        spark = Material(rgb=(1.0, 0.6, 0.2), emission_rgb=(1.0, 0.5, 0.12), emission_strength=8.0)
        return Assembly(
            (
                *craft.rocket("rocket", self.TALL_M),
                Part("cord", self._cord(0.0, self.fuse_m, self.CORD_M), PALE_CORD, carries=True, smooth_angle_deg=60),
                Part("ash", self._cord(0.0, 1e-6, 0.6 * self.CORD_M), CHAR, carries=True, smooth_angle_deg=60),
                Part("spark", parts.sphere(SPARK_M, 1), spark, carries=True, smooth_angle_deg=180),
                flames.flame("flare", 0.06, stout=2.0),
                streams.puffs("smoke", 10, 0.02),
                streams.puffs("trail", 26, 0.07),
                Part("pad", parts.join(pad, ring), IRON, smooth_angle_deg=40),
                furniture.board("ground", (0.20 - low, 0.30, 0.002), ((0.16 + low) / 2, 0, 0), CONCRETE, bevel_m=4e-4),
            ),
            (
                Lamp("spark_light", (0.0, 0.0, 0.05), 0.8, flames.FIRE_RGB, 0.01),
                Lamp("thrust_light", (0.0, 0.0, 0.05), 6.0, flames.FIRE_RGB, 0.03),
            ),
        )

    def channels(self, state: State) -> ChannelMap:
        s, z, thrust = float(state["s"]), float(state["z"]), bool(state["thrust"])
        x, y, low = (float(c) for c in shapes.along(self.path_m, np.array([s]))[0])
        burning, here = s < self.fuse_m, z < self.GONE_M
        flicker = 0.9 + 0.1 * float(np.sin(300.0 * s + 90.0 * z))
        foot = (0.0, 0.0, self.PAD_M + z)
        room = min(1.0, (self.PAD_M + z + 0.07 * self.TALL_M) / self.flame_m)  # the flame ends at the ground
        rocket = craft.rocket_channels("rocket", self.TALL_M, foot, thrust_share=flicker * room * thrust * here)
        for piece in ("hull", "accent", "window", "nozzle"):
            rocket[f"rocket_{piece}"] = (Visible(here), *rocket[f"rocket_{piece}"])
        reach = self.PAD_M + z + 0.05
        return {
            **rocket,
            "cord": (Visible(burning), Vertices(np.asarray(self._cord(s, self.fuse_m, self.CORD_M).vertices))),
            "ash": (Visible(s > 1e-5), Vertices(np.asarray(self._cord(0.0, s, 0.6 * self.CORD_M).vertices))),
            "spark": (Visible(burning), Move(shapes.at(x, y, SPARK_M))),
            **flames.flame_channels("flare", (x, y, low), flicker * burning),
            **streams.puffs_channels(
                "smoke", 10, 0.02, (x, y, low + 0.02), 12.0 * s, height_m=0.12, spread_m=0.02, strength=0.5 * burning
            ),
            **streams.puffs_channels(
                "trail", 26, 0.07, (0.0, 0.0, 0.03), 6.0 * z, height_m=reach, spread_m=0.07, strength=0.9 * thrust
            ),
            "spark_light": (Power(0.8 * flicker * burning), Move(shapes.at(x, y, low + 0.04))),
            "thrust_light": (Power(6.0 * flicker * (thrust and here)), Move(shapes.at(0.0, -0.08, self.PAD_M + z))),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        found = {"z": self.GONE_M}
        if "rocket_hull" in meshes:
            found["z"] = float(meshes["rocket_hull"].bounds[0, 2]) - self._hull_low_m - self.PAD_M
        if "cord" in meshes:
            rings = np.asarray(meshes["cord"].vertices)[:-2].reshape(self.NUM, 8, 3).mean(axis=1)
            found["s"] = self.fuse_m - shapes.length_m(rings)
        return found

    @cached_property
    def flame_m(self) -> float:
        """Length of the rocket's flame at full thrust."""
        flame = next(p for p in craft.rocket("rocket", self.TALL_M) if p.name == "rocket_flame")
        return float(np.ptp(flame.mesh.vertices[:, 2]))

    @cached_property
    def _hull_low_m(self) -> float:
        return float(craft.rocket("rocket", self.TALL_M)[0].mesh.bounds[0, 2])

    def measure(self, view: View) -> dict[str, float]:
        """The nose's height, gone when nothing of the rocket is seen; the fuse up to its spark or where it is pale."""
        nose = view.points_m["rocket_accent"]
        z = self.GONE_M if len(view.points_m["pad"]) else float("nan")
        if len(nose):
            pitch = pixel_pitch_m(view.pixel_area_m2["rocket_accent"])
            z = float(nose[:, 2].max()) + 0.7 * pitch - self.TALL_M - self.PAD_M
        spark, cord, ash = (view.points_m[name] for name in ("spark", "cord", "ash"))
        ends = [nearest_arc_m(self.path_m, points) for points in (spark, cord, ash) if len(points)]
        if len(spark):
            burnt = float(ends[0].mean())
        elif len(cord):
            burnt = float(ends[0].min())
        else:
            burnt = self.fuse_m if len(ash) else float("nan")
        return {"rocket_z": float(np.clip(z, 0.0, self.GONE_M)), "fuse_left": self.fuse_m - burnt}
