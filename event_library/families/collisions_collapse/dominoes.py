"""Collisions and collapse: impacts, toppling, granular pours."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts, rigid
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Move, Rotate
from event_library.laws import started
from event_library.parts import Assembly, Material, Part
from event_library.readouts import split_of_row
from event_library.taxonomy import facts

THICK_M, WIDE_M, TALL_M = 0.0075, 0.024, 0.048
DENSITY_KG_PER_M3 = 600.0
PUSH_RAD_PER_S = 6.0  # twice the taxonomy's: at its 3 rad/s the first one takes 4 s of clip to fall
JITTER_M = 1e-4
BEND_PER_M = 11.0  # greatest curvature of the row
SWERVE_RAD = 1.75  # greatest heading of the row
HORIZON_S = 3.0  # physical; the last of 60 dominoes lies after at most 2.3 s
FALLEN_RAD = float(np.deg2rad(45))


@dataclass(frozen=True, kw_only=True)
class DominoChain(Event):
    """A toppling wave runs along a curved row of dominoes, in slow motion: tau = time_scale t."""

    info = facts("domino_chain")
    variables = (
        state("poses", "mixed", 0.002, domain="field", label="position and quaternion of each"),
        readout("fallen", "count", 3.0, min_delta=6.0, domain="count", flags="monotone bounded",
                label="dominoes tilted past 45 degrees"),
    )  # fmt: skip

    num_dominoes: int = param("n", "count", 36, 60)
    spacing_m: float = param("sp", "m", 0.020, 0.026)
    friction: float = param("mu", "ratio", 0.3, 0.5)
    time_scale: float = param("time_scale", "s/s", 0.14, 0.20)
    seed: int = param("seed", "seed", 0, 99999)

    def row(self) -> Array:
        """[n, 3] x, y and heading of every domino: equal steps along a sine-generated S, centred on the origin."""
        num, length = int(self.num_dominoes), (self.num_dominoes - 1) * self.spacing_m
        swerve = min(BEND_PER_M * length / (2 * np.pi), SWERVE_RAD)
        fine = np.linspace(0.0, length, 50 * (num - 1) + 1)
        heading = swerve * np.cos(2 * np.pi * fine / length)
        middle = (heading[1:] + heading[:-1]) / 2
        step = fine[1]
        x = np.concatenate([[0.0], np.cumsum(np.cos(middle)) * step])[::50]
        y = np.concatenate([[0.0], np.cumsum(np.sin(middle)) * step])[::50]
        jitter = np.random.Generator(np.random.PCG64(int(self.seed))).uniform(-JITTER_M, JITTER_M, (num, 2))
        at = np.column_stack([x - (x.min() + x.max()) / 2, y - (y.min() + y.max()) / 2]) + jitter
        return np.column_stack([at, heading[::50]])

    def bake(self) -> rigid.Bake:
        size = (THICK_M, WIDE_M, TALL_M)
        bodies = [
            rigid.free_box(size, (x, y, TALL_M / 2), DENSITY_KG_PER_M3, yaw_rad=yaw, asleep=i > 0)
            for i, (x, y, yaw) in enumerate(self.row())
        ]
        model = rigid.world(bodies, self.friction)
        yaw = self.row()[0, 2]
        forward, across = (
            np.array([np.cos(yaw), np.sin(yaw), 0.0]),
            np.array([-np.sin(yaw), np.cos(yaw), 0.0]),
        )
        centre_from_edge = np.array([0.0, 0.0, TALL_M / 2]) - forward * THICK_M / 2
        qvel = np.zeros(model.nv)
        qvel[:3] = np.cross(PUSH_RAD_PER_S * across, centre_from_edge)
        qvel[4] = PUSH_RAD_PER_S
        return rigid.run(model, qvel, round(HORIZON_S / rigid.STEP_S))

    @property
    def allowed_overlap_m(self) -> float:
        return 0.4 * THICK_M

    def states(self, t_s: Array) -> dict[str, Array]:
        poses = rigid.baked(self).at(started(t_s) * self.time_scale)
        upright = 1 - 2 * (poses[..., 4] ** 2 + poses[..., 5] ** 2)
        return {"poses": poses, "fallen": (upright < np.cos(FALLEN_RAD)).sum(axis=1).astype(np.float64)}

    def triggers(self) -> dict[str, float]:
        return rigid.baked(self).set_going("last_starts", [int(self.num_dominoes) - 1], self.time_scale)

    def assembly(self) -> Assembly:
        mesh = parts.bevelled_box((THICK_M, WIDE_M, TALL_M), 0.0009)
        num = int(self.num_dominoes)
        dominoes = [
            Part(name, mesh.copy(), Material(rgb=_rainbow(i / num), roughness=0.3), carries=True)
            for i, name in enumerate(self._names())
        ]
        return Assembly(parts=tuple(dominoes))

    def _names(self) -> list[str]:
        return [f"domino_{i + 1:02d}" for i in range(int(self.num_dominoes))]

    def channels(self, state: State) -> ChannelMap:
        return {
            name: (Rotate(pose[3:]), Move(pose[:3])) for name, pose in zip(self._names(), state["poses"], strict=True)
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        top = np.asarray(self.assembly().parts[0].mesh.vertices)[:, 2] > 0
        fallen = 0
        for name in self._names():
            corners = np.asarray(meshes[name].vertices)
            axis = corners[top].mean(axis=0) - corners[~top].mean(axis=0)
            fallen += axis[2] / np.linalg.norm(axis) < np.cos(FALLEN_RAD)
        return {"fallen": float(fallen)}

    def measure(self, view: View) -> dict[str, float]:
        """The front of the wave: the split of the row that agrees with the most dominoes seen lying or standing."""
        lying = np.zeros(int(self.num_dominoes))  # +1 seen lying, -1 seen standing, 0 not seen
        for i, (name, (x, y, yaw)) in enumerate(zip(self._names(), self.row(), strict=True)):
            points = view.points_m[name]
            if len(points):
                lying[i] = 1.0 if _tilt_rad(points - [x, y, 0.0], yaw) > FALLEN_RAD else -1.0
        return {"fallen": split_of_row(lying)}


def _rainbow(share: float) -> parts.Rgb:
    red, green, blue = colorsys.hsv_to_rgb(0.85 * share, 0.9, 0.85)
    return red**2.2, green**2.2, blue**2.2


def _tilt_rad(points_m: Array, yaw_rad: float) -> float:
    """Forward tilt at which a domino turned about its leading foot fits its visible points best.

    points_m: [N, 3] relative to the middle of the footprint on which it stood. A point fits by its distance to the
    box's faces, seen from the box turned by that tilt; the row slides little, so the hinge is held where it stood.
    """
    ahead = points_m[:, :2] @ [np.cos(yaw_rad), np.sin(yaw_rad)] - THICK_M / 2
    tilts = np.deg2rad(np.arange(0.0, 91.0, 3.0))[:, None]
    back = -(ahead * np.cos(tilts) - points_m[:, 2] * np.sin(tilts))  # [K, N] behind the leading face
    up = ahead * np.sin(tilts) + points_m[:, 2] * np.cos(tilts)
    outside = np.maximum(np.abs(back - THICK_M / 2) - THICK_M / 2, np.abs(up - TALL_M / 2) - TALL_M / 2)
    return float(tilts[np.argmin((np.abs(outside)).mean(axis=1)), 0])
