"""A sluice gate that a bucket lifts when the rain has filled it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Move, Visible
from event_library.families.causal_chains.pieces import STRING_M, round_m
from event_library.families.causal_chains.water import level_seen, water_channels
from event_library.kit import copies, furniture, machinery, streams, vessels
from event_library.kit.palette import IRON, RED, WATER, WOOD, paint
from event_library.kit.shapes import at, capsule, ellipsoid, rod, swept
from event_library.laws import ease, started
from event_library.parts import Assembly, Part
from event_library.readouts import top_height_m
from event_library.taxonomy import facts


@dataclass(frozen=True, kw_only=True)
class RainBucketGate(Event):
    """Rain fills a bucket in t1; it sinks and lifts a sluice gate; the pond runs out through it by Torricelli's law.

    With a gate opened to the share g, (sqrt p)' = -g / (2 td), so sqrt p = 1 - G / (2 td), G the integral of g.
    """

    info = facts("rain_bucket_gate")
    variables = (
        state("b", "frac", 0.08, flags="monotone bounded", label="fill of the bucket"),
        state("gate_open", "frac", 0.1, flags="monotone bounded"),
        state("p", "frac", 0.08, flags="monotone bounded", label="share of the water still in the pond"),
        readout("basin_level", "frac", 0.08, min_delta=0.2, flags="monotone bounded", label="water in the lower basin"),
        readout("gate", "frac", 0.2, flags="monotone bounded", label="lift of the gate"),
    )

    bucket_s: float = param("t1", "s", 2.0, 3.0)
    drain_s: float = param("td", "s", 2.2, 3.8)

    LIFT_S, LIFT_M = 0.8, 0.10
    BASIN_M, FULL_M = (0.20, 0.13), 0.12  # inside of pond and basin
    POND, BASIN = (-0.02, 0.0, 0.15), (0.235, 0.0, 0.0)
    GATE_X_M, BAR_Z_M, PULLEY_M = 0.095, 0.46, 0.018
    BUCKET_X_M, BUCKET_Z_M = -0.225, 0.27  # its foot before it sinks
    BUCKET = np.array([(0.036, 0.0), (0.048, 0.085)])  # inner profile

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)
        u = np.clip((t - self.bucket_s) / self.LIFT_S, 0.0, 1.0)
        opened = self.LIFT_S * (u**3 - u**4 / 2) + np.maximum(t - self.bucket_s - self.LIFT_S, 0.0)
        p = np.maximum(1 - opened / (2 * self.drain_s), 0.0) ** 2
        gate = ease(u)
        return {
            "b": np.minimum(t / self.bucket_s, 1.0), "gate_open": gate, "p": p, "basin_level": 1 - p,
            "gate": gate.copy(),
        }  # fmt: skip

    def triggers(self) -> dict[str, float]:
        opened = self.bucket_s + self.LIFT_S
        return {
            "bucket_full": self.bucket_s, "gate_up": opened,
            "pond_empty": opened + 2 * self.drain_s - self.LIFT_S / 2,
        }  # fmt: skip

    def assembly(self) -> Assembly:
        px, _, pz = self.POND
        bz, gx = self.BAR_Z_M, self.GATE_X_M
        frame = parts.join(
            *(parts.block((0.02, 0.02, bz + 0.03), (x, 0.1, 0.0)) for x in (-0.30, 0.115)),
            parts.block((0.455, 0.02, 0.02), (-0.0925, 0.1, bz + 0.03)),
            *(rod((x, 0.1, bz), (x, -0.014, bz), 0.006) for x in (self.BUCKET_X_M + 0.018, gx - 0.018)),
            *(parts.block((0.07, 0.10, 0.014), (x, 0.1, 0.0)) for x in (-0.30, 0.115)),
        )
        bail = swept(
            at(-0.05, 0, 0.088, -0.035, 0, 0.118, 0, 0, 0.13, 0.035, 0, 0.118, 0.05, 0, 0.088).reshape(5, 3), 0.003, 8
        )
        gate = parts.join(parts.block((0.016, 0.11, 0.125), (0, 0, 0)), parts.block((0.05, 0.12, 0.016), (0, 0, 0.121)))
        puffs = ((-0.045, 0.0, (0.09, 0.08, 0.06)), (0.045, 0.0, (0.1, 0.08, 0.06)), (0.0, 0.02, (0.11, 0.1, 0.09)))
        cloud = parts.join(
            *(parts.moved(ellipsoid(size), self.BUCKET_X_M + x, 0.0, bz + 0.11 + z) for x, z, size in puffs)
        )
        bucket = vessels.turned_vessel("bucket", self.BUCKET, floor_m=0.006)
        return Assembly((
            vessels.liquid_box("pond_water", self.BASIN_M, self.FULL_M),
            vessels.liquid_box("basin_water", self.BASIN_M, self.FULL_M),
            *vessels.square_tank("pond", self.BASIN_M, self.FULL_M + 0.02, self.POND),
            *vessels.square_tank("basin", self.BASIN_M, self.FULL_M + 0.02, self.BASIN),
            Part("gate", gate, paint(RED), carries=True),
            *bucket,
            Part("bail", bail, IRON, carries=True, smooth_angle_deg=50),
            vessels.liquid_in("bucket_water", self.BUCKET),
            machinery.rope("rope", STRING_M, 24),
            *machinery.pulley("left", self.PULLEY_M, 0.012, marked=None),
            *machinery.pulley("right", self.PULLEY_M, 0.012, marked=None),
            streams.jet("flood"),
            copies.copies("rain", self._streak(), self._rain(0.0), WATER, carries=False, smooth_angle_deg=60),
            Part("cloud", cloud, paint((0.42, 0.46, 0.52), 0.9), smooth_angle_deg=60),
            Part("frame", frame, WOOD, smooth_angle_deg=30),
            furniture.board("block", (0.23, 0.16, pz), (px, 0.0, 0.0), paint((0.30, 0.27, 0.24), 0.9)),
        ))  # fmt: skip

    def _streak(self) -> trimesh.Trimesh:
        return capsule(0.0016, 0.026, 6)

    def _rain(self, b: float) -> Array:
        """[30, 3] feet of the falling streaks between cloud and bucket."""
        k = np.arange(30)
        turn, reach = 2.4 * k, 0.036 * np.sqrt((k + 0.5) / 30)
        fall = (k * 0.618 + 9.0 * b) % 1.0
        top, low = self.BAR_Z_M + 0.07, self.BUCKET_Z_M + 0.05
        return np.column_stack([self.BUCKET_X_M + reach * np.cos(turn), reach * np.sin(turn), top - fall * (top - low)])

    def channels(self, state: State) -> ChannelMap:
        b, gate, p = (float(state[name]) for name in ("b", "gate_open", "p"))
        lift, r, bz = self.LIFT_M * gate, self.PULLEY_M, self.BAR_Z_M
        foot = (self.BUCKET_X_M, 0.0, self.BUCKET_Z_M - lift)
        gate_m = at(self.GATE_X_M, 0.0, self.POND[2] + vessels.FLOOR_M + lift)
        left, right = at(foot[0] + r, 0, bz), at(self.GATE_X_M - r, 0, bz)
        rope = np.vstack([
            at(*foot) + at(0, 0, 0.136), round_m(left, r, np.pi, np.pi / 2), round_m(right, r, np.pi / 2, 0.0),
            gate_m + at(0, 0, 0.137),
        ])  # fmt: skip
        level = float(vessels.profile_level_m(self.BUCKET, b * self._bucket_m3))
        speed = 0.25 + 0.55 * float(np.sqrt(p))
        moved = (Move(at(*foot)),)
        water = (foot[0], foot[1], foot[2] + 0.006)
        place = {name: (x, y, z + vessels.FLOOR_M) for name, (x, y, z) in (("pond", self.POND), ("basin", self.BASIN))}
        return {
            **water_channels("pond_water", p, self.FULL_M, place["pond"]),
            **water_channels("basin_water", 1 - p, self.FULL_M, place["basin"]),
            "gate": (Move(gate_m),),
            **{f"bucket_{piece}": moved for piece in ("wall", "rim", "base")},
            "bail": moved,
            **vessels.liquid_in_channels("bucket_water", self.BUCKET, level, water),
            **machinery.rope_channels("rope", rope, STRING_M, 24),
            **machinery.wheel_channels("left", 0.0, (left[0], 0.0, bz)),
            **machinery.wheel_channels("right", 0.0, (right[0], 0.0, bz)),
            **streams.parabolic_jet_channels(
                "flood", 4e-4 * gate * speed, (self.GATE_X_M - 0.004, 0.0, place["pond"][2] + 0.012),
                (speed, 0.0, 0.0), vessels.FLOOR_M + (1 - p) * self.FULL_M, running=gate > 0 and p > 0,
            ),
            "rain": (Visible(b < 1), *copies.copies_channels("rain", self._streak(), self._rain(b))["rain"]),
        }  # fmt: skip

    @property
    def _bucket_m3(self) -> float:
        return float(vessels.profile_volume_m3(self.BUCKET, self.BUCKET[-1, 1]))

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        full = self.BASIN_M[0] * self.BASIN_M[1] * self.FULL_M
        shut = self.POND[2] + vessels.FLOOR_M
        return {
            "b": float(meshes["bucket_water"].volume) / self._bucket_m3,
            "gate_open": (float(meshes["gate"].bounds[0, 2]) - shut) / self.LIFT_M,
            "p": float(meshes["pond_water"].volume) / full if "pond_water" in meshes else 0.0,
        }

    def measure(self, view: View) -> dict[str, float]:
        top = top_height_m(view.points_m["gate"], view.pixel_area_m2["gate"])[0]
        shut = self.POND[2] + vessels.FLOOR_M + 0.137
        return {
            "basin_level": level_seen(view, "basin_water", "basin", vessels.FLOOR_M, self.FULL_M),
            "gate": (top - shut) / self.LIFT_M,
        }
