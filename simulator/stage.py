"""The stage: a plan turned into bodies, and the pure function from one instant to everything a renderer must set.

Nothing is mutated on the way: a `Shot` names camera, light and the event clocks; `Stage.channels(shot)` gives absolute
values, whatever was rendered before.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from event_library.base import Event
from event_library.channels import Channel, ChannelMap, Emission, Move, Power, Visible, pose_matrix, present
from event_library.channels import Vertices as VerticesChannel
from event_library.parts import Lamp, Part
from scenes.cameras import intrinsics
from scenes.occluders import occluder_name, occluder_parts
from scenes.plan import EventPlan, ScenePlan
from scenes.plan_events import events_of
from scenes.poses import standing_pose
from scenes.world import world_parts
from simulator.effects import Effect

Array = NDArray[np.float64]
KEPT_INSTANTS = 256


@dataclass(frozen=True)
class Body:
    """One part in the world with its stable instance id. `event` is None for what belongs to the world.

    `occluder`: name of the occluder it belongs to, which moves through the world; None for everything else.
    """

    instance: int
    part: Part
    world_from_rest: Array  # [4, 4] of the part's frame without channels
    event: str | None
    occluder: str | None = None

    @property
    def key(self) -> str:
        return f"{self.event or self.occluder or 'world'}/{self.part.name}"


@dataclass(frozen=True)
class EventLamp:
    lamp: Lamp
    event: str
    world_from_event: Array  # [4, 4]

    @property
    def key(self) -> str:
        return f"{self.event}/{self.lamp.name}"

    def shining(self, own: tuple[Channel, ...]) -> tuple[float, Array]:
        """Power in watts (0 when it is off) and place [3] in the world, with its channels applied."""
        power_w, on, location_m = self.lamp.power_w, True, np.asarray(self.lamp.location_m)
        for channel in own:
            match channel:
                case Power(value):
                    power_w = float(value)
                case Visible(visible):
                    on = on and visible
                case Move(moved_m):
                    location_m = moved_m
        world = self.world_from_event
        return (power_w if on else 0.0), world[:3, :3] @ location_m + world[:3, 3]


@dataclass(frozen=True)
class Shot:
    """One picture to take.

    `muted`: events that are wholly out of the picture by plan. Their bodies take no part in the light of this shot, and
    their lamps stay as they were (`lamp_times_s`), so that no stray path can give the state away. simulator/hiding.py
    and benchmarks/hidden.py measure what that changes.
    """

    world_from_camera: Array  # [4, 4] OpenCV axes
    light_level: float
    event_times_s: Mapping[str, float]  # event id -> its own clock
    samples: int
    seed: int
    muted: frozenset[str] = frozenset()  # event ids
    lamp_times_s: Mapping[str, float] = field(default_factory=dict)  # event id -> event time at which its lamps stay
    occluders: Mapping[str, Array] = field(default_factory=dict)  # name -> [4, 4] world_from_occluder; others are away
    event_light: float = 1.0  # share of the events' own light that is on
    effects: tuple[Effect, ...] = ()  # done to the picture after rendering; renderers don't look at them


@dataclass(frozen=True)
class Stage:
    """Bodies, lamps and events of a plan, in stable order."""

    plan: ScenePlan
    events: Mapping[str, Event]
    bodies: tuple[Body, ...]
    lamps: tuple[EventLamp, ...]
    _kept: dict[tuple[str, float], ChannelMap] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_plan(cls, plan: ScenePlan) -> Stage:
        """Raises ValueError when the plan names an unknown event type, prop or parameter, or one out of its range."""
        events = events_of(plan)
        bodies = [
            Body(number, part, matrix, None) for number, (part, matrix) in enumerate(world_parts(plan.world), start=1)
        ]
        lamps = []
        for event_plan in plan.events:
            assembly = events[event_plan.id].assembly()
            matrix = standing_pose(event_plan)
            for part in assembly.parts:
                bodies.append(Body(len(bodies) + 1, part, matrix, event_plan.id))
            lamps += [EventLamp(lamp, event_plan.id, matrix) for lamp in assembly.lamps]
        for i, interruption in enumerate(plan.interruptions):
            if interruption.occluder is not None:
                for part in occluder_parts(interruption.occluder):
                    bodies.append(Body(len(bodies) + 1, part, np.eye(4), None, occluder_name(i)))
        return cls(plan, events, tuple(bodies), tuple(lamps))

    @cached_property
    def intrinsics(self) -> Array:
        """[3, 3], the same in every frame."""
        return intrinsics(self.plan.camera, self.plan.clip)

    def event_plan(self, event: str) -> EventPlan:
        return next(e for e in self.plan.events if e.id == event)

    def event_bodies(self, event: str) -> tuple[Body, ...]:
        return tuple(b for b in self.bodies if b.event == event)

    def key(self, shot: Shot) -> str:
        """Two shots with the same key are the same picture before its effects, bit for bit."""
        shown = {event: t_s for event, t_s in sorted(shot.event_times_s.items()) if event not in shot.muted}
        numbers = (shot.light_level, shot.event_light, shown, shot.samples, shot.seed, sorted(shot.muted))
        present_occluders = [(name, pose.tobytes()) for name, pose in sorted(shot.occluders.items())]
        text = repr((numbers, sorted(shot.lamp_times_s.items()), present_occluders))
        return hashlib.sha256(shot.world_from_camera.tobytes() + text.encode()).hexdigest()

    def channels(self, shot: Shot) -> dict[str, ChannelMap]:
        """Event id -> part or lamp name -> channels, what glows dimmed to the shot's event_light."""
        channels = {name: self._channels_at(name, shot.event_times_s[name]) for name in self.events}
        if shot.event_light == 1.0:
            return channels
        return {name: self._dimmed(name, own, shot.event_light) for name, own in channels.items()}

    def _channels_at(self, event: str, event_time_s: float) -> ChannelMap:
        """Kept for a while: rays, renderers and twins ask for the same instants."""
        key = (event, event_time_s)
        if key not in self._kept:
            if len(self._kept) >= KEPT_INSTANTS:
                self._kept.pop(next(iter(self._kept)))
            law = self.events[event]
            self._kept[key] = law.channels(law.state_at(event_time_s))
        return self._kept[key]

    def _dimmed(self, event: str, channels: ChannelMap, level: float) -> ChannelMap:
        resting: dict[str, Emission | Power] = {
            b.part.name: Emission(b.part.material.emission_strength) for b in self.event_bodies(event)
        }
        resting |= {lamp.lamp.name: Power(lamp.lamp.power_w) for lamp in self.lamps if lamp.event == event}
        dimmed = {}
        for name, at_rest in resting.items():
            own = channels.get(name, ())
            glow = next((c for c in own if isinstance(c, Emission | Power)), at_rest)
            scaled = Emission(glow.strength * level) if isinstance(glow, Emission) else Power(glow.power_w * level)
            dimmed[name] = (*(c for c in own if not isinstance(c, Emission | Power)), scaled)
        return {**channels, **dimmed}

    def placed(self, shot: Shot) -> tuple[tuple[Body, Array | None], ...]:
        """Every body with its vertices [V, 3] in the world; None for one that is not there."""
        channels = self.channels(shot)
        return tuple((body, world_vertices(body, channels, shot.occluders)) for body in self.bodies)

    def lamp_channels(self, shot: Shot) -> dict[str, ChannelMap]:
        """The same for lamps, some of which stay as they were."""
        return self.channels(dataclasses.replace(shot, event_times_s={**shot.event_times_s, **shot.lamp_times_s}))


def world_vertices(
    body: Body, channels: Mapping[str, ChannelMap], occluders: Mapping[str, Array] = MappingProxyType({})
) -> Array | None:
    """[V, 3] vertices of a body in the world with its event's channels applied; None when it is not there.

    channels: event id -> part name -> channels; occluders: name -> [4, 4] world_from_occluder of those that are there.
    """
    vertices = np.asarray(body.part.mesh.vertices)
    matrix = body.world_from_rest
    if body.occluder is not None:
        if body.occluder not in occluders:
            return None
        matrix = occluders[body.occluder]
    elif body.event is not None:
        own = channels[body.event].get(body.part.name, ())
        if not present(own):
            return None
        vertices = next((c.vertices_m for c in own if isinstance(c, VerticesChannel)), vertices)
        matrix = matrix @ pose_matrix(own)
    return vertices @ matrix[:3, :3].T + matrix[:3, 3]
