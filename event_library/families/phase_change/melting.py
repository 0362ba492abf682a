"""Ice and snow that melt: a cube, a block on a hot plate, a snowman, an ice lolly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import Channel, ChannelMap, Move, Scale, Vertices, Visible
from event_library.families.phase_change.stages import STOVE_M, stove
from event_library.kit import furniture, heaps, streams
from event_library.kit.palette import BLACK, DARK, ORANGE, PALE_WOOD, PORCELAIN, RED, SNOW, liquid, paint
from event_library.kit.shapes import at, cone, rod, turned
from event_library.laws import started
from event_library.parts import Assembly, Material, Part, Pattern
from event_library.readouts import disc_radius_m, top_m
from event_library.taxonomy import facts

FUSION_J_PER_M3 = 917.0 * 3.34e5  # of ice
ICE_OVER_WATER = 0.917  # densities
CLEAR_ICE = liquid((0.72, 0.88, 0.96))
MELT_WATER = liquid((0.14, 0.32, 0.48))
PLATE_FLOOR = 0.07  # of a plate's radius: height of its floor

POOL_M = 0.003  # thickness of the pool about the cube
ROUNDING = 0.14  # of the cube's edges over its side


@dataclass(frozen=True, kw_only=True)
class IceCubeMelting(Event):
    """The same flux hc dT melts all faces of a cube, so its side falls evenly; its water stands 3 mm deep around it."""

    info = facts("ice_cube_melting")
    variables = (
        state("a", "m", 0.0015, flags="monotone bounded"),
        readout("side", "m", 0.0015, min_delta=0.004, flags="monotone bounded", label="side of the cube"),
        readout("puddle_radius", "m", 0.005, flags="monotone bounded", label="edge of the pool"),
    )
    accept_rules = (
        ("melting takes 9.5 to 16 s", lambda e: 9.5 <= e.start_side_m / e.shrink_m_per_s <= 16),
    )  # fmt: skip

    start_side_m: float = param("a0", "m", 0.025, 0.040)
    transfer_w_per_m2_k: float = param("hc", "W/(m^2 K)", 10, 25)
    warmth_k: float = param("dT", "K", 18, 30)
    time_scale: float = param("time_scale", "s/s", 600, 1800)

    @property
    def shrink_m_per_s(self) -> float:
        return 2 * self.transfer_w_per_m2_k * self.warmth_k * self.time_scale / FUSION_J_PER_M3

    @property
    def plate_m(self) -> float:
        """Radius of a plate whose floor holds all the water."""
        return float(np.sqrt(ICE_OVER_WATER * _cube_share() * self.start_side_m**3 / (np.pi * POOL_M))) / 0.82

    def states(self, t_s: Array) -> dict[str, Array]:
        a = np.maximum(0.0, self.start_side_m - self.shrink_m_per_s * started(t_s))
        water = ICE_OVER_WATER * _cube_share() * (self.start_side_m**3 - a**3)
        return {"a": a, "side": a.copy(), "puddle_radius": np.sqrt(water / (np.pi * POOL_M))}

    def assembly(self) -> Assembly:
        side = self.start_side_m
        plate = furniture.plate("plate", self.plate_m, material=paint((0.05, 0.06, 0.08)), floor=0.88)
        return Assembly((
            heaps.melting_block("ice", (side, side, side), ROUNDING * side, CLEAR_ICE),
            heaps.puddle("pool", MELT_WATER),
            plate,
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        a, floor = float(state["a"]), (0.0, 0.0, PLATE_FLOOR * self.plate_m)
        foot = (0.0, 0.0, floor[2] + max(0.0, POOL_M - ICE_OVER_WATER * a))  # the last of it floats
        ice = heaps.melting_block_channels("ice", (a, a, a), ROUNDING * a, foot)["ice"]
        return {
            "ice": (Visible(a > 0), *ice),
            **heaps.puddle_channels("pool", float(state["puddle_radius"]), POOL_M, floor),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        pool = np.sqrt(float(meshes["pool"].volume) / (np.pi * POOL_M))
        return {"a": float(meshes["ice"].extents[0]) if "ice" in meshes else 0.0, "puddle_radius": float(pool)}

    def measure(self, view: View) -> dict[str, float]:
        ice, pool, plate = (view.points_m[n] for n in ("ice", "pool", "plate"))
        melted = 0.0 if len(pool) + len(plate) else float("nan")
        side = float(ice[:, 2].max()) - PLATE_FLOOR * self.plate_m if len(ice) else melted  # its top is seen from above
        if len(pool) == 0:  # at first the cube hides it
            return {"side": side}
        return {"side": side, "puddle_radius": disc_radius_m(pool, view.pixel_area_m2["pool"], plate)}


def _cube_share() -> float:
    """Volume of the rounded cube over that of its box."""
    return float(heaps.rounded_box((1.0, 1.0, 1.0), ROUNDING).volume)


BLOCK_M = 0.07  # side of the block's footprint
HOT_PLATE_M = 0.075
STEAM_M = 0.022  # radius of a puff


@dataclass(frozen=True, kw_only=True)
class IceOnHotPlate(Event):
    """A hot plate melts a block of ice from below at a steady flux; its water runs off and boils away."""

    info = facts("ice_on_hot_plate")
    variables = (
        state("h", "m", 0.002, flags="monotone bounded"),
        readout(
            "height", "m", 0.002, min_delta=0.005, flags="monotone bounded", label="top of the block over the plate"
        ),
    )
    accept_rules = (
        ("melting takes 6 to 15 s", lambda e: 6 <= e.start_height_m / e.sink_m_per_s <= 15),
    )  # fmt: skip

    start_height_m: float = param("h0", "m", 0.025, 0.045)
    flux_w_per_m2: float = param("q", "W/m^2", 6.0e4, 1.5e5)
    time_scale: float = param("time_scale", "s/s", 6, 16)

    @property
    def sink_m_per_s(self) -> float:
        return self.flux_w_per_m2 * self.time_scale / FUSION_J_PER_M3

    def states(self, t_s: Array) -> dict[str, Array]:
        h = np.maximum(0.0, self.start_height_m - self.sink_m_per_s * started(t_s))
        return {"h": h, "height": h.copy()}

    def assembly(self) -> Assembly:
        return Assembly((
            heaps.melting_block("ice", (BLOCK_M, BLOCK_M, self.start_height_m), 0.006, CLEAR_ICE),
            heaps.puddle("water", MELT_WATER),
            streams.puffs("steam", 20, STEAM_M),
            *stove("stove", HOT_PLATE_M),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        h = float(state["h"])
        block = heaps.rounded_box((BLOCK_M, BLOCK_M, self.start_height_m), 0.006)
        sunk = np.array(block.vertices)
        sunk[:, 2] = np.maximum(sunk[:, 2] - (self.start_height_m - h), 0.0)
        foot, melting = at(0.0, 0.0, STOVE_M), h > 0
        melted_s = (self.start_height_m - h) / self.sink_m_per_s
        wet = heaps.puddle_channels("water", 0.7 * BLOCK_M, 0.0015, (0.0, 0.0, STOVE_M))["water"]
        return {
            "ice": (Visible(melting), Vertices(sunk), Move(foot)),
            "water": (Visible(melting), *wet),
            **streams.puffs_channels(
                "steam", 20, STEAM_M, (0.0, 0.0, STOVE_M), melted_s, height_m=0.11, rise_m_per_s=0.09, spread_m=0.035,
                strength=0.7 if melting else 0.0,
            ),
        }  # fmt: skip

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"h": float(np.ptp(meshes["ice"].vertices[:, 2])) if "ice" in meshes else 0.0}

    def measure(self, view: View) -> dict[str, float]:
        top = top_m(view, "ice")
        melted = np.isnan(top) and len(view.points_m["stove_plate"])
        return {"height": 0.0 if melted else top - STOVE_M}


SIZES = np.array([1.0, 0.72, 0.5])  # of the balls, from below
SNOW_FUSION_J_PER_KG = 3.34e5
SUNK = 0.9  # each ball sits in the one below (and in the lawn) by a tenth of its radius
LAWN_M = 0.012
BALLS = ("base", "middle", "head")
HAT_M, HAT_SUNK_M = 0.09, 0.008  # height of the hat, how deep it sits in the snow


@dataclass(frozen=True, kw_only=True)
class SnowmanMelting(Event):
    """Sunshine takes the same depth off every ball of a snowman: R_i = f_i R - v tau, v = q / (rho L)."""

    info = facts("snowman_melting")
    variables = (
        state("R", "m", 0.01, domain="vector", flags="monotone bounded", label="radii of base, middle and head"),
        state("balls_left", "count", 0.0, domain="count", flags="monotone bounded"),
        readout("total_height", "m", 0.06, min_delta=0.13, flags="monotone bounded", label="top of the snow"),
    )
    accept_rules = (
        ("the head is gone after 4.5 to 8 s", lambda e: 4.5 <= SIZES[2] * e.base_radius_m / e.shrink_m_per_s <= 8),
    )  # fmt: skip

    base_radius_m: float = param("Rbase", "m", 0.20, 0.26)
    flux_w_per_m2: float = param("q", "W/m^2", 600, 1500)
    snow_kg_per_m3: float = param("rho_s", "kg/m^3", 350, 500)
    time_scale: float = param("time_scale", "s/s", 1500, 4500)

    @property
    def shrink_m_per_s(self) -> float:
        return self.flux_w_per_m2 * self.time_scale / (self.snow_kg_per_m3 * SNOW_FUSION_J_PER_KG)

    def states(self, t_s: Array) -> dict[str, Array]:
        radii = np.maximum(0.0, SIZES * self.base_radius_m - (self.shrink_m_per_s * started(t_s))[:, None])
        left = (radii > 0).sum(axis=1).astype(np.float64)
        return {"R": radii, "balls_left": left, "total_height": (_centres_m(radii) + radii).max(axis=1)}

    def triggers(self) -> dict[str, float]:
        return {"head_gone": SIZES[2] * self.base_radius_m / self.shrink_m_per_s}

    def assembly(self) -> Assembly:
        big = self.base_radius_m
        flat = parts.sphere(1.0)
        flat.vertices[:, 2] = np.maximum(flat.vertices[:, 2], -SUNK)
        balls = [Part(n, flat.copy() if n == "base" else parts.sphere(1.0), SNOW, True, 180) for n in BALLS]
        hat = parts.join(parts.cylinder(0.11, 0.01), parts.cylinder(0.066, HAT_M))
        band = parts.moved(parts.cylinder(0.068, 0.018), z_m=0.014)
        nose = turned(cone(0.05 * big, 0.35 * big, num_sides=16), (1.0, 0.0, 0.0), np.pi / 2)
        coals = parts.join(*(parts.moved(parts.sphere(0.045 * big, 1), s * 0.16 * big) for s in (-1, 1)))
        arms = parts.join(*(
            rod((s * 0.3 * big, 0, 0), (s * 1.15 * big, 0, 0.35 * big), 0.025 * big, 8) for s in (-1, 1)
        ))  # fmt: skip
        return Assembly((
            *balls,
            Part("hat", hat, DARK, carries=True, smooth_angle_deg=40),
            Part("band", band, paint(RED), carries=True, smooth_angle_deg=40),
            Part("nose", nose, paint(ORANGE), carries=True, smooth_angle_deg=40),
            Part("coals", coals, paint(BLACK), carries=True, smooth_angle_deg=60),
            Part("arms", arms, PALE_WOOD, carries=True, smooth_angle_deg=40),
            Part("lawn", parts.cylinder(1.7 * big, LAWN_M, 64), LAWN, smooth_angle_deg=40),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        radii, big = np.asarray(state["R"]), self.base_radius_m
        centres = _centres_m(radii)
        top = LAWN_M + float((centres + radii).max())
        channels: dict[str, tuple[Channel, ...]] = {
            name: (Visible(r > 0), Scale(np.full(3, max(r, 1e-6))), Move(at(0.0, 0.0, LAWN_M + z)))
            for name, r, z in zip(BALLS, radii.tolist(), centres.tolist(), strict=True)
        }
        head, z = float(radii[2]), LAWN_M + float(centres[2])
        worn = head > 0.12 * big  # else nose and coals lie on the lawn
        lying = -float(radii[0]) - 0.25 * big
        hat = (Move(at(0.0, 0.0, top - HAT_SUNK_M)),)
        face = at(0.0, -0.95 * head, z) if worn else at(0.1 * big, lying + 0.1 * big, LAWN_M + 0.05 * big)
        eyes = at(0.0, -0.85 * head, z + 0.4 * head) if worn else at(-0.2 * big, lying, LAWN_M + 0.045 * big)
        shoulders = max(float(centres[1]), 0.03 * big)
        return channels | {
            "hat": hat, "band": hat, "nose": (Move(face),), "coals": (Move(eyes),),
            "arms": (Move(at(0.0, 0.0, LAWN_M + shoulders)),),
        }  # fmt: skip

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        left = [meshes[name] for name in BALLS if name in meshes]
        top = max((float(mesh.bounds[1, 2]) for mesh in left), default=LAWN_M)
        return {"total_height": top - LAWN_M, "balls_left": float(len(left))}

    def measure(self, view: View) -> dict[str, float]:
        """The hat, of known height, rides on the top of the snow and hides it."""
        hat = top_m(view, "hat")
        return {"total_height": hat - HAT_M + HAT_SUNK_M - LAWN_M}


LAWN = Material(rgb=(0.10, 0.28, 0.05), roughness=0.9, pattern=Pattern("speckle", (0.05, 0.16, 0.03), 0.03))


def _centres_m(radii_m: Array) -> Array:
    """[..., 3] heights of the balls' middles above the lawn."""
    base, middle, head = np.moveaxis(SUNK * np.asarray(radii_m), -1, 0)
    return np.stack([base, 2 * base + middle, 2 * base + 2 * middle + head], axis=-1)


