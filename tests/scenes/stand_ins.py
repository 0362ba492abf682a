"""Small event types, so that the tests of `scenes` do not hang on the library's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import trimesh

from event_library.base import Array, Event, EventInfo, State, Variable, View, param
from event_library.channels import ChannelMap, Move, Rotate, Scale, quaternion_about
from event_library.parts import Assembly, Lamp, Material, Part, box, cylinder


def info(name: str, emits_light: bool = False, flags: tuple[str, ...] = ("monotone",)) -> EventInfo:
    return EventInfo(
        id=name,
        family="stand_in",
        stevo_category="continuous_process",
        summary=f"A stand-in that does {name}.",
        prompt="Something happens.",
        law_kind="closed_form",
        law="x = v t",
        difficulty=1,
        flags=flags,
        emits_light=emits_light,
    )


class _Unmeasured(Event):
    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        raise NotImplementedError

    def measure(self, view: View) -> dict[str, float]:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Rise(_Unmeasured):
    """A column that grows at a constant rate up to a rim."""

    info: ClassVar[EventInfo] = info("rise")
    variables: ClassVar[tuple[Variable, ...]] = (
        Variable(name="level", unit="m", domain="scalar", tolerance=0.003, min_delta=0.01, role="readout"),
    )
    accept_rules = (("the column must not be full within 5 s", lambda e: e.rate_m_per_s * 5 < e.height_m),)
    rate_m_per_s: float = param("v", "m/s", 0.004, 0.03)
    height_m: float = param("H", "m", 0.1, 0.2)
    width_m: float = param("w", "m", 0.04, 0.08)

    def states(self, t_s: Array) -> dict[str, Array]:
        return {"level": np.minimum(0.03 + self.rate_m_per_s * t_s, self.height_m)}

    def assembly(self) -> Assembly:
        column = box((self.width_m, self.width_m, 1.0))
        column.apply_translation((0, 0, 0.5))
        post = cylinder(0.005, self.height_m)
        post.apply_translation((self.width_m, 0, 0))
        plain = Material((0.1, 0.2, 0.7))
        return Assembly((Part("column", column, plain, carries=True), Part("post", post, plain)))

    def channels(self, state: State) -> ChannelMap:
        return {"column": (Scale(np.array([1.0, 1.0, state["level"]])),)}


@dataclass(frozen=True, kw_only=True)
class Swing(_Unmeasured):
    """A large bar that turns about a pivot."""

    info: ClassVar[EventInfo] = info("swing", flags=("periodic",))
    variables: ClassVar[tuple[Variable, ...]] = (
        Variable(name="angle", unit="rad", domain="angle", tolerance=0.05, min_delta=0.2, role="readout"),
    )
    reach_m: float = param("L", "m", 0.8, 2.0)
    amplitude_rad: float = param("a", "rad", float(np.deg2rad(15)), float(np.deg2rad(30)))

    def states(self, t_s: Array) -> dict[str, Array]:
        return {"angle": self.amplitude_rad * np.cos(2.4 * t_s)}

    def assembly(self) -> Assembly:
        bar = box((0.3, 0.1, self.reach_m))
        bar.apply_translation((0, 0, -self.reach_m / 2))
        return Assembly((Part("bar", bar, Material((0.7, 0.1, 0.1)), carries=True),))

    def channels(self, state: State) -> ChannelMap:
        turn = Rotate(quaternion_about((0.0, 1.0, 0.0), float(state["angle"])))
        return {"bar": (turn, Move(np.array([0, 0, self.reach_m + 0.1])))}


@dataclass(frozen=True, kw_only=True)
class Glow(Rise):
    """A rising column with a lamp on it."""

    info: ClassVar[EventInfo] = info("glow", emits_light=True)

    def assembly(self) -> Assembly:
        lamp = Lamp("lamp", (0, 0, 0.1), 1.0, (1, 1, 1), 0.01)
        return Assembly(super().assembly().parts, (lamp,))


TYPES: Mapping[str, type[Event]] = {"rise": Rise, "swing": Swing, "glow": Glow}

SPEC = """\
version: 1
name: column
seed: 3
clip: {num_frames: 48, fps: 8, resolution: [64, 64]}
world:
  kind: tabletop
  clutter: {uniform_int: [1, 3]}
  light: {preset: studio, strength: {uniform: [0.8, 1.2]}}
events:
  - id: column
    type: rise
    start_s: -1.5
    params: {rate_m_per_s: {uniform: [0.006, 0.012]}}
camera: {path: orbit, loop: true, look_at: column}
interruptions:
  - {kind: look_away, target: column, hidden_s: [2.0, 2.5]}
render: {engine: cycles, samples: 8, denoise: true}
outputs: [rgb, depth, segmentation, twins, sweep]
"""
