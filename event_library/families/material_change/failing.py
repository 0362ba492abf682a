"""Things that give way under load: a plate with a fatigue crack, a bucket on fraying cords."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh
from numpy.typing import NDArray

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import Channel, ChannelMap, Move, Vertices
from event_library.figures import rig
from event_library.kit import furniture, streams, vessels
from event_library.kit.faces import bar_faces
from event_library.kit.palette import DARK, IRON, RUBBER, STEEL, WOOD, paint
from event_library.kit.shapes import at, swept
from event_library.laws import GRAVITY_M_PER_S2, ease, started
from event_library.parts import Assembly, Part
from event_library.readouts import pixel_pitch_m
from event_library.taxonomy import facts

FOOT_M, HALF_M, THICK_M = 0.050, 0.078, 0.010  # of the plate: height of its lower edge, half its width, thickness
FLEX_RAD, FLEX_PER_S = 0.009, 1.5
SAG_RAD, SAG_S = float(np.deg2rad(12)), 0.5
BAND_M, TIP_M = 0.007, 0.004  # half width of the crack's dark band, length of its tip
NUM_SEAM = 41


@dataclass(frozen=True, kw_only=True)
class FatigueCrack(Event):
    """Paris' law da/dN = C dK^3 with dK ~ sqrt(a): a = a0 / (1 - t / tf)^2 until a = W (Paris & Erdogan 1963).

    Then the halves sag by 12 degrees about their jaws within 0.5 s. The machine flexes the plate by a hinge at its top.
    """

    info = facts("fatigue_crack")
    variables = (
        state("a", "m", 0.008, flags="monotone bounded"),
        state("flex", "rad", 0.002, domain="angle", label="turn of each jaw"),
        state("sag", "rad", 0.02, domain="angle", flags="monotone bounded", label="of the halves about their jaws"),
        readout("crack_length", "m", 0.008, min_delta=0.017, flags="monotone bounded", label="from the lower edge up"),
    )

    start_m: float = param("a0", "m", 0.012, 0.018)
    life_s: float = param("tf", "s", 7, 10)
    width_m: float = param("W", "m", 0.14, 0.20)

    @property
    def parting_s(self) -> float:
        return self.life_s * (1 - float(np.sqrt(self.start_m / self.width_m)))

    def triggers(self) -> dict[str, float]:
        return {"parted": self.parting_s}

    def states(self, t_s: Array) -> dict[str, Array]:
        time_s = np.minimum(started(t_s), self.parting_s)
        length = np.minimum(self.start_m / (1 - time_s / self.life_s) ** 2, self.width_m)
        flex = FLEX_RAD * (1 - np.cos(2 * np.pi * FLEX_PER_S * time_s)) / 2
        sag = SAG_RAD * ease((started(t_s) - self.parting_s) / SAG_S)
        return {"a": length, "flex": flex, "sag": sag, "crack_length": length.copy()}

    def assembly(self) -> Assembly:
        plate, band = paint((0.20, 0.55, 0.75), 0.12), paint((0.012, 0.012, 0.02), 0.8)
        made = []
        for side, sign in (("left", -1.0), ("right", 1.0)):
            seam = self._seam(self.width_m)
            mesh = _slab(seam, np.column_stack([np.full(NUM_SEAM, sign * HALF_M), seam[:, 1]]), THICK_M)
            jaw = parts.moved(
                parts.bevelled_box((0.036, 0.05, 0.55 * self.width_m), 0.005), sign * (HALF_M + 0.008), 0, self._jaw_z_m
            )
            made += [
                Part(f"{side}_plate", mesh, plate, carries=True),
                Part(f"{side}_edge", self._edge(self.start_m, sign), band, carries=True),
                Part(f"{side}_jaw", jaw, STEEL),
            ]
        posts = [
            parts.block((0.02, 0.05, self._jaw_z_m + 0.02), (sign * (HALF_M + 0.036), 0.0, 0.0)) for sign in (-1, 1)
        ]
        pins = [
            parts.moved(parts.box((0.03, 0.02, 0.02)), sign * (HALF_M + 0.028), 0, self._jaw_z_m) for sign in (-1, 1)
        ]
        return Assembly((
            *made,
            Part("machine", parts.join(*posts, *pins, parts.block((0.26, 0.09, 0.022), (0, 0, 0))), IRON),
        ))  # fmt: skip

    @property
    def _jaw_z_m(self) -> float:
        return FOOT_M + self.width_m / 2

    def _seam(self, length_m: float) -> Array:
        """[NUM_SEAM, 2] x and z of the way of the crack, from the lower edge to `length_m` above it."""
        up = np.linspace(0.0, length_m, NUM_SEAM)
        x = 0.0035 * (np.sin(65 * up) + 0.6 * np.sin(170 * up + 1.0)) * (1 - up / self.width_m)
        return np.column_stack([x, FOOT_M + up])

    def _edge(self, length_m: float, sign: float) -> trimesh.Trimesh:
        """Dark flank of the crack on one half, tapering to its tip; a little prouder than the plate."""
        seam = self._seam(length_m)
        taper = np.sqrt(np.clip((length_m + FOOT_M - seam[:, 1]) / TIP_M, 1e-4, 1.0))
        return _slab(seam, seam + np.column_stack([sign * BAND_M * taper, np.zeros(NUM_SEAM)]), THICK_M + 0.0012)

    def channels(self, state: State) -> ChannelMap:
        found: dict[str, tuple[Channel, ...]] = {}
        for side, sign in (("left", 1.0), ("right", -1.0)):
            flexed = _about((0.0, FOOT_M + self.width_m), sign * float(state["flex"]))
            sagging = flexed @ _about((-sign * HALF_M, self._jaw_z_m), sign * float(state["sag"]))
            edge = np.asarray(self._edge(float(state["a"]), -sign).vertices)
            found |= {
                f"{side}_plate": rig.placed(sagging), f"{side}_jaw": rig.placed(flexed),
                f"{side}_edge": rig.shaped(sagging, edge),
            }  # fmt: skip
        return found

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        plate = np.asarray(meshes["left_plate"].vertices)
        along = (plate[2 * NUM_SEAM - 1] - plate[NUM_SEAM])[[0, 2]] / self.width_m  # up its outer side
        turned = float(np.arctan2(*along))
        jaw = np.asarray(meshes["left_jaw"].vertices)
        axis = np.linalg.svd(jaw - jaw.mean(axis=0), full_matrices=False)[2][0]  # a box: along its longest side
        flex = float(np.arctan(axis[0] / axis[2]))
        return {
            "flex": flex, "sag": turned - flex, "a": float(np.ptp(meshes["left_edge"].vertices[:, [0, 2]] @ along)),
        }  # fmt: skip

    def measure(self, view: View) -> dict[str, float]:
        sides = [view.points_m[name] for name in ("left_edge", "right_edge")]
        points = np.vstack(sides)
        if len(points) == 0:
            return {"crack_length": float("nan")}
        areas = np.concatenate([view.pixel_area_m2["left_edge"], view.pixel_area_m2["right_edge"]])
        leaning = max(max(float(np.ptp(p[:, 0])) for p in sides if len(p)) - 2 * BAND_M, 0.0)
        return {"crack_length": float(np.hypot(np.ptp(points[:, 2]), leaning)) + pixel_pitch_m(areas)}


def _slab(inner_xz_m: Array, outer_xz_m: Array, thick_m: float) -> trimesh.Trimesh:
    """Closed upright slab between two edges [P, 2] of x and z, about y = 0; 4 P vertices."""
    num = len(inner_xz_m)
    rows = [
        np.column_stack([edge[:, 0], np.full(num, y), edge[:, 1]])
        for edge, y in ((inner_xz_m, -1), (outer_xz_m, -1), (outer_xz_m, 1), (inner_xz_m, 1))
    ]
    mesh = trimesh.Trimesh(np.vstack(rows) * [1.0, thick_m / 2, 1.0], bar_faces(num), process=False)
    if outer_xz_m[0, 0] < inner_xz_m[0, 0]:
        mesh.invert()
    return mesh


def _about(pivot_xz_m: tuple[float, float], angle_rad: float) -> Array:
    """[4, 4] turn about an axis along y through a point (x, z)."""
    x, z = pivot_xz_m
    return rig.shifted(x, 0, z) @ rig.turned((0.0, 1.0, 0.0), angle_rad) @ rig.shifted(-x, 0, -z)


BEAM_M, CORD_M, BAR_M = 0.52, 0.15, 0.012  # underside of the beam, length of the cords, thickness of the bucket's bar
BUCKET_M, BUCKET_RADIUS_M, FALL_M = 0.15, 0.075, 0.13
PITCH_M, CORD_RADIUS_M = 0.026, 0.0085
CURL_S = 0.15
SPOUT_Z_M = BEAM_M - CORD_M - 0.005
HOSE = np.array(
    [(0.15, 0.0, 0.40), (0.13, 0.06, 0.43), (0.07, 0.08, 0.43), (0.03, 0.07, 0.40), (0.03, 0.062, SPOUT_Z_M)]
)
FLOW_M3_PER_S, FULL_M = 1.2e-4, 0.115
COLOURS = (paint((0.80, 0.08, 0.03), 0.8), paint((0.85, 0.60, 0.08), 0.8))


@dataclass(frozen=True, kw_only=True)
class RopeStrandFailure(Event):
    """Fibre bundle with equal load sharing (Daniels 1945): a cord breaks when F / (cords left) reaches its strength.

    Strengths are 0.1 + 1.8 (k - 1/2) / N. The load is the water's weight, F = Fmax t / Tc, so that the last cords go at
    Tc, in one avalanche; the bucket then falls free.
    """

    info = facts("rope_strand_failure")
    variables = (
        state("F", "ratio", 0.1, flags="monotone bounded", label="load in mean strengths"),
        state("cords", "s", 0.05, domain="vector", label="time since each cord broke, 0 when whole"),
        state("drop", "m", 0.02, flags="monotone bounded", label="how far the bucket has fallen"),
        readout(
            "intact", "count", 1.0, min_delta=2.0, domain="count", flags="monotone bounded", label="unbroken cords"
        ),
    )

    num_cords: int = param("N", "count", 6, 9)
    collapse_s: float = param("Tc", "s", 4.5, 6.2)
    seed: int = seed_param()

    def breaking_s(self) -> Array:
        """[N] when the cords break, the weakest first."""
        loads = self._breaking_loads()
        return np.asarray(self.collapse_s * (np.maximum.accumulate(loads) / loads.max()))

    def _breaking_loads(self) -> Array:
        """[N] load that breaks each cord when the weaker ones are gone."""
        rank = np.arange(int(self.num_cords))
        return np.asarray((self.num_cords - rank) * (0.1 + 1.8 * (rank + 0.5) / self.num_cords))

    @property
    def greatest_load(self) -> float:
        return float(self._breaking_loads().max())

    def places(self) -> NDArray[np.int64]:
        """[N] where in the row each cord hangs, the weakest first."""
        return np.random.Generator(np.random.PCG64(int(self.seed))).permutation(int(self.num_cords))

    def states(self, t_s: Array) -> dict[str, Array]:
        time_s = started(t_s)
        since = np.maximum(time_s[:, None] - self.breaking_s(), 0.0)
        broken = time_s[:, None] >= self.breaking_s()
        return {
            "F": self.greatest_load * np.minimum(time_s / self.collapse_s, 1.0),
            "cords": np.minimum(since, CURL_S),
            "drop": np.minimum(GRAVITY_M_PER_S2 / 2 * np.maximum(time_s - self.collapse_s, 0.0) ** 2, FALL_M),
            "intact": self.num_cords - broken.sum(axis=1).astype(np.float64),
        }

    def triggers(self) -> dict[str, float]:
        return {"first_break": float(self.breaking_s()[0]), "collapse": self.collapse_s}

    def assembly(self) -> Assembly:
        cords = [
            Part(
                f"cord_{k}",
                self._cord(k, 0.0, 0.0),
                COLOURS[int(self.places()[k]) % 2],
                carries=True,
                smooth_angle_deg=60,
            )
            for k in range(int(self.num_cords))
        ]
        hanger = parts.join(
            parts.moved(parts.bevelled_box((0.25, 0.03, BAR_M), 0.003), z_m=BAR_M / 2),
            *(swept(np.array([(s * 0.1, 0, 0.0), (s * (BUCKET_RADIUS_M + 0.006), 0, -0.05)]), 0.004) for s in (-1, 1)),
        )
        glass = vessels.glass("bucket", BUCKET_RADIUS_M, BUCKET_M, rim_m=0.004)
        return Assembly((
            *cords,
            Part("hanger", hanger, DARK, carries=True),
            *glass,
            vessels.liquid_column("water", BUCKET_RADIUS_M, FULL_M),
            streams.jet("jet"),
            Part("hose", swept(HOSE, 0.007), RUBBER, smooth_angle_deg=60),
            furniture.gantry("frame", 0.28, BEAM_M, material=WOOD, bar_m=0.024, depth_m=0.12),
        ))  # fmt: skip

    def _cord(self, cord: int, since_s: float, drop_m: float) -> trimesh.Trimesh:
        """Two stubs that meet in the middle; once broken they spring apart and curl."""
        x = (float(self.places()[cord]) - (self.num_cords - 1) / 2) * PITCH_M
        curl = since_s / CURL_S
        up = np.linspace(0.0, 1.0, 9)[:, None]
        length = CORD_M / 2 * (1 - 0.45 * curl)
        way = 2.2 * curl * up
        path = length * np.hstack([0.35 * np.sin(3 * way) * up, 0.15 * np.sin(2 * way), up * np.cos(0.6 * way)])
        low = path + at(x, 0.0, BEAM_M - CORD_M - drop_m)
        high = path * [-1.0, -1.0, -1.0] + at(x, 0.0, BEAM_M)
        return parts.join(swept(low, CORD_RADIUS_M, 8), swept(high, CORD_RADIUS_M, 8))

    def channels(self, state: State) -> ChannelMap:
        drop, share = float(state["drop"]), float(state["F"]) / self.greatest_load
        hung = BEAM_M - CORD_M - drop - BAR_M
        foot = hung - 0.05 - BUCKET_M + 0.006
        moving = (Move(at(0.0, 0.0, foot)),)
        surface = foot + vessels.FLOOR_M + FULL_M * share
        found: dict[str, tuple[Channel, ...]] = {
            f"cord_{k}": (Vertices(np.asarray(self._cord(k, float(since), drop).vertices)),)
            for k, since in enumerate(state["cords"])
        }
        return {
            **found,
            "hanger": (Move(at(0.0, 0.0, hung)),),
            **{f"bucket_{name}": moving for name in ("wall", "rim", "base")},
            **vessels.column_channels("water", FULL_M * share, FULL_M, (0.0, 0.0, foot + vessels.FLOOR_M)),
            **streams.falling_jet_channels("jet", FLOW_M3_PER_S, (0.03, 0.062, SPOUT_Z_M), surface, running=share < 1),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        level = float(meshes["water"].volume) / (np.pi * BUCKET_RADIUS_M**2)
        return {
            "F": self.greatest_load * level / FULL_M,
            "drop": BEAM_M - CORD_M - float(meshes["hanger"].bounds[1, 2]),
        }

    def measure(self, view: View) -> dict[str, float]:
        """Cords of which something is seen half way between beam and bucket: the others have parted there."""
        tops = [view.points_m["hanger"][:, 2], *(view.points_m[f"cord_{k}"][:, 2] for k in range(int(self.num_cords)))]
        if len(tops[0]) == 0:
            return {"intact": float("nan")}
        low = float(tops[0].max())
        middle = (low + BEAM_M) / 2
        near = 0.12 * (BEAM_M - low)
        return {"intact": float(sum((np.abs(z - middle) < near).any() for z in tops[1:]))}
