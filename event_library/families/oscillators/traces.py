"""A pendulum that draws with sand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh
from scipy.spatial import cKDTree

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap, Move, Rotate, Vertices, Visible, quaternion_about
from event_library.kit import copies, shapes
from event_library.kit.faces import grid_faces
from event_library.kit.palette import BRASS, CORD, WOOD, paint
from event_library.kit.shapes import at
from event_library.laws import started
from event_library.parts import Assembly, Material, Part
from event_library.readouts import linear_rgb
from event_library.taxonomy import facts

SAND_S = 16.0  # the cone is empty from here on
POINT_S = 0.04  # of the curve from one point of the line to the next
PANEL_S = 0.05  # of the quadrature
BY_COLOUR = 0.65  # weight of the line's colours in reading it, the rest is of the pixels whose middle it covers
LINE_M = (0.010, 0.0012)  # width and height of the ridge of sand
WEAVE = 1.2  # mean of 40 drawn figures of this type, see `_line_length_m`
SHORT_M = 0.32  # from the knot of the Y to the cone's mouth
MOUTH_M = 0.022  # of the cone's mouth above the board, at rest
BOARD_M = 0.02
HALF_M = (0.17, 0.16)  # half size of the part of the board that is drawn on
HEAP_M = (0.034, 0.05)  # radius of the spare sand, and of its middle from the nearest line
PALE_SAND = Material(rgb=(0.90, 0.70, 0.36), roughness=0.95)
SLATE = paint((0.015, 0.03, 0.06), 0.8)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


@dataclass(frozen=True, kw_only=True)
class SandPendulumTrace(Event):
    """Blackburn's pendulum: x = A cos(2 pi t / T1) e, y = B sin(2 pi t / T2 + p0) e, e = exp(-gam t); small angles.

    The Y-shaped suspension swings over its lower arm across (T1) and over its whole length away from the viewer (T2):
    the figure is in slow motion, by the ratio of T1 to the period of the drawn arm. The line is the curve up to now.
    """

    info = facts("sand_pendulum_trace")
    variables = (
        state("x", "m", 0.02, flags="bounded"),
        state("y", "m", 0.02, flags="bounded"),
        state("trace", "m", 0.45, flags="monotone bounded"),
        readout("trace_length", "m", 0.45, min_delta=0.9, flags="monotone bounded", label="of the line of sand"),
        readout("cone_x", "m", 0.05, flags="bounded", label="the cone's mouth across"),
    )
    costly_rules = True
    accept_rules = (
        ("the upper strings are 0.1 to 0.2 m high", lambda e: 0.1 <= e.knot_drop_m <= 0.2),
        ("the line hardly runs along itself, so that its length shows", lambda e: _hidden_line_m(e) <= 0.12),
    )

    across_m: float = param("A", "m", 0.12, 0.15)
    away_m: float = param("B", "m", 0.11, 0.14)
    across_period_s: float = param("T1", "s", 1.7, 2.1)
    away_period_s: float = param("T2", "s", 2.0, 2.6)
    phase_rad: float = angle_param("p0", 0, 86)
    damping_per_s: float = param("gam", "1/s", 0.02, 0.05)

    @property
    def knot_drop_m(self) -> float:
        """Height of the bar above the knot, from the ratio of the two periods."""
        return SHORT_M * ((self.away_period_s / self.across_period_s) ** 2 - 1)

    @property
    def bar_m(self) -> float:
        return BOARD_M + MOUTH_M + SHORT_M + self.knot_drop_m

    def path_m(self, t_s: Array) -> Array:
        """[..., 2] where the mouth is."""
        shrink = np.exp(-self.damping_per_s * t_s)
        x = self.across_m * np.cos(2 * np.pi * t_s / self.across_period_s)
        y = self.away_m * np.sin(2 * np.pi * t_s / self.away_period_s + self.phase_rad)
        return np.stack([x * shrink, y * shrink], axis=-1)

    def speed_m_per_s(self, t_s: Array) -> Array:
        wx, wy, gam = 2 * np.pi / self.across_period_s, 2 * np.pi / self.away_period_s, self.damping_per_s
        shrink = np.exp(-gam * t_s)
        vx = -self.across_m * (wx * np.sin(wx * t_s) + gam * np.cos(wx * t_s))
        phase = wy * t_s + self.phase_rad
        return np.asarray(shrink * np.hypot(vx, self.away_m * (wy * np.cos(phase) - gam * np.sin(phase))))

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)
        x, y = np.moveaxis(self.path_m(t), -1, 0)
        drawn = np.minimum(t, SAND_S)
        panel = np.floor(drawn / PANEL_S).astype(np.int64)
        trace = _lengths_m(self)[panel] + _panel_m(self, panel * PANEL_S, drawn)
        return {"x": x, "y": y, "trace": trace, "trace_length": trace.copy(), "cone_x": x.copy()}

    def assembly(self) -> Assembly:
        top, wide, y = self.bar_m, HALF_M[0] + 0.03, HALF_M[1] + 0.03
        stand = parts.join(
            *(parts.block((0.03, 0.03, top), (s * wide, 0, 0)) for s in (-1, 1)),
            *(parts.block((0.03, 2 * y, 0.03), (s * wide, 0, 0)) for s in (-1, 1)),
            parts.block((2 * wide + 0.06, 0.03, 0.03), (0, 0, top)),
        )
        cone = shapes.solid_of_revolution(np.array([(0.005, 0.0), (0.034, 0.075), (0.036, 0.085), (0.03, 0.085)]), 32)
        threads = [
            shapes.rod((0.032 * np.cos(a), 0.032 * np.sin(a), 0.084), (0, 0, SHORT_M), 0.0022, 6)
            for a in np.arange(3) * 2 * np.pi / 3
        ]
        board = parts.block((2 * HALF_M[0], 2 * HALF_M[1] + 2 * HEAP_M[1], BOARD_M), (0, -HEAP_M[1], 0))
        heap = shapes.solid_of_revolution(np.array([(1.0, 0.0), (0.93, 0.003), (0.9, 0.004)]) * [HEAP_M[0], 1.0], 32)
        upper = [shapes.rod((0, 0, 0), (s * 0.8 * wide, 0, self.knot_drop_m), 0.0028, 6) for s in (-1, 1)]
        hung = [parts.moved(m, z_m=-SHORT_M) for m in (cone, parts.join(*threads))]
        return Assembly((
            Part("line", _ridge(np.zeros((_num_points(), 2))), PALE_SAND, carries=True),
            Part("stream", shapes.rod((0, 0, 0), (0, 0, 0.02), 0.0035, 8), PALE_SAND, carries=True),
            Part("cone", hung[0], BRASS, carries=True, smooth_angle_deg=40),
            Part("threads", hung[1], CORD),
            Part("upper_strings", parts.moved(parts.join(*upper), z_m=-self.knot_drop_m), CORD),
            Part("board", board, SLATE),
            Part("spare_sand", parts.moved(heap, 0, -HALF_M[1] - HEAP_M[1], BOARD_M), PALE_SAND, smooth_angle_deg=30),
            Part("stand", stand, WOOD),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        trace = float(state["trace"])
        drawn_s = self._drawn_s(trace)
        where = self.path_m(np.minimum(np.arange(_num_points()) * POINT_S, drawn_s))
        x, y = float(state["x"]), float(state["y"])
        swing = float(np.arcsin(x / SHORT_M))
        tilt = float(np.arcsin(y / (self.knot_drop_m + SHORT_M * np.cos(swing))))
        about_bar, about_knot = quaternion_about((1.0, 0.0, 0.0), tilt), quaternion_about((0.0, 1.0, 0.0), -swing)
        turn = copies.quaternions_times(about_bar[None], about_knot[None])[0]
        knot = at(0.0, np.sin(tilt) * self.knot_drop_m, self.bar_m - np.cos(tilt) * self.knot_drop_m)
        mouth_z = self.bar_m - np.cos(tilt) * (self.knot_drop_m + SHORT_M * np.cos(swing))
        stream = shapes.rod((x, y, BOARD_M), (x, y, mouth_z), 0.0035, 8)
        runs = drawn_s < SAND_S
        return {
            "line": (Vertices(np.asarray(_ridge(where).vertices)),),
            "stream": (Visible(runs), Vertices(np.asarray(stream.vertices))),
            "cone": (Rotate(turn), Move(knot)),
            "threads": (Rotate(turn), Move(knot)),
            "upper_strings": (Rotate(about_bar), Move(at(0.0, 0.0, self.bar_m))),
        }

    def _drawn_s(self, trace_m: float) -> float:
        """When the line had this length: the inverse of the quadrature, by bisection in one panel."""
        lengths = _lengths_m(self)
        panel = min(int(np.searchsorted(lengths, trace_m, side="right")) - 1, len(lengths) - 2)
        low, high = panel * PANEL_S, (panel + 1) * PANEL_S
        for _ in range(40):
            middle = (low + high) / 2
            short = lengths[panel] + _panel_m(self, np.array(panel * PANEL_S), np.array(middle)) < trace_m
            low, high = (middle, high) if short else (low, middle)
        return (low + high) / 2

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        x, y, _ = meshes["cone"].vertices[-2]  # middle of its mouth
        crest = np.asarray(meshes["line"].vertices).reshape(-1, 3, 3)[:, 1]
        return {"x": float(x), "y": float(y), "trace": shapes.length_m(crest)}

    def measure(self, view: View) -> dict[str, float]:
        """The line's length from the ground it covers: pixels on it, and how far each is from slate to sand."""
        cone, spare = view.points_m["cone"], view.rgb["spare_sand"]
        tip = float(cone[cone[:, 2] <= cone[:, 2].min() + 0.03, 0].mean()) if len(cone) else float("nan")
        points, area, rgb = (
            np.concatenate([seen["line"], seen["board"]]) for seen in (view.points_m, view.pixel_area_m2, view.rgb)
        )
        drawn = (points[:, 2] > BOARD_M - 1e-3) & (np.abs(points[:, 1]) < HALF_M[1])
        if not drawn.any() or len(spare) == 0:
            return {"trace_length": float("nan"), "cone_x": tip}
        light, sand = linear_rgb(rgb[drawn]).mean(axis=1), float(np.quantile(linear_rgb(spare).mean(axis=1), 0.7))
        slate = float(np.quantile(light, 0.15))
        share = np.clip((light - slate) / (sand - slate), 0.0, 1.0)
        to_eye = (view.eye_m - points)[drawn]
        ground = area[drawn] * np.linalg.norm(to_eye, axis=1) / to_eye[:, 2]
        line = view.points_m["line"]
        extent = np.ptp(line[:, :2], axis=0) if len(line) else np.zeros(2)
        hit = (np.arange(len(points)) < len(line))[drawn]  # errs by the grid of pixels, the colours by the light
        share = BY_COLOUR * share + (1 - BY_COLOUR) * hit
        covered = float((share * ground).sum() / ground.sum()) * 4 * HALF_M[0] * HALF_M[1]  # of all, hidden parts too
        return {"trace_length": _line_length_m(covered, extent), "cone_x": tip}


