"""Rigid bodies: MuJoCo at a fixed step, baked once; the bake is the truth from then on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import mujoco
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STEP_S = 0.002  # physical seconds


@dataclass(frozen=True)
class Bake:
    """A run at fixed ticks of STEP_S physical seconds, tick 0 being the start."""

    poses: Array  # [K, n, 7] position [m] and unit quaternion (w, x, y, z) of every free body
    energy_j: Array  # [K] potential and kinetic energy of all bodies
    overlap_m: float  # deepest penetration of any contact at any tick

    def at(self, tau_s: Array) -> Array:
        """[T, n, 7] poses at physical times, linear between ticks, still before and after."""
        tick = np.clip(np.asarray(tau_s, dtype=np.float64) / STEP_S, 0.0, len(self.poses) - 1.0)
        low = np.minimum(np.floor(tick).astype(np.int64), len(self.poses) - 2)
        share = (tick - low)[:, None, None]
        before, after = self.poses[low], self.poses[low + 1].copy()
        opposite = (before[..., 3:] * after[..., 3:]).sum(axis=-1) < 0
        after[opposite, 3:] *= -1
        poses = before + share * (after - before)
        poses[..., 3:] /= np.linalg.norm(poses[..., 3:], axis=-1, keepdims=True)
        return poses


class BakedEvent(Protocol):
    """What an event of kind `rigid_body` offers besides its law: `bake` afresh, and how deep contacts may press."""

    def bake(self) -> Bake: ...

    @property
    def allowed_overlap_m(self) -> float: ...


def run(model: mujoco.MjModel, qvel: Array, num_ticks: int) -> Bake:
    """Simulate free bodies from the model's rest pose with generalised velocities `qvel` for `num_ticks` steps."""
    data = mujoco.MjData(model)
    data.qvel[:] = qvel
    mujoco.mj_forward(model, data)
    num_bodies = model.nq // 7
    poses = np.empty((num_ticks + 1, num_bodies, 7))
    energy_j, overlap_m = np.empty(num_ticks + 1), 0.0
    for tick in range(num_ticks + 1):
        if tick:
            mujoco.mj_step(model, data)
        poses[tick] = data.qpos.reshape(num_bodies, 7)
        energy_j[tick] = _energy_j(model, data, poses[tick])
        if data.ncon:
            overlap_m = max(overlap_m, -float(data.contact.dist.min()))
    return Bake(poses, energy_j, overlap_m)


def _energy_j(model: mujoco.MjModel, data: mujoco.MjData, poses: Array) -> float:
    """From poses and velocities (angular ones are in body axes); bodies in the solver's sleep count as still."""
    mass, inertia = model.body_mass[1:], model.body_inertia[1:]
    velocity = data.qvel.reshape(-1, 6)
    kinetic = 0.5 * (mass * (velocity[:, :3] ** 2).sum(axis=1) + (inertia * velocity[:, 3:] ** 2).sum(axis=1))
    return float(kinetic.sum() - model.opt.gravity[2] * mass @ poses[:, 2])
