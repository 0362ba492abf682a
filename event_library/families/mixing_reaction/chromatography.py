"""Ink that climbs a paper strip and comes apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap
from event_library.kit import palette, vessels
from event_library.kit.boards import Grid, field_board, field_board_channels
from event_library.kit.shapes import rod
from event_library.laws import started
from event_library.parts import Assembly, Part
from event_library.readouts import linear_rgb
from event_library.taxonomy import facts

BEAKER_M, WATER_M = 0.038, 0.022
DIP_M = vessels.FLOOR_M + WATER_M  # height of the water, where the paper starts to be wet
STRIP_M, WIDE_M = 0.148, 0.044  # paper above the dip line, and its width
TOP_M = 0.12  # where the front stops
RETENTION = np.array([0.25, 0.55, 0.85])
DYES = np.array([(2.4, 0.35, 0.0), (0.1, 2.2, 0.0), (0.0, 0.05, 2.2)])  # absorbance of blue, red, yellow
PAPER, DAMP = np.array([0.88, 0.87, 0.82]), 0.74
BAND_M, SPOT_M = 0.0035, 0.0065  # of a band along the strip and across it


@dataclass(frozen=True, kw_only=True)
class PaperChromatography(Event):
    """Front by Lucas-Washburn, L^2 = K tau; each dye follows at its retention factor (Martin & Synge 1941)."""

    info = facts("paper_chromatography")
    variables = (
        state("heights", "m", 0.003, domain="vector", label="of the blue, red and yellow bands and of the wet front"),
        readout("fast_band", "m", 0.004, min_delta=0.009, flags="monotone bounded", label="middle of the yellow band"),
    )
    accept_rules = (("the front climbs 6 to 11 cm in 8 s", lambda e: 0.06 <= e.front_m(np.array(8.0)) <= 0.11),)

    pull_m2_per_s: float = param("K", "m^2/s", 6e-6, 1.2e-5)
    start_m: float = param("y0", "m", 0.008, 0.012)
    retention_ratio: float = param("rfs", "ratio", 0.9, 1.05)
    time_scale: float = param("time_scale", "s/s", 50, 150)

    def front_m(self, t_s: Array) -> Array:
        return np.minimum(np.sqrt(self.pull_m2_per_s * self.time_scale * t_s), TOP_M)

    def states(self, t_s: Array) -> dict[str, Array]:
        front = self.front_m(started(t_s))
        climbed = np.maximum(front - self.start_m, 0.0)
        bands = self.start_m + np.outer(climbed, RETENTION * self.retention_ratio)
        return {"heights": np.column_stack([bands, front]), "fast_band": bands[:, 2]}

    @staticmethod
    def _grid() -> Grid:
        return Grid(148, 15, (WIDE_M, STRIP_M), (0.0, 0.0, DIP_M + STRIP_M / 2), "front")

    def assembly(self) -> Assembly:
        top = DIP_M + STRIP_M
        back = parts.block((WIDE_M, 0.0008, STRIP_M + WATER_M - 0.004), (0, 0.0010, vessels.FLOOR_M + 0.004))
        hanger = parts.join(
            rod((-0.06, 0.006, top - 0.004), (0.06, 0.006, top - 0.004), 0.004),
            *(rod((s * 0.06, 0.006, 0.0), (s * 0.06, 0.006, top), 0.005) for s in (-1, 1)),
        )
        clip = parts.block((0.018, 0.012, 0.014), (0, 0.003, top - 0.009))
        water = vessels.liquid_column("water", BEAKER_M, WATER_M)
        still = Part("water", parts.moved(water.mesh, z_m=vessels.FLOOR_M), water.material, smooth_angle_deg=40)
        return Assembly(
            parts=(
                field_board("strip", self._grid()),
                Part("back", back, palette.PAPER),
                still,
                *vessels.glass("beaker", BEAKER_M, 0.05),
                Part("hanger", hanger, palette.STEEL, smooth_angle_deg=40),
                Part("clip", clip, palette.DARK),
            )
        )

    def channels(self, state: State) -> ChannelMap:
        grid = self._grid()
        spots = grid.centres_m()
        x, y, front = spots[..., 0], spots[..., 2] - DIP_M, float(state["heights"][3])
        wide = BAND_M * np.sqrt(1 + 2 * front / 0.1)
        across = np.exp(-(x**2) / (2 * SPOT_M**2))
        ink = np.zeros((*x.shape, 3))
        for height, dye in zip(state["heights"][:3], DYES, strict=True):
            ink += dye * (across * np.exp(-((y - height) ** 2) / (2 * wide**2)))[..., None] * (BAND_M / wide) ** 0.5
        damp = 1 + (DAMP - 1) / (1 + np.exp((y - front) / 0.0006))
        return field_board_channels("strip", grid, PAPER * np.exp(-ink) * damp[..., None])

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {}

    def measure(self, view: View) -> dict[str, float]:
        """Middle of what takes blue from the paper, beside the margins at the same height: only yellow does."""
        points = view.points_m["strip"]
        if len(points) < 30:
            return {"fast_band": float("nan")}
        x, y = np.abs(points[:, 0]), points[:, 2] - DIP_M
        blue = np.log(np.maximum(linear_rgb(view.rgb["strip"])[:, 2], 1e-4))
        inside, margin = (x < 1.1 * SPOT_M) & (y < TOP_M), x > 2.3 * SPOT_M
        if inside.sum() < 4 or margin.sum() < 4:
            return {"fast_band": float("nan")}
        order = np.argsort(y[margin])
        taken = np.interp(y[inside], y[margin][order], blue[margin][order]) - blue[inside]
        weight = np.where(taken > 0.3 * taken.max(), taken, 0.0)
        return {"fast_band": float((weight * y[inside]).sum() / weight.sum())}
