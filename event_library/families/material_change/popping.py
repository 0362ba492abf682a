"""Popcorn: kernels that burst one by one into a heap of flakes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh
from scipy.special import ndtri

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import ChannelMap
from event_library.kit import copies
from event_library.kit.palette import DARK, GLASS, GLASS_EDGE, IRON, STEEL, paint
from event_library.kit.shapes import at, ellipsoid, swept
from event_library.laws import started
from event_library.parts import Assembly, Material, Part
from event_library.readouts import split_of_row
from event_library.taxonomy import facts

PAN_M, PAN_FLOOR_M, RIM_M = 0.105, 0.020, 0.052  # inner radius of the pan; heights of its floor and rim
LID_M = 0.095  # height of its dome
KERNEL_M, FLAKE_M = 0.0082, 0.018  # radii; a flake is 2.2 times as large
HOP_S, HOP_M = 0.25, 0.05


@dataclass(frozen=True, kw_only=True)
class PopcornPopping(Event):
    """Kernel j of N pops at tm + s probit((j - 1/2) / N): popping times spread normally. A flake hops to its place.

    The heap fills place by place from the bottom; what popped before the clip lies there from the start.
    """

    info = facts("popcorn_popping")
    variables = (
        state("flight", "s", 0.05, domain="vector", label="time since each kernel popped, at most a hop; -1 before"),
        state("popped", "count", 3.0, domain="count", flags="monotone bounded"),
        readout(
            "popped_fraction",
            "frac",
            0.1,
            min_delta=0.22,
            flags="monotone bounded",
            label="popped share of the kernels",
        ),
    )

    num_kernels: int = param("N", "count", 40, 70)
    middle_s: float = param("tm", "s", 3.2, 4.4)
    spread_s: float = param("s", "s", 1.0, 1.7)
    seed: int = seed_param()

    def popping_s(self) -> Array:
        """[N] in the order of popping."""
        num = int(self.num_kernels)
        return np.asarray(self.middle_s + self.spread_s * ndtri((np.arange(num) + 0.5) / num))

    def states(self, t_s: Array) -> dict[str, Array]:
        since = started(t_s)[:, None] - self.popping_s()
        popped = (since >= 0).sum(axis=1).astype(np.float64)
        flight = np.where(since < 0, -1.0, np.minimum(since, HOP_S))
        return {"flight": flight, "popped": popped, "popped_fraction": popped / self.num_kernels}

    def triggers(self) -> dict[str, float]:
        return {"last_pop": float(self.popping_s()[-1])}

    def assembly(self) -> Assembly:
        num = int(self.num_kernels)
        pan = [
            (0.0, 0.008), (PAN_M + 0.002, 0.008), (PAN_M + 0.005, 0.012), (PAN_M + 0.007, RIM_M),
            (PAN_M + 0.002, RIM_M),
            (PAN_M, PAN_FLOOR_M + 0.002), (0.0, PAN_FLOOR_M),
        ]  # fmt: skip
        bow = np.linspace(0.0, np.pi / 2, 12)
        lid = np.column_stack([(PAN_M + 0.005) * np.cos(bow), RIM_M + 0.003 + LID_M * np.sin(bow)])
        lid[-1, 0] = 0.0
        lid_rim = parts.moved(parts.torus(PAN_M + 0.005, 0.0025, 64, 8), z_m=RIM_M + 0.003)
        handle = swept(np.array([(PAN_M, 0, 0.038), (PAN_M + 0.025, 0, 0.046), (PAN_M + 0.055, 0, 0.048)]), 0.0085, 12)
        knob = parts.join(
            parts.moved(parts.sphere(0.012, 2), z_m=RIM_M + LID_M + 0.015),
            parts.moved(parts.cylinder(0.005, 0.012, 12), z_m=RIM_M + LID_M + 0.001),
        )
        stove = parts.join(
            parts.cylinder(PAN_M + 0.015, 0.004, 48), parts.moved(parts.ring(0.04, 0.085, 0.004, 0.001), z_m=0.004)
        )
        flakes = copies.copies(
            "flakes",
            _flake(),
            np.zeros((num, 3)),
            paint((0.93, 0.90, 0.80), 0.8),
            scales=np.full(num, 1e-4),
            smooth_angle_deg=60,
        )
        kernels = copies.copies(
            "kernels", _kernel(), self.kernels_m(), paint((0.85, 0.42, 0.02), 0.3), smooth_angle_deg=180
        )
        return Assembly((
            flakes,
            kernels,
            Part("pan", parts.lathe(np.array(pan), 64), IRON, smooth_angle_deg=40),
            Part("handle", handle, DARK, smooth_angle_deg=60),
            Part("lid", parts.lathe(lid, 48), GLASS, smooth_angle_deg=60),
            Part("lid_rim", lid_rim, STEEL, smooth_angle_deg=60),
            Part("knob", knob, GLASS_EDGE, smooth_angle_deg=60),
            Part("hob", stove, Material(rgb=(0.05, 0.05, 0.055), roughness=0.4)),
        ))  # fmt: skip

    def kernels_m(self) -> Array:
        """[N, 3] where each kernel lies on the pan's floor, in the order of popping."""
        num = int(self.num_kernels)
        spots = copies.scattered_positions(num, 0.9 * PAN_M, int(self.seed), height_m=PAN_FLOOR_M + 0.7 * KERNEL_M)
        return spots[np.random.Generator(np.random.PCG64(int(self.seed))).permutation(num)]

    def channels(self, state: State) -> ChannelMap:
        flight = np.asarray(state["flight"])
        kernels, places = self.kernels_m(), heap_m(int(self.num_kernels))
        u = np.clip(flight / HOP_S, 0.0, 1.0)[:, None]
        spots = kernels + (places - kernels) * u + at(0, 0, 1) * 4 * HOP_M * u * (1 - u)
        gone, there = flight >= 0, flight < 0
        turns = copies.random_quaternions(len(flight), np.random.Generator(np.random.PCG64(11)))
        grown = np.where(gone, 0.4 + 0.6 * np.minimum(3 * u[:, 0], 1.0), 1e-4)
        return {
            **copies.copies_channels("flakes", _flake(), spots, turns, grown),
            **copies.copies_channels("kernels", _kernel(), kernels, turns, np.where(there, 1.0, 1e-4)),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        size = np.ptp(np.asarray(meshes["flakes"].vertices).reshape(int(self.num_kernels), -1, 3), axis=1).max(axis=1)
        return {"popped": float((size > 0.1 * FLAKE_M).sum())}

    def measure(self, view: View) -> dict[str, float]:
        """The split of the heap's places, which fill in order, that agrees with the most of them seen full or empty.

        Full: surface is seen about the place as a flake's is. Empty: something is seen through it.
        """
        points, flakes = np.vstack(list(view.points_m.values())), view.points_m["flakes"]
        if len(points) < 20:
            return {"popped_fraction": float("nan")}
        places = heap_m(int(self.num_kernels))
        gaze = points - view.eye_m
        far = np.linalg.norm(gaze, axis=1)
        along = (places - view.eye_m) @ (gaze / far[:, None]).T  # [N, P] where each ray passes nearest to each place
        beside = np.sqrt(np.maximum(((places - view.eye_m) ** 2).sum(axis=1)[:, None] - along**2, 0.0))
        empty = ((beside < 0.75 * FLAKE_M) & (far > along + 0.6 * FLAKE_M)).any(axis=1)
        off = np.linalg.norm(flakes[:, None] - places, axis=2) if len(flakes) else np.full((1, len(places)), np.inf)
        full = ((off > 0.7 * FLAKE_M) & (off < 1.16 * FLAKE_M)).sum(axis=0) >= 2
        return {"popped_fraction": split_of_row(np.where(empty, -1.0, np.where(full, 1.0, 0.0))) / len(places)}


def _flake() -> trimesh.Trimesh:
    """A blown-up kernel: a ball of lobes (42 vertices)."""
    mesh = parts.sphere(FLAKE_M, 1)
    vertices = np.asarray(mesh.vertices)
    lobes = 1 + 0.28 * np.sin(3.1 * np.arange(len(vertices)) ** 1.3)
    return trimesh.Trimesh(vertices * np.clip(lobes, 0.78, 1.15)[:, None], mesh.faces, process=False)


def _kernel() -> trimesh.Trimesh:
    return ellipsoid((2 * KERNEL_M, 1.7 * KERNEL_M, 1.4 * KERNEL_M), 1)


@lru_cache(maxsize=64)
def heap_m(num: int) -> Array:
    """[num, 3] places of the flakes: rings in the pan, layer on layer, each layer from its middle outwards."""
    spots: list[tuple[float, float, float]] = []
    layer = 0
    while len(spots) < num:
        z = PAN_FLOOR_M + FLAKE_M + layer * 1.45 * FLAKE_M
        reach = (PAN_M if z < RIM_M else PAN_M * np.sqrt(max(1 - ((z - RIM_M) / LID_M) ** 2, 0.04))) - FLAKE_M
        radii = np.linspace(0.0, reach, max(round(reach / (1.7 * FLAKE_M)), 1) + 1)
        for ring, radius in enumerate(radii):
            count = max(int(2 * np.pi * radius / (1.85 * FLAKE_M)), 1)
            turn = 0.7 * layer + 0.4 * ring
            spots += [(radius * np.cos(a), radius * np.sin(a), z) for a in turn + 2 * np.pi * np.arange(count) / count]
        layer += 1
    return np.array(spots[:num])
