"""Heat that creeps along a rod (Ingenhousz's experiment)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh
from scipy.special import erfc, erfcinv

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, VertexColours
from event_library.kit import copies, flames, furniture, palette, shapes, streams
from event_library.laws import started
from event_library.parts import Assembly, Lamp, Material, Part
from event_library.taxonomy import facts

ROD_M, ROD_Z, PIN_M, BASE_M = 0.0055, 0.125, 0.042, 0.010  # radius and height of the rod; length of a pin; base board
DROP_M = ROD_Z - ROD_M - PIN_M - BASE_M  # free fall of a pin until it meets the base
LEFT_M = 0.016  # of the rod beyond the heated end
NUM_NODES = 60
RAMP = ((0.42, 0.43, 0.46), (0.50, 0.34, 0.16), (0.34, 0.10, 0.16), (0.10, 0.08, 0.30))  # temper colours of steel


@dataclass(frozen=True, kw_only=True)
class HeatRodWaxPins(Event):
    """Semi-infinite rod whose end is held hot (Carslaw & Jaeger 2.4): (T - Ta)/(Ts - Ta) = erfc(x / 2 sqrt(alpha tau)).

    Pin i, stuck on with wax at x = i dx, drops when the rod there reaches the melting point. No loss along the rod.
    """

    info = facts("heat_rod_wax_pins")
    variables = (
        state(
            "heated", "ratio", 0.02, domain="field", flags="monotone bounded", label="excess temperature over the end's"
        ),
        state("dropped_by", "m", 0.005, domain="vector", flags="monotone bounded"),
        readout(
            "pins_fallen", "count", 1.0, min_delta=2.0, domain="count", flags="monotone bounded", label="pins down"
        ),
    )
    accept_rules = (("the last pin drops after 7 to 11 s", lambda e: 7 <= e.drops_s[-1] <= 11),)

    diffusivity_m2_per_s: float = param("alpha", "m^2/s", 6.0e-5, 1.15e-4)
    melting_share: float = param("theta", "ratio", 0.35, 0.55)
    spacing_m: float = param("dx", "m", 0.014, 0.018)
    num_pins: int = param("n", "count", 9, 12)
    time_scale: float = param("time_scale", "s/s", 15, 60, default=28)

    @property
    def places_m(self) -> Array:
        """[n] distance of each pin from the heated end."""
        return self.spacing_m * np.arange(1, self.num_pins + 1)

    @property
    def drops_s(self) -> Array:
        """[n] clip time at which each pin comes off."""
        eta = float(erfcinv(self.melting_share))
        return np.asarray(self.places_m**2 / (4 * self.diffusivity_m2_per_s * eta**2 * self.time_scale))

    @property
    def nodes_m(self) -> Array:
        return np.linspace(0.0, self.spacing_m * (self.num_pins + 1), NUM_NODES)

    def states(self, t_s: Array) -> dict[str, Array]:
        t = started(t_s)[:, None]
        spread = 2 * np.sqrt(self.diffusivity_m2_per_s * self.time_scale * t)
        heated = np.where(t > 0, erfc(self.nodes_m / np.maximum(spread, 1e-12)), 0.0)
        dropped = np.minimum(streams.fallen_m(t - self.drops_s), DROP_M)
        return {
            "heated": heated,
            "dropped_by": dropped,
            "pins_fallen": (t >= self.drops_s).sum(axis=1).astype(np.float64),
        }

    def triggers(self) -> dict[str, float]:
        return {f"pin_{i}_drops": float(s) for i, s in enumerate(self.drops_s, 1)}

    @property
    def left_m(self) -> float:
        """x of the heated end."""
        return -float(self.nodes_m[-1]) / 2

    def _pin(self) -> trimesh.Trimesh:
        """A nail hanging from the origin down."""
        return parts.join(
            shapes.rod((0, 0, -PIN_M), (0, 0, -0.002), 0.0021, 8),
            parts.moved(parts.cylinder(0.0045, 0.003, 10), z_m=-PIN_M),
        )

    def _poses(self, dropped_m: Array) -> tuple[Array, Array]:
        """Positions and turns of the pins: hanging, in free fall, or lying on the base towards the viewer."""
        x = self.left_m + self.places_m
        lying = dropped_m >= DROP_M
        z = np.where(lying, BASE_M + 0.0045, ROD_Z - ROD_M - dropped_m)
        y = np.where(lying, 0.006, 0.0)
        turn = np.where(lying, -np.pi / 2, 0.0)
        return np.column_stack([x, y, z]), copies.quaternions_about((1.0, 0.0, 0.0), turn)

    def assembly(self) -> Assembly:
        length, left = float(self.nodes_m[-1]), self.left_m
        stations = np.column_stack([left + self.nodes_m, np.zeros(NUM_NODES), np.full(NUM_NODES, ROD_Z)])
        rod = shapes.swept(stations, ROD_M, 12)
        x = left + self.places_m
        hung, turns = self._poses(np.zeros(self.num_pins))
        beads = np.column_stack([x, 0 * x, np.full_like(x, ROD_Z - ROD_M - 0.001)])
        stands = [
            shapes.rod((s, 0.012, 0.0), (s, 0.012, ROD_Z + 0.01), 0.004, 12)
            for s in (left + 0.5 * self.spacing_m, -left)
        ] + [shapes.rod((s, 0.012, ROD_Z), (s, -0.002, ROD_Z), 0.004, 8) for s in (left + 0.5 * self.spacing_m, -left)]
        mouth = (left - LEFT_M / 2, 0.0, BASE_M + 0.062)
        burner = parts.join(
            parts.moved(parts.cylinder(0.018, 0.01, 24), mouth[0], 0, BASE_M),
            parts.moved(parts.cylinder(0.006, 0.062, 16), mouth[0], 0, BASE_M),
        )
        tip = shapes.rod((left - LEFT_M, 0, ROD_Z), (left, 0, ROD_Z), ROD_M, 12)
        red_hot = Material(rgb=(0.3, 0.06, 0.02), emission_rgb=(1.0, 0.22, 0.04), emission_strength=1.3)
        fire = parts.moved(flames.flame("flame", 0.062, stout=0.9).mesh, *mouth)
        steel = Material(rgb=(0.5, 0.5, 0.5), roughness=0.4, per_vertex=True)
        return Assembly(
            (
                Part("rod", rod, steel, carries=True, smooth_angle_deg=60),
                Part("hot_end", tip, red_hot, smooth_angle_deg=60),
                copies.copies("pins", self._pin(), hung, palette.paint((0.80, 0.10, 0.06)), rotations_wxyz=turns),
                copies.copies("wax", parts.sphere(0.0042, 1), beads, palette.WAX, carries=False),
                Part("stands", parts.join(*stands), palette.IRON, smooth_angle_deg=40),
                Part("burner", burner, palette.BRASS, smooth_angle_deg=40),
                Part("flame", fire, flames.GAS_FLAME, smooth_angle_deg=180),
                furniture.board("base", (length + 0.07, 0.10, BASE_M), material=palette.PALE_WOOD),
            ),
            (Lamp("light", (0.0, -0.12, 0.2), 1.0, (1.0, 0.95, 0.85), 0.03),),
        )

    def channels(self, state: State) -> ChannelMap:
        heated = np.asarray(state["heated"])
        tint = palette.ramp(heated, RAMP, (0.0, 0.25, self.melting_share, 0.9))
        around = np.vstack([np.repeat(tint, 12, axis=0), tint[:1], tint[-1:]])
        places, turns = self._poses(np.asarray(state["dropped_by"]))
        return {"rod": (VertexColours(around),), **copies.copies_channels("pins", self._pin(), places, turns)}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        middles = copies.copy_centres(meshes["pins"], self._pin())
        hanging = ROD_Z - ROD_M + float(self._pin().vertices[:, 2].mean())
        return {"pins_fallen": float((middles[:, 2] < hanging - 1e-9).sum())}

    def measure(self, view: View) -> dict[str, float]:
        if len(view.points_m["base"]) == 0:
            return {"pins_fallen": float("nan")}
        seen = view.points_m["pins"]
        lying = seen[seen[:, 2] < BASE_M + 0.015]
        found = np.unique(np.round((lying[:, 0] - self.left_m) / self.spacing_m))
        return {"pins_fallen": float(len(found))}
