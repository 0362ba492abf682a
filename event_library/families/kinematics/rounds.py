"""Things that go round: a train on its oval, a planet, a coin in a funnel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import Channel, ChannelMap, Move, Rotate, quaternion_about
from event_library.families.kinematics.trains import engine, wagon
from event_library.kit import copies, shapes
from event_library.kit.palette import BLUE, DARK, GREEN, STEEL, WHITE, WOOD, YELLOW, paint
from event_library.kit.shapes import at
from event_library.laws import started
from event_library.parts import Assembly, Lamp, Material, Part, Pattern
from event_library.readouts import sphere_centre_m
from event_library.taxonomy import facts

CARPET = Material(rgb=(0.30, 0.07, 0.09), roughness=1.0, pattern=Pattern("speckle", (0.42, 0.13, 0.13), 0.03))
CARPET_M = 0.012
RAIL_M = CARPET_M + 0.022  # top of the rails
WAGONS_M = (0.185, 0.345, 0.505)  # arc from the engine's middle to each wagon's

SPACE = paint((0.004, 0.005, 0.015), 0.9)
PLANET = paint((0.05, 0.35, 0.75), 0.5)
STARS = paint(WHITE, 0.9, glow=1.0)
SUN = Material(rgb=(1.0, 0.75, 0.2), kind="flame", emission_rgb=(1.0, 0.62, 0.18), emission_strength=6.0)
SUN_M, PLANET_M = 0.045, 0.055  # radii
ORBIT_Y_M = -0.10  # plane of the orbit in front of the board


@dataclass(frozen=True, kw_only=True)
class ToyTrainOval(Event):
    """Constant speed along a stadium: s = mod(s0 + v t, P), P = 2 Ls + 2 pi Rt; wagons trail at fixed arcs."""

    info = facts("toy_train_oval")
    variables = (
        state("s", "m", 0.08),
        state("laps", "count", 0.0, domain="count", flags="monotone"),
        readout("arc_position", "m", 0.08, min_delta=0.3, label="of the engine, from the near left corner"),
    )

    speed_m_per_s: float = param("v", "m/s", 0.22, 0.4)
    straight_m: float = param("Ls", "m", 0.4, 0.55)
    bend_m: float = param("Rt", "m", 0.22, 0.3)
    start_m: float = param("s0", "m", 0.0, 1.5)

    @property
    def lap_m(self) -> float:
        return 2 * self.straight_m + 2 * float(np.pi) * self.bend_m

    def states(self, t_s: Array) -> dict[str, Array]:
        way = self.start_m + self.speed_m_per_s * started(t_s)
        return {"s": way % self.lap_m, "laps": np.floor(way / self.lap_m), "arc_position": way % self.lap_m}

    def on_track(self, arc_m: float) -> tuple[float, float, float]:
        """x, y and heading at an arc position; counter-clockwise from the near left corner."""
        half, bend = self.straight_m / 2, float(np.pi) * self.bend_m
        s = arc_m % self.lap_m
        if s < self.straight_m:
            return s - half, -self.bend_m, 0.0
        if s < self.straight_m + bend:
            turn = (s - self.straight_m) / self.bend_m
            return half + self.bend_m * np.sin(turn), -self.bend_m * np.cos(turn), turn
        if s < 2 * self.straight_m + bend:
            return half - (s - self.straight_m - bend), self.bend_m, float(np.pi)
        turn = (s - 2 * self.straight_m - bend) / self.bend_m
        return -half - self.bend_m * np.sin(turn), self.bend_m * np.cos(turn), turn + float(np.pi)

    def arc_m(self, x: float, y: float) -> float:
        """Arc position of the point of the track nearest to (x, y)."""
        half, bend = self.straight_m / 2, float(np.pi) * self.bend_m
        if x > half:
            return self.straight_m + self.bend_m * float(np.arctan2(x - half, -y))
        if x < -half:
            return 2 * self.straight_m + bend + self.bend_m * float(np.arctan2(-x - half, y))
        return x + half if y < 0 else self.straight_m + bend + half - x

    def assembly(self) -> Assembly:
        loop = np.array([self.on_track(s) for s in np.linspace(0.0, self.lap_m, 97)])
        rails = []
        for side in (-0.032, 0.032):
            out = np.column_stack([np.sin(loop[:, 2]), -np.cos(loop[:, 2])]) * side
            rails.append(shapes.swept(np.column_stack([loop[:, :2] + out, np.full(97, RAIL_M - 0.005)]), 0.006, 6))
        places = np.array([self.on_track(s) for s in np.arange(0.0, self.lap_m, 0.07)])
        beds = np.column_stack([places[:, :2], np.full(len(places), CARPET_M + 0.006)])
        sleepers = copies.copies(
            "sleepers", parts.box((0.022, 0.12, 0.012)), beds, WOOD, carries=False,
            rotations_wxyz=copies.quaternions_about((0.0, 0.0, 1.0), places[:, 2]),
        )  # fmt: skip
        size = (self.straight_m + 2 * self.bend_m + 0.22, 2 * self.bend_m + 0.22, CARPET_M)
        return Assembly((
            *engine("engine"),
            *(p for k, rgb in enumerate((YELLOW, BLUE, GREEN)) for p in wagon(f"wagon_{k}", rgb)),
            Part("rails", parts.join(*rails), STEEL, smooth_angle_deg=40),
            sleepers,
            Part("carpet", parts.block(size, shapes.ORIGIN), CARPET),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        found: dict[str, tuple[Channel, ...]] = {}
        for name, behind in (("engine", 0.0), *((f"wagon_{k}", d) for k, d in enumerate(WAGONS_M))):
            x, y, heading = self.on_track(float(state["s"]) - behind)
            pose = (Rotate(quaternion_about((0.0, 0.0, 1.0), heading)), Move(at(x, y, RAIL_M)))
            found |= {f"{name}_body": pose, f"{name}_trim": pose}
        return found

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        x, y, _ = meshes["engine_body"].vertices.mean(axis=0)
        return {"s": self.arc_m(float(x), float(y)) % self.lap_m}

    def measure(self, view: View) -> dict[str, float]:
        points = np.vstack([view.points_m["engine_body"], view.points_m["engine_trim"]])
        if len(points) == 0:
            return {"arc_position": float("nan")}
        x, y, _ = (points.min(axis=0) + points.max(axis=0)) / 2
        return {"arc_position": self.arc_m(float(x), float(y)) % self.lap_m}


@dataclass(frozen=True, kw_only=True)
class KeplerOrbit(Event):
    """Kepler's ellipse: M = 2 pi t / Tp + M0, E - e sin(E) = M, r = a (1 - e cos(E)) (Goldstein, chapter 3)."""

    info = facts("kepler_orbit")
    variables = (
        state("nu", "rad", float(np.deg2rad(10)), domain="angle", cycle=2 * np.pi),
        state("r", "m", 0.02, flags="periodic bounded"),
        readout("true_anomaly", "rad", float(np.deg2rad(10)), min_delta=float(np.deg2rad(35)), domain="angle",
                cycle=2 * np.pi, label="bearing of the planet from the sun, 0 nearest to it"),
        readout("radius", "m", 0.02, flags="periodic bounded", label="distance from the sun"),
    )  # fmt: skip

    period_s: float = param("Tp", "s", 6, 11)
    eccentricity: float = param("e", "ratio", 0.45, 0.62)
    axis_m: float = param("a", "m", 0.3, 0.37)
    start_rad: float = angle_param("M0", 0, 360)

    @property
    def sun_m(self) -> Array:
        """The ellipse lies in the middle of the board, the sun in its right focus."""
        return at(self.axis_m * self.eccentricity, ORBIT_Y_M, self._middle_m)

    @property
    def _half_height_m(self) -> float:
        return self.axis_m * float(np.sqrt(1 - self.eccentricity**2))

    @property
    def _middle_m(self) -> float:
        return self._half_height_m + 0.16

    def states(self, t_s: Array) -> dict[str, Array]:
        e = self.eccentricity
        mean = (2 * np.pi * (started(t_s) / self.period_s % 1.0) + self.start_rad) % (2 * np.pi)
        anomaly = mean + e * np.sin(mean)
        for _ in range(8):
            anomaly = anomaly - (anomaly - e * np.sin(anomaly) - mean) / (1 - e * np.cos(anomaly))
        nu = np.arctan2(np.sqrt(1 - e * e) * np.sin(anomaly), np.cos(anomaly) - e) % (2 * np.pi)
        r = self.axis_m * (1 - e * np.cos(anomaly))
        return {"nu": nu, "r": r, "true_anomaly": nu.copy(), "radius": r.copy()}

    def assembly(self) -> Assembly:
        half = self._half_height_m
        turn = np.linspace(0.0, 2 * np.pi, 73)
        path = np.column_stack([self.axis_m * np.cos(turn), np.zeros(73), self._middle_m + half * np.sin(turn)])
        width, top = 2 * self.axis_m + 0.2, self._middle_m + half + 0.1
        spots = np.random.Generator(np.random.PCG64(5)).uniform(-0.5, 0.5, (40, 2)) * [width - 0.06, top - 0.1]
        stars = copies.copies(
            "stars", parts.sphere(0.004, 0), np.column_stack([spots[:, 0], np.zeros(40), spots[:, 1] + top / 2 + 0.02]),
            STARS, scales=np.linspace(0.6, 1.4, 40), carries=False,
        )  # fmt: skip
        board = parts.join(
            parts.block((width, 0.02, top), (0, 0.011, 0)), parts.block((width, 0.26, 0.02), (0, -0.1, 0))
        )
        pin = shapes.turned(parts.cylinder(0.006, -ORBIT_Y_M, 12), (1.0, 0.0, 0.0), -np.pi / 2)
        return Assembly(
            (
                Part("planet", parts.sphere(PLANET_M), PLANET, carries=True, smooth_angle_deg=60),
                Part("pin", pin, DARK),
                Part("sun", parts.moved(parts.sphere(SUN_M), *self.sun_m), SUN, smooth_angle_deg=180),
                Part("path", shapes.swept(path, 0.004, 6), paint((0.30, 0.32, 0.45), 0.8), smooth_angle_deg=60),
                stars,
                Part("board", board, SPACE),
            ),
            lamps=(Lamp("sunlight", tuple(self.sun_m.tolist()), 5.0, (1.0, 0.72, 0.35), 0.03),),
        )  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        nu, r = float(state["nu"]), float(state["r"])
        where = Move(self.sun_m + r * at(np.cos(nu), 0.0, np.sin(nu)))
        return {"planet": (where,), "pin": (where,)}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        x, _, z = meshes["planet"].vertices.mean(axis=0) - self.sun_m
        return {"nu": float(np.arctan2(z, x)) % (2 * np.pi), "r": float(np.hypot(x, z))}

    def measure(self, view: View) -> dict[str, float]:
        x, _, z = sphere_centre_m(view.points_m["planet"]) - self.sun_m
        return {"true_anomaly": float(np.arctan2(z, x)) % (2 * np.pi), "radius": float(np.hypot(x, z))}
