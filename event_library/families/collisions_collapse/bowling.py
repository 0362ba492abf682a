"""A ball and ten pins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts, rigid
from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import ChannelMap, Move, Rotate
from event_library.families.collisions_collapse.looking import highest_m, nothing_seen, parts_seen
from event_library.kit import palette
from event_library.kit.shapes import at, solid_of_revolution
from event_library.laws import started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.taxonomy import facts

BALL_M, BALL_KG = 0.109, 6.0
PIN_M, PIN_KG = 0.38, 1.5
BELLY_M, NECK_M = 0.062, 0.036  # radii of a pin at its belly and head
SPACING_M = 0.305  # of the pins
LANE_M = 1.06  # width
TOP_M = 0.012  # of the lane above the support
PIT_M = 1.02  # behind the head pin: the cushion
HORIZON_S = 2.0  # physical
STANDING_RAD = float(np.deg2rad(30))

PIN_PROFILE = np.array([
    (0.027, 0.0), (0.030, 0.02), (0.045, 0.06), (0.0618, 0.115), (0.053, 0.17), (0.034, 0.22), (0.0275, 0.25),
    (0.030, 0.28), (0.0355, 0.325), (0.033, 0.352), (0.020, 0.373), (0.003, PIN_M),
])  # fmt: skip
BALL = Material(rgb=palette.BLUE, roughness=0.12, pattern=Pattern("stripes", (0.02, 0.05, 0.30), 0.06))


@dataclass(frozen=True, kw_only=True)
class BowlingPins(Event):
    """A bowling ball runs into ten pins (MuJoCo, 2 ms), in slow motion: tau = time_scale t."""

    info = facts("bowling_pins")
    variables = (
        state("poses", "mixed", 0.005, domain="field", label="position and quaternion of the ball and of each pin"),
        state("ball_y", "m", 0.3, label="ball along the lane"),
        readout("standing", "count", 1.0, min_delta=3.0, domain="count", label="pins within 30 degrees of upright"),
    )
    accept_rules = (("the ball arrives after 1 to 2 s", lambda e: 1.0 <= e.arrival_s <= 2.0),)

    speed_m_per_s: float = param("vb", "m/s", 1.6, 2.4)
    offset_m: float = param("yb", "m", -0.15, 0.15, default=0.06)
    distance_m: float = param("db", "m", 0.52, 0.68)
    time_scale: float = param("time_scale", "s/s", 0.14, 0.19)
    seed: int = seed_param()

    @property
    def arrival_s(self) -> float:
        return (self.distance_m - BALL_M - BELLY_M) / self.speed_m_per_s / self.time_scale

    def pins(self) -> Array:
        """[10, 2] places of the pins; the head pin is nearest to the viewer."""
        rng = np.random.Generator(np.random.PCG64(int(self.seed)))
        spots = [((j - k / 2) * SPACING_M, k * SPACING_M * np.sqrt(3) / 2) for k in range(4) for j in range(k + 1)]
        return np.array(spots) + rng.uniform(-0.001, 0.001, (10, 2))

    def bake(self) -> rigid.Bake:
        ball = rigid.free_ball(BALL_M, (self.offset_m, -self.distance_m, BALL_M), BALL_KG)
        shape = (
            f'<geom type="cylinder" pos="0 0 0.05" size="0.03 0.05" mass="{0.35 * PIN_KG}"/>'
            f'<geom type="sphere" pos="0 0 0.115" size="{BELLY_M}" mass="{0.45 * PIN_KG}"/>'
            f'<geom type="capsule" fromto="0 0 0.2 0 0 {PIN_M - NECK_M}" size="{NECK_M}" mass="{0.2 * PIN_KG}"/>'
        )
        pins = [rigid.free_body(shape, (x, y, 0.0), asleep=True) for x, y in self.pins()]
        side = LANE_M / 2 + 0.16
        walls = [rigid.static_box((0.06, 2.6, 1.2), (s * (side + 0.03), 0.2, 0.6)) for s in (-1, 1)]
        walls += [rigid.static_box((2 * side, 0.08, 1.2), (0, PIT_M + 0.04, 0.6))]
        model = rigid.world([*walls, ball, *pins], 0.3, cone="pyramidal")
        qvel = np.zeros(model.nv)
        qvel[1], qvel[3] = self.speed_m_per_s, -self.speed_m_per_s / BALL_M
        return rigid.run(model, qvel, round(HORIZON_S / rigid.STEP_S))

    @property
    def allowed_overlap_m(self) -> float:
        return 0.4 * BELLY_M

    def states(self, t_s: Array) -> dict[str, Array]:
        poses = rigid.baked(self).at(started(t_s) * self.time_scale)
        upright = 1 - 2 * (poses[:, 1:, 4] ** 2 + poses[:, 1:, 5] ** 2)
        return {
            "poses": poses,
            "ball_y": poses[:, 0, 1],
            "standing": (upright >= np.cos(STANDING_RAD)).sum(axis=1).astype(np.float64),
        }

    def triggers(self) -> dict[str, float]:
        return rigid.baked(self).set_going("ball_arrives", range(1, 11), self.time_scale)

    def assembly(self) -> Assembly:
        near, side = -0.68 - BALL_M - 0.03, LANE_M / 2 + 0.16
        long = PIT_M - near
        middle = (PIT_M + near) / 2
        stripe = solid_of_revolution(np.array([(0.0315, 0.236), (0.0283, 0.252), (0.031, 0.278)]), 20)
        seams = [
            parts.block((0.010, long, 0.002), (x, middle, TOP_M - 0.0015))
            for x in np.linspace(-LANE_M / 2 + 0.09, LANE_M / 2 - 0.09, 8)
        ]
        lane = parts.block((LANE_M, long, TOP_M), (0, middle, 0))
        gutters = [parts.block((0.14, long, 0.004), (s * (LANE_M / 2 + 0.08), middle, 0)) for s in (-1, 1)]
        cheeks = [parts.block((0.05, PIT_M + 0.15, 0.40), (s * (side + 0.025), PIT_M / 2 - 0.075, 0)) for s in (-1, 1)]
        cushion = parts.block((2 * side + 0.1, 0.05, 0.55), (0, PIT_M + 0.025, 0))
        return Assembly(
            parts=(
                Part("ball", parts.sphere(BALL_M), BALL, carries=True, smooth_angle_deg=60),
                *(
                    Part(name, solid_of_revolution(PIN_PROFILE, 20), palette.paint((0.92, 0.90, 0.84), 0.25),
                         carries=True, smooth_angle_deg=60)
                    for name in self._pins()
                ),
                *(
                    Part(f"{name}_stripe", stripe.copy(), palette.paint(palette.RED), carries=True, smooth_angle_deg=60)
                    for name in self._pins()
                ),
                Part("lane", lane, palette.PALE_WOOD),
                Part("seams", parts.join(*seams), palette.paint((0.52, 0.34, 0.16))),
                Part("gutters", parts.join(*gutters), palette.DARK),
                Part("cheeks", parts.join(*cheeks), palette.paint((0.16, 0.17, 0.22))),
                Part("cushion", cushion, palette.paint((0.05, 0.05, 0.07), 0.8)),
            )
        )  # fmt: skip

    @staticmethod
    def _pins() -> list[str]:
        return [f"pin_{k + 1}" for k in range(10)]

    def channels(self, state: State) -> ChannelMap:
        poses = {
            name: (Rotate(pose[3:]), Move(pose[:3] + at(0.0, 0.0, TOP_M)))
            for name, pose in zip(["ball", *self._pins()], state["poses"], strict=True)
        }
        return poses | {f"{name}_stripe": poses[name] for name in self._pins()}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        standing = 0
        for name in self._pins():
            foot, head = np.asarray(meshes[name].vertices)[-2:]
            standing += (head - foot)[2] / np.linalg.norm(head - foot) >= np.cos(STANDING_RAD)
        return {"standing": float(standing), "ball_y": float(meshes["ball"].vertices.mean(axis=0)[1])}

    def measure(self, view: View) -> dict[str, float]:
        """Pins that reach up, half a pixel added, to where the head of one that stands is, and do not lean sideways."""
        if nothing_seen(view):
            return {"standing": float("nan")}
        standing = 0
        for name in self._pins():
            points, _ = parts_seen(view, names := [name, f"{name}_stripe"])
            if len(points) > 0 and highest_m(view, names) > TOP_M + PIN_M - 0.032:
                x, _, z = (points - points.mean(axis=0)).T
                standing += bool(np.ptp(z) < 0.4 * PIN_M or abs(x @ z) < np.tan(1.1 * STANDING_RAD) * (z @ z))
        return {"standing": float(standing)}
