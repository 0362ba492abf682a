"""Machines that fetch and set down: a gantry that builds a tower, a robot arm between two trays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import Channel, ChannelMap, Move
from event_library.families.agents_intent.routes import tool_m
from event_library.figures import robots
from event_library.kit import furniture
from event_library.kit.palette import DARK, HUES, PALE_WOOD, WOOD, paint
from event_library.kit.shapes import at
from event_library.laws import started
from event_library.parts import Assembly, Part
from event_library.taxonomy import facts

BENCH_M = 0.02  # thickness of the board that all stands on
ON_SLOT_M = 5e-4  # a block this near to its slot has been set down

BLOCK_M = 0.06
TOWER_X_M = -0.26
SUPPLY_X_M = -0.10  # first block that is fetched
SUPPLY_PITCH_M = 0.084
GRIP_DEPTH_M = 0.042
OPEN_M = 0.040

CUBE_M = 0.06
CUBE_PITCH_M = 0.078
TRAY_M = (0.27, -0.10)  # middle of the right tray
ARM_REACH_M = 0.60
ARM_OPEN_M = 0.038
HOVER_M = 0.16
TIPS_UP_M = 0.01  # finger tips above a gripped cube's underside
HOME_M = at(0.0, -0.25, 0.30)


@dataclass(frozen=True, kw_only=True)
class BlockStackingGripper(Event):
    """A gantry sets a block on a tower at the end of each cycle: placed = min(N, floor(t / Tb))."""

    info = facts("block_stacking_gripper")
    variables = (
        state("progress", "count", 0.02, flags="monotone bounded", label="cycles of the gripper"),
        readout("placed", "count", 0.0, min_delta=1, domain="count", flags="monotone bounded", label="blocks set down"),
    )

    cycle_s: float = param("Tb", "s", 1.0, 1.7)
    num_blocks: int = param("N", "count", 6, 8)

    def states(self, t_s: Array) -> dict[str, Array]:
        progress = np.minimum(started(t_s) / self.cycle_s, self.num_blocks + 0.2)
        return {"progress": progress, "placed": np.minimum(np.floor(progress), float(self.num_blocks))}

    def triggers(self) -> dict[str, float]:
        return {f"set_down_{k}": k * self.cycle_s for k in range(1, self.num_blocks + 1)}

    @property
    def _travel_m(self) -> float:
        """Height of a carried block's middle while it goes sideways."""
        return BENCH_M + (self.num_blocks + 1.9) * BLOCK_M

    def _slot_m(self, k: int) -> Array:
        """Middle of block k in the tower; -1 is the block that lies there from the start."""
        return at(TOWER_X_M, 0.0, BENCH_M + (k + 1.5) * BLOCK_M)

    def _supply_m(self, k: int) -> Array:
        return at(SUPPLY_X_M + k * SUPPLY_PITCH_M, 0.0, BENCH_M + BLOCK_M / 2)

    def _grip_m(self, progress: float) -> Array:
        """Middle of the gripper: up from the tower, over to the next block, back with it."""
        cycle = int(progress)
        left, next_one = self._slot_m(cycle - 1), self._supply_m(min(cycle, self.num_blocks - 1))
        over, above = at(left[0], 0.0, self._travel_m), at(next_one[0], 0.0, self._travel_m)
        knots = (0.0, 0.05, 0.14, 0.30, 0.45, 0.50, 0.64, 0.82, 1.0)
        return tool_m(progress - cycle, knots,
                      (left, left, over, above, next_one, next_one, above, over, self._slot_m(cycle)))  # fmt: skip

    def assembly(self) -> Assembly:
        cube = parts.bevelled_box((BLOCK_M,) * 3, 0.004)
        blocks = [
            Part(f"block_{k}", cube.copy(), paint(HUES[k % 4]), carries=True) for k in range(self.num_blocks)
        ]  # fmt: skip
        first = Part("first", cube.copy().apply_translation(self._slot_m(-1)), paint(HUES[3]), carries=True)
        left, right = TOWER_X_M - 0.11, SUPPLY_X_M + (self.num_blocks - 1) * SUPPLY_PITCH_M + 0.08
        span = 2 * max(-left, right)
        return Assembly((
            *blocks, first,
            *robots.gantry("gantry", span, self._travel_m + 0.10, GRIP_DEPTH_M, OPEN_M),
            furniture.board("bench", (span + 0.14, 0.2, BENCH_M), material=PALE_WOOD),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        progress = float(state["progress"])
        cycle, u = int(progress), progress % 1.0
        grip = self._grip_m(progress)
        shut = np.clip(1 - u / 0.05, 0, 1) if u < 0.25 else np.clip((u - 0.45) / 0.05, 0, 1)
        gap = OPEN_M - (OPEN_M - BLOCK_M / 2) * float(shut)
        channels: dict[str, tuple[Channel, ...]] = {}
        for k in range(self.num_blocks):
            carried = grip if k == cycle and u >= 0.5 else self._supply_m(k)
            channels[f"block_{k}"] = (Move(self._slot_m(k) if k < cycle else carried),)
        return {
            **channels,
            **robots.gantry_channels("gantry", self._travel_m + 0.10, GRIP_DEPTH_M, OPEN_M, grip[[0, 2]], gap),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        middles = [meshes[f"block_{k}"].bounds.mean(axis=0) for k in range(self.num_blocks)]
        return {"placed": float(sum(np.linalg.norm(m - self._slot_m(k)) < 1e-6 for k, m in enumerate(middles)))}

    def measure(self, view: View) -> dict[str, float]:
        """A block is placed when it is over the base and no higher than its place in the tower."""
        if len(view.points_m["first"]) == 0:
            return {"placed": float("nan")}
        placed = 0
        for k in range(self.num_blocks):
            points = view.points_m[f"block_{k}"]
            if len(points) and abs(points[:, 0].mean() - TOWER_X_M) < BLOCK_M / 2:
                placed += bool(points[:, 2].max() < self._slot_m(k)[2] + BLOCK_M / 2 + ON_SLOT_M)
        return {"placed": float(placed)}


@dataclass(frozen=True, kw_only=True)
class RobotArmPickPlace(Event):
    """A robot arm carries cubes from tray to tray; each is set down at 0.7 of its cycle: moved = floor(t / Tc + 0.3).

    Inverse kinematics of a turning base and two equal links puts the finger tips on the tool path.
    """

    info = facts("robot_arm_pick_place")
    variables = (
        state("progress", "count", 0.02, flags="monotone bounded", label="cycles of the arm"),
        readout("moved", "count", 0.0, min_delta=1, domain="count", flags="monotone bounded",
                label="cubes in the right tray"),
    )  # fmt: skip

    num_cubes: int = param("N", "count", 6, 9)
    cycle_s: float = param("Tc", "s", 1.3, 2.0)

    def states(self, t_s: Array) -> dict[str, Array]:
        progress = np.minimum(started(t_s) / self.cycle_s, float(self.num_cubes))
        return {"progress": progress, "moved": np.minimum(np.floor(progress + 0.3), float(self.num_cubes))}

    def triggers(self) -> dict[str, float]:
        return {f"set_down_{k + 1}": (k + 0.7) * self.cycle_s for k in range(self.num_cubes)}

    def _slot_m(self, k: int, side: int) -> Array:
        """Middle of cube k's place in the left (-1) or right (1) tray; back rows first."""
        row, column = divmod(k, 3)
        x = side * (TRAY_M[0] + (column - 1) * CUBE_PITCH_M)
        return at(x, TRAY_M[1] + (1 - row) * CUBE_PITCH_M, BENCH_M + 0.006 + CUBE_M / 2)

    def _tips_m(self, progress: float) -> Array:
        """Finger tips: from home down to the next cube, across with it, home."""
        k = int(progress)
        if k >= self.num_cubes:
            return HOME_M
        down = at(0.0, 0.0, TIPS_UP_M - CUBE_M / 2)
        start, end = self._slot_m(k, -1) + down, self._slot_m(k, 1) + down
        up = at(0.0, 0.0, HOVER_M)
        return tool_m(
            progress - k, (0.0, 0.15, 0.25, 0.35, 0.45, 0.60, 0.70, 0.80, 0.88, 1.0),
            (HOME_M, start + up, start, start, start + up, end + up, end, end, end + up, HOME_M),
        )  # fmt: skip

    def assembly(self) -> Assembly:
        cube = parts.bevelled_box((CUBE_M,) * 3, 0.005)
        inner = 3 * CUBE_PITCH_M + 0.02
        return Assembly((
            *(Part(f"cube_{k}", cube.copy(), paint(HUES[k % len(HUES)]), carries=True) for k in range(self.num_cubes)),
            *robots.robot_arm("arm", ARM_REACH_M),
            *(
                furniture.tray(f"tray_{name}", (inner, inner), 0.018, (side * TRAY_M[0], TRAY_M[1], BENCH_M), WOOD)
                for name, side in (("left", -1), ("right", 1))
            ),
            furniture.board("bench", (0.86, 0.46, BENCH_M), (0.0, -0.07, 0.0), DARK),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        progress = float(state["progress"])
        current, u = int(progress), progress % 1.0
        tips = self._tips_m(progress)
        shut = float(np.clip((u - 0.25) / 0.1, 0, 1) * np.clip((0.80 - u) / 0.1, 0, 1))
        lift = at(0.0, 0.0, CUBE_M / 2 - TIPS_UP_M)
        moved = {}
        for k in range(self.num_cubes):
            place = self._slot_m(k, 1 if k < current or (k == current and u >= 0.70) else -1)
            moved[f"cube_{k}"] = (Move(tips + lift if k == current and 0.35 <= u < 0.70 else place),)
        return {
            **moved,
            **robots.robot_arm_channels(
                "arm", ARM_REACH_M, (0.0, 0.0, BENCH_M), -np.pi / 2, tips,
                half_gap_m=ARM_OPEN_M - (ARM_OPEN_M - CUBE_M / 2) * shut,
            ),
        }  # fmt: skip

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        middles = [meshes[f"cube_{k}"].bounds.mean(axis=0) for k in range(self.num_cubes)]
        return {"moved": float(sum(np.linalg.norm(m - self._slot_m(k, 1)) < 1e-6 for k, m in enumerate(middles)))}

    def measure(self, view: View) -> dict[str, float]:
        """The last cube that is over the right tray and no higher than cubes lie there; they are moved in order."""
        top = BENCH_M + 0.006 + CUBE_M + ON_SLOT_M
        seen = [view.points_m[f"cube_{k}"] for k in range(self.num_cubes)]
        if not any(map(len, seen)):
            return {"moved": float("nan")}
        right = [len(p) > 0 and p[:, 0].mean() > TRAY_M[0] - 1.6 * CUBE_PITCH_M and p[:, 2].max() < top for p in seen]
        return {"moved": float(np.max(np.flatnonzero(right), initial=-1) + 1)}