SYRUP_POOL_M = 0.0025
SAUCER_M = 0.115  # radius
LOLLY = np.array([1.0, 0.42, 1.75])  # width, thickness, height in units of its width
HANG_M = 0.026  # start of the lolly above the saucer's floor
DRIP_S = 0.6


@dataclass(frozen=True, kw_only=True)
class PopsicleDripping(Event):
    """An ice lolly melts in proportion to its surface, V' ~ -V^(2/3): V = V0 (1 - tau / tau_m)^3.

    That its shape stays is assumed. Its melt stands 2.5 mm deep on the saucer.
    """

    info = facts("popsicle_dripping")
    variables = (
        state("V", "m^3", 2e-6, flags="monotone bounded"),
        readout("pool_radius", "m", 0.005, min_delta=0.010, flags="monotone bounded", label="edge of the pool"),
        readout("top_height", "m", 0.006, flags="monotone bounded", label="top of the lolly or stick over the saucer"),
    )
    accept_rules = (
        ("melting takes 6 to 13 s", lambda e: 6 <= e.melting_s / e.time_scale <= 13),
    )  # fmt: skip

    start_m3: float = param("V0", "m^3", 4.0e-5, 8.0e-5)
    melting_s: float = param("tau_m", "s", 900, 1800)
    time_scale: float = param("time_scale", "s/s", 90, 220)

    @property
    def width_m(self) -> float:
        return float(np.cbrt(self.start_m3 / _lolly_share()))

    def states(self, t_s: Array) -> dict[str, Array]:
        size = np.maximum(0.0, 1 - started(t_s) * self.time_scale / self.melting_s)
        volume = self.start_m3 * size**3
        pool = np.sqrt(ICE_OVER_WATER * (self.start_m3 - volume) / (np.pi * SYRUP_POOL_M))
        top = self.middle_m - PLATE_FLOOR * SAUCER_M + float(LOLLY[2]) * self.width_m / 2 * size
        return {"V": volume, "pool_radius": pool, "top_height": top}

    @property
    def middle_m(self) -> float:
        """Height of the lolly's middle, where the stick ends."""
        return PLATE_FLOOR * SAUCER_M + HANG_M + float(LOLLY[2]) * self.width_m / 2

    def assembly(self) -> Assembly:
        ice = heaps.rounded_box(tuple(LOLLY * self.width_m), 0.2 * self.width_m)
        parts.moved(ice, z_m=-float(LOLLY[2]) * self.width_m / 2)
        floor = PLATE_FLOOR * SAUCER_M
        stick = parts.block((0.011, 0.004, self.middle_m - floor), (0, 0, floor))
        return Assembly((
            Part("lolly", ice, paint(RED, 0.2), carries=True, smooth_angle_deg=50),
            heaps.puddle("pool", liquid((0.80, 0.05, 0.06))),
            streams.drop("drop", 0.004, liquid((0.80, 0.05, 0.06))),
            Part("stick", stick, PALE_WOOD),
            Part("holder", parts.moved(parts.cylinder(0.012, 0.010, 24), z_m=floor), PALE_WOOD, smooth_angle_deg=40),
            furniture.plate("saucer", SAUCER_M, material=PORCELAIN, floor=0.88),
        ))  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        size = float(np.cbrt(float(state["V"]) / self.start_m3))
        floor = PLATE_FLOOR * SAUCER_M
        foot = self.middle_m - size * float(LOLLY[2]) * self.width_m / 2
        melted_s = (1 - size) * self.melting_s / self.time_scale
        fallen = float(streams.fallen_m(0.5 * (melted_s % DRIP_S)))
        falling = 0 < size < 1 and floor + 0.004 < foot - fallen - 0.004
        return {
            "lolly": (Visible(size > 0), Scale(np.full(3, max(size, 1e-6))), Move(at(0.0, 0.0, self.middle_m))),
            **heaps.puddle_channels("pool", float(state["pool_radius"]), SYRUP_POOL_M, (0.0, 0.0, floor)),
            **streams.drop_channels("drop", (0.008, -0.004, foot - fallen - 0.004), visible=falling),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        pool = np.sqrt(float(meshes["pool"].volume) / (np.pi * SYRUP_POOL_M))
        return {"V": float(meshes["lolly"].volume) if "lolly" in meshes else 0.0, "pool_radius": float(pool)}

    def measure(self, view: View) -> dict[str, float]:
        tops = [top_m(view, n) for n in ("lolly", "stick")]
        top = float(np.nanmax(tops)) if np.isfinite(tops).any() else float("nan")
        pool = disc_radius_m(view.points_m["pool"], view.pixel_area_m2["pool"], view.points_m["saucer"])
        return {"pool_radius": pool, "top_height": top - PLATE_FLOOR * SAUCER_M}


def _lolly_share() -> float:
    """Volume of a lolly of unit width."""
    return float(heaps.rounded_box((float(LOLLY[0]), float(LOLLY[1]), float(LOLLY[2])), 0.2).volume)
