"""Prey and predators in a pond."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import Channel, ChannelMap
from event_library.kit import copies, palette, shapes
from event_library.laws import ode_values, started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.readouts import footprints_m2
from event_library.taxonomy import facts

MOST_PREY, MOST_PREDATORS = 60, 32  # fish that can be shown
POND_M, WATER_Z = 0.40, 0.02  # radius; surface, on which the fish are drawn
SWIM_PER_S = 0.35  # turns of each fish on its little round
ROUND_M = 0.006


@dataclass(frozen=True, kw_only=True)
class LotkaVolterraPond(Event):
    """Lotka (1925) and Volterra (1926): x' = a x (1 - y / Y), y' = c y (x / X - 1); shown are round(x) and round(y)."""

    info = facts("lotka_volterra_pond")
    variables = (
        state("x", "count", 3.0, domain="scalar", flags="periodic"),
        state("y", "count", 3.0, domain="scalar", flags="periodic"),
        state("swim", "rad", 0.1, domain="angle", cycle=2 * np.pi),
        readout("prey", "count", 5.0, min_delta=10.0, domain="count", flags="periodic", label="blue fish"),
        readout("predators", "count", 3.0, domain="count", flags="periodic", label="red fish"),
    )

    birth_per_s: float = param("a", "1/s", 0.8, 1.3)
    death_per_s: float = param("c", "1/s", 0.8, 1.3)
    num_prey: int = param("X", "count", 18, 24)
    num_predators: int = param("Y", "count", 8, 11)
    excess: float = param("fx", "ratio", 1.4, 2.0)

    def start_values(self) -> tuple[float, ...]:
        return self.excess * self.num_prey, 0.6 * self.num_predators

    def rates(self, values: tuple[float, ...]) -> tuple[float, ...]:
        x, y = values
        return (
            self.birth_per_s * x * (1 - y / self.num_predators),
            self.death_per_s * y * (x / self.num_prey - 1),
        )

    def states(self, t_s: Array) -> dict[str, Array]:
        x, y = ode_values(self, t_s).T
        swim = (2 * np.pi * SWIM_PER_S * started(t_s)) % (2 * np.pi)
        return {"x": x, "y": y, "swim": swim, "prey": np.round(x), "predators": np.round(y)}

    @cached_property
    def homes_m(self) -> tuple[Array, Array]:
        """Middles of the rounds of all blue and all red fish; they fill the pond evenly, whatever their number."""
        spots = copies.scattered_positions(MOST_PREY + MOST_PREDATORS, 0.9 * POND_M, 5, height_m=WATER_Z)
        order = np.random.Generator(np.random.PCG64(5)).permutation(len(spots))
        return spots[order[:MOST_PREY]], spots[order[MOST_PREY:]]

    def assembly(self) -> Assembly:
        blue, red = self.homes_m
        water = Material(rgb=(0.30, 0.52, 0.40), roughness=0.25, pattern=Pattern("speckle", (0.24, 0.45, 0.36), 0.09))
        angle = 2 * np.pi * np.arange(26) / 26
        rocks = []
        for k, a in enumerate(angle):
            high = 0.05 + 0.02 * np.sin(3.1 * k)
            rock = shapes.turned(shapes.ellipsoid((0.09, 0.055, high), 1), (0, 0, 1), float(a) + 1.6)
            rocks.append(parts.moved(rock, 1.05 * POND_M * np.cos(a), 1.05 * POND_M * np.sin(a), high / 2))
        stone = Material(rgb=(0.33, 0.31, 0.28), roughness=0.9, pattern=Pattern("speckle", (0.22, 0.21, 0.19), 0.03))
        return Assembly(
            (
                copies.copies("prey", _fish(0.070, 0.036), blue, palette.paint((0.02, 0.06, 0.55), 0.4)),
                copies.copies("predators", _fish(0.088, 0.038), red, palette.paint((0.75, 0.03, 0.02), 0.4)),
                Part("water", parts.cylinder(1.02 * POND_M, WATER_Z, 64), water, smooth_angle_deg=40),
                Part("rocks", parts.join(*rocks), stone, smooth_angle_deg=40),
            )
        )

    def channels(self, state: State) -> ChannelMap:
        found: dict[str, tuple[Channel, ...]] = {}
        for name, homes, mesh, shown in (
            ("prey", self.homes_m[0], _fish(0.070, 0.036), state["prey"]),
            ("predators", self.homes_m[1], _fish(0.088, 0.038), state["predators"]),
        ):
            k = np.arange(len(homes))
            phase = float(state["swim"]) * np.where(k % 2 == 0, 1.0, -1.0) + 2.4 * k
            offset = ROUND_M * np.column_stack([np.cos(phase), np.sin(phase), np.zeros(len(k))])
            heading = 2.4 * k + 0.35 * np.sin(float(state["swim"]) + k)
            turns = copies.quaternions_about((0.0, 0.0, 1.0), heading)
            found |= copies.copies_channels(name, mesh, homes + offset, turns, (k < shown) * 1.0)
        return found

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        first = np.asarray(meshes["prey"].vertices)  # nose and notch of the tail lie on the first fish's axis
        x, y, _ = (0.42 * first[0] + 0.50 * first[6]) / 0.92 - self.homes_m[0][0]
        counts = {"swim": float(np.arctan2(y, x))}
        for name, num in (("prey", MOST_PREY), ("predators", MOST_PREDATORS)):
            fish = np.asarray(meshes[name].vertices).reshape(num, -1, 3)
            counts[name] = float((np.ptp(fish[..., 2], axis=1) > 1e-9).sum())
        return counts

    def measure(self, view: View) -> dict[str, float]:
        """Area seen of all fish of a colour over that of one: they never overlap."""
        if len(view.points_m["water"]) == 0:
            return {"prey": float("nan")}
        found = {}
        for name, one in (("prey", _fish(0.070, 0.036)), ("predators", _fish(0.088, 0.038))):
            seen = footprints_m2(view.points_m[name], view.pixel_area_m2[name], view.eye_m, (0.0, 0.0, 1.0))
            on_top = view.points_m[name][:, 2] > WATER_Z + float(one.bounds[1, 2]) - 2e-4
            found[name] = float(seen[on_top].sum()) / _plan_area_m2(one)
        return found


def _fish(length_m: float, width_m: float) -> trimesh.Trimesh:
    """A fish seen from above, nose towards +x: flat-bottomed body and a tail, low so that its outline is its area."""
    body = [(0.5, 0.0), (0.38, 0.34), (0.12, 0.5), (-0.16, 0.34), (-0.32, 0.12), (-0.5, 0.42)]
    outline = np.array([*body, (-0.42, 0.0), *((x, -y) for x, y in body[:0:-1])]) * [length_m, width_m]
    mesh = shapes.extruded(outline, 0.003, flat=True)
    return parts.moved(mesh, z_m=4e-4)


def _plan_area_m2(mesh: trimesh.Trimesh) -> float:
    up = mesh.face_normals[:, 2] > 0.5
    return float(mesh.area_faces[up].sum())
