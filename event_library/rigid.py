"""Rigid bodies: MuJoCo at a fixed step, baked once; the bake is the truth from then on.

`world` makes the model; `free_box`, `free_ball` and `free_body` write what moves freely, `static_box` what stands;
anything else (hinges, slopes, meshes) goes in as MJCF. `run` simulates it and keeps the poses of all bodies.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import mujoco
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STEP_S = 0.002  # physical seconds
APART_S = 0.05  # a pair that parts for less has not parted: resting bodies tremble

MODEL = """
<mujoco>
 <compiler angle="radian"/>
 <option timestep="{step}" integrator="implicitfast" cone="{cone}"><flag sleep="enable" energy="enable"/></option>
 <default>
  <geom condim="3" friction="{friction} 0.001 0.0001" solref="{stiff_s} {damping}" solimp="0.95 0.99 0.0005"/>
 </default>
 <worldbody>{bodies}</worldbody>
</mujoco>"""


@dataclass(frozen=True)
class Contact:
    """Two bodies begin to touch: `other` None is what stands fast. A pair that touched within APART_S goes on
    touching."""

    tau_s: float  # physical seconds since the start
    body: int  # row of Bake.poses, the lower of the two
    other: int | None

    @property
    def name(self) -> str:
        return f"body {self.body} touches {'what stands fast' if self.other is None else f'body {self.other}'}"


@dataclass(frozen=True)
class Bake:
    """A run at fixed ticks of STEP_S physical seconds, tick 0 being the start."""

    poses: Array  # [K, n, 7] position [m] and unit quaternion (w, x, y, z) of every moving body
    energy_j: Array  # [K] potential and kinetic energy of all bodies
    overlap_m: float  # deepest penetration of any contact at any tick
    contacts: tuple[Contact, ...] = ()  # in order of time; those that hold from the start are left out

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

    def set_going(self, name: str, bodies: Sequence[int], time_scale: float) -> dict[str, float]:
        """Trigger `name`: event time of the last tick before one of the bodies, at rest until then, is set going.

        Empty when none ever is. time_scale: physical over event seconds.
        """
        moved = np.abs(self.poses[:, bodies] - self.poses[0, bodies]).max(axis=(1, 2)) > 1e-6
        return {name: max(int(np.argmax(moved)) - 1, 0) * STEP_S / time_scale} if moved.any() else {}


class BakedEvent(Protocol):
    """What an event of kind `rigid_body` offers besides its law: `bake` afresh, and how deep contacts may press."""

    def __hash__(self) -> int: ...

    def bake(self) -> Bake: ...

    @property
    def allowed_overlap_m(self) -> float: ...

    @property
    def time_scale(self) -> float: ...


@lru_cache(maxsize=16)
def baked(event: BakedEvent) -> Bake:
    """The event's bake, made once."""
    return event.bake()


# ---- models
def world(
    bodies: Sequence[str],
    friction: float,
    *,
    floor: bool = True,
    cone: str = "elliptic",
    stiff_s: float = 0.005,
    damping: float = 1.0,
) -> mujoco.MjModel:
    """A model of MJCF bodies and geoms on a floor; contacts give way within `stiff_s`, critically damped by 1."""
    plane = '<geom type="plane" size="9 9 0.1"/>' if floor else ""
    return mujoco.MjModel.from_xml_string(
        MODEL.format(
            step=STEP_S, cone=cone, friction=friction, stiff_s=stiff_s, damping=damping, bodies=plane + "".join(bodies)
        )
    )


def free_body(geoms: str, place_m: Sequence[float], *, yaw_rad: float = 0.0, asleep: bool = False) -> str:
    """A free body of MJCF geoms about its origin at `place_m`; asleep: it stands still until something touches it."""
    x, y, z = place_m
    sleep = 'sleep="init"' if asleep else ""
    return f'<body pos="{x:.9f} {y:.9f} {z:.9f}" euler="0 0 {yaw_rad:.9f}" {sleep}><freejoint/>{geoms}</body>'


def free_box(
    size_m: Sequence[float], place_m: Sequence[float], density_kg_per_m3: float, *, yaw_rad: float = 0.0,
    asleep: bool = False,
) -> str:  # fmt: skip
    """A free box about its middle."""
    geom = f'<geom type="box" size="{_halves(size_m)}" density="{density_kg_per_m3}"/>'
    return free_body(geom, place_m, yaw_rad=yaw_rad, asleep=asleep)


