"""Round patches that grow and merge on a flat thing: mould on bread, rust on steel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import ChannelMap, VertexColours, Vertices
from event_library.kit import furniture, palette, shapes
from event_library.kit.faces import Faces, disc_faces, repeated
from event_library.laws import started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.readouts import footprints_m2
from event_library.taxonomy import facts

PATCH = Material(rgb=(0.5, 0.5, 0.5), roughness=0.95, per_vertex=True)
NUM_SPOKES = 72
RINGS = (0.45, 0.8, 1.0)  # shares of a patch's radius
SLOPE = 0.03  # patches are flat cones, highest in the middle: where two meet, the nearer middle shows
NUM_SAMPLES = 220  # along each side of the square on which areas are counted
DAB_M = 2e-4  # least radius drawn


# ---- patches
def patch_vertices(
    centres_m: Array, radii_m: Array, top_m: float, *, edge_m: Array | None = None, half_side_m: float = np.inf
) -> Array:
    """[N (1 + rings spokes), 3] vertices of round patches [N, 2], as large as their circles, on a level top.

    Cut off at an edge [N, spokes] from each middle, or pushed back into a square.
    """
    edges = np.full((len(radii_m), NUM_SPOKES), np.inf) if edge_m is None else edge_m
    angle = 2 * np.pi * np.arange(NUM_SPOKES) / NUM_SPOKES
    way = np.column_stack([np.cos(angle), np.sin(angle)])
    wide = np.maximum(radii_m, DAB_M) / np.sqrt(shapes.polygon_share(NUM_SPOKES))
    made = []
    for centre, r, edge in zip(centres_m, wide, edges, strict=True):
        reach = np.minimum(r * np.array(RINGS)[:, None], edge)  # [rings, spokes]
        flat = np.vstack([centre, *(centre + ring[:, None] * way for ring in reach)])
        flat = np.clip(flat, -half_side_m, half_side_m)
        away = np.linalg.norm(flat - centre, axis=1)
        made.append(np.column_stack([flat, top_m + 2e-4 + SLOPE * np.maximum(r - away, 0.0)]))
    return np.vstack(made)


def patch_faces(num: int) -> Faces:
    return repeated(disc_faces(len(RINGS), NUM_SPOKES), 1 + len(RINGS) * NUM_SPOKES, num)


def patch_colours(num: int, stops: tuple[parts.Rgb, ...]) -> Array:
    """Colours of the vertices: one stop for the middle and one for each ring, mottled a little."""
    rows = np.vstack([[stops[0]], *(np.tile(rgb, (NUM_SPOKES, 1)) for rgb in stops[1:])])
    mottle = 1 + 0.16 * np.sin(2.7 * np.arange(num * len(rows)) ** 1.3)
    return np.clip(np.tile(rows, (num, 1)) * mottle[:, None], 0.0, 1.0)


def covered_share(view: View, patches: str, rest: str, top_m: float) -> float:
    """Share of a level top that patches cover, from the areas seen of them and of what they have left."""
    areas = []
    for name in (patches, rest):
        seen = view.points_m[name]
        flat = seen[:, 2] > top_m - 3e-4
        areas.append(float(footprints_m2(seen, view.pixel_area_m2[name], view.eye_m, (0.0, 0.0, 1.0))[flat].sum()))
    return areas[0] / sum(areas) if sum(areas) else float("nan")


def covered_samples(samples_m: Array, vertices_m: Array, num: int) -> float:
    """Share of sample points [M, 2] under the outlines of patches drawn by `patch_vertices`."""
    under = np.zeros(len(samples_m), dtype=bool)
    for one in np.asarray(vertices_m).reshape(num, -1, 3):
        offset = samples_m - one[0, :2]
        rim = one[-NUM_SPOKES:, :2] - one[0, :2]
        rim = rim[np.argsort(np.arctan2(rim[:, 1], rim[:, 0]), kind="stable")]
        turn = np.arctan2(rim[:, 1], rim[:, 0])
        sector = np.searchsorted(turn, np.arctan2(offset[:, 1], offset[:, 0]), side="right") - 1
        a, b = rim[sector], rim[(sector + 1) % NUM_SPOKES]
        edge = b - a
        under |= edge[:, 0] * (offset - a)[:, 1] - edge[:, 1] * (offset - a)[:, 0] >= 0
    return float(under.mean())


# ---- types
@dataclass(frozen=True, kw_only=True)
class MouldColonies(Event):
    """Colonies grow radially at a constant rate after their lag (Pirt 1967): r_i = v max(0, tau - lag_i).

    Coverage is the union of the discs over the crumb, counted on a square of 220 x 220 points.
    """

    info = facts("mould_colonies")
    variables = (
        state("r", "mm", 0.5, domain="vector", flags="monotone"),
        readout("coverage", "frac", 0.05, min_delta=0.11, flags="monotone bounded", label="mouldy share of the slice"),
    )

    num_colonies: int = param("n", "count", 6, 10)
    spread_mm_per_day: float = param("v", "mm/day", 2.5, 4.0)
    first_day: float = param("lag0", "day", 0.2, 0.8)
    scale_day_per_s: float = param("time_scale", "day/s", 1.0, 1.6)
    seed: int = seed_param()

    CRUMB_M, CRUST_M, THICK_M, PLATE_M = 0.051, 0.055, 0.014, 0.085  # half sides of the rounded square; thickness
    TOP_M = 0.07 * PLATE_M + THICK_M

    @cached_property
    def centres_m(self) -> Array:
        """[n, 2] kept apart: each is the farthest of 12 draws from those before."""
        rng = np.random.Generator(np.random.PCG64([self.seed, 0]))
        found: list[Array] = []
        for _ in range(self.num_colonies):
            draws = rng.uniform(-0.8, 0.8, (12, 2)) * self.CRUMB_M
            gaps = [min((float(np.linalg.norm(d - c)) for c in found), default=1.0) for d in draws]
            found.append(draws[int(np.argmax(gaps))])
        return np.array(found)

    @cached_property
    def lags_day(self) -> Array:
        return np.random.Generator(np.random.PCG64([self.seed, 1])).uniform(
            self.first_day, self.first_day + 2, self.num_colonies
        )

    @cached_property
    def samples_m(self) -> Array:
        """[M, 2] points on the crumb."""
        line = (np.arange(NUM_SAMPLES) + 0.5) / NUM_SAMPLES * 2 - 1
        grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
        return np.asarray(self.CRUMB_M * grid[(grid**4).sum(axis=1) <= 1])

    @cached_property
    def reached_day(self) -> Array:
        """[M] when mould reaches each sample point, in ascending order."""
        away = np.linalg.norm(self.samples_m[:, None] - self.centres_m, axis=-1) * 1e3
        return np.sort((self.lags_day + away / self.spread_mm_per_day).min(axis=1))

    def states(self, t_s: Array) -> dict[str, Array]:
        days = self.scale_day_per_s * started(t_s)
        radii = self.spread_mm_per_day * np.maximum(days[:, None] - self.lags_day, 0.0)
        covered = np.searchsorted(self.reached_day, days, side="right") / len(self.samples_m)
        return {"r": radii, "coverage": covered}

    def triggers(self) -> dict[str, float]:
        return {f"colony_{i}_starts": float(day / self.scale_day_per_s) for i, day in enumerate(self.lags_day)}

    @cached_property
    def _edge_m(self) -> Array:
        """[n, spokes] from each colony's middle to the crumb's edge, by bisection."""
        angle = 2 * np.pi * np.arange(NUM_SPOKES) / NUM_SPOKES
        way = np.column_stack([np.cos(angle), np.sin(angle)])
        low, high = (
            np.zeros((self.num_colonies, NUM_SPOKES)),
            np.full((self.num_colonies, NUM_SPOKES), 4 * self.CRUMB_M),
        )
        for _ in range(50):
            middle = (low + high) / 2
            places = (self.centres_m[:, None] + middle[..., None] * way) / self.CRUMB_M
            inside = (places**4).sum(axis=-1) <= 1
            low, high = np.where(inside, middle, low), np.where(inside, high, middle)
        return low

    def _vertices(self, radii_mm: Array) -> Array:
        return patch_vertices(self.centres_m, np.asarray(radii_mm) * 1e-3, self.TOP_M, edge_m=self._edge_m)

    def assembly(self) -> Assembly:
        floor = 0.07 * self.PLATE_M
        crust = parts.moved(shapes.extruded(_rounded_square(self.CRUST_M), self.THICK_M - 4e-4, flat=True), z_m=floor)
        crumb = parts.moved(shapes.extruded(_rounded_square(self.CRUMB_M), self.THICK_M, flat=True), z_m=floor)
        mould = trimesh.Trimesh(
            self._vertices(np.zeros(self.num_colonies)), patch_faces(self.num_colonies), process=False
        )
        bow = np.linspace(0.0, np.pi / 2 - 0.06, 14)
        dome = parts.lathe(np.column_stack([0.079 * np.cos(bow), floor + 0.004 + 0.062 * np.sin(bow)]), 48)
        knob = parts.moved(parts.sphere(0.006, 2), z_m=floor + 0.070)
        bread = Material(rgb=(0.86, 0.74, 0.50), roughness=0.95, pattern=Pattern("speckle", (0.74, 0.58, 0.34), 0.006))
        return Assembly(
            (
                Part("mould", mould, PATCH, carries=True, smooth_angle_deg=60),
                Part("crumb", crumb, bread, carries=True, smooth_angle_deg=30),
                Part("crust", crust, palette.paint((0.35, 0.15, 0.04), 0.8), smooth_angle_deg=30),
                Part("dome", dome, palette.GLASS, smooth_angle_deg=60),
                Part("knob", knob, palette.GLASS_EDGE, smooth_angle_deg=180),
                furniture.plate("plate", self.PLATE_M, material=palette.PORCELAIN),
            )
        )

    def channels(self, state: State) -> ChannelMap:
        stops = ((0.03, 0.10, 0.04), (0.06, 0.20, 0.08), (0.10, 0.28, 0.14), (0.62, 0.66, 0.55))
        colours = VertexColours(patch_colours(self.num_colonies, stops))
        return {"mould": (Vertices(self._vertices(state["r"])), colours)}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"coverage": covered_samples(self.samples_m, meshes["mould"].vertices, self.num_colonies)}

    def measure(self, view: View) -> dict[str, float]:
        return {"coverage": covered_share(view, "mould", "crumb", self.TOP_M)}


def _rounded_square(half_m: float) -> Array:
    """[72, 2] outline of |x|^4 + |y|^4 = half_m^4."""
    angle = 2 * np.pi * np.arange(72) / 72
    way = np.column_stack([np.cos(angle), np.sin(angle)])
    return half_m * way / ((way**4).sum(axis=1) ** 0.25)[:, None]


@dataclass(frozen=True, kw_only=True)
class RustSpreading(Event):
    """Site-saturated growth (Kolmogorov 1937; Avrami 1940): N random points, r = v tau, rust is the union of the discs.

    The expected share is 1 - exp(-N pi r^2 / A); that of the drawn points is counted on a square of 220 x 220 points.
    """

    info = facts("rust_spreading")
    variables = (
        state("r", "mm", 0.5, flags="monotone"),
        readout("coverage", "frac", 0.06, min_delta=0.13, flags="monotone bounded", label="rusty share of the plate"),
    )
    accept_rules = (("after 7 s 55 to 95 % are rusty on average", lambda e: 0.55 <= e.expected_share(7.0) <= 0.95),)

    num_points: int = param("N", "count", 20, 40)
    spread_mm_per_day: float = param("v", "mm/day", 0.5, 1.0)
    side_m: float = param("W", "m", 0.11, 0.14)
    scale_day_per_s: float = param("time_scale", "day/s", 2.0, 4.0, default=2.6)
    seed: int = seed_param()

    THICK_M, BASE_M = 0.005, 0.010

    def expected_share(self, t_s: float) -> float:
        radius_m = 1e-3 * self.spread_mm_per_day * self.scale_day_per_s * t_s
        return float(-np.expm1(-self.num_points * np.pi * radius_m**2 / self.side_m**2))

    @cached_property
    def centres_m(self) -> Array:
        rng = np.random.Generator(np.random.PCG64(self.seed))
        return np.asarray(rng.uniform(-0.5, 0.5, (self.num_points, 2)) * self.side_m)

    @cached_property
    def samples_m(self) -> Array:
        line = ((np.arange(NUM_SAMPLES) + 0.5) / NUM_SAMPLES - 0.5) * self.side_m
        return np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)

    @cached_property
    def reached_mm(self) -> Array:
        """[M] distance of each sample point from the nearest centre, in ascending order."""
        away = np.linalg.norm(self.samples_m[:, None] - self.centres_m, axis=-1)
        return np.sort(away.min(axis=1)) * 1e3

    def states(self, t_s: Array) -> dict[str, Array]:
        radius = self.spread_mm_per_day * self.scale_day_per_s * started(t_s)
        covered = np.where(
            radius > 0, np.searchsorted(self.reached_mm, radius, side="right") / len(self.samples_m), 0.0
        )
        return {"r": radius, "coverage": covered}

    def _vertices(self, radius_mm: float) -> Array:
        radii = np.full(self.num_points, radius_mm * 1e-3)
        return patch_vertices(self.centres_m, radii, self.BASE_M + self.THICK_M, half_side_m=self.side_m / 2)

    def assembly(self) -> Assembly:
        steel = parts.block((self.side_m, self.side_m, self.THICK_M), (0, 0, self.BASE_M))
        num = self.num_points
        low, high = num // 2, num - num // 2
        vertices, size = self._vertices(0.0), 1 + len(RINGS) * NUM_SPOKES
        halves = (("rust_0", vertices[: low * size], low), ("rust_1", vertices[low * size :], high))
        sheet = Material(rgb=(0.62, 0.65, 0.70), roughness=0.35, metallic=0.5)
        return Assembly(
            (
                *(Part(n, trimesh.Trimesh(v, patch_faces(k), process=False), PATCH, True, 60) for n, v, k in halves),
                Part("steel", steel, sheet, carries=True),
                furniture.board("base", (self.side_m + 0.03, self.side_m + 0.03, self.BASE_M), material=palette.DARK),
            )
        )

    def channels(self, state: State) -> ChannelMap:
        stops = ((0.10, 0.03, 0.012), (0.17, 0.05, 0.015), (0.30, 0.09, 0.02), (0.48, 0.17, 0.03))
        colours, vertices = patch_colours(self.num_points, stops), self._vertices(float(state["r"]))
        cut = self.num_points // 2 * (1 + len(RINGS) * NUM_SPOKES)
        return {
            "rust_0": (Vertices(vertices[:cut]), VertexColours(colours[:cut])),
            "rust_1": (Vertices(vertices[cut:]), VertexColours(colours[cut:])),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        every = np.vstack([meshes["rust_0"].vertices, meshes["rust_1"].vertices])
        return {"coverage": covered_samples(self.samples_m, every, self.num_points)}

    def measure(self, view: View) -> dict[str, float]:
        top = self.BASE_M + self.THICK_M
        both = View(
            {"rust": np.vstack([view.points_m[f"rust_{k}"] for k in (0, 1)]), "steel": view.points_m["steel"]},
            {
                "rust": np.concatenate([view.pixel_area_m2[f"rust_{k}"] for k in (0, 1)]),
                "steel": view.pixel_area_m2["steel"],
            },
            {},
            view.eye_m,
        )
        return {"coverage": covered_share(both, "rust", "steel", top)}
