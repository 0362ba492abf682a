"""Sea and sand: waves that wear a sandcastle down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh
from scipy.ndimage import gaussian_filter

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Move, Scale, VertexColours, Vertices
from event_library.kit.faces import grid_faces
from event_library.kit.palette import FOAM, SAND, WATER, ramp
from event_library.kit.shapes import at, swept
from event_library.laws import ease, started
from event_library.parts import Assembly, Material, Part
from event_library.readouts import top_height_m
from event_library.taxonomy import facts

NUM_CELLS = 60
GROUND_M, BEACH_M = 0.60, 0.02  # side of the castle's ground; height of the beach
CELL_M = GROUND_M / (NUM_CELLS - 1)
HIT_S = 0.3  # a wave takes so long to carry its sand away
SEA_M = (0.86, 0.64)  # the beach, x and y
SWASH_M = (0.08, 0.40)  # how far the water lies from the left end at its lowest and highest
DRY_SAND, WET_SAND = (0.74, 0.52, 0.26), (0.36, 0.22, 0.09)


@dataclass(frozen=True, kw_only=True)
class SandcastleErosion(Event):
    """Each wave multiplies the castle's height by q within 0.3 s; they come every Pw, the water as sin^2(pi t / Pw).

    The shape follows from the height: the castle is smoothed (linear diffusion of height) until it is just as high; its
    sand leaves over the edge of the ground.
    """

    info = facts("sandcastle_erosion")
    variables = (
        state("h", "m", 0.015, flags="monotone"),
        state("waves", "count", 0.0, domain="count", flags="monotone", label="waves that have hit"),
        state("swash", "m", 0.03, flags="periodic bounded", label="waterline, from the seaward end of the beach"),
        readout("height", "m", 0.015, min_delta=0.032, flags="monotone", label="highest point above the beach"),
    )

    wave_s: float = param("Pw", "s", 1.1, 1.7)
    keep: float = param("q", "ratio", 0.72, 0.84)
    start_m: float = param("h0", "m", 0.18, 0.26)

    def states(self, t_s: Array) -> dict[str, Array]:
        time_s = started(t_s)
        beats = time_s / self.wave_s + 0.5
        waves = np.floor(beats)  # wave n = 1, 2 ... hits at (n - 1/2) Pw
        share = ease((beats - waves) * self.wave_s / HIT_S)
        worn = np.where(waves > 0, waves - 1 + share, 0.0)
        height = self.start_m * self.keep**worn
        swash = SWASH_M[0] + (SWASH_M[1] - SWASH_M[0]) * np.sin(np.pi * time_s / self.wave_s) ** 2
        return {"h": height, "waves": waves, "swash": swash, "height": height.copy()}

    def assembly(self) -> Assembly:
        beach = parts.moved(parts.bevelled_box((*SEA_M, BEACH_M), 0.006), z_m=BEACH_M / 2)
        mesh = trimesh.Trimesh(self._surface(self.start_m), grid_faces(NUM_CELLS, NUM_CELLS), process=False)
        sand = Material(rgb=DRY_SAND, roughness=0.95, per_vertex=True)
        water = parts.block((1.0, SEA_M[1] - 0.02, 0.012), (0.5, 0, 0))
        front = np.column_stack([0.012 * np.sin(np.linspace(0, 14, 40)), np.linspace(-0.31, 0.31, 40), np.zeros(40)])
        return Assembly((
            Part("castle", mesh, sand, carries=True, smooth_angle_deg=35),
            Part("beach", beach, SAND),
            Part("water", water, WATER, carries=True),
            Part("foam", swept(front, 0.012, 8), FOAM, carries=True, smooth_angle_deg=180),
        ))  # fmt: skip

    def _surface(self, height_m: float) -> Array:
        """[NUM_CELLS^2, 3] vertices of the smoothed castle."""
        across = (np.arange(NUM_CELLS) - (NUM_CELLS - 1) / 2) * CELL_M
        x, y = np.meshgrid(across, across)
        field = smoothed(height_m / self.start_m)
        skirt = np.clip(1 - 20 * field / field.max(), 0.0, 1.0) if field.max() > 0 else np.ones_like(field)
        z = BEACH_M + self.start_m * field - 0.0015 * skirt  # the flat ground around lies under the beach
        return np.column_stack([(0.10 + x).ravel(), y.ravel(), z.ravel()])

    def channels(self, state: State) -> ChannelMap:
        surface, swash = self._surface(float(state["h"])), float(state["swash"])
        left = -SEA_M[0] / 2
        damp = np.clip((BEACH_M + 0.09 - surface[:, 2]) / 0.06, 0.0, 1.0)
        return {
            "castle": (Vertices(surface), VertexColours(ramp(damp, (DRY_SAND, WET_SAND)))),
            "water": (Scale(at(swash, 1.0, 1.0)), Move(at(left, 0.0, BEACH_M))),
            "foam": (Move(at(left + swash, 0.0, BEACH_M + 0.008)),),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {
            "h": float(meshes["castle"].bounds[1, 2]) - BEACH_M,
            "swash": float(np.ptp(meshes["water"].vertices[:, 0])),
        }

    def measure(self, view: View) -> dict[str, float]:
        top, _ = top_height_m(view.points_m["castle"], view.pixel_area_m2["castle"])
        return {"height": top - BEACH_M}


@lru_cache(maxsize=1)
def castle() -> Array:
    """[NUM_CELLS, NUM_CELLS] heights of the fresh castle over its keep's: keep, four towers, walls, battlements."""
    across = (np.arange(NUM_CELLS) - (NUM_CELLS - 1) / 2) * CELL_M
    x, y = np.meshgrid(across, across)
    field = np.where(np.maximum(np.abs(x), np.abs(y)) < 0.20, 0.10, 0.0)
    wall = np.abs(np.maximum(np.abs(x), np.abs(y)) - 0.17) < 0.024
    field = np.where(wall, 0.36 + 0.07 * (np.floor((x + y) / 0.04) % 2), field)
    for tx, ty, radius, height in (
        (0, 0, 0.105, 1.0),
        *((sx * 0.17, sy * 0.17, 0.07, 0.72) for sx in (-1, 1) for sy in (-1, 1)),
    ):
        distance, angle = np.hypot(x - tx, y - ty), np.arctan2(y - ty, x - tx)
        hollow = (distance < 0.6 * radius) | (np.sin(5 * angle) < -0.2)
        crown = np.where(hollow, height - 0.09, height)
        slope = np.clip((1.18 * radius - distance) / (0.25 * radius), 0.0, 1.0)
        field = np.maximum(field, crown * slope)
    return field / field.max()


@lru_cache(maxsize=256)
def smoothed(share: float) -> Array:
    """The castle blurred until its highest point is `share` of what it was (bisection over the width of the blur)."""
    if share >= 1:
        return castle()
    low, high = 0.0, 30.0
    for _ in range(26):
        middle = (low + high) / 2
        if gaussian_filter(castle(), middle, mode="constant").max() > share:
            low = middle
        else:
            high = middle
    field = gaussian_filter(castle(), (low + high) / 2, mode="constant")
    return np.asarray(field * (share / field.max()))
