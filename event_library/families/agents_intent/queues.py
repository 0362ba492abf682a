"""People who wait in line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import Channel, ChannelMap, Visible
from event_library.families.agents_intent.measuring import named, origin_m, standing_m, unseen
from event_library.figures import people
from event_library.figures.people import PersonLook
from event_library.figures.rig import baked
from event_library.kit import digits
from event_library.kit.palette import DARK, HUES, PALE_WOOD, WHITE, WOOD, paint
from event_library.laws import ease, started
from event_library.parts import Assembly, Part
from event_library.taxonomy import facts

FLOOR_M = 0.01
PERSON_M = 1.7
SPACING_M = 0.425  # one step, half a stride: feet come together at every place
STEP_S, RANK_DELAY_S = 0.4, 0.1
WALK_M_PER_S = 1.4
CLEAR_M = 0.14  # a figure this far beyond the first place has been served
EXIT_M = 1.25  # where the figures are inside the exit
FEET_TOGETHER = 0.3  # share of a stride
TRUNK_M = 0.30  # from its axis to its shoulders


@dataclass(frozen=True, kw_only=True)
class QueueAdvancing(Event):
    """One is served every Tq: served = min(n, floor(t / Tq)); those behind step up one place, rank by rank."""

    info = facts("queue_advancing")
    variables = (
        state("x", "m", 0.1, domain="vector", flags="monotone bounded", label="place of each figure"),
        readout("served", "count", 0.0, min_delta=1, domain="count", flags="monotone bounded", label="figures served"),
    )

    num_people: int = param("n", "count", 6, 8)
    service_s: float = param("Tq", "s", 0.9, 1.6)

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)[:, None]
        ranks = np.arange(self.num_people)
        x = np.zeros((len(t), self.num_people)) - SPACING_M * ranks
        for k in ranks:
            since = t - (k + 1) * self.service_s
            behind = np.maximum(ranks - k, 0)
            x += np.where(behind > 0, SPACING_M * ease((since - RANK_DELAY_S * behind) / STEP_S), 0.0)
            x[:, k] += np.clip(WALK_M_PER_S * since[:, 0] + CLEAR_M, 0.0, EXIT_M)
        return {"x": x, "served": np.minimum(np.floor(t[:, 0] / self.service_s), float(self.num_people))}

    def triggers(self) -> dict[str, float]:
        return {f"served_{k}": k * self.service_s for k in range(1, self.num_people + 1)}

    def assembly(self) -> Assembly:
        figures = [
            part
            for k in range(self.num_people)
            for part in people.person(f"p{k}", PERSON_M, PersonLook(HUES[k], hair_rgb=people.LOOKS[k % 5].hair_rgb))
        ]
        clerk = people.person("clerk", PERSON_M, PersonLook((0.6, 0.6, 0.58), hat_rgb=(0.02, 0.05, 0.2)), carries=False)
        length = SPACING_M * (self.num_people - 1)
        x, z = 0.1, FLOOR_M
        marks = [parts.block((0.05, 0.6, 0.004), (0.21 - SPACING_M * k, 0, z)) for k in range(self.num_people)]
        desk = [parts.block((1.0, 0.35, 0.72), (x, 0.75, z)), parts.block((1.1, 0.48, 0.06), (x, 0.72, 0.72 + z))]
        posts = [parts.block((0.06, 0.06, 2.0), (x + side * 0.50, 0.90, z)) for side in (-1, 1)]
        hut = [
            *(parts.block((0.75, 0.05, 1.9), (1.25, side * 0.45, z)) for side in (-1, 1)),
            parts.block((0.05, 0.9, 1.9), (1.62, 0, z)), parts.block((0.85, 1.05, 0.07), (1.25, 0, 1.9 + z)),
        ]  # fmt: skip
        return Assembly((
            *figures,
            *baked(clerk, people.person_channels("clerk", PERSON_M, (x, 1.15, z), -np.pi / 2)),
            Part("desk", parts.join(*desk), WOOD),
            Part("posts", parts.join(*posts), DARK),
            Part("sign", parts.block((1.14, 0.06, 0.32), (x, 0.86, 1.95)), paint((0.02, 0.12, 0.40))),
            digits.label("word", "TICKETS", 0.18, (x, 0.82, 2.11), material=paint(WHITE)),
            Part("hut", parts.join(*hut), paint((0.25, 0.32, 0.30), 0.8)),
            Part("floor", parts.block((length + 2.1, 2.0, z), (0.65 - length / 2, 0.45, 0)), PALE_WOOD),
            Part("marks", parts.join(*marks), paint((0.35, 0.35, 0.36))),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        channels: dict[str, tuple[Channel, ...]] = {}
        for k, x in enumerate(np.asarray(state["x"])):
            way = float(x) / SPACING_M
            stands = abs(way - round(way)) < 1e-9 and x < 1e-9
            own = people.person_channels(
                f"p{k}", PERSON_M, (x, 0.0, FLOOR_M), 0.0, None if stands else way / 2 + FEET_TOGETHER,
                head_yaw_rad=1.1 if abs(x) < 0.05 else 0.0,
            )  # fmt: skip
            there = Visible(bool(x < EXIT_M))
            channels |= {name: (*own[name], there) for name in own}
        return channels

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        rest = named(self.assembly().parts)
        trunks = [f"p{k}_torso" for k in range(self.num_people)]
        waiting = [name for name in trunks if name in meshes and origin_m(rest[name], meshes[name])[0] < CLEAR_M]
        return {"served": float(self.num_people - len(waiting))}

    def measure(self, view: View) -> dict[str, float]:
        if unseen(view, "hut"):
            return {"served": float("nan")}
        places = [standing_m(view.points_m[f"p{k}_torso"], view.eye_m, TRUNK_M) for k in range(self.num_people)]
        return {"served": float(self.num_people - sum(place[0] < CLEAR_M for place in places))}
