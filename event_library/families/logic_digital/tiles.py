"""Rules on boards of tiles: a flood, Conway's Life, Langton's ant."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh
from numpy.typing import NDArray

from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import ChannelMap
from event_library.kit import boards
from event_library.kit.palette import DARK
from event_library.laws import started
from event_library.parts import Assembly
from event_library.taxonomy import facts

NEVER = 10**6  # distance of a tile that the flood cannot reach
FLOOR = boards.Grid(16, 16, (0.56, 0.56), (0.0, 0.0, 0.021))
FREE_M, FILLED_M, BLOCK_M = 0.004, 0.009, 0.016  # heights of dry, blue and blocked tiles
FREE_RGB, FILLED_RGB, BLOCK_RGB = (0.80, 0.76, 0.64), (0.02, 0.14, 0.80), (0.16, 0.15, 0.14)


@dataclass(frozen=True, kw_only=True)
class FloodFillTiles(Event):
    """Breadth-first flood from a corner of a 16 x 16 floor: a tile is blue once its distance D <= floor(t / dt)."""

    info = facts("flood_fill_tiles")
    variables = (
        state("front", "count", 1.0, domain="count", flags="monotone", label="steps of the flood"),
        state("blue", "index", 0.0, domain="field", label="1 where a tile is blue"),
        readout("filled", "frac", 0.05, min_delta=0.15, flags="monotone bounded", label="blue share of the free tiles"),
    )
    costly_rules = True
    accept_rules = (
        ("nearly all free tiles can be reached", lambda e: np.mean(e.distances()[~e.blocked()] < NEVER) >= 0.9),
    )

    step_s: float = param("dt", "s", 0.22, 0.36)
    blocked_frac: float = param("q", "frac", 0.12, 0.25)
    seed: int = seed_param()

    def blocked(self) -> NDArray[np.bool_]:
        """[16, 16] bool; the start corner and its neighbours stay free."""
        rng = np.random.Generator(np.random.PCG64(int(self.seed)))
        drawn = np.asarray(rng.uniform(size=(16, 16)) < self.blocked_frac)
        drawn[:2, :2] = False
        return drawn

    def distances(self) -> Array:
        return _flood(self)

    def states(self, t_s: Array) -> dict[str, Array]:
        steps = np.floor(started(t_s) / self.step_s)
        blue = (_flood(self) <= np.minimum(steps, NEVER - 1)[:, None, None]).astype(np.float64)
        return {"front": steps, "blue": blue, "filled": blue.sum(axis=(1, 2)) / float((~self.blocked()).sum())}

    def assembly(self) -> Assembly:
        return Assembly((
            *boards.tiles("tile", FLOOR, raised=True),
            boards.base_board("base", FLOOR, border_m=0.012, thick_m=0.018, material=DARK),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        blue, blocked = np.asarray(state["blue"]) > 0.5, self.blocked()
        rgb = np.where(blue[..., None], FILLED_RGB, np.where(blocked[..., None], BLOCK_RGB, FREE_RGB))
        heights = np.where(blocked, BLOCK_M, np.where(blue, FILLED_M, FREE_M))
        return boards.tiles_channels("tile", FLOOR, rgb, heights_m=heights)

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {}

    def measure(self, view: View) -> dict[str, float]:
        """Blue tiles over all tiles that are seen and are no blocks (those stand higher)."""
        names = boards.tile_names("tile", FLOOR, raised=True)
        points = np.vstack([view.points_m[name] for name in names])
        rgb = np.vstack([view.rgb[name] for name in names])
        low = points[:, 2] < FLOOR.place[2] + (FILLED_M + BLOCK_M) / 2
        bluish = (rgb[low, 2] > 1.4 * rgb[low, 0]).astype(np.float64)
        cells = FLOOR.cell_means(points[low], bluish)[..., 0]
        tops = FLOOR.cell_means(points, points[:, 2] - FLOOR.place[2])[..., 0]
        floor = ~np.isnan(cells) & (tops < (FILLED_M + BLOCK_M) / 2)
        return {"filled": float((cells[floor] > 0.5).mean()) if floor.any() else float("nan")}


@lru_cache(maxsize=64)
def _flood(event: FloodFillTiles) -> Array:
    """[16, 16] steps from the corner to each tile, NEVER where there is no way."""
    blocked, found = event.blocked(), np.full((16, 16), NEVER)
    found[0, 0] = 0
    queue = deque([(0, 0)])
    while queue:
        row, column = queue.popleft()
        for r, c in ((row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)):
            if 0 <= r < 16 and 0 <= c < 16 and not blocked[r, c] and found[r, c] == NEVER:
                found[r, c] = found[row, column] + 1
                queue.append((r, c))
    return found
