"""A lava lamp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Move, Scale
from event_library.kit import palette, shapes
from event_library.laws import ease, started
from event_library.parts import Assembly, Lamp, Material, Part, Rgb
from event_library.taxonomy import facts

BASE_M, FLOOR_M = 0.10, 0.03  # top of the metal foot; of the wax that stays below, above it
HUES: tuple[Rgb, ...] = ((0.95, 0.06, 0.03), (0.95, 0.45, 0.02), (0.85, 0.08, 0.50))
LANES = ((-0.024, -0.012), (0.026, -0.004), (0.0, 0.012))  # where each blob travels, x and y


@dataclass(frozen=True, kw_only=True)
class LavaLampCycle(Event):
    """Blobs that wait at the bottom, rise, wait at the top and sink, each with its share of the period as its lead.

    A stylised limit cycle of the thermally driven wax (heating and cooling take `dwell`, travel `travel`).
    """

    info = facts("lava_lamp_cycle")
    variables = (
        state("u", "frac", 0.05, domain="vector", flags="periodic bounded"),
        state("direction", "index", 0.0, domain="discrete", flags="periodic bounded", label="of the red blob"),
        readout("blob_height", "m", 0.02, min_delta=0.05, flags="periodic bounded", label="middle of the red blob"),
    )

    num_blobs: int = param("m", "count", 1, 3)
    dwell_s: float = param("t_dwell", "s", 0.8, 1.5)
    travel_s: float = param("t_travel", "s", 1.8, 3.2)
    rise_m: float = param("Hc", "m", 0.16, 0.22)

    BLOB_M = 0.021

    @property
    def period_s(self) -> float:
        return 2 * (self.dwell_s + self.travel_s)

    def _height_share(self, phase: Array) -> Array:
        """Height over Hc at phases in [0, 1): waits, eases up, waits, eases down."""
        at_s = phase * self.period_s
        up = ease((at_s - self.dwell_s) / self.travel_s)
        return np.asarray(up - ease((at_s - 2 * self.dwell_s - self.travel_s) / self.travel_s))

    def states(self, t_s: Array) -> dict[str, Array]:
        leads = np.arange(self.num_blobs) / self.num_blobs
        u = (started(t_s)[:, None] / self.period_s + leads) % 1.0
        share = self._height_share(u[:, 0])
        moving = (share > 0) & (share < 1)
        direction = np.where(moving, np.where(u[:, 0] < 0.5, 1.0, -1.0), 0.0)
        return {"u": u, "direction": direction, "blob_height": self.rise_m * share}

    def assembly(self) -> Assembly:
        top = BASE_M + FLOOR_M + self.rise_m + 0.055
        foot = [(0.0, 0.0), (0.075, 0.0), (0.076, 0.004), (0.042, 0.055), (0.066, BASE_M - 0.004), (0.066, BASE_M)]
        glass = np.array([(0.066, BASE_M), (0.066, BASE_M + 0.02), (0.047, top)])
        cap = [(0.049, top - 0.003), (0.047, top + 0.006), (0.030, top + 0.04), (0.0, top + 0.042)]
        pool = shapes.solid_of_revolution(
            np.array([(0.063, 0.0), (0.063, 0.012), (0.055, 0.022), (0.03, 0.028), (0.004, 0.03)]), 32
        )
        glows = [palette.paint(rgb, 0.35, glow=0.9) for rgb in HUES]
        back = Material(rgb=(0.25, 0.06, 0.30), roughness=0.7, emission_rgb=(0.30, 0.05, 0.38), emission_strength=0.35)
        sheet = parts.lathe(np.array([(0.064, BASE_M + 0.001), (0.064, BASE_M + 0.02), (0.0455, top - 0.001)]), 48)
        behind = sheet.vertices[np.asarray(sheet.faces)].mean(axis=1)[:, 1] > 0.012
        sheet.update_faces(behind)
        sheet.remove_unreferenced_vertices()
        return Assembly(
            (
                *(
                    Part(f"blob_{i}", parts.sphere(self.BLOB_M, 3), glows[i], carries=True, smooth_angle_deg=180)
                    for i in range(self.num_blobs)
                ),
                Part("pool", parts.moved(pool, z_m=BASE_M), glows[0], smooth_angle_deg=60),
                Part("tint", sheet, back, smooth_angle_deg=60),
                Part("glass", parts.lathe(glass, 48), palette.GLASS, smooth_angle_deg=30),
                Part("foot", parts.lathe(np.array(foot), 48), palette.CHROME, smooth_angle_deg=30),
                Part("cap", parts.lathe(np.array(cap), 48), palette.CHROME, smooth_angle_deg=30),
            ),
            (Lamp("light", (0.0, -0.005, BASE_M + 0.13), 0.6, (1.0, 0.35, 0.25), 0.03),),
        )  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        found: dict[str, tuple[Move | Scale, ...]] = {}
        for i, phase in enumerate(np.asarray(state["u"])):
            share = float(self._height_share(np.array([phase]))[0])
            stretch = 1 + 1.4 * share * (1 - share)  # longest half-way, where it is fastest
            x, y = LANES[i]
            place = shapes.at(x * (1 - 0.25 * share), y, BASE_M + FLOOR_M + self.rise_m * share)
            found[f"blob_{i}"] = (Scale(shapes.at(stretch**-0.5, stretch**-0.5, stretch)), Move(place))
        return found

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"blob_height": float(meshes["blob_0"].bounds[:, 2].mean()) - BASE_M - FLOOR_M}

    def measure(self, view: View) -> dict[str, float]:
        seen = view.points_m["blob_0"]
        if len(seen) < 3:
            return {"blob_height": float("nan")}
        return {"blob_height": float(seen[:, 2].max() + seen[:, 2].min()) / 2 - BASE_M - FLOOR_M}
