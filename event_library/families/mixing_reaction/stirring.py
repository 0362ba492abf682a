"""Batter that is stirred even."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, angle_param, param, readout, seed_param, state
from event_library.channels import ChannelMap, Move, Rotate, quaternion_about
from event_library.families.mixing_reaction.dishes import LIQUID
from event_library.kit import palette
from event_library.kit.boards import Disc, field_disc, field_disc_channels
from event_library.kit.fields import noise
from event_library.kit.shapes import at, rod, swept
from event_library.laws import started
from event_library.parts import Assembly, Part
from event_library.readouts import linear_rgb
from event_library.taxonomy import facts

BOWL_M, BATTER_M, SURFACE_M = 0.10, 0.089, 0.055  # radii of the bowl's mouth and of the batter, and its height
WHITE, YELLOW = (0.92, 0.88, 0.80), (0.92, 0.55, 0.06)
WINDING_TURNS_PER_S = 0.12  # of the streaks, the middle against the rim
ORBIT_M, WHISK_M = 0.046, 0.024  # of the whisk's axis about the bowl's, and its own radius


@dataclass(frozen=True, kw_only=True)
class BatterStirring(Event):
    """Intensity of segregation falls exponentially under steady stirring (Danckwerts 1952)."""

    info = facts("batter_stirring")
    variables = (
        state(
            "turned", "rad", 0.1, domain="angle", cycle=2 * np.pi, label="angle of the whisk about the bowl's middle"
        ),
        readout("contrast", "ratio", 0.08, min_delta=0.17, flags="monotone", label="of the streaks"),
    )

    mixing_s: float = param("tm", "s", 2.8, 5.0)
    whisk_rad_per_s: float = angle_param("w", 60, 140, unit="rad/s")
    seed: int = seed_param()

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)
        return {"turned": self.whisk_rad_per_s * t, "contrast": np.exp(-t / self.mixing_s)}

    @staticmethod
    def _disc() -> Disc:
        return Disc(BATTER_M, (0.0, 0.0, SURFACE_M), "up", 32, 96)

    def assembly(self) -> Assembly:
        bow = np.linspace(0.06, 1.0, 12)
        outer = np.column_stack([0.055 + (BOWL_M - 0.050) * bow, 0.085 * bow**2])
        bowl = parts.lathe(
            np.vstack([[(0.0, 0.0), (0.05, 0.0)], outer, (outer - [0.005, 0.0])[::-1], [(0.0, 0.004)]]), 56
        )
        loops = []
        for k in range(3):
            turn = np.linspace(-np.pi / 2, 1.5 * np.pi, 25)
            wide = WHISK_M * np.cos(turn) * (1 - 0.25 * np.sin(turn))
            angle = k * np.pi / 3
            path = np.column_stack([wide * np.cos(angle), wide * np.sin(angle), 0.045 * (1 + np.sin(turn)) - 0.02])
            loops.append(swept(path, 0.0016, 6))
        handle = rod((0, 0, 0.068), (0, 0, 0.17), 0.007)
        motor = parts.moved(parts.cylinder(0.02, 0.03, 24), z_m=0.15)
        return Assembly(
            parts=(
                field_disc("batter", self._disc(), LIQUID),
                Part("whisk", parts.join(*loops, handle, motor), palette.STEEL, carries=True, smooth_angle_deg=40),
                Part("bowl", bowl, palette.paint((0.62, 0.63, 0.64), 0.3), smooth_angle_deg=50),
            )
        )

    def channels(self, state: State) -> ChannelMap:
        turned, contrast = float(state["turned"]), float(state["contrast"])
        streaks = self._streaks(turned / self.whisk_rad_per_s)
        share = streaks.mean() + contrast * (streaks - streaks.mean())
        place = at(ORBIT_M * np.cos(turned), ORBIT_M * np.sin(turned), SURFACE_M)
        spin = Rotate(quaternion_about((0.0, 0.0, 1.0), -3 * turned % (2 * np.pi)))
        return {
            **field_disc_channels("batter", palette.ramp(share, (WHITE, YELLOW))),
            "whisk": (spin, Move(place)),
        }

    def _streaks(self, t_s: float) -> Array:
        """[V] share of yolk without any mixing: noise drawn out around the bowl and wound up, nearly 0 or 1."""
        nodes = self._disc().nodes_m()
        r, phi = np.hypot(*nodes.T) / BATTER_M, np.arctan2(nodes[:, 1], nodes[:, 0])
        back = phi - 2 * np.pi * WINDING_TURNS_PER_S * min(t_s, 12.0) * (1 - r) - 1.5 * np.log(r + 0.3)
        ring = np.column_stack([1.1 * np.cos(back), 1.1 * np.sin(back), 2.2 * r])
        return np.clip(0.5 + 6.0 * noise(ring, 1.0, int(self.seed), octaves=1), 0.0, 1.0)

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        x, y, _ = meshes["whisk"].bounds.mean(axis=0)
        return {"turned": float(np.arctan2(y, x))}

    def measure(self, view: View) -> dict[str, float]:
        """How far the yellowest and the whitest tenth lie apart, in shares of yolk told from blue over red."""
        inner = np.hypot(*view.points_m["batter"][:, :2].T) < 0.85 * BATTER_M
        linear = linear_rgb(view.rgb["batter"])[inner]
        if len(linear) < 50:
            return {"contrast": float("nan")}
        ratio = linear[:, 2] / np.maximum(linear[:, 0], 1e-6)
        low, high = np.quantile(ratio, [0.08, 0.92])
        return {"contrast": float((high - low) / (WHITE[2] / WHITE[0] - YELLOW[2] / YELLOW[0]))}
