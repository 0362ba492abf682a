"""A saw at work on a log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import Channel, ChannelMap, Scale
from event_library.figures import rig
from event_library.kit.palette import ORANGE, PALE_WOOD, STEEL, paint
from event_library.kit.shapes import beam, circle, cone, extruded, rod
from event_library.laws import GRAVITY_M_PER_S2, ease, ease_inverse, started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.taxonomy import facts

YAW_RAD = float(np.deg2rad(-38))  # the log's free end comes towards the viewer on the right
AXIS_M = 0.34  # height of the log's axis over the ground
KERF_M = 0.009
LOG_M, OFFCUT_M = 0.20, 0.11  # from the kerf to the held end and to the free one
SWING_M = 0.12
BLADE_M = (0.003, 0.50, 0.028)
BARK = Material(rgb=(0.20, 0.10, 0.045), roughness=0.9, pattern=Pattern("stripes", (0.12, 0.06, 0.03), 0.012))
FRESH = Material(rgb=(0.78, 0.55, 0.28), roughness=0.7)
NUM_SIDES = 40


@dataclass(frozen=True, kw_only=True)
class LogBeingSawn(Event):
    """Each stroke takes the kerf dk deeper: depth = min(Dl, dk (k + sstep(frac(t / Pk)))), k = floor(t / Pk).

    When the log (diameter Dl) is through, the saw stops and the free end falls from rest to the ground.
    """

    info = facts("log_being_sawn")
    variables = (
        state("kerf", "m", 0.012, flags="monotone bounded"),
        state("saw", "m", 0.01, flags="bounded", label="the saw's place across the log"),
        state("fall", "m", 0.02, flags="monotone bounded", label="how far the free end has dropped"),
        readout("depth", "m", 0.012, min_delta=0.025, flags="monotone bounded", label="kerf below the log's top"),
    )
    accept_rules = (
        ("sawing takes 4.5 to 8 s", lambda e: 4.5 <= e.diameter_m / e.bite_m * e.stroke_s <= 8),
    )  # fmt: skip

    diameter_m: float = param("Dl", "m", 0.10, 0.14)
    bite_m: float = param("dk", "m", 0.009, 0.016)
    stroke_s: float = param("Pk", "s", 0.5, 0.8)

    def triggers(self) -> dict[str, float]:
        """The stroke that gets through, and where in it."""
        whole = np.floor(self.diameter_m / self.bite_m)
        rest = self.diameter_m / self.bite_m - whole
        return {"through": float((whole + ease_inverse(float(rest))) * self.stroke_s)}

    def states(self, t_s: Array) -> dict[str, Array]:
        through = self.triggers()["through"]
        beats = np.minimum(started(t_s), through) / self.stroke_s
        done = np.floor(beats)
        depth = np.minimum(self.bite_m * (done + ease(beats - done)), self.diameter_m)
        fall = np.minimum(
            GRAVITY_M_PER_S2 / 2 * np.maximum(started(t_s) - through, 0.0) ** 2, AXIS_M - self.diameter_m / 2
        )
        return {"kerf": depth, "saw": SWING_M * np.sin(2 * np.pi * beats), "fall": fall, "depth": depth.copy()}

    def assembly(self) -> Assembly:
        r = self.diameter_m / 2
        log = [_lying(r, -LOG_M, -KERF_M / 2), _lying(r, KERF_M / 2, OFFCUT_M)]
        ends = [_lying(0.93 * r, -LOG_M - 1e-3, -LOG_M + 1e-3), _lying(0.93 * r, OFFCUT_M - 1e-3, OFFCUT_M + 1e-3)]
        cuts = [_lying(0.96 * r, x, x + 1e-3) for x in (-KERF_M / 2, KERF_M / 2 - 1e-3)]
        rings = parts.join(*(parts.moved(_lying(k * r, 0.0, 1.6e-3 - 1e-3 * k), OFFCUT_M) for k in (0.62, 0.34)))
        wood = paint((0.50, 0.30, 0.12), 0.7)
        trestle = []
        for x in (-0.16, -0.05):
            for s in (-1, 1):
                leg = beam((0.0, 0.0, 0.0), (0.0, 0.0, AXIS_M + 0.055), 0.022, 0.022)
                leg.apply_transform(trimesh.transformations.rotation_matrix(s * 0.52, (1, 0, 0)))
                trestle.append(parts.moved(leg, x + 0.024 * (s > 0), s * 0.185, 0.006))
        trestle.append(rod((-0.17, 0.0, 0.14), (-0.02, 0.0, 0.14), 0.012))
        steady = rig.turned((0.0, 0.0, 1.0), YAW_RAD)
        blade = parts.moved(parts.box(BLADE_M), z_m=BLADE_M[2] / 2)
        half = BLADE_M[1] / 2
        bow = parts.join(
            *(parts.block((0.018, 0.022, 0.20), (0, s * half, -0.01)) for s in (-1, 1)),
            parts.block((0.018, 2 * half, 0.02), (0, 0, 0.105)), rod((0, -half, 0.185), (0, half, 0.185), 0.0035),
        )  # fmt: skip

        def still(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
            mesh.apply_transform(steady)
            return mesh

        return Assembly((
            Part("blade", blade, STEEL, carries=True),
            Part("bow", bow, paint(ORANGE, 0.4), carries=True),
            Part("web", _web(r, 0.0), FRESH, carries=True, smooth_angle_deg=30),
            Part("offcut", log[1], BARK, carries=True, smooth_angle_deg=40),
            Part("offcut_end", parts.join(ends[1], cuts[1]), FRESH, carries=True),
            Part("offcut_rings", rings, paint((0.50, 0.30, 0.12), 0.8), carries=True),
            Part("log", still(parts.moved(log[0], z_m=AXIS_M)), BARK, smooth_angle_deg=40),
            Part("log_end", still(parts.moved(parts.join(ends[0], cuts[0]), z_m=AXIS_M)), FRESH),
            Part("trestle", still(parts.join(*trestle)), wood),
            Part("sawdust", cone(0.075, 0.045, num_sides=24), PALE_WOOD, smooth_angle_deg=60),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        r, depth = self.diameter_m / 2, float(state["kerf"])
        base = rig.turned((0.0, 0.0, 1.0), YAW_RAD)
        saw = rig.placed(base @ rig.shifted(0.0, float(state["saw"]), AXIS_M + r - depth))
        free = rig.placed(base @ rig.shifted(0.0, 0.0, AXIS_M - float(state["fall"])))
        found: dict[str, tuple[Channel, ...]] = dict.fromkeys(("blade", "bow"), saw)
        found |= dict.fromkeys(("offcut", "offcut_end", "offcut_rings"), free)
        found["web"] = rig.shaped(base @ rig.shifted(0.0, 0.0, AXIS_M), np.asarray(_web(r, depth).vertices))
        grown = np.cbrt(max(depth / self.diameter_m, 1e-4))
        found["sawdust"] = (Scale(np.full(3, grown)),)
        return found

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        r = self.diameter_m / 2
        middle = meshes["offcut"].bounds.mean(axis=0)
        across = float(meshes["blade"].vertices.mean(axis=0)[:2] @ [-np.sin(YAW_RAD), np.cos(YAW_RAD)])
        kerf = AXIS_M + r - float(meshes["blade"].bounds[0, 2])
        return {"kerf": kerf, "saw": across, "fall": AXIS_M - float(middle[2])}

    def measure(self, view: View) -> dict[str, float]:
        """Lower edge of the blade, where it stands out of the log, under the top of the log."""
        points, log = view.points_m["blade"], view.points_m["log"]
        if len(points) < 3 or len(log) < 5:
            return {"depth": float("nan")}
        middle = (float(points[:, 2].max()) + float(points[:, 2].min())) / 2
        return {"depth": AXIS_M + self.diameter_m / 2 - (middle - BLADE_M[2] / 2)}


def _lying(radius_m: float, start_m: float, end_m: float) -> trimesh.Trimesh:
    """Cylinder along x about the origin."""
    return rod((start_m, 0.0, 0.0), (end_m, 0.0, 0.0), radius_m, NUM_SIDES)


def _web(radius_m: float, depth_m: float) -> trimesh.Trimesh:
    """What still joins the log under the kerf: the disc below a level, as a plate across the kerf."""
    outline = 0.985 * circle(radius_m, NUM_SIDES, -np.pi / 2)
    level = radius_m - min(depth_m, 1.97 * radius_m)
    outline[:, 1] = np.minimum(outline[:, 1], level)
    mesh = extruded(outline, KERF_M)  # in x and z, y from 0
    mesh.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, (0, 0, 1)))
    return parts.moved(mesh, KERF_M / 2)