def _line_length_m(covered_m2: float, extent_m: Array) -> float:
    """Length of a line that covers so much ground within an extent [2] (from one outermost middle to the other).

    A line of width w laid at random covers S (1 - exp(-w L / S)) of the ground S that it spreads over (Buffon). A swung
    one seldom lies along itself: it crosses as if on WEAVE times that ground.
    """
    spread = WEAVE * float(np.prod(extent_m + LINE_M[0]))
    return -spread / LINE_M[0] * float(np.log(1 - min(covered_m2 / spread, 0.95)))


def _hidden_line_m(event: SandPendulumTrace) -> float:
    """How far off the length is that the covered ground tells in a perfect picture, at worst of three instants."""
    worst, pitch = 0.0, 0.004
    for t_s in (4.0, 6.0, 8.0):
        path = event.path_m(np.arange(0.0, t_s, 0.01))
        low, high = path.min(axis=0), path.max(axis=0)
        x, y = (np.arange(a - LINE_M[0], b + LINE_M[0], pitch) for a, b in zip(low, high, strict=True))
        ground = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        covered = cKDTree(path).query(ground, distance_upper_bound=LINE_M[0] / 2)[0] < np.inf
        told = _line_length_m(float(covered.sum()) * pitch**2, high - low)
        worst = max(worst, abs(told - shapes.length_m(path)))
    return worst


