"""Liquids that dry up or boil away: a puddle, an array of drops, a pot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, seed_param, state
from event_library.channels import ChannelMap, Move, Vertices
from event_library.families.phase_change.stages import STOVE_M, stove
from event_library.kit import copies, dials, furniture, streams, vessels
from event_library.kit.faces import tube_faces
from event_library.kit.palette import DARK, FOAM, RED_INK, RED_PAINT, STEEL, liquid
from event_library.kit.shapes import at, extruded, rod, solid_of_revolution, swept
from event_library.laws import started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.readouts import footprints_m2, top_m
from event_library.taxonomy import facts

OUTLINE = 120  # points of the puddle's outline
SLAB_M = 0.02
FILM_M = 0.002  # thickness of the puddle
STONE = Material(rgb=(0.42, 0.39, 0.35), roughness=0.9, pattern=Pattern("speckle", (0.34, 0.31, 0.28), 0.01))
DRIED = Material(rgb=(0.56, 0.53, 0.47), roughness=0.9)
RAIN_WATER = liquid((0.10, 0.22, 0.34))


@dataclass(frozen=True, kw_only=True)
class PuddleEvaporating(Event):
    """A puddle in a parabolic hollow loses depth at a steady rate (Dalton), so its area falls evenly to nothing.

    Its outline is a seeded wavy circle, ever more ragged as the hollow's unevenness shows, scaled to its exact area.
    """

    info = facts("puddle_evaporating")
    variables = (
        state("A", "m^2", 0.002, flags="monotone bounded"),
        readout("area_fraction", "frac", 0.05, min_delta=0.13, flags="monotone bounded", label="share still wet"),
    )
    accept_rules = (
        ("drying takes 6 to 14 s", lambda e: 6 <= e.drying_s / e.time_scale <= 14),
    )  # fmt: skip

    start_m2: float = param("A0", "m^2", 0.02, 0.08)
    drying_s: float = param("tau_dry", "s", 600, 1800)
    time_scale: float = param("time_scale", "s/s", 60, 220)
    seed: int = seed_param()

    def states(self, t_s: Array) -> dict[str, Array]:
        share = np.maximum(0.0, 1 - started(t_s) * self.time_scale / self.drying_s)
        return {"A": self.start_m2 * share, "area_fraction": share}

    def outline_m(self, share: float) -> Array:
        """[OUTLINE, 2] outline whose polygon has exactly the share of the first area."""
        rng = np.random.Generator(np.random.PCG64(int(self.seed)))
        angle = 2 * np.pi * np.arange(OUTLINE) / OUTLINE
        waves = rng.normal(0.0, 0.11, 6) / np.arange(1, 7) ** 0.5
        phase = rng.uniform(0, 2 * np.pi, 6)
        wavy = (waves * np.cos(np.outer(angle, np.arange(2, 8)) + phase)).sum(axis=1)
        r = np.maximum(1 + (1.5 - 0.5 * share) * wavy, 0.3)
        area = np.sin(2 * np.pi / OUTLINE) / 2 * (r * np.roll(r, 1)).sum()
        r *= np.sqrt(max(share, 1e-8) * self.start_m2 / area)
        return np.column_stack([r * np.cos(angle), r * np.sin(angle)])

    def _film(self, share: float) -> Array:
        """[2 OUTLINE + 2, 3] vertices: outline on the stone, a ring just inside it on top, both middles."""
        rim = self.outline_m(share)
        low, high = np.zeros((OUTLINE, 1)), np.full((OUTLINE, 1), FILM_M)
        inner = rim * (1 - 0.12 * min(1.0, np.sqrt(share) + 0.05))
        return np.vstack([np.hstack([rim, low]), np.hstack([inner, high]), [(0, 0, 0), (0, 0, FILM_M)]])

    def assembly(self) -> Assembly:
        reach = float(np.abs(self.outline_m(1.0)).max())
        side = 0.78 * reach  # nine slabs with open joints
        step = side + 0.006
        slabs = [
            parts.moved(parts.bevelled_box((side, side, SLAB_M), 0.004), i * step, j * step, SLAB_M / 2)
            for i in (-1, 0, 1) for j in (-1, 0, 1)
        ]  # fmt: skip
        bed = parts.block((3.1 * side, 3.1 * side, 0.8 * SLAB_M), (0.0, 0.0, 0.0))
        film = trimesh.Trimesh(self._film(1.0), tube_faces(2, OUTLINE), process=False)
        mark = parts.moved(extruded(1.04 * self.outline_m(1.0), 0.0006, flat=True), z_m=SLAB_M)
        return Assembly((
            Part("puddle", film, RAIN_WATER, True, 50),
            Part("dried", mark, DRIED),
            Part("slabs", parts.join(*slabs), STONE),
            Part("joints", bed, DARK),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        share = float(state["area_fraction"])
        return {"puddle": (Vertices(self._film(share)), Move(at(0.0, 0.0, SLAB_M + 0.0008)))}

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        x, y = np.asarray(meshes["puddle"].vertices)[:OUTLINE, :2].T
        return {"A": float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2}

    def measure(self, view: View) -> dict[str, float]:
        """Wet ground over wet and dried, whose pale outline is a little larger than the first puddle."""
        wet, dry = (
            float(footprints_m2(view.points_m[n], view.pixel_area_m2[n], view.eye_m, (0.0, 0.0, 1.0)).sum())
            for n in ("puddle", "dried")
        )
        return {"area_fraction": 1.04**2 * wet / (wet + dry) if wet + dry > 0 else float("nan")}


MODEL = 10.0  # the drops are shown ten times as large
COLUMNS = 5
PITCH_M = 0.0074 * MODEL
CONTACT_SLOPE = float(np.tan(np.deg2rad(20)))  # height over base radius of a cap with a contact angle of 40 degrees
SPIRIT = liquid((0.95, 0.45, 0.05))
TRAY_M = 0.012  # floor of the tray


@dataclass(frozen=True, kw_only=True)
class DropletArrayDrying(Event):
    """Sessile drops dry by the D-square law, R^2 = R0^2 - K tau at a constant contact angle (Picknett & Bexon 1977)."""

    info = facts("droplet_array_drying")
    variables = (
        state("R", "m", 0.0003, domain="vector", flags="monotone bounded", label="base radii of the drops"),
        readout("remaining", "count", 1.0, min_delta=3.0, domain="count", flags="monotone bounded", label="drops left"),
    )
    accept_rules = (
        ("the largest drop lasts 7 to 14 s", lambda e: 7 <= e.largest_m**2 / (e.drying_m2_per_s * e.time_scale) <= 14),
    )  # fmt: skip

    num_drops: int = param("n", "count", 12, 20)
    smallest_m: float = param("Rmin", "m", 0.0010, 0.0013)
    largest_m: float = param("Rmax", "m", 0.0028, 0.0033)
    drying_m2_per_s: float = param("K", "m^2/s", 1.5e-8, 3.0e-8)
    time_scale: float = param("time_scale", "s/s", 25, 60)
    seed: int = seed_param()

    def start_radii_m(self) -> Array:
        """[n] evenly spaced radii, shuffled over the grid."""
        even = np.linspace(self.smallest_m, self.largest_m, self.num_drops)
        return np.random.Generator(np.random.PCG64(int(self.seed))).permutation(even)

    def states(self, t_s: Array) -> dict[str, Array]:
        dried = self.drying_m2_per_s * self.time_scale * started(t_s)
        radii = np.sqrt(np.maximum(0.0, self.start_radii_m() ** 2 - dried[:, None]))
        return {"R": radii, "remaining": (radii > 0).sum(axis=1).astype(np.float64)}

    def places_m(self) -> Array:
        """[n, 3] middles of the drops: a grid with seeded jitter."""
        rng = np.random.Generator(np.random.PCG64([int(self.seed), 1]))
        k, rows = np.arange(self.num_drops), -(-self.num_drops // COLUMNS)
        flat = np.column_stack([k % COLUMNS - (COLUMNS - 1) / 2, k // COLUMNS - (rows - 1) / 2]) * PITCH_M
        return np.column_stack([flat + rng.uniform(-0.05, 0.05, flat.shape) * PITCH_M, np.full(len(flat), TRAY_M)])

    def assembly(self) -> Assembly:
        rows = -(-self.num_drops // COLUMNS)
        size = ((COLUMNS + 0.2) * PITCH_M, (rows + 0.2) * PITCH_M)
        sizes = MODEL * self.start_radii_m()
        return Assembly((
            copies.copies("drops", _drop(), self.places_m(), SPIRIT, scales=sizes, smooth_angle_deg=60),
            furniture.tray("tray", size, 0.012, material=DARK, thick_m=TRAY_M),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        sizes = MODEL * np.maximum(np.asarray(state["R"]), 1e-9)
        return copies.copies_channels("drops", _drop(), self.places_m(), None, sizes)

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        vertices = np.asarray(meshes["drops"].vertices).reshape(self.num_drops, -1, 3)
        return {"remaining": float((np.ptp(vertices[..., 0], axis=1) > MODEL * 1e-7).sum())}

    def measure(self, view: View) -> dict[str, float]:
        seen = view.points_m["drops"]
        if len(seen) == 0:
            return {"remaining": 0.0 if len(view.points_m["tray"]) else float("nan")}
        return {"remaining": float(len(np.unique(copies.nearest_copies(seen, self.places_m()))))}


@lru_cache(maxsize=1)
def _drop() -> trimesh.Trimesh:
    """Cap of base radius 1."""
    angle = np.linspace(0.0, 2 * np.arctan(CONTACT_SLOPE), 7)[::-1]
    sphere = 1 / np.sin(angle[0])
    profile = sphere * np.column_stack([np.maximum(np.sin(angle), 1e-3), np.cos(angle) - np.cos(angle[0])])
    return solid_of_revolution(profile, 20)


HEAT_J_PER_KG_K, VAPOUR_J_PER_KG, WATER_KG_PER_M3, BOILING_DEGC = 4186.0, 2.26e6, 1000.0, 100.0
POT_SPARE_M = 0.022  # pot above the first level
DIAL_RADIUS_M, DIAL_TOP_DEGC = 0.048, 120.0
NUM_BUBBLES = 26
STEAM_M = 0.022  # radius of a puff
POT_FLOOR_M = STOVE_M + vessels.FLOOR_M


@dataclass(frozen=True, kw_only=True)
class KettleBoilingAway(Event):
    """Heat at a steady rate: first the water warms, m c T' = P, then it boils off, m' = -P / L (first law; no losses).

    When the pot is dry the plate switches off.
    """

    info = facts("kettle_boiling_away")
    variables = (
        state("T", "degC", 5.0, flags="monotone bounded"),
        state("m", "kg", 0.02, flags="monotone bounded"),
        readout("level_fraction", "frac", 0.05, min_delta=0.13, flags="monotone bounded", label="level over its mark"),
        readout("temperature", "degC", 5.0, flags="monotone bounded", label="the dial"),
    )
    accept_rules = (
        ("boiling dry takes 7 to 14 s", lambda e: 7 <= e.boiling_s + e.vapour_s <= 14),
        ("the start level is 0.045 to 0.09 m", lambda e: 0.045 <= e.start_level_m <= 0.09),
    )  # fmt: skip

    water_kg: float = param("m0", "kg", 0.25, 0.50, default=0.45)
    power_w: float = param("P", "W", 1500, 3000)
    start_degc: float = param("T0", "degC", 20, 60)
    radius_m: float = param("R", "m", 0.040, 0.050)
    time_scale: float = param("time_scale", "s/s", 40, 90)

    @property
    def boiling_s(self) -> float:
        """Clip seconds until it boils."""
        heat = self.water_kg * HEAT_J_PER_KG_K * (BOILING_DEGC - self.start_degc)
        return heat / self.power_w / self.time_scale

    @property
    def vapour_s(self) -> float:
        """Clip seconds from boiling to dry."""
        return self.water_kg * VAPOUR_J_PER_KG / self.power_w / self.time_scale

    @property
    def start_level_m(self) -> float:
        return float(self.water_kg / (WATER_KG_PER_M3 * np.pi * self.radius_m**2))

    def states(self, t_s: Array) -> dict[str, Array]:
        warming = np.minimum(1.0, started(t_s) / self.boiling_s)
        temperature = self.start_degc + (BOILING_DEGC - self.start_degc) * warming
        left = 1 - np.clip((started(t_s) - self.boiling_s) / self.vapour_s, 0.0, 1.0)
        return {
            "T": temperature, "m": self.water_kg * left,
            "level_fraction": np.asarray(left), "temperature": temperature.copy(),
        }  # fmt: skip

    def triggers(self) -> dict[str, float]:
        return {"boils": self.boiling_s, "dry": self.boiling_s + self.vapour_s}

    @property
    def dial_m(self) -> tuple[float, float, float]:
        pot = POT_FLOOR_M + self.start_level_m + POT_SPARE_M
        return 0.0, -0.012, pot + DIAL_RADIUS_M + 0.012

    def assembly(self) -> Assembly:
        r, level = self.radius_m, self.start_level_m
        tall = vessels.FLOOR_M + level + POT_SPARE_M
        wall = vessels.wall_radius_m(r)
        bow = np.linspace(-1.2, 1.2, 13)
        grip = np.column_stack(
            [wall - 0.012 + 0.04 * np.cos(bow), 0 * bow, STOVE_M + tall / 2 + 0.36 * tall * np.sin(bow)]
        )
        mark = parts.moved(parts.torus(wall, 0.0012, 64, 6), z_m=POT_FLOOR_M + level)
        x, _, z = self.dial_m
        return Assembly((
            vessels.liquid_column("water", r, level),
            streams.balls("bubbles", NUM_BUBBLES, 0.004, FOAM),
            streams.puffs("steam", 20, STEAM_M),
            *vessels.glass("pot", r, tall, (0.0, 0.0, STOVE_M)),
            Part("mark", mark, RED_INK, smooth_angle_deg=60),
            Part("grip", swept(grip, 0.006, 12), RED_PAINT, smooth_angle_deg=50),
            *dials.dial("dial", DIAL_RADIUS_M, self.dial_m, num_major=7, num_minor=0),
            dials.hand("hand", 0.85 * DIAL_RADIUS_M, 0.016, material=RED_INK),
            Part("probe", rod((x, 0, z - DIAL_RADIUS_M), (x, 0, POT_FLOOR_M + 0.006), 0.0025), STEEL),
            *stove("stove", r + 0.02),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        temperature, left = float(state["T"]), float(state["m"]) / self.water_kg
        boiling = temperature >= BOILING_DEGC and left > 0
        level = left * self.start_level_m
        boiled_s = (1 - left) * self.vapour_s
        places, sizes = streams.rising_places(
            NUM_BUBBLES,
            boiled_s,
            0.12,
            (0.0, 0.0, POT_FLOOR_M + 0.003),
            0.85 * self.radius_m,
            max(level - 0.005, 1e-3),
            7,
        )
        return {
            **vessels.column_channels("water", level, self.start_level_m, (0.0, 0.0, POT_FLOOR_M)),
            **streams.balls_channels("bubbles", 0.004, places, sizes if boiling else np.full(NUM_BUBBLES, 1e-3)),
            **streams.puffs_channels(
                "steam", 20, STEAM_M, (0.0, 0.0, POT_FLOOR_M + level), boiled_s, height_m=0.15, rise_m_per_s=0.12,
                spread_m=0.03, strength=0.8 if boiling else 0.0,
            ),
            **dials.hand_channels("hand", dials.gauge_rad(temperature / DIAL_TOP_DEGC), self.dial_m),
        }  # fmt: skip

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        shown = dials.gauge_share(np.asarray(meshes["hand"].vertices), self.dial_m)
        return {"m": float(meshes["water"].volume) * WATER_KG_PER_M3, "T": shown * DIAL_TOP_DEGC}

    def measure(self, view: View) -> dict[str, float]:
        top = top_m(view, "water")
        return {
            "level_fraction": (top - POT_FLOOR_M) / self.start_level_m,  # the printed mark's height
            "temperature": dials.gauge_share(view.points_m["hand"], self.dial_m) * DIAL_TOP_DEGC,
        }
