"""Paper: a strip that curls as it dries, a sheet that folds itself, a shredder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import Channel, ChannelMap, Move, Rotate, Vertices, Visible, quaternion_about
from event_library.kit import copies, vessels
from event_library.kit.faces import grid_faces
from event_library.kit.palette import CHROME, DARK, GREEN, INK, PAPER, WOOD, paint
from event_library.kit.shapes import along, arc_length_m, at, circle, extruded
from event_library.laws import GRAVITY_M_PER_S2, ease, started
from event_library.parts import Assembly, Material, Part
from event_library.readouts import pixel_pitch_m
from event_library.taxonomy import facts

CLAMP = (0.0, 0.0, 0.034)  # where the strip leaves its clamp, towards +x
STRIP_M, SHEET_GAP_M = 0.042, 4e-4  # width of the strip; half its thickness
NUM_STATIONS = 41
ORANGE_SIDE, WHITE_SIDE = paint((0.90, 0.30, 0.03), 0.8), paint((0.86, 0.85, 0.80), 0.9)


@dataclass(frozen=True, kw_only=True)
class PaperCurling(Event):
    """A strip bends evenly as one side dries (bilayer, Timoshenko 1925): k = km (1 - exp(-t / tc)), a circular arc."""

    info = facts("paper_curling")
    variables = (
        state("k", "1/m", 1.0, flags="monotone", label="curvature"),
        readout(
            "end_angle", "rad", float(np.deg2rad(14)), min_delta=float(np.deg2rad(32)), flags="monotone",
            label="direction of the free end, from flat",
        ),
    )  # fmt: skip
    accept_rules = (("the end curls by 150 to 300 degrees", lambda e: 2.6 <= e.final_per_m * e.length_m <= 5.24),)

    final_per_m: float = param("km", "1/m", 18, 34)
    drying_s: float = param("tc", "s", 3, 6)
    length_m: float = param("Lp", "m", 0.12, 0.16)

    def states(self, t_s: Array) -> dict[str, Array]:
        curvature = -self.final_per_m * np.expm1(-started(t_s) / self.drying_s)
        return {"k": curvature, "end_angle": curvature * self.length_m}

    def assembly(self) -> Assembly:
        jaw = parts.moved(parts.bevelled_box((0.045, 0.062, 0.014), 0.003), -0.024, 0, CLAMP[2] + 0.0085)
        foot = parts.moved(parts.bevelled_box((0.075, 0.07, CLAMP[2] - 0.002), 0.004), -0.038, 0, CLAMP[2] / 2 - 0.001)
        screw = parts.join(
            parts.moved(parts.cylinder(0.005, 0.03, 16), -0.024, 0, CLAMP[2] + 0.012),
            parts.moved(parts.cylinder(0.013, 0.008, 20), -0.024, 0, CLAMP[2] + 0.04),
        )
        base = parts.moved(parts.bevelled_box((0.25, 0.09, 0.01), 0.003), 0.045, 0, 0.005)
        return Assembly((
            Part("upper", self._side(0.0, 1.0), ORANGE_SIDE, carries=True, smooth_angle_deg=180),
            Part("under", self._side(0.0, -1.0), WHITE_SIDE, carries=True, smooth_angle_deg=180),
            Part("foot", foot, WOOD),
            Part("jaw", jaw, CHROME),
            Part("screw", screw, DARK, smooth_angle_deg=40),
            Part("base", base, paint((0.10, 0.22, 0.20))),
        ))  # fmt: skip

    def _side(self, curvature_per_m: float, sign: float) -> trimesh.Trimesh:
        """One face of the strip: stations along its arc, two vertices each."""
        s = np.linspace(0.0, self.length_m, NUM_STATIONS)
        turn = curvature_per_m * s
        half = np.sinc(turn / (2 * np.pi))
        x, z = s * np.sinc(turn / np.pi), s * (turn / 2) * half * half
        x, z = x - sign * SHEET_GAP_M * np.sin(turn), z + sign * SHEET_GAP_M * np.cos(turn)
        rows = [np.column_stack([x, np.full(NUM_STATIONS, y), z]) for y in (-STRIP_M / 2, STRIP_M / 2)]
        return ribbon(rows[0] + CLAMP, rows[1] + CLAMP)

    def channels(self, state: State) -> ChannelMap:
        curvature = float(state["k"])
        return {
            name: (Vertices(np.asarray(self._side(curvature, sign).vertices)),)
            for name, sign in (("upper", 1.0), ("under", -1.0))
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        middle = (np.asarray(meshes["upper"].vertices) + np.asarray(meshes["under"].vertices)) / 2
        steps = np.diff(middle[:NUM_STATIONS], axis=0)
        turns = np.unwrap(np.arctan2(steps[:, 2], steps[:, 0]))
        return {"k": float((turns[-1] - turns[0]) / (self.length_m * (NUM_STATIONS - 2) / (NUM_STATIONS - 1)))}

    def measure(self, view: View) -> dict[str, float]:
        """Curvature of the circle that leaves the clamp level and passes the visible strip best, times its length."""
        points = np.vstack([view.points_m["upper"], view.points_m["under"]]) - CLAMP
        square = points[:, 0] ** 2 + points[:, 2] ** 2
        if len(points) < 6:
            return {"end_angle": float("nan")}
        return {"end_angle": 2 * float((points[:, 2] * square).sum() / (square**2).sum()) * self.length_m}


def ribbon(left_m: Array, right_m: Array) -> trimesh.Trimesh:
    """Sheet between two edges [P, 3]; 2 P vertices, left ones first."""
    return trimesh.Trimesh(np.vstack([left_m, right_m]), grid_faces(2, len(left_m)), process=False)


APOTHEM_M = 0.078  # of the polygon that stays flat; a flap is as high, so that folded flaps just meet
HINGE_M = 0.014  # height of the creases
LEAF_M = 7e-4
FULL_FOLD_RAD = float(np.deg2rad(170))


@dataclass(frozen=True, kw_only=True)
class OrigamiFolding(Event):
    """Flaps round an n-gon fold in one after another: flap k turns by 170 deg sstep((t - k (t_f + t_w)) / t_f)."""

    info = facts("origami_folding")
    variables = (
        state("progress", "count", 0.3, flags="monotone bounded"),
        readout(
            "folds", "count", 0.3, min_delta=1.0, flags="monotone bounded", label="folds made, the moving flap included"
        ),
    )

    num_folds: int = param("n", "count", 4, 6)
    fold_s: float = param("t_f", "s", 0.9, 1.3)
    wait_s: float = param("t_w", "s", 0.2, 0.5)

    def shares(self, t_s: Array) -> Array:
        """[T, n] how far each flap is folded."""
        starts = np.arange(self.num_folds) * (self.fold_s + self.wait_s)
        return ease((started(t_s)[:, None] - starts) / self.fold_s)

    def states(self, t_s: Array) -> dict[str, Array]:
        folded = self.shares(t_s).sum(axis=1)
        return {"progress": folded, "folds": folded.copy()}

    def triggers(self) -> dict[str, float]:
        return {"folded": (self.num_folds - 1) * (self.fold_s + self.wait_s) + self.fold_s}

    def outwards_rad(self) -> Array:
        """[n] directions of the flaps, the first one at the back left."""
        return np.asarray(np.deg2rad(135) - 2 * np.pi * np.arange(self.num_folds) / self.num_folds)

    def assembly(self) -> Assembly:
        num = int(self.num_folds)
        half_edge = APOTHEM_M * np.tan(np.pi / num)
        flap = np.array([(0.0, -half_edge), (APOTHEM_M, 0.0), (0.0, half_edge)])
        corners = circle(APOTHEM_M / np.cos(np.pi / num), num, float(self.outwards_rad()[0]) + np.pi / num)
        made = []
        for k in range(num):
            inside, outside = extruded(0.985 * flap, LEAF_M, flat=True), extruded(flap, LEAF_M, flat=True)
            made.append(Part(f"flap_{k}", inside, PAPER, carries=True))
            made.append(
                Part(f"back_{k}", parts.moved(outside, z_m=-LEAF_M), paint((0.75, 0.03, 0.05), 0.7), carries=True)
            )
        sheet = parts.moved(extruded(0.99 * corners, LEAF_M, flat=True), z_m=HINGE_M)
        lower = parts.moved(extruded(corners, LEAF_M, flat=True), z_m=HINGE_M - LEAF_M)
        return Assembly((
            *made,
            Part("sheet", sheet, PAPER),
            Part("sheet_back", lower, paint((0.75, 0.03, 0.05), 0.7)),
            Part("mat", parts.moved(parts.bevelled_box((0.36, 0.34, HINGE_M - 0.002), 0.003), z_m=HINGE_M / 2 - 0.001),
                 paint((0.03, 0.16, 0.14), 0.7)),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        shares = np.clip(float(state["progress"]) - np.arange(self.num_folds), 0.0, 1.0)
        found: dict[str, tuple[Channel, ...]] = {}
        for k, (share, outwards) in enumerate(zip(shares, self.outwards_rad(), strict=True)):
            lift = quaternion_about((0.0, -1.0, 0.0), float(share) * FULL_FOLD_RAD)
            turn = copies.quaternions_times(quaternion_about((0.0, 0.0, 1.0), float(outwards)), lift)
            hinge = at(APOTHEM_M * np.cos(outwards), APOTHEM_M * np.sin(outwards), HINGE_M)
            found |= {f"{name}_{k}": (Rotate(turn), Move(hinge)) for name in ("flap", "back")}
        return found

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        points = [
            np.vstack([meshes[f"flap_{k}"].vertices, meshes[f"back_{k}"].vertices]) for k in range(self.num_folds)
        ]
        return {"progress": float(sum(self._folded(k, p.mean(axis=0)) for k, p in enumerate(points)))}

    def _folded(self, flap: int, point_m: Array) -> float:
        """Share of its fold at which a flap passes a point."""
        outwards = self.outwards_rad()[flap]
        out = point_m[0] * np.cos(outwards) + point_m[1] * np.sin(outwards) - APOTHEM_M
        return float(np.arctan2(point_m[2] - HINGE_M, out) / FULL_FOLD_RAD)

    def measure(self, view: View) -> dict[str, float]:
        """Each flap's turn about its crease; one that isn't seen is folded if a later one has begun to fold."""
        shares = np.full(int(self.num_folds), np.nan)
        for k in range(int(self.num_folds)):
            points = np.vstack([view.points_m[f"flap_{k}"], view.points_m[f"back_{k}"]])
            if len(points):
                shares[k] = self._folded(k, points.mean(axis=0))
        if np.isnan(shares).all():
            return {"folds": float("nan")}
        begun = np.flatnonzero(np.nan_to_num(shares) > 0.06)
        guess = (np.arange(len(shares)) < (begun[-1] if len(begun) else 0)).astype(np.float64)
        return {"folds": float(np.where(np.isnan(shares), guess, shares).sum())}


SLOT_M, HEAD_M = 0.34, 0.085  # top of the shredder's head; its height
SHEET_M, NUM_STRIPS = 0.20, 14
BIN_FLOOR_M = 0.008
NUM_ROWS, STRIP_STATIONS = 13, 26


@dataclass(frozen=True, kw_only=True)
class PaperShredding(Event):
    """A shredder draws in a sheet at a set speed: y = min(v t, Ls) is cut; then the strips fall free by g s^2 / 2."""

    info = facts("paper_shredding")
    variables = (
        state("y", "m", 0.02, flags="monotone bounded", label="length cut"),
        state("fall", "m", 0.02, flags="monotone bounded", label="how far the cut strips have dropped"),
        readout("sheet_left", "m", 0.02, min_delta=0.05, flags="monotone bounded", label="paper above the slot"),
    )

    feed_m_per_s: float = param("v", "m/s", 0.028, 0.045)
    sheet_m: float = param("Ls", "m", 0.26, 0.30)

    def states(self, t_s: Array) -> dict[str, Array]:
        fed = np.minimum(self.feed_m_per_s * started(t_s), self.sheet_m)
        after_s = np.maximum(started(t_s) - self.triggers()["cut"], 0.0)
        fall = np.minimum(GRAVITY_M_PER_S2 / 2 * after_s**2, SLOT_M - BIN_FLOOR_M)
        return {"y": fed, "fall": fall, "sheet_left": self.sheet_m - fed}

    def triggers(self) -> dict[str, float]:
        return {"cut": self.sheet_m / self.feed_m_per_s}

    def assembly(self) -> Assembly:
        head = parts.moved(parts.bevelled_box((0.28, 0.15, HEAD_M), 0.012), z_m=SLOT_M - HEAD_M / 2)
        back = parts.block((0.25, 0.004, SLOT_M - HEAD_M - 0.01), (0, 0.061, BIN_FLOOR_M))
        lips = parts.join(*(parts.block((0.23, 0.008, 0.006), (0, y, SLOT_M)) for y in (-0.009, 0.009)))
        lamp = parts.block((0.02, 0.004, 0.012), (0.11, -0.076, SLOT_M - 0.045))
        return Assembly((
            Part("sheet", self._sheet(0.0), PAPER, carries=True),
            Part("print", self._print(0.0), INK, carries=True),
            *(Part(f"strips_{k}", self._strips(0.0, 0.0, k), shade, carries=True)
              for k, shade in enumerate((paint((0.88, 0.87, 0.83), 0.9), paint((0.55, 0.60, 0.70), 0.9)))),
            *vessels.square_tank("bin", (0.26, 0.13), SLOT_M - HEAD_M, edge_m=0.005),
            Part("back", back, paint((0.03, 0.10, 0.16))),
            Part("head", head, paint((0.07, 0.08, 0.10))),
            Part("lips", lips, CHROME),
            Part("lamp", lamp, Material(rgb=GREEN, emission_rgb=(0.1, 0.9, 0.15), emission_strength=1.5)),
        ))  # fmt: skip

    def _sheet(self, fed_m: float) -> trimesh.Trimesh:
        z = np.array([SLOT_M, SLOT_M + max(self.sheet_m - fed_m, 1e-6)])
        return ribbon(*(np.column_stack([np.full(2, s * SHEET_M / 2), np.zeros(2), z]) for s in (-1, 1)))

    def _print(self, fed_m: float) -> trimesh.Trimesh:
        """Printed lines on both sides; what has passed the slot is folded away into it."""
        lines = []
        for row in range(NUM_ROWS):
            low = self.sheet_m * (0.05 + 0.9 * row / NUM_ROWS)
            high = low + self.sheet_m * (0.05 if row == NUM_ROWS - 1 else 0.028)
            z = SLOT_M + np.maximum(np.array([low, high]) - fed_m, -0.004)
            right = SHEET_M * (0.0 if row == NUM_ROWS - 1 else (0.42, 0.36, 0.42, 0.1)[row % 4])
            lines += [
                ribbon(*(np.column_stack([np.full(2, x), np.full(2, y), z]) for x in (-0.42 * SHEET_M, right)))
                for y in (-6e-4, 6e-4)
            ]
        return parts.join(*lines)

    def _strips(self, fed_m: float, fall_m: float, parity: int) -> trimesh.Trimesh:
        """Every other strip: a ribbon that runs down its own path from the slot and heaps up on the bin's floor."""
        run = fall_m + np.linspace(0.0, max(fed_m, 1e-6), STRIP_STATIONS)
        half = at(0.42 * SHEET_M / NUM_STRIPS, 0.0, 0.0)
        middles = [along(path, run) for path in strip_paths()[parity::2]]
        return parts.join(*(ribbon(m - half, m + half) for m in middles))

    def channels(self, state: State) -> ChannelMap:
        fed, fall = float(state["y"]), float(state["fall"])
        there = Visible(fed < self.sheet_m)
        return {
            "sheet": (there, Vertices(np.asarray(self._sheet(fed).vertices))),
            "print": (there, Vertices(np.asarray(self._print(fed).vertices))),
            **{f"strips_{k}": (Vertices(np.asarray(self._strips(fed, fall, k).vertices)),) for k in (0, 1)},
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        left = float(meshes["sheet"].bounds[1, 2]) - SLOT_M if "sheet" in meshes else 0.0
        strips = np.asarray(meshes["strips_0"].vertices)
        tail = (strips[0] + strips[STRIP_STATIONS]) / 2
        return {"y": self.sheet_m - left, "fall": arc_length_m(strip_paths()[0], tail)}

    def measure(self, view: View) -> dict[str, float]:
        points = np.vstack([view.points_m["sheet"], view.points_m["print"]])
        if len(points) < 3:
            return {"sheet_left": 0.0 if len(view.points_m["lips"]) else float("nan")}
        half_px = pixel_pitch_m(np.concatenate([view.pixel_area_m2["sheet"], view.pixel_area_m2["print"]])) / 2
        return {"sheet_left": float(points[:, 2].max()) + half_px - SLOT_M}


@lru_cache(maxsize=1)
def strip_paths() -> tuple[Array, ...]:
    """[P, 3] of each strip: down from the slot, then to and fro over the floor of the bin, ever a little higher."""
    rng = np.random.Generator(np.random.PCG64(5))
    paths = []
    for strip in range(NUM_STRIPS):
        x = ((strip + 0.5) / NUM_STRIPS - 0.5) * SHEET_M
        sway = rng.uniform(-0.012, 0.012, (3, 2))
        down = [
            (x, 0.0, SLOT_M),
            (x, 0.0, SLOT_M - HEAD_M),
            *((x + a, b, z) for (a, b), z in zip(sway, (0.2, 0.13, 0.06), strict=True)),
        ]
        z, folds = BIN_FLOOR_M + 0.003, []
        for fold in range(8):
            y = (-1) ** fold * rng.uniform(0.02, 0.055)
            folds.append((float(np.clip(x + rng.uniform(-0.03, 0.03), -0.115, 0.115)), y, z))
            z += rng.uniform(0.004, 0.009)
        paths.append(np.array([*down, *folds]))
    return tuple(paths)
