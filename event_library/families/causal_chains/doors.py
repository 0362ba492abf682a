"""Doors that something else opens: a pressure plate for a robot, a key card for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Move
from event_library.families.causal_chains.pieces import (
    LAMP_GREEN,
    LAMP_RED,
    cable,
    lamp_is_on,
    rad,
)
from event_library.figures import people, rig, robots
from event_library.kit import digits, furniture
from event_library.kit.palette import DARK, GLASS, ORANGE, PALE_WOOD, STEEL, TEAL, WHITE, paint
from event_library.kit.shapes import at
from event_library.laws import ease, started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.taxonomy import facts

HEADING_RAD = rad(-35)  # of the lanes: towards the viewer and to the right, so that a door's face shows


@dataclass(frozen=True)
class Lane:
    """A straight way over the ground; places on it are (along, to the left, up)."""

    start_m: tuple[float, float]

    def frame(self, along_m: float = 0.0, left_m: float = 0.0, up_m: float = 0.0) -> Array:
        """[4, 4] event_from_place, turned with the lane."""
        return rig.frame((*self.start_m, 0.0), HEADING_RAD) @ rig.shifted(along_m, left_m, up_m)

    def at(self, along_m: float, left_m: float = 0.0, up_m: float = 0.0) -> Array:
        return np.asarray(self.frame(along_m, left_m, up_m)[:3, 3])

    def built(self, *meshes: trimesh.Trimesh, along_m: float = 0.0) -> trimesh.Trimesh:
        """Meshes given in the lane's frame at a place on it, as one."""
        return parts.join(*meshes).apply_transform(self.frame(along_m))

    def seen(self, points_m: Array) -> Array:
        """[N, 3] points of the event in (along, left, up)."""
        return rig.moved_by(np.linalg.inv(self.frame()), points_m)

    def middle_m(self, points_m: Array) -> float:
        """Middle of the outline along the lane; nan when nothing is seen."""
        along = self.seen(points_m)[:, 0] if len(points_m) else np.array([np.nan])
        return float((along.min() + along.max()) / 2)


