"""Timed and scheduled machines: a lift, a traffic light, a drawer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import Channel, ChannelMap, Emission, Move, Power, Scale
from event_library.kit.dials import bar_gauge, bar_gauge_channels
from event_library.kit.palette import DARK, PALE_WOOD, RED, STEEL, WOOD, YELLOW, paint
from event_library.kit.shapes import at, turned
from event_library.laws import ease, started
from event_library.parts import Assembly, Lamp, Material, Part, Rgb
from event_library.readouts import pixel_pitch_m
from event_library.taxonomy import facts

NUM_FLOORS = 5


@dataclass(frozen=True, kw_only=True)
class ElevatorSchedule(Event):
    """Collective control: the lift serves the calls above in rising order, then those below in falling order.

    A run over k floors takes k t_f (eased); it stops t_d at a called floor, whose lamp goes out as it arrives.
    """

    info = facts("elevator_schedule")
    variables = (
        state("z", "count", 0.35, label="floors above the ground floor"),
        state("door", "frac", 0.3, label="opening of the doors"),
        state("lamps", "index", 0.0, domain="vector", label="call lamp of each floor"),
        readout("floor_position", "count", 0.35, min_delta=0.9, label="cabin in the shaft"),
        readout("lamps_lit", "count", 0.0, domain="count", flags="monotone bounded"),
    )

    floor_s: float = param("t_f", "s", 0.8, 1.2)
    dwell_s: float = param("t_d", "s", 0.7, 1.2)
    num_calls: int = param("n_calls", "count", 2, 4)
    start_floor: int = param("f0", "index", 1, 2)
    seed: int = seed_param()

    STOREY_M = 0.15
    CABIN_M = (0.11, 0.12, 0.12)
    SHAFT_X_M = -0.09
    LAMP_X_M = 0.035
    DOOR_S = 0.2

    def stops(self) -> list[int]:
        """Called floors in the order in which they are served."""
        others = [f for f in range(NUM_FLOORS) if f != self.start_floor]
        rng = np.random.Generator(np.random.PCG64(int(self.seed)))
        calls = sorted(int(f) for f in rng.choice(others, int(self.num_calls), replace=False))
        return [f for f in calls if f > self.start_floor] + [f for f in calls[::-1] if f < self.start_floor]

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)
        z, door = np.full(len(t), float(self.start_floor)), np.zeros(len(t))
        lamps = np.zeros((len(t), NUM_FLOORS))
        here, leaves_s = int(self.start_floor), 0.0
        for floor in self.stops():
            run_s = self.floor_s * abs(floor - here)
            z = np.where(t >= leaves_s, here + (floor - here) * ease((t - leaves_s) / run_s), z)
            arrives_s = leaves_s + run_s
            leaves_s = arrives_s + self.dwell_s
            door += np.clip(np.minimum(t - arrives_s, leaves_s - t) / self.DOOR_S, 0, 1)
            lamps[:, floor] = t < arrives_s
            here = floor
        return {"z": z, "door": door, "lamps": lamps, "floor_position": z.copy(), "lamps_lit": lamps.sum(axis=1)}

    def triggers(self) -> dict[str, float]:
        """Arrivals, and the end of the last stop."""
        here, now_s, found = int(self.start_floor), 0.0, {}
        for floor in self.stops():
            now_s += self.floor_s * abs(floor - here)
            found[f"at_floor_{floor}"] = now_s
            now_s, here = now_s + self.dwell_s, floor
        return {**found, "idle": now_s}

    def assembly(self) -> Assembly:
        storey, top = self.STOREY_M, NUM_FLOORS * self.STOREY_M
        x, y, high = self.CABIN_M
        slabs = [parts.block((0.2, 0.16, 0.012), (0.08, 0.01, k * storey)) for k in range(NUM_FLOORS + 1)]
        walls = [parts.block((0.012, 0.16, top + 0.03), (wx, 0.01, 0)) for wx in (self.SHAFT_X_M - 0.075, -0.015, 0.18)]
        roof = parts.block((0.37, 0.18, 0.02), (0.007, 0.01, top + 0.012))
        back = parts.block((0.36, 0.012, top), (0.007, 0.096, 0.006))
        rooms = [
            parts.block((0.045, 0.006, 0.09), (0.085 + 0.055 * s, 0.086, k * storey + 0.012))
            for k in range(NUM_FLOORS)
            for s in (0, 1)
        ]
        doors = [parts.block((x / 2, 0.008, high - 0.014), (0, 0, 0)) for _ in range(2)]
        cabin = parts.join(
            parts.block((x, y, 0.012), (0, 0, 0)),
            parts.block((x, y, 0.012), (0, 0, high - 0.012)),
            *(parts.block((0.008, y, high), (s * (x / 2 - 0.004), 0, 0)) for s in (-1, 1)),
        )
        inside = parts.block((x - 0.018, 0.01, high - 0.026), (0, y / 2 - 0.008, 0.013))
        lamps = [
            Part(f"lamp_{k}", turned(parts.cylinder(0.022, 0.014, 24), (1, 0, 0), np.pi / 2), CALL, carries=True)
            for k in range(NUM_FLOORS)
        ]
        return Assembly((
            Part("cabin", cabin, paint(YELLOW), carries=True),
            Part("inside", inside, Material(rgb=(0.9, 0.85, 0.7), emission_rgb=(1.0, 0.85, 0.6), emission_strength=0.9),
                 carries=True),
            Part("left_door", doors[0], STEEL, carries=True),
            Part("right_door", doors[1], STEEL, carries=True),
            *lamps,
            Part("cable", parts.block((0.008, 0.008, 1.0), (0, 0, 0)), DARK, carries=True),
            Part("floors", parts.join(*slabs, roof), paint((0.50, 0.14, 0.08))),
            Part("walls", parts.join(*walls), paint((0.62, 0.58, 0.50))),
            Part("back", back, paint((0.20, 0.27, 0.33))),
            Part("rooms", parts.join(*rooms), WOOD),
        ), lamps=tuple(Lamp(f"call_{k}", (self.LAMP_X_M, -0.14, (k + 0.5) * storey), 0.0, (1.0, 0.2, 0.05), 0.02)
                       for k in range(NUM_FLOORS)))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        foot = float(state["z"]) * self.STOREY_M + 0.014
        x, y, high = self.CABIN_M
        gap = x / 4 + float(state["door"]) * 0.2 * x
        width = 1 - 0.8 * float(state["door"])
        made: dict[str, tuple[Channel, ...]] = {
            "cabin": (Move(at(self.SHAFT_X_M, 0, foot)),),
            "inside": (Move(at(self.SHAFT_X_M, 0, foot)),),
            "cable": (
                Scale(at(1, 1, NUM_FLOORS * self.STOREY_M - foot - high)), Move(at(self.SHAFT_X_M, 0, foot + high)),
            ),
        }  # fmt: skip
        for name, side in (("left_door", -1), ("right_door", 1)):
            spot = at(self.SHAFT_X_M + side * gap, -y / 2 - 0.005, foot + 0.007)
            made[name] = (Scale(at(width, 1, 1)), Move(spot))
        for k, lit in enumerate(np.asarray(state["lamps"])):
            spot = at(self.LAMP_X_M, -0.062, (k + 0.55) * self.STOREY_M)
            made[f"lamp_{k}"] = (Move(spot), Emission(CALL_GLOW * float(lit)))
            made[f"call_{k}"] = (Power(0.25 * float(lit)),)
        return made

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"z": (float(meshes["cabin"].bounds[0, 2]) - 0.014) / self.STOREY_M}

    def measure(self, view: View) -> dict[str, float]:
        seen = np.vstack([view.points_m[name] for name in ("cabin", "inside", "left_door", "right_door")])
        if len(seen) == 0:
            return {"floor_position": float("nan")}
        middle = float(seen[:, 2].min() + seen[:, 2].max()) / 2
        found = {"floor_position": (middle - 0.014 - self.CABIN_M[2] / 2) / self.STOREY_M}
        lamps = [view.rgb[f"lamp_{k}"] for k in range(NUM_FLOORS)]
        if all(len(rgb) >= 2 for rgb in lamps):
            found["lamps_lit"] = float(sum(float(np.median(rgb[:, 0])) > 0.75 for rgb in lamps))
        return found


CALL = Material(rgb=(0.16, 0.03, 0.02), roughness=0.4, emission_rgb=(1.0, 0.18, 0.04), emission_strength=0.0)
CALL_GLOW = 3.0


@dataclass(frozen=True, kw_only=True)
class TrafficLightCycle(Event):
    """Fixed-time signal: u = (t + u0) mod (tg + ta + tr) runs through green, amber, red; a bar shows what is left."""

    info = facts("traffic_light_cycle")
    variables = (
        state("phase", "index", 0.0, domain="discrete", flags="periodic", label="0 green, 1 amber, 2 red"),
        state("left", "frac", 0.15, label="share of the phase that is left: length of the bar"),
        readout("progress", "ratio", 0.2, min_delta=0.5, flags="periodic", cycle=3.0,
                label="phase and the share of it that is over"),
        readout("lit_lens", "index", 0.0, domain="discrete", flags="periodic"),
    )  # fmt: skip

    green_s: float = param("tg", "s", 1.6, 2.6)
    amber_s: float = param("ta", "s", 0.7, 1.0)
    red_s: float = param("tr", "s", 1.6, 2.6)
    start_s: float = param("u0", "s", 0, 3)

    LENS_M = 0.065
    LENS_Z_M = (0.34, 0.49, 0.64)  # green lowest
    BAR_M = (0.34, 0.06)
    BAR = (-0.17, -0.075, 0.195)

    def states(self, t_s: Array) -> dict[str, Array]:
        ends = np.cumsum([self.green_s, self.amber_s, self.red_s])
        u = (started(t_s) + self.start_s) % ends[-1]
        phase = np.minimum(np.searchsorted(ends, u, side="right"), 2)
        left = (ends[phase] - u) / np.diff(ends, prepend=0.0)[phase]
        index = phase.astype(np.float64)
        return {"phase": index, "left": left, "progress": (index + 1 - left) % 3, "lit_lens": index.copy()}

    def assembly(self) -> Assembly:
        r = self.LENS_M
        lens = turned(parts.cylinder(r, 0.02, 40), (1, 0, 0), np.pi / 2)
        visor = turned(parts.lathe(np.array([(r + 0.004, 0.0), (r + 0.004, 0.05), (r + 0.009, 0.05), (r + 0.009, 0.0)]),
                                   32), (1, 0, 0), np.pi / 2)  # fmt: skip
        visors = [parts.moved(visor.copy(), 0, -0.06, z) for z in self.LENS_Z_M]
        pole = parts.moved(parts.cylinder(0.022, 0.16, 24), z_m=0.015)
        stripes = [parts.block((0.05, 0.2, 0.002), (0.1 * k, -0.08, 0.015)) for k in (-2, -1, 0, 1, 2)]
        lenses = [
            Part(f"lens_{k}", parts.moved(lens.copy(), 0, -0.055, z), _lens(LENS_RGB[k]), carries=True,
                 smooth_angle_deg=40) for k, z in enumerate(self.LENS_Z_M)
        ]  # fmt: skip
        return Assembly((
            *lenses,
            *bar_gauge("bar", self.BAR_M, self.BAR, along="x", depth_m=0.02, fill=paint((0.9, 0.9, 0.85), glow=0.6)),
            Part("housing", parts.block((0.19, 0.1, 0.5), (0, 0, 0.24)), paint((0.02, 0.035, 0.03))),
            Part("visors", parts.join(*visors), DARK, smooth_angle_deg=40),
            Part("mount", parts.join(pole, parts.block((0.05, 0.05, 0.1), (0, -0.02, 0.15))), STEEL,
                 smooth_angle_deg=40),
            Part("road", parts.block((0.56, 0.4, 0.015), (0, -0.02, 0)), paint((0.05, 0.05, 0.055), 0.9)),
            Part("stripes", parts.join(*stripes), paint((0.8, 0.8, 0.78))),
        ), lamps=tuple(
            Lamp(f"light_{k}", (0.0, -0.2, z), 0.0, rgb, 0.05)
            for k, (z, rgb) in enumerate(zip(self.LENS_Z_M, LENS_RGB, strict=True))
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        lit = [float(k == int(state["phase"])) for k in range(3)]
        return {
            **{f"lens_{k}": (Emission(2.5 * on),) for k, on in enumerate(lit)},
            **{f"light_{k}": (Power(1.5 * on),) for k, on in enumerate(lit)},
            **bar_gauge_channels("bar", float(state["left"]), self.BAR, along="x"),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"left": float(np.ptp(meshes["bar_fill"].vertices[:, 0])) / self.BAR_M[0]}

    def measure(self, view: View) -> dict[str, float]:
        """The brightest lens, and where the bar ends."""
        lenses, fill = [view.rgb[f"lens_{k}"] for k in range(3)], view.points_m["bar_fill"]
        if any(len(rgb) == 0 for rgb in lenses):
            return {"progress": float("nan")}
        phase = int(np.argmax([rgb.max(axis=1).mean() for rgb in lenses]))
        left = 0.0 if len(view.points_m["bar_frame"]) else float("nan")
        if len(fill):
            end = float(fill[:, 0].max()) + pixel_pitch_m(view.pixel_area_m2["bar_fill"]) / 2
            left = (end - self.BAR[0]) / self.BAR_M[0]
        return {"lit_lens": float(phase), "progress": (phase + 1 - min(left, 1.0)) % 3}


LENS_RGB: tuple[Rgb, Rgb, Rgb] = ((0.02, 0.85, 0.20), (1.0, 0.42, 0.01), (0.95, 0.02, 0.015))


def _lens(rgb: Rgb) -> Material:
    r, g, b = (0.12 * c + 0.01 for c in rgb)
    return Material(rgb=(r, g, b), roughness=0.25, emission_rgb=rgb, emission_strength=0.0)


@dataclass(frozen=True, kw_only=True)
class DrawerCycle(Event):
    """Period 2 (tm + tw): shut (eased) in tm, wait tw, open in tm, wait tw; what lies inside stays inside."""

    info = facts("drawer_cycle")
    variables = (
        state("o", "frac", 0.15, flags="periodic"),
        state("cubes", "count", 0.0, domain="count", flags="conserved"),
        readout("open_share", "frac", 0.15, min_delta=0.35, flags="periodic", label="way of the drawer's front"),
        readout("cube_present", "index", 0.0, domain="discrete", flags="conserved",
                label="red cube seen while the drawer is open"),
    )  # fmt: skip

    move_s: float = param("tm", "s", 0.7, 1.1)
    wait_s: float = param("tw", "s", 0.5, 1.0)
    start_s: float = param("u0", "s", 0, 3)

    CABINET_M = (0.40, 0.36, 0.22)
    TRAVEL_M = 0.25
    SEEN_FROM = 0.45  # of the way: the cube is then out of the cabinet

    def states(self, t_s: Array) -> dict[str, Array]:
        tm, tw = self.move_s, self.wait_s
        u = (started(t_s) + self.start_s) % (2 * (tm + tw))
        o = np.where(u < tm + tw, 1 - ease(u / tm), ease((u - tm - tw) / tm))
        ones = np.ones(len(o))
        return {"o": o, "cubes": ones, "open_share": o.copy(), "cube_present": ones.copy()}

    def assembly(self) -> Assembly:
        x, y, z = self.CABINET_M
        cabinet = parts.join(
            parts.block((x, y, 0.015), (0, 0, z - 0.015)),
            parts.block((x, y, 0.02), (0, 0, 0)),
            parts.block((x, 0.015, z - 0.035), (0, y / 2 - 0.0075, 0.02)),
            *(parts.block((0.015, y, z - 0.035), (s * (x / 2 - 0.0075), 0, 0.02)) for s in (-1, 1)),
        )
        inner = x - 0.04
        tray = parts.join(
            parts.block((inner, 0.30, 0.01), (0, 0.15, 0.025)),
            parts.block((inner, 0.01, 0.09), (0, 0.295, 0.035)),
            *(parts.block((0.01, 0.30, 0.09), (s * (inner / 2 - 0.005), 0.15, 0.035)) for s in (-1, 1)),
        )
        handle = turned(parts.cylinder(0.014, 0.16, 20), (0, 1, 0), np.pi / 2)
        return Assembly((
            Part("front", parts.block((x - 0.034, 0.018, z - 0.04), (0, -0.009, 0.0225)), PALE_WOOD, carries=True),
            Part("tray", tray, paint((0.75, 0.72, 0.62)), carries=True),
            Part("handle", parts.moved(handle, 0, -0.04, 0.12), STEEL, carries=True, smooth_angle_deg=40),
            Part("cube", parts.block((0.1, 0.1, 0.1), (0, 0.085, 0.036)), paint(RED), carries=True),
            Part("cabinet", cabinet, WOOD),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        slid = (Move(at(0, -self.CABINET_M[1] / 2 + 0.02 - self.TRAVEL_M * float(state["o"]), 0)),)
        return dict.fromkeys(("front", "tray", "handle", "cube"), slid)

    def _share(self, front_m: float) -> float:
        return (-self.CABINET_M[1] / 2 + 0.002 - front_m) / self.TRAVEL_M

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"o": self._share(float(meshes["front"].bounds[0, 1])), "cubes": float("cube" in meshes)}

    def measure(self, view: View) -> dict[str, float]:
        front = view.points_m["front"]
        if len(front) == 0:
            return {"open_share": float("nan")}
        share = self._share(float(front[:, 1].min()))
        seen = {"cube_present": float(len(view.points_m["cube"]) > 0)} if share > self.SEEN_FROM else {}
        return {"open_share": share, **seen}
