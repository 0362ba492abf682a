"""Screens and lamps that count: progress bar, countdown, chaser lights, binary counter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap
from event_library.kit import dials, digits
from event_library.kit.palette import DARK, WHITE, paint
from event_library.laws import started
from event_library.parts import Assembly, Material, Part
from event_library.readouts import pixel_pitch_m
from event_library.taxonomy import facts

BAR_M = (0.40, 0.085)  # full length and height of the progress bar
BAR_LEFT = (-0.20, -0.010, 0.21)  # middle of its left edge
SCREEN_RGB = (0.02, 0.05, 0.13)


@dataclass(frozen=True, kw_only=True)
class ProgressBar(Event):
    """A download at a steady rate: p = min(1, p0 + r t)."""

    info = facts("progress_bar")
    variables = (
        state("p", "frac", 0.05, flags="monotone bounded"),
        readout("progress", "frac", 0.05, min_delta=0.14, flags="monotone bounded", label="filled share of the bar"),
    )

    start_frac: float = param("p0", "frac", 0.02, 0.15)
    rate_per_s: float = param("r", "1/s", 0.07, 0.12)

    def states(self, t_s: Array) -> dict[str, Array]:
        share = np.minimum(self.start_frac + self.rate_per_s * started(t_s), 1.0)
        return {"p": share, "progress": share.copy()}

    def triggers(self) -> dict[str, float]:
        return {"complete": (1 - self.start_frac) / self.rate_per_s}

    def assembly(self) -> Assembly:
        screen = Material(rgb=SCREEN_RGB, roughness=0.3, emission_rgb=(0.05, 0.12, 0.32), emission_strength=0.55)
        stand = parts.join(
            parts.moved(parts.bevelled_box((0.20, 0.13, 0.014), 0.004), 0, 0.03, 0.007),
            parts.block((0.05, 0.02, 0.12), (0, 0.035, 0.01)),
        )
        glow = Material(rgb=(0.04, 0.45, 0.08), roughness=0.4, emission_rgb=(0.06, 0.85, 0.12), emission_strength=1.3)
        return Assembly((
            *dials.bar_gauge("bar", BAR_M, BAR_LEFT, along="x", depth_m=0.006, fill=glow, frame=paint((0.30, 0.33, 0.40))),
            Part("case", parts.moved(parts.bevelled_box((0.52, 0.03, 0.32), 0.008), 0, 0.019, 0.24), DARK),
            Part("screen", parts.block((0.48, 0.002, 0.28), (0, 0.003, 0.10)), screen),
            Part("stand", stand, DARK),
            digits.label("title", "DOWNLOAD", 0.045, (0, 0.0015, 0.325), material=paint(WHITE, glow=0.9)),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        return dials.bar_gauge_channels("bar", float(state["p"]), BAR_LEFT, along="x")

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"p": float(np.ptp(meshes["bar_fill"].vertices[:, 0])) / BAR_M[0]}

    def measure(self, view: View) -> dict[str, float]:
        points, areas = view.points_m["bar_fill"], view.pixel_area_m2["bar_fill"]
        if len(points) == 0:
            return {"progress": 0.0}
        return {"progress": (float(points[:, 0].max()) + pixel_pitch_m(areas) / 2 - BAR_LEFT[0]) / BAR_M[0]}
