"""Heat in the chain: a hot plate that a ball switches on, an ice sill that melts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh
from scipy.special import lambertw

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Emission, Move, Rotate, Scale, Visible, quaternion_about
from event_library.families.causal_chains.pieces import cable, direction, lamp, lamp_channels, lamp_is_on, rad
from event_library.figures import rig
from event_library.kit import copies, fields, furniture, heaps
from event_library.kit.palette import (
    DARK,
    GLASS,
    HUES,
    ICE,
    IRON,
    PALE_WOOD,
    RED,
    SNOW,
    STEEL,
    WATER,
    WHITE,
    paint,
)
from event_library.kit.shapes import along, at, circle, extruded, extruded_ring, rod, solid_of_revolution, swept
from event_library.laws import started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.readouts import top_height_m
from event_library.taxonomy import facts

MELTING_J_PER_KG = 3.34e5
STRIPED = Material(rgb=(0.85, 0.55, 0.03), roughness=0.3, pattern=Pattern("stripes", (0.03, 0.10, 0.45), 0.014))


@dataclass(frozen=True, kw_only=True)
class BallSwitchHeaterSnow(Event):
    """A ball rolls at steady speed to a switch; from then on the plate's flux q = qm (1 - exp(-s / 0.5 s)) melts snow.

    Snow at 0 C of density rs takes rs L per volume, so h = h0 - qm (s - 0.5 (1 - exp(-s / 0.5))) / (rs L).
    """

    info = facts("ball_switch_heater_snow")
    variables = (
        state("x", "m", 0.015, flags="monotone bounded", label="way of the ball along its groove"),
        state("heat", "frac", 0.05, flags="monotone bounded", label="flux of the plate over its greatest"),
        state("h", "m", 0.004, flags="monotone bounded"),
        readout("snow_height", "m", 0.004, min_delta=0.01, flags="monotone bounded", label="mound above the plate"),
        readout("lamp", "index", 0.0, domain="discrete", flags="monotone bounded", label="lamp of the plate"),
    )
    accept_rules = (("the ball rolls for 1.5 to 2.6 s", lambda e: 1.5 <= e.switch_s <= 2.6),)

    speed_m_per_s: float = param("v", "m/s", 0.14, 0.22)
    run_m: float = param("d", "m", 0.30, 0.42)
    snow_m: float = param("h0", "m", 0.05, 0.07)
    flux_w_per_m2: float = param("qm", "W/m^2", 1.3e5, 1.9e5)
    density_kg_per_m3: float = param("rs", "kg/m^3", 50, 75)

    WARMING_S = 0.5
    TRACK_M, BALL_M, RAIL_M = 0.155, 0.016, 0.014  # radius of the track, ball, height of the rails' middles
    SWITCH_RAD = rad(-25)  # where on the round track the ball stops
    PLATE_M, STOVE_M = 0.075, 0.035  # radius of the plate, height of its top

    @property
    def switch_s(self) -> float:
        return self.run_m / self.speed_m_per_s

    @property
    def melting_m_per_s(self) -> float:
        """Of the warm plate."""
        return self.flux_w_per_m2 / (self.density_kg_per_m3 * MELTING_J_PER_KG)

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)
        x = np.minimum(self.speed_m_per_s * t, self.run_m)
        since = np.maximum(t - self.switch_s, 0.0)
        heat = 1 - np.exp(-since / self.WARMING_S)
        h = np.maximum(self.snow_m - self.melting_m_per_s * (since - self.WARMING_S * heat), 0.0)
        on = (t >= self.switch_s).astype(np.float64)
        return {"x": x, "heat": heat, "h": h, "snow_height": h.copy(), "lamp": on}

    def triggers(self) -> dict[str, float]:
        lost = 1 + self.snow_m / (self.melting_m_per_s * self.WARMING_S)  # u + exp(-u) of the end, u = s / WARMING_S
        gone_s = self.WARMING_S * (lost + float(lambertw(-np.exp(-lost)).real))
        return {"switch_pressed": self.switch_s, "snow_gone": self.switch_s + gone_s}

    def _bearing_rad(self, x_m: float) -> float:
        return self.SWITCH_RAD - (self.run_m - x_m) / self.TRACK_M

    def assembly(self) -> Assembly:
        arc = np.linspace(self._bearing_rad(-0.02), self.SWITCH_RAD + 0.06, 40)
        rails = [
            swept(np.column_stack([r * np.cos(arc), r * np.sin(arc), np.full(40, self.RAIL_M)]), 0.0032, 8)
            for r in (self.TRACK_M - 0.01, self.TRACK_M + 0.01)
        ]
        sleepers = [
            parts.block((0.034, 0.008, self.RAIL_M), (self.TRACK_M, 0, 0)).apply_transform(rig.turned((0, 0, 1), a))
            for a in arc[::5]
        ]
        end = (self.TRACK_M * direction(self.SWITCH_RAD)).tolist()
        ahead = direction(self.SWITCH_RAD + np.pi / 2)
        box = parts.block((0.045, 0.03, 0.045), (0, 0, 0)).apply_transform(rig.turned((0, 0, 1), self.SWITCH_RAD))
        box.apply_translation(np.array([*end[:2], 0.0]) + 0.048 * ahead)
        z = self.RAIL_M + self.BALL_M
        plunger = rod(0.0 * ahead, 0.03 * ahead, 0.011)
        stove = parts.join(
            parts.moved(parts.bevelled_box((0.2, 0.17, 0.026), 0.006), z_m=0.013),
            parts.moved(parts.cylinder(0.082, 0.008, 40), z_m=0.025),
        )
        coil = extruded_ring(circle(self.PLATE_M, 48), circle(0.86 * self.PLATE_M, 48), 0.003, flat=True)
        hot = Material(rgb=(0.10, 0.09, 0.09), roughness=0.5, emission_rgb=(1.0, 0.10, 0.02), emission_strength=2.5)
        return Assembly((
            Part("snow", self._mound(), SNOW, carries=True, smooth_angle_deg=70),
            heaps.puddle("melt", WATER),
            Part("ball", parts.sphere(self.BALL_M), STRIPED, carries=True, smooth_angle_deg=180),
            Part("plunger", plunger, paint(RED), carries=True, smooth_angle_deg=40),
            Part("coil", parts.moved(coil, z_m=self.STOVE_M - 0.003), hot, carries=True),
            Part("plate", parts.moved(parts.cylinder(0.86 * self.PLATE_M, 0.0025, 48), z_m=self.STOVE_M - 0.003), IRON),
            Part("stove", stove, paint((0.62, 0.64, 0.66)), smooth_angle_deg=30),
            Part("switch", parts.moved(box, z_m=z - 0.025), DARK),
            Part("track", parts.join(*rails, *sleepers), STEEL, smooth_angle_deg=40),
            cable("cable", [(end[0], end[1] + 0.05, 0.03), (0.2, 0.03, 0.0), (0.14, 0.07, 0.0), (0.09, 0.05, 0.014)]),
            *lamp("lamp", 0.01, (0.07, -0.086, 0.018)),
        ))  # fmt: skip

    def _mound(self) -> trimesh.Trimesh:
        """Fluffy flat dome, exactly snow_m high."""
        bow = np.linspace(0.0, np.pi / 2, 14)
        radius = 0.82 * self.PLATE_M
        mesh = solid_of_revolution(np.column_stack([radius * np.cos(bow) ** 0.7, self.snow_m * np.sin(bow)]), 40)
        lumps = 1 + 0.09 * fields.noise(mesh.vertices, 0.02, 5) * (mesh.vertices[:, 2:].T[0] > 0.002)
        mesh.vertices[:, :2] *= lumps[:, None]
        return mesh

    def channels(self, state: State) -> ChannelMap:
        x, h, on = float(state["x"]), float(state["h"]), bool(state["lamp"])
        bearing = self._bearing_rad(x)
        z = self.RAIL_M + self.BALL_M
        place = self.TRACK_M * direction(bearing) + at(0, 0, z)
        yaw = quaternion_about((0.0, 0.0, 1.0), bearing)[None]
        rolled = quaternion_about((1.0, 0.0, 0.0), -x / self.BALL_M)[None]  # about the outward axis
        ahead = direction(self.SWITCH_RAD + np.pi / 2)
        end = self.TRACK_M * direction(self.SWITCH_RAD) + at(0, 0, z)
        melted = 1 - h / self.snow_m
        return {
            "snow": (Scale(at(1.0, 1.0, max(h / self.snow_m, 1e-5))), Move(at(0, 0, self.STOVE_M))),
            **heaps.puddle_channels("melt", 0.99 * self.PLATE_M * melted**0.5, 0.0015, (0, 0, self.STOVE_M)),
            "ball": (Rotate(copies.quaternions_times(yaw, rolled)[0]), Move(place)),
            "plunger": (Move(end + (self.BALL_M + (0.004 if on else -0.002)) * ahead),),
            "coil": (Emission(2.5 * float(state["heat"])),),
            **lamp_channels("lamp", on),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        x, y, _ = (meshes["ball"].bounds[0] + meshes["ball"].bounds[1]) / 2
        behind = (self.SWITCH_RAD - np.arctan2(y, x)) % (2 * np.pi)
        gone = self.run_m - self.TRACK_M * (behind if behind < 6 else 0.0)
        return {"h": float(meshes["snow"].bounds[1, 2]) - self.STOVE_M, "x": float(gone)}

    def measure(self, view: View) -> dict[str, float]:
        snow = view.points_m["snow"]
        bare = 0.0 if len(view.points_m["stove"]) else float("nan")
        top = top_height_m(snow, view.pixel_area_m2["snow"], 0.006)[0] - self.STOVE_M if len(snow) else bare
        return {"snow_height": top, "lamp": lamp_is_on(view.rgb["lamp_0"])}


@dataclass(frozen=True, kw_only=True)
class IceGateMarbles(Event):
    """An ice block in a pit melts at a steady rate; once flush with the chute's floor the marbles roll over it.

    The queue moves on by one marble each dtm from then on, as in a groove that wet marbles leave at a steady pace.
    """

    info = facts("ice_gate_marbles")
    variables = (
        state("a", "m", 0.006, flags="monotone bounded", label="height of the ice"),
        state("queue", "count", 0.1, flags="monotone bounded", label="marbles past the gate, with parts of the way"),
        readout("marbles_out", "count", 1.0, min_delta=3.0, domain="count", flags="monotone bounded",
                label="marbles past the gate"),
        readout("ice_height", "m", 0.006, flags="monotone bounded", label="ice above the floor of its pit"),
    )  # fmt: skip
    accept_rules = (("the gate opens after 2.4 to 3.6 s", lambda e: 2.4 <= e.open_s <= 3.6),)

    ice_m: float = param("a0", "m", 0.05, 0.07)
    flush_m: float = param("ag", "m", 0.02, 0.028)
    melting_m_per_s: float = param("rm", "m/s", 0.009, 0.016)
    num_marbles: int = param("n", "count", 7, 10)
    pace_s: float = param("dtm", "s", 0.25, 0.45)

    BALL_M, SLOPE_RAD, PIT_M = 0.016, rad(20), 0.036  # marble, chute, length of the pit
    FLOOR_M = 0.012  # of the pit
    LIP_M = 0.05  # chute beyond the pit
    TRAY = (0.145, 0.0, 0.0)
    SLOTS = (4, 3)

    @property
    def open_s(self) -> float:
        return (self.ice_m - self.flush_m) / self.melting_m_per_s

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)
        ice = np.maximum(self.ice_m - self.melting_m_per_s * t, 0.0)
        queue = np.clip((t - self.open_s) / self.pace_s, 0.0, self.num_marbles)
        out = np.minimum(np.floor(queue + 1e-9) + (t >= self.open_s), self.num_marbles)
        return {"a": ice, "queue": queue, "marbles_out": out, "ice_height": ice.copy()}

    def triggers(self) -> dict[str, float]:
        passes = {f"marble_{k + 1}_passes": self.open_s + k * self.pace_s for k in range(self.num_marbles)}
        return {**passes, "ice_gone": self.ice_m / self.melting_m_per_s}

    def _chute_m(self, along_m: float) -> Array:
        """[3] middle of a marble in the chute, along_m past the ice's uphill face (where the first one waits)."""
        c, s = np.cos(self.SLOPE_RAD), np.sin(self.SLOPE_RAD)
        gate = at(0.0, 0.0, self.FLOOR_M + self.flush_m)
        return np.asarray(gate + (along_m - self.BALL_M) * at(c, 0, -s) + self.BALL_M * at(s, 0, c))

    def slots_m(self) -> Array:
        """[n, 3] where the marbles come to lie in the tray, the far row first."""
        columns, _ = self.SLOTS
        k = np.arange(self.num_marbles)
        x = self.TRAY[0] + 0.04 * (columns / 2 - 0.5 - k % columns)
        return np.column_stack([x, 0.04 * (1 - k // columns), np.full(len(k), 0.007 + self.BALL_M)])

    def marbles_m(self, queue: float) -> Array:
        """[n, 3] middles of all marbles: in the queue, then over the lip and by a hop to their slots."""
        places = []
        for k, slot in enumerate(self.slots_m()):
            on = queue - k  # steps since this one was at the gate
            if on <= 0:
                places.append(self._chute_m(2 * self.BALL_M * on))
                continue
            lip = self._chute_m(self.PIT_M + self.LIP_M)
            way = np.array([self._chute_m(0.0), lip, (lip + slot) / 2 + at(0, 0, 0.25 * (lip[2] - slot[2])), slot])
            share = np.clip(on / 0.9, 0.0, 1.0) ** 1.4
            places.append(along(way, share * np.array([np.linalg.norm(np.diff(way, axis=0), axis=1).sum()]))[0])
        return np.array(places)

    def assembly(self) -> Assembly:
        c, s = np.cos(self.SLOPE_RAD), np.sin(self.SLOPE_RAD)
        up = 2 * self.BALL_M * self.num_marbles + 0.01
        high, w = self.FLOOR_M + self.flush_m, 0.026
        top, low = (-up * c, high + up * s), (self.PIT_M * c, high - self.PIT_M * s)
        end = (low[0] + self.LIP_M * c, low[1] - self.LIP_M * s)
        uphill = np.array([(0.0, 0.0), (0.0, high), top, (top[0], 0.0)])
        downhill = np.array([(low[0], 0.0), (end[0], 0.0), end, low])
        body = [extruded(outline, 2 * w) for outline in (uphill, downhill)]
        body.append(parts.block((low[0], 2 * w, self.FLOOR_M), (low[0] / 2, w, 0)))
        crest = [(end[0], end[1] + 0.014), (0.0, high + 0.018), (top[0], top[1] + 0.014)]
        back = extruded(np.array([end, *crest, top, (0.0, high)]), 0.004)
        chute = parts.join(*(parts.moved(m, y_m=-w) for m in body), parts.moved(back, y_m=w - 0.004))
        x, y, z = self.TRAY
        cells = [parts.block((0.002, 0.12, 0.007), (x + 0.04 * i, y, z + 0.006)) for i in (-1, 0, 1)]
        cells += [parts.block((0.16, 0.002, 0.007), (x, y + s_ * 0.02, z + 0.006)) for s_ in (-1, 1)]
        return Assembly((
            *(
                Part(f"marble_{k}", parts.sphere(self.BALL_M, 2), paint(HUES[k % 8], 0.15), True, 180)
                for k in range(self.num_marbles)
            ),
            heaps.melting_block("ice", (0.9 * low[0], 1.9 * w, self.ice_m), 0.004, ICE),
            Part("pane", parts.block((low[0], 0.001, high - 0.004), (low[0] / 2, -w - 0.001, 0.0)), GLASS),
            Part("chute", chute, PALE_WOOD),
            furniture.tray("tray", (0.166, 0.126), 0.010, self.TRAY, paint((0.10, 0.16, 0.22))),
            Part("cells", parts.join(*cells), paint(WHITE)),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        ice = float(state["a"])
        wide = self.PIT_M * float(np.cos(self.SLOPE_RAD))
        places = self.marbles_m(float(state["queue"]))
        size = (0.9 * wide, 0.049, ice)
        block = heaps.melting_block_channels("ice", size, min(0.006, 0.45 * ice), (wide / 2, 0.0, self.FLOOR_M))
        return {
            **{f"marble_{k}": (Move(place),) for k, place in enumerate(places)},
            "ice": (Visible(ice > 1e-4), *block["ice"]),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"a": float(np.ptp(meshes["ice"].vertices[:, 2])) if "ice" in meshes else 0.0}

    def measure(self, view: View) -> dict[str, float]:
        """Marbles count as out once they are seen beyond the pit's uphill edge."""
        seen = [view.points_m[f"marble_{k}"] for k in range(self.num_marbles)]
        out = sum(float(points[:, 0].mean() > 0.0) for points in seen if len(points)) if any(map(len, seen)) else np.nan
        ice = view.points_m["ice"]
        gone = 0.0 if len(view.points_m["chute"]) else float("nan")
        top = top_height_m(ice, view.pixel_area_m2["ice"])[0] - self.FLOOR_M if len(ice) else gone
        return {"marbles_out": out, "ice_height": top}
