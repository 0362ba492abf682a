"""Drying: a clay pot that pales, mud that cracks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import ChannelMap, Colour, Move, Roughness, Scale, Vertices
from event_library.families.material_change.cells import Polygon, relaxed_cells
from event_library.kit import dials, furniture
from event_library.kit.faces import fan_faces, grid_faces, repeated
from event_library.kit.palette import PALE_WOOD, RED_INK, STEEL, blend, paint
from event_library.kit.shapes import at
from event_library.laws import started
from event_library.parts import Assembly, Material, Part
from event_library.taxonomy import facts

SHRINKAGE = 0.08  # of length, from wet to dry
WET_RGB, DRY_RGB = (0.17, 0.055, 0.025), (0.70, 0.48, 0.34)
WET_ROUGHNESS, DRY_ROUGHNESS = 0.5, 0.95
PAN_M = 0.145  # height of the scale's pan, on which the pot stands
DIAL = (0.0, -0.078, 0.068)  # middle of the scale's dial
DIAL_M, DRY_RAD, WET_RAD = 0.058, -2.3, 2.3
POT = np.array([
    (0.0, 0.0), (0.050, 0.0), (0.055, 0.006), (0.078, 0.045), (0.088, 0.085), (0.084, 0.120), (0.062, 0.150),
    (0.050, 0.162), (0.052, 0.172), (0.066, 0.186), (0.062, 0.190), (0.045, 0.172), (0.043, 0.160), (0.0, 0.150),
])  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ClayDrying(Event):
    """Drying at a constant rate down to half the water, then at a falling one (Sherwood 1929): see the facts.

    The pot stands on a scale whose hand goes with the water left; the clay pales and shrinks with it.
    """

    info = facts("clay_drying")
    variables = (
        state("w", "frac", 0.07, flags="monotone"),
        readout("moisture", "frac", 0.07, min_delta=0.15, flags="monotone", label="1 wet, 0 dry"),
    )
    accept_rules = (
        (
            "it loses 8 to 20 points of its water a second",
            lambda e: 0.08 <= e.rate_per_h * e.time_scale_h_per_s <= 0.20,
        ),
    )

    rate_per_h: float = param("rd", "1/h", 0.05, 0.09)
    time_scale_h_per_s: float = param("time_scale", "h/s", 1.4, 2.6)

    def states(self, t_s: Array) -> dict[str, Array]:
        lost = self.rate_per_h * self.time_scale_h_per_s * started(t_s)
        moisture = np.where(lost < 0.5, 1 - lost, 0.5 * np.exp(-2 * np.maximum(lost - 0.5, 0.0)))
        return {"w": moisture, "moisture": moisture.copy()}

    def triggers(self) -> dict[str, float]:
        return {"surface_dry": 0.5 / (self.rate_per_h * self.time_scale_h_per_s)}

    def assembly(self) -> Assembly:
        wet = Material(rgb=WET_RGB, roughness=WET_ROUGHNESS)
        body = parts.moved(parts.bevelled_box((0.17, 0.14, 0.132), 0.012), z_m=0.066)
        pan = parts.join(
            parts.moved(parts.cylinder(0.085, 0.006, 48), z_m=PAN_M - 0.006), parts.cylinder(0.02, PAN_M - 0.005, 24)
        )
        return Assembly((
            Part("pot", parts.lathe(POT, 48), wet, carries=True, smooth_angle_deg=50),
            *dials.dial("dial", DIAL_M, DIAL, sweep_rad=(DRY_RAD, WET_RAD), num_major=6, num_minor=1),
            dials.hand("hand", 0.85 * DIAL_M, 0.20 * DIAL_M, material=RED_INK),
            Part("scale", body, paint((0.05, 0.25, 0.30))),
            Part("pan", pan, STEEL, smooth_angle_deg=40),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        wet = float(state["w"])
        return {
            "pot": (
                Scale(np.full(3, 1 - SHRINKAGE * (1 - wet))),
                Move(at(0.0, 0.0, PAN_M)),
                Colour(blend(DRY_RGB, WET_RGB, wet)),
                Roughness(DRY_ROUGHNESS + (WET_ROUGHNESS - DRY_ROUGHNESS) * wet),
            ),
            **dials.hand_channels("hand", DRY_RAD + (WET_RAD - DRY_RAD) * wet, DIAL),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        size = float(np.ptp(meshes["pot"].vertices[:, 2])) / float(POT[:, 1].max())
        return {"w": 1 - (1 - size) / SHRINKAGE}

    def measure(self, view: View) -> dict[str, float]:
        """Read off the scale."""
        return {"moisture": (dials.hand_angle_rad(view.points_m["hand"], DIAL) - DRY_RAD) / (WET_RAD - DRY_RAD)}


TRAY_M, BED_M, MUD_M = 0.30, 0.010, 0.012  # side of the mud; height of its bed; its thickness
WET_MUD, DRY_MUD = (0.085, 0.045, 0.022), (0.60, 0.44, 0.28)
NUM_DIRECTIONS = 48  # of an outline, besides its corners


@dataclass(frozen=True, kw_only=True)
class MudCracking(Event):
    """Plates of drying mud part along the edges of a Voronoi net (shrinkage polygons), edge by edge.

    Edge j opens at its seeded time t_j, evenly ranked in [0.08, 0.9] Td, and widens as w_j = min(wmax, wr (t - t_j)); a
    plate is what the half-planes behind its cracks' walls have in common.
    """

    info = facts("mud_cracking")
    variables = (
        state("widths", "m", 0.002, domain="vector", label="width of each crack"),
        state("dryness", "frac", 0.1, flags="monotone bounded", label="0 wet and dark, 1 dry and pale"),
        state("gaps", "frac", 0.025, flags="monotone bounded"),
        readout(
            "crack_share",
            "frac",
            0.025,
            min_delta=0.06,
            flags="monotone bounded",
            label="share of the ground that is crack",
        ),
    )
    costly_rules = True
    accept_rules = (
        ("at least a sixth of the ground cracks open", lambda e: e.states(np.array([60.0]))["gaps"][0] > 0.17),
    )

    num_plates: int = param("n", "count", 14, 22)
    drying_s: float = param("Td", "s", 7, 11)
    full_width_m: float = param("wmax", "m", 0.010, 0.014)
    widening_m_per_s: float = param("wr", "m/s", 0.004, 0.008)
    seed: int = seed_param()

    def sites_m(self) -> Array:
        """[n, 2] about which the plates form."""
        return _net(int(self.num_plates), int(self.seed)).sites

    def opening_s(self) -> Array:
        """[J] when each edge of the net opens."""
        num = len(_net(int(self.num_plates), int(self.seed)).edges)
        order = np.random.Generator(np.random.PCG64((int(self.seed), 1))).permutation(num)
        return self.drying_s * (0.08 + 0.82 * order / (num - 1))

    def states(self, t_s: Array) -> dict[str, Array]:
        time_s = started(t_s)
        widths = np.clip(self.widening_m_per_s * (time_s[:, None] - self.opening_s()), 0.0, self.full_width_m)
        radii, angles = self.outlines(widths), _net(int(self.num_plates), int(self.seed)).angles
        turn = np.roll(angles, -1, axis=1) - angles
        area = (radii * np.roll(radii, -1, axis=2) * np.sin(turn) / 2).sum(axis=(1, 2))
        gaps = 1 - area / TRAY_M**2
        dryness = np.minimum(time_s / self.drying_s, 1.0)
        return {"widths": widths, "dryness": dryness, "gaps": gaps, "crack_share": gaps.copy()}

    def outlines(self, widths_m: Array) -> Array:
        """[T, n, K] distance of each plate's outline from its site, along the net's directions, for widths [T, J]."""
        net = _net(int(self.num_plates), int(self.seed))
        padded = np.column_stack([widths_m, np.zeros(len(widths_m))])  # the tray's walls stay
        walls = net.distances - padded[:, net.edge_of] / 2  # [T, n, M]
        reach = np.full((len(widths_m), *net.angles.shape), np.inf)
        for side in range(net.distances.shape[1]):
            np.minimum(reach, walls[:, :, side, None] * net.secants[:, side], out=reach)
        return reach

    def assembly(self) -> Assembly:
        num = len(_net(int(self.num_plates), int(self.seed)).edges)
        bed = parts.block((TRAY_M + 0.002, TRAY_M + 0.002, 0.002), (0, 0, BED_M - 0.002))
        return Assembly((
            Part("mud", self._plates(np.zeros(num)), Material(rgb=WET_MUD, roughness=0.8), carries=True),
            Part("bed", bed, Material(rgb=(0.018, 0.010, 0.006), roughness=0.95)),
            furniture.tray("tray", (TRAY_M + 0.002, TRAY_M + 0.002), BED_M + MUD_M - 0.006, material=PALE_WOOD),
        ))  # fmt: skip

    def _plates(self, widths_m: Array) -> trimesh.Trimesh:
        """All plates in one mesh: per plate the top's rim, the bottom's rim, the top's middle."""
        net, reach = _net(int(self.num_plates), int(self.seed)), self.outlines(widths_m[None])[0]
        num = reach.shape[1]
        rims = grid_faces(2, num, closed_columns=True)[:, ::-1]
        vertices = []
        for site, radii, angles in zip(net.sites, reach, net.angles, strict=True):
            rim = site + radii[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
            top, bottom = (np.column_stack([rim, np.full(num, z)]) for z in (BED_M + MUD_M, BED_M))
            vertices += [top, bottom, np.array([(*site, BED_M + MUD_M)])]
        joined = repeated(np.vstack([fan_faces(num, 2 * num), rims]), 2 * num + 1, len(net.sites))
        return trimesh.Trimesh(np.vstack(vertices), joined, process=False)

    def channels(self, state: State) -> ChannelMap:
        dry = float(state["dryness"])
        mesh = self._plates(np.asarray(state["widths"]))
        return {
            "mud": (
                Vertices(np.asarray(mesh.vertices)),
                Colour(blend(WET_MUD, DRY_MUD, dry)),
                Roughness(0.5 + 0.45 * dry),
            )
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        mud = meshes["mud"]
        upward = mud.face_normals[:, 2] > 0.5
        return {"gaps": 1 - float(mud.area_faces[upward].sum()) / TRAY_M**2}

    def measure(self, view: View) -> dict[str, float]:
        """Rays that pass the level of the plates' tops without meeting one, by the ground that each stands for."""
        crack, ground = 0.0, 0.0
        for name in ("mud", "bed"):
            points = view.points_m[name]
            gaze = points - view.eye_m
            level = gaze * ((BED_M + MUD_M - view.eye_m[2]) / gaze[:, 2])[:, None] + view.eye_m
            inside = (np.abs(level[:, :2]) < TRAY_M / 2).all(axis=1)
            area = view.pixel_area_m2[name] * np.linalg.norm(gaze, axis=1) / -gaze[:, 2]
            low = points[:, 2] < BED_M + MUD_M - 4e-4
            crack, ground = crack + float(area[inside & low].sum()), ground + float(area[inside].sum())
        return {"crack_share": crack / ground if ground > 0 else float("nan")}


@dataclass(frozen=True)
class Net:
    """The crack net: cells of `sites` [n, 2] with at most M sides each, and the directions in which outlines are taken.

    edges: pairs of neighbouring cells. edge_of: [n, M] index of each side's edge, len(edges) for a wall or no side.
    distances: [n, M] of each side from its site. secants: [n, M, K] 1 / cosine between a side's normal and a direction.
    """

    sites: Array
    edges: tuple[tuple[int, int], ...]
    edge_of: Array
    distances: Array
    angles: Array
    secants: Array


@lru_cache(maxsize=32)
def _net(num: int, seed: int) -> Net:
    rng = np.random.Generator(np.random.PCG64(seed))
    half = TRAY_M / 2
    square: Polygon = np.array([(-half, -half), (half, -half), (half, half), (-half, half)])
    sites, cells = relaxed_cells(rng.uniform(-0.9 * half, 0.9 * half, (num, 2)), square, num_rounds=3)
    edges = tuple(sorted({(min(i, j), max(i, j)) for i, cell in enumerate(cells) for j in cell.neighbours if j >= 0}))
    most = max(len(cell.neighbours) for cell in cells)
    edge_of = np.full((num, most), len(edges))
    distances, normals = np.full((num, most), 1e3), np.zeros((num, most))
    angles = np.zeros((num, NUM_DIRECTIONS + most))
    for i, cell in enumerate(cells):
        corners = cell.corners - sites[i]
        after = np.roll(corners, -1, axis=0)
        outward = np.column_stack([(after - corners)[:, 1], -(after - corners)[:, 0]])
        outward /= np.linalg.norm(outward, axis=1, keepdims=True)
        count = len(corners)
        distances[i, :count] = (outward * corners).sum(axis=1)
        normals[i, :count] = np.arctan2(outward[:, 1], outward[:, 0])
        edge_of[i, :count] = [edges.index((min(i, j), max(i, j))) if j >= 0 else len(edges) for j in cell.neighbours]
        at_corners = np.arctan2(corners[:, 1], corners[:, 0])
        even = np.linspace(-np.pi, np.pi, NUM_DIRECTIONS, endpoint=False)
        angles[i] = np.sort(np.concatenate([even, at_corners, np.full(most - count, at_corners[0])]))
    cosine = np.cos(angles[:, None, :] - normals[:, :, None])
    secants = np.where(cosine > 1e-3, 1 / np.maximum(cosine, 1e-3), 1e6)
    return Net(sites, edges, edge_of, distances, angles, secants)