def free_ball(radius_m: float, place_m: Sequence[float], mass_kg: float, *, asleep: bool = False) -> str:
    """A free ball."""
    geom = f'<geom type="sphere" size="{radius_m}" mass="{mass_kg}"/>'
    return free_body(geom, place_m, asleep=asleep)


def static_box(size_m: Sequence[float], place_m: Sequence[float], *, euler_rad: Sequence[float] = (0, 0, 0)) -> str:
    """A fixed box about its middle (wall, step, slope)."""
    place, euler = (" ".join(f"{v:.9f}" for v in values) for values in (place_m, euler_rad))
    return f'<geom type="box" size="{_halves(size_m)}" pos="{place}" euler="{euler}"/>'


def _halves(size_m: Sequence[float]) -> str:
    return " ".join(f"{v / 2:.9f}" for v in size_m)


# ---- runs
@dataclass(frozen=True)
class Release:
    """A free body that sleeps out of the way, as high as where it belongs, is put there at a tick and let go."""

    tick: int
    body: int  # index among the moving bodies
    place_m: Array  # [3]
    velocity_m_per_s: Array  # [3]


def run(model: mujoco.MjModel, qvel: Array, num_ticks: int, releases: Sequence[Release] = ()) -> Bake:
    """Simulate from the model's rest pose with generalised velocities `qvel` for `num_ticks` steps."""
    data = mujoco.MjData(model)
    data.qvel[:] = qvel
    poses = np.empty((num_ticks + 1, model.nbody - 1, 7))
    energy_j, overlap_m = np.empty(num_ticks + 1), 0.0
    touched: list[tuple[float, tuple[int, int]]] = []
    due = sorted(releases, key=lambda release: release.tick, reverse=True)
    for tick in range(num_ticks + 1):
        while due and due[-1].tick <= tick:
            _let_go(model, data, due.pop())
        mujoco.mj_step1(model, data)  # poses, contacts and energy of this tick
        poses[tick, :, :3], poses[tick, :, 3:] = data.xpos[1:], data.xquat[1:]
        energy_j[tick] = data.energy.sum()
        if data.ncon:
            overlap_m = max(overlap_m, -float(data.contact.dist.min()))
            touched += [(tick * STEP_S, pair) for pair in _touching(model, data)]
        mujoco.mj_step2(model, data)
    return Bake(poses, energy_j, overlap_m, onsets(touched, _touching_at_rest(model)))


def onsets(
    touched: Iterable[tuple[float, tuple[int, int]]], held: Iterable[tuple[int, int]] = ()
) -> tuple[Contact, ...]:
    """When pairs begin to touch, from all moments (physical seconds, in order) at which they do.

    A pair is (body, other) with other -1 for what stands fast; `held`: pairs that touch from the start.
    """
    last_s, found = dict.fromkeys(held, np.inf), []  # sleepers: their first touch goes on with the old one
    for tau_s, pair in touched:
        if tau_s - last_s.get(pair, -np.inf) > APART_S:
            found.append(Contact(tau_s, pair[0], None if pair[1] < 0 else pair[1]))
        last_s[pair] = tau_s
    return tuple(found)


def _touching(model: mujoco.MjModel, data: mujoco.MjData) -> set[tuple[int, int]]:
    """Pairs of moving bodies, or of one and -1 for what stands fast, that touch."""
    bodies = model.geom_bodyid[data.contact.geom[data.contact.dist <= 0.0]] - 1
    return {(max(a, b), -1) if min(a, b) < 0 else (min(a, b), max(a, b)) for a, b in bodies.tolist() if a != b}


def _touching_at_rest(model: mujoco.MjModel) -> set[tuple[int, int]]:
    """The same before anything moves, those among sleepers too."""
    awake = copy.copy(model)
    awake.opt.enableflags &= ~int(mujoco.mjtEnableBit.mjENBL_SLEEP)
    data = mujoco.MjData(awake)
    mujoco.mj_forward(awake, data)
    return _touching(awake, data)


def _let_go(model: mujoco.MjModel, data: mujoco.MjData, release: Release) -> None:
    joint = model.body_jntadr[release.body + 1]
    place, speed = model.jnt_qposadr[joint], model.jnt_dofadr[joint]
    data.qpos[place : place + 3] = release.place_m
    data.qvel[speed : speed + 3] = release.velocity_m_per_s