def _num_points() -> int:
    return round(SAND_S / POINT_S) + 1


def _panel_m(event: SandPendulumTrace, from_s: Array, to_s: Array) -> Array:
    """Length drawn between two times less than a panel apart (Gauss, 24 nodes: the speed nearly has kinks)."""
    half = (to_s - from_s) / 2
    nodes = (from_s + half)[..., None] + half[..., None] * _NODES
    return np.asarray(half * (event.speed_m_per_s(nodes) @ _WEIGHTS))


@lru_cache(maxsize=64)
def _lengths_m(event: SandPendulumTrace) -> Array:
    """Length drawn by the start of each panel, up to when the sand ends, and that once more."""
    edges = np.arange(round(SAND_S / PANEL_S) + 1) * PANEL_S
    return np.concatenate([[0.0], np.cumsum(_panel_m(event, edges[:-1], edges[1:]))])


def _ridge(where_m: Array) -> trimesh.Trimesh:
    """Ridge of sand along points [P, 2] on the board: right foot, crest, left foot of each; points may coincide."""
    along = np.gradient(where_m, axis=0)
    size = np.linalg.norm(along, axis=1, keepdims=True)
    across = np.column_stack([-along[:, 1], along[:, 0]]) / np.maximum(size, 1e-12) * LINE_M[0] / 2
    foot, crest = np.full(len(where_m), BOARD_M + 5e-4), np.full(len(where_m), BOARD_M + LINE_M[1])
    rows = [
        np.column_stack([where_m - across, foot]),
        np.column_stack([where_m, crest]),
        np.column_stack([where_m + across, foot]),
    ]
    faces = grid_faces(len(where_m), 3)[:, ::-1]
    return trimesh.Trimesh(np.stack(rows, axis=1).reshape(-1, 3), faces, process=False)