@dataclass(frozen=True, kw_only=True)
class PressurePlateDoorRobot(Event):
    """A crate at belt speed reaches a plate, a door rises at a steady rate, at 0.8 of it a robot sets off."""

    info = facts("pressure_plate_door_robot")
    variables = (
        state("x", "m", 0.03, flags="monotone bounded", label="way of the crate"),
        state("g", "frac", 0.15, flags="monotone bounded", label="lift of the door"),
        state("s", "m", 0.05, flags="monotone bounded"),
        readout("robot_s", "m", 0.05, min_delta=0.14, flags="monotone bounded", label="way of the robot"),
        readout("door", "frac", 0.15, flags="monotone bounded", label="height of the door"),
    )
    accept_rules = (("the crate rides for 1.3 to 2.2 s", lambda e: 1.3 <= e.plate_s <= 2.2),)

    belt_m_per_s: float = param("v", "m/s", 0.16, 0.26)
    ride_m: float = param("d", "m", 0.28, 0.4)
    lift_s: float = param("tdr", "s", 0.7, 1.1)
    robot_m_per_s: float = param("vr", "m/s", 0.17, 0.26)
    goal_m: float = param("Sr", "m", 0.58, 0.7)

    GO = 0.8  # the robot starts at this lift of the door
    LANE, DOOR_M = Lane((-0.30, 0.24)), 0.26
    ROBOT_M, PANEL_M, LIFT_M = 0.25, (0.022, 0.24, 0.27), 0.25
    BELT, BELT_M, PLATE_X_M = (-0.20, -0.20, 0.0), (0.36, 0.10, 0.075), 0.055
    CRATE_M = 0.085

    @property
    def plate_s(self) -> float:
        return self.ride_m / self.belt_m_per_s

    @property
    def go_s(self) -> float:
        return self.plate_s + self.GO * self.lift_s

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)
        x = np.minimum(self.belt_m_per_s * t, self.ride_m)
        g = np.clip((t - self.plate_s) / self.lift_s, 0.0, 1.0)
        s = np.clip(self.robot_m_per_s * (t - self.go_s), 0.0, self.goal_m)
        return {"x": x, "g": g, "s": s, "robot_s": s.copy(), "door": g.copy()}

    def triggers(self) -> dict[str, float]:
        return {
            "plate_pressed": self.plate_s, "robot_starts": self.go_s, "door_up": self.plate_s + self.lift_s,
            "robot_arrives": self.go_s + self.goal_m / self.robot_m_per_s,
        }  # fmt: skip

    def assembly(self) -> Assembly:
        half = self.PANEL_M[1] / 2 + 0.018
        portal = self.LANE.built(
            *(parts.block((0.05, 0.03, 0.54), (0, s * half, 0)) for s in (-1, 1)),
            *(parts.block((0.012, 2 * half, 0.03), (s * 0.019, 0, 0.285)) for s in (-1, 1)),
            parts.block((0.05, 2 * half + 0.03, 0.03), (0, 0, 0.53)),
            along_m=self.DOOR_M,
        )
        stripes = Material(rgb=(0.92, 0.60, 0.02), roughness=0.4, pattern=Pattern("stripes", (0.03, 0.03, 0.03), 0.06))
        x, y = self.PLATE_X_M, self.BELT[1]
        tall = self.BELT_M[2]
        end = self.LANE.at(self.DOOR_M, -half)
        wire = [(x + 0.03, y, 0.02), (x + 0.12, y + 0.02, 0), (end[0] + 0.08, end[1] - 0.05, 0), (end[0], end[1], 0.03)]
        lip = [(0, s * 0.45 * self.CRATE_M, 0.5 * self.CRATE_M) for s in (-1, 1)]
        slats = [parts.moved(parts.box((1.02 * self.CRATE_M, 0.012, self.CRATE_M)), *p) for p in lip]
        return Assembly((
            *robots.robot("robot", self.ROBOT_M),
            Part("panel", parts.block(self.PANEL_M, (0, 0, 0)), stripes, carries=True),
            Part("crate", parts.join(parts.block((self.CRATE_M,) * 3, (0, 0, 0)), *slats), PALE_WOOD, carries=True),
            Part("plate", parts.block((0.09, 0.10, 0.008), (0, 0, 0)), paint((0.8, 0.05, 0.03)), carries=True),
            *furniture.conveyor("belt", self.BELT_M[0], self.BELT_M[1], tall, self.BELT),
            Part("portal", portal, STEEL),
            Part("pedestal", parts.block((0.075, 0.085, tall - 0.008), (x + 0.006, y, 0)), DARK),
            cable("cable", wire, 0.006),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        x, g, s = (float(state[name]) for name in ("x", "g", "s"))
        pressed = x >= self.ride_m
        tall = self.BELT_M[2]
        plate = at(self.PLATE_X_M + 0.006, self.BELT[1], tall - (0.011 if pressed else 0.004))
        crate = at(
            self.PLATE_X_M - self.ride_m + x, self.BELT[1], tall - 0.003 * pressed + 0.004 * (x > 0.98 * self.ride_m)
        )
        return {
            **robots.robot_channels("robot", self.ROBOT_M, self.LANE.at(s), HEADING_RAD, s),
            "panel": rig.placed(self.LANE.frame(self.DOOR_M, 0.0, 0.002 + self.LIFT_M * g)),
            "crate": (Move(crate),),
            "plate": (Move(plate),),
            **furniture.conveyor_channels("belt", x, self.BELT_M[0], self.BELT_M[1], tall, self.BELT),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        low, high = meshes["crate"].bounds[:, 0]
        axle = self.LANE.seen(np.asarray(meshes["robot_body"].vertices)).mean(axis=0)
        rest = np.asarray(robots.robot("robot", self.ROBOT_M)[0].mesh.vertices).mean(axis=0)
        return {
            "x": float((low + high) / 2) - self.PLATE_X_M + self.ride_m,
            "g": (float(meshes["panel"].bounds[0, 2]) - 0.002) / self.LIFT_M,
            "s": float(axle[0] - rest[0]),
        }

    def measure(self, view: View) -> dict[str, float]:
        panel, body = view.points_m["panel"], view.points_m["robot_body"]
        pitch = float(np.sqrt(np.median(view.pixel_area_m2["panel"]))) if len(panel) else np.nan
        top = float(panel[:, 2].max()) + pitch / 2 if len(panel) else np.nan
        return {
            "robot_s": self.LANE.middle_m(body),
            "door": (top - 0.002 - self.PANEL_M[2]) / self.LIFT_M,
        }


@dataclass(frozen=True, kw_only=True)
class KeycardDoor(Event):
    """A person walks to a card reader, waits until the door has slid open, walks through; the door shuts behind.

    Green from 0.3 s after the stop until the door shuts, which begins when the person is 1 m on; 1.9 m on is the end.
    """

    info = facts("keycard_door")
    variables = (
        state("x", "m", 0.3, flags="monotone bounded"),
        state("w", "frac", 0.15, flags="bounded"),
        readout("figure_x", "m", 0.3, min_delta=0.7, flags="monotone bounded", label="way of the person"),
        readout("door_open", "frac", 0.15, flags="bounded", label="open share of the doorway"),
        readout("lamp", "index", 0.0, domain="discrete", flags="bounded", label="0 red, 1 green"),
    )
    accept_rules = (("the reader is reached in 1.5 to 2.2 s", lambda e: 1.5 <= e.reader_s <= 2.2),)

    walk_m_per_s: float = param("v", "m/s", 0.9, 1.3)
    reader_m: float = param("dr", "m", 1.5, 2.4)
    slide_s: float = param("tdr", "s", 0.5, 0.8)

    READ_S, DOOR_AHEAD_M, PAST_M, BEYOND_M = 0.3, 0.5, 1.0, 1.9
    TALL_M, DOOR_M, WIDE_M = 1.7, (0.05, 0.95, 2.0), 0.9

    @property
    def reader_s(self) -> float:
        return self.reader_m / self.walk_m_per_s

    @property
    def on_s(self) -> float:
        """When the person walks on."""
        return self.reader_s + self.READ_S + self.slide_s

    @property
    def shut_s(self) -> float:
        """When the door begins to shut."""
        return self.on_s + self.PAST_M / self.walk_m_per_s

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)
        onward: Array = np.clip(self.walk_m_per_s * (t - self.on_s), 0.0, self.BEYOND_M)
        x: Array = np.minimum(self.walk_m_per_s * t, self.reader_m) + onward
        opened = (t - self.reader_s - self.READ_S) / self.slide_s
        w = ease(opened) - ease((t - self.shut_s) / self.slide_s)
        green = ((opened >= 0) & (t < self.shut_s)).astype(np.float64)
        return {"x": x, "w": w, "figure_x": x.copy(), "door_open": w.copy(), "lamp": green}

    def triggers(self) -> dict[str, float]:
        return {
            "at_reader": self.reader_s, "lamp_green": self.reader_s + self.READ_S, "walks_on": self.on_s,
            "door_shuts": self.shut_s, "door_shut": self.shut_s + self.slide_s,
        }  # fmt: skip

    @property
    def lane(self) -> Lane:
        half = (self.reader_m + self.BEYOND_M) / 2
        x, y = half * np.cos(HEADING_RAD), half * np.sin(HEADING_RAD)
        return Lane((-float(x), -float(y)))

    @property
    def door_at_m(self) -> float:
        return self.reader_m + self.DOOR_AHEAD_M

    def assembly(self) -> Assembly:
        lane, (thick, wide, tall) = self.lane, self.DOOR_M
        bar, w = 0.06, self.WIDE_M / 2
        stiles = [parts.block((thick, 0.09, tall), (0, s * (wide / 2 - 0.045), 0)) for s in (-1, 1)]
        rails = [
            parts.block((thick, wide - 0.18, h), (0, 0, z)) for z, h in ((0, 0.22), (0.95, 0.10), (tall - 0.1, 0.1))
        ]
        pane = parts.block((0.01, wide - 0.16, tall - 0.1), (0, 0, 0.05))
        right, left = -(w + 0.55), w + 1.05
        frame = lane.built(
            *(parts.block((bar, bar, tall + 0.1), (0, y, 0)) for y in (right, -w - bar / 2, w + bar / 2, left)),
            parts.block((bar, left - right + bar, 0.09), (0, (left + right) / 2, tall + 0.02)),
            along_m=self.door_at_m,
        )
        walls = lane.built(
            parts.block((0.012, left - w, tall), (0, (left + w) / 2, 0)),
            parts.block((0.012, -w - right, tall), (0, (right - w) / 2, 0)),
            along_m=self.door_at_m,
        )
        reader = self._reader_m
        post = parts.join(
            parts.block((0.09, 0.07, 1.0), (reader[0], reader[1] + 0.06, 0)),
            parts.block((0.3, 0.3, 0.03), (reader[0], reader[1] + 0.06, 0)),
        )
        return Assembly((
            *people.person("walker", self.TALL_M, people.LOOKS[1]),
            Part("card", parts.box((0.13, 0.02, 0.09)), paint(ORANGE), carries=True),
            Part("door", parts.join(*stiles, *rails), paint(TEAL), carries=True),
            Part("door_pane", pane, GLASS),
            Part("walls", walls, GLASS),
            Part("frame", frame, paint(WHITE)),
            *digits.lamp_row("lamps", 2, 0.15, (float(reader[0]), float(reader[1]), 1.3), vertical=True,
                             rgb=(LAMP_RED, LAMP_GREEN)),
            Part("post", post, DARK),
        ))  # fmt: skip

    @property
    def _reader_m(self) -> Array:
        return self.lane.at(self.reader_m + 0.28, -0.62)

    def channels(self, state: State) -> ChannelMap:
        x, w, green = float(state["x"]), float(state["w"]), bool(state["lamp"])
        walking = 0.0 < x < self.reader_m or self.reader_m < x < self.reader_m + self.BEYOND_M
        phase = x / people.stride_length_m(self.TALL_M) if walking else None
        reaching = x == self.reader_m
        hand = self.lane.at(self.reader_m + 0.24, -0.45, 1.15) if reaching else None
        walker = people.person_channels(
            "walker", self.TALL_M, self.lane.at(x), HEADING_RAD, phase, hands_m=(None, hand)
        )
        door = rig.placed(self.lane.frame(self.door_at_m - 0.05, self.WIDE_M * w, 0.01))
        card = people.hand_m(walker, "walker")
        return {
            **walker,
            "card": (Move(card + at(0.0, 0.0, 0.02)),),
            "door": door,
            "door_pane": door,
            **digits.lamp_row_channels("lamps", [not green, green], rgb=(LAMP_RED, LAMP_GREEN)),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        torso = self.lane.seen(np.asarray(meshes["walker_torso"].vertices))
        rest = np.asarray(people.person("walker", self.TALL_M)[0].mesh.vertices)
        hips = np.linalg.lstsq(np.column_stack([rest, np.ones(len(rest))]), torso, rcond=None)[0][3]
        door = self.lane.seen(np.asarray(meshes["door"].vertices))
        return {
            "x": float(hips[0]),
            "w": float(door[:, 1].min() + door[:, 1].max()) / 2 / self.WIDE_M,
        }

    def measure(self, view: View) -> dict[str, float]:
        trunk = np.vstack([view.points_m[f"walker_{piece}"] for piece in ("torso", "head", "hair")])
        door = view.points_m["door"]
        red, green = (lamp_is_on(view.rgb[f"lamps_{k}"], c) for k, c in ((0, LAMP_RED), (1, LAMP_GREEN)))
        return {
            "figure_x": self.lane.middle_m(trunk),
            "door_open": self._open_share(self.lane.seen(door)) if len(door) else float("nan"),
            "lamp": green if np.isfinite(green) else 1 - red,
        }

    def _open_share(self, points_m: Array) -> float:
        """The opening at which most points [N, 3] (in the lane's frame) lie on the door's stiles and rails."""
        _, wide, tall = self.DOOR_M
        shares = np.linspace(0.0, 1.0, 51)[:, None]
        off = np.abs(points_m[:, 1] - self.WIDE_M * shares)
        up = points_m[:, 2]
        on_rail = (up < 0.23) | (np.abs(up - 1.01) < 0.06) | (up > tall - 0.1)
        fits = ((off < wide / 2 + 0.02) & (on_rail | (off > wide / 2 - 0.11))).sum(axis=1)
        return float(shares[fits == fits.max(), 0].mean())
