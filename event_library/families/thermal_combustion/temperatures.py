"""Things that take on a temperature: a colour-changing mug, a thermometer, a glowing sheet of steel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, View, param, readout, state
from event_library.channels import ChannelMap, Colour, Emission, Power, VertexColours
from event_library.kit import dials, flames, furniture, palette, shapes, streams, vessels
from event_library.kit.faces import disc_faces
from event_library.laws import ode_values, started
from event_library.parts import Assembly, Lamp, Material, Part, Rgb
from event_library.readouts import linear_rgb, paint_share, top_height_m
from event_library.taxonomy import facts

STEFAN_BOLTZMANN = 5.67e-8  # W/(m^2 K^4)


@dataclass(frozen=True, kw_only=True)
class CoolingThermochromicMug(Event):
    """Newton's law of cooling; leuco-dye pigment that darkens over some 12 K (a logistic in T).

    One time constant stands for convection, radiation and evaporation together.
    """

    info = facts("cooling_thermochromic_mug")
    variables = (
        state("T", "degC", 3.0, flags="monotone bounded"),
        readout("temperature", "degC", 3.0, min_delta=11.0, flags="monotone bounded", label="thermometer reading"),
        readout("pigment", "frac", 0.15, flags="monotone bounded", label="how far the mug has gone dark"),
    )
    accept_rules = (
        ("the time constant is 3.5 to 9 s of clip", lambda e: 3.5 <= e.constant_s / e.time_scale <= 9),
        ("the colour changes 2.5 to 5.5 s into the clip", lambda e: 2.5 <= e.crossing_s <= 5.5),
    )

    start_degc: float = param("T0", "degC", 80, 92)
    room_degc: float = param("Ta", "degC", 18, 24)
    constant_s: float = param("tc", "s", 900, 1800)
    change_degc: float = param("Tc", "degC", 42, 52)
    time_scale: float = param("time_scale", "s/s", 150, 400)

    COLD_RGB: Rgb = (0.04, 0.09, 0.40)
    HOT_RGB: Rgb = (0.72, 0.26, 0.03)
    STAR_RGB: Rgb = (0.80, 0.68, 0.10)
    RADIUS_M, HEIGHT_M = 0.042, 0.095
    STEM_M, BORE_M, FOOT = 0.125, 0.0065, (0.100, 0.0, 0.0132)  # of the thermometer, which spans 0 to 100 degC

    @property
    def crossing_s(self) -> float:
        """When the mug passes the middle of its colour change."""
        ratio = (self.start_degc - self.room_degc) / (self.change_degc - self.room_degc)
        return float(self.constant_s / self.time_scale * np.log(ratio))

    def states(self, t_s: Array) -> dict[str, Array]:
        cooled = np.exp(-started(t_s) * self.time_scale / self.constant_s)
        temperature = self.room_degc + (self.start_degc - self.room_degc) * cooled
        pigment = 1 / (1 + np.exp((temperature - self.change_degc) / 6))
        return {"T": temperature, "temperature": temperature.copy(), "pigment": pigment}

    def triggers(self) -> dict[str, float]:
        return {"colour_changes": self.crossing_s}

    def assembly(self) -> Assembly:
        r, h = self.RADIUS_M, self.HEIGHT_M
        outer = [(0.0, 0.0), (0.92 * r, 0.0), (r, 0.06 * h), (r, h - 0.002)]
        inner = [(0.95 * r, h), (0.88 * r, h - 0.003), (0.88 * r, 0.1 * h), (0.0, 0.1 * h)]
        mug = Part("mug", parts.lathe(np.array(outer), 48), palette.paint(self.HOT_RGB, 0.8), True, 50)
        lining = Part("lining", parts.lathe(np.array([(r, h - 0.002), *inner]), 48), palette.PORCELAIN, False, 50)
        bow = np.linspace(-1.75, 1.75, 15)
        ear = np.column_stack([-r - 0.021 * np.cos(bow), np.zeros(15), 0.5 * h + 0.026 * np.sin(bow)])
        tea = parts.moved(parts.cylinder(0.88 * r, 0.004, 32), z_m=0.86 * h)
        return Assembly(
            (
                mug,
                lining,
                Part("handle", shapes.swept(ear, 0.0055, 10), palette.PORCELAIN, smooth_angle_deg=50),
                Part("tea", tea, palette.paint((0.20, 0.07, 0.02), 0.1)),
                Part(
                    "picture", _sun_on_cylinder(r + 6e-4, 0.5 * h, 0.030), palette.paint(self.STAR_RGB, 0.5), True, 60
                ),
                *dials.thermometer("thermometer", self.STEM_M, self.FOOT, bore_m=self.BORE_M),
                streams.puffs("steam", 8, 0.013),
            )
        )

    def channels(self, state: State) -> ChannelMap:
        temperature, dark = float(state["T"]), float(state["pigment"])
        warm = (temperature - self.room_degc) / (self.start_degc - self.room_degc)
        return {
            "mug": (Colour(palette.blend(self.HOT_RGB, self.COLD_RGB, dark)),),
            "picture": (Colour(palette.blend(self.STAR_RGB, self.COLD_RGB, dark)),),
            **dials.thermometer_channels(
                "thermometer", temperature / 100, self.STEM_M, self.FOOT, bore_m=self.BORE_M
            ),
            **streams.puffs_channels(
                "steam", 8, 0.013, (0.0, 0.0, 0.9 * self.HEIGHT_M), -0.2 * temperature, height_m=0.08, strength=warm
            ),
        }  # fmt: skip

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"T": 100 * float(np.ptp(meshes["thermometer_column"].vertices[:, 2])) / self.STEM_M}

    def measure(self, view: View) -> dict[str, float]:
        column = "thermometer_column"
        top, _ = top_height_m(view.points_m[column], view.pixel_area_m2[column])
        zero = self.FOOT[2] + 2 * self.BORE_M
        board = view.rgb["thermometer_board"]
        dark = paint_share(view.rgb["mug"], board, self.HOT_RGB, self.COLD_RGB, palette.BOARD.rgb)
        return {"temperature": 100 * (top - zero) / self.STEM_M, "pigment": dark}


def _sun_on_cylinder(radius_m: float, height_m: float, size_m: float) -> trimesh.Trimesh:
    """A sun with twelve rays, `size_m` in radius, laid on the front of an upright cylinder."""
    angle = 2 * np.pi * np.arange(24) / 24
    reach = np.where(np.arange(24) % 2 == 0, 1.0, 0.62)
    rings = [
        share * size_m * reach[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]) for share in (0.35, 0.7, 1)
    ]
    flat = np.vstack([[(0.0, 0.0)], *rings])
    turn = flat[:, 0] / radius_m
    curved = np.column_stack([radius_m * np.sin(turn), -radius_m * np.cos(turn), height_m + flat[:, 1]])
    return trimesh.Trimesh(curved, disc_faces(len(rings), 24), process=False)


@dataclass(frozen=True, kw_only=True)
class ThermometerResponse(Event):
    """First-order response of a thermometer dipped into a bath: T = Tw + (T0 - Tw) exp(-t / tl)."""

    info = facts("thermometer_response")
    variables = (
        state("T", "degC", 3.0, flags="monotone bounded"),
        readout("temperature", "degC", 3.0, min_delta=9.0, flags="monotone bounded", label="top of the red column"),
    )

    bath_degc: float = param("Tw", "degC", 70, 98)
    start_degc: float = param("T0", "degC", 15, 25)
    lag_s: float = param("tl", "s", 2.5, 5.5)

    LOW_DEGC, SPAN_DEGC = -10.0, 120.0  # of the scale
    STEM_M, BORE_M, FOOT = 0.26, 0.0075, (0.0, 0.0, 0.026)
    RADIUS_M, RIM_M, WATER_M = 0.052, 0.088, 0.052

    def states(self, t_s: Array) -> dict[str, Array]:
        temperature = self.bath_degc + (self.start_degc - self.bath_degc) * np.exp(-started(t_s) / self.lag_s)
        return {"T": temperature, "temperature": temperature.copy()}

    def assembly(self) -> Assembly:
        water = parts.moved(parts.disc_prism(np.pi * self.RADIUS_M**2, self.WATER_M), z_m=vessels.FLOOR_M)
        return Assembly(
            (
                *dials.thermometer("thermometer", self.STEM_M, self.FOOT, bore_m=self.BORE_M, num_marks=13),
                *vessels.glass("beaker", self.RADIUS_M, self.RIM_M),
                Part("water", water, palette.WATER, smooth_angle_deg=40),
                streams.puffs("steam", 10, 0.016),
            )
        )

    def channels(self, state: State) -> ChannelMap:
        temperature = float(state["T"])
        reading = (temperature - self.LOW_DEGC) / self.SPAN_DEGC
        surface = (0.0, -0.02, vessels.FLOOR_M + self.WATER_M)
        return {
            **dials.thermometer_channels("thermometer", reading, self.STEM_M, self.FOOT, bore_m=self.BORE_M),
            **streams.puffs_channels("steam", 10, 0.016, surface, 0.1 * temperature, height_m=0.08, spread_m=0.05),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        column = float(np.ptp(meshes["thermometer_column"].vertices[:, 2]))
        return {"T": self.LOW_DEGC + self.SPAN_DEGC * column / self.STEM_M}

    def measure(self, view: View) -> dict[str, float]:
        column = "thermometer_column"
        top, _ = top_height_m(view.points_m[column], view.pixel_area_m2[column])
        share = (top - self.FOOT[2] - 2 * self.BORE_M) / self.STEM_M
        return {"temperature": self.LOW_DEGC + self.SPAN_DEGC * share}


@dataclass(frozen=True, kw_only=True)
class SteelPlateGlowCooling(Event):
    """Lumped thin sheet, both faces: rho c d dT/dtau = -2 (eps sigma (T^4 - Ta^4) + h (T - Ta)) (Incropera, ch. 5.3).

    The glow is Planck's at T; its luminance is shown to the power .22, as no screen spans its range of 10^5.
    """

    info = facts("steel_plate_glow_cooling")
    variables = (
        state("T", "K", 30.0, flags="monotone bounded"),
        readout("temperature", "K", 30.0, min_delta=65.0, flags="monotone bounded", label="colour of the glow"),
    )
    costly_rules = True
    accept_rules = (("8 s cool it to 860 to 1080 K", lambda e: 860 <= e.state_at(8.0)["T"] <= 1080),)

    start_k: float = param("T0", "K", 1250, 1450)
    thick_m: float = param("d", "m", 0.002, 0.004)
    emissivity: float = param("eps", "ratio", 0.75, 0.90)
    time_scale: float = param("time_scale", "s/s", 4, 9)

    ROOM_K, FILM_W_PER_M2_K, HEAT_J_PER_M3_K = 293.0, 12.0, 7850.0 * 650.0
    SIZE_M, HUNG_M, TOP_M = (0.22, 0.15), 0.05, 0.25  # width and height; length of the chains; the bar they hang from
    DARK = 0.03  # reflectance of the scale
    BRIGHT = 1.6  # emission strength at 1450 K

    def start_values(self) -> tuple[float, ...]:
        return (self.start_k,)

    def rates(self, values: tuple[float, ...]) -> tuple[float, ...]:
        temperature = values[0]
        radiated = self.emissivity * STEFAN_BOLTZMANN * (temperature**4 - self.ROOM_K**4)
        lost = 2 * (radiated + self.FILM_W_PER_M2_K * (temperature - self.ROOM_K))
        return (-self.time_scale * lost / (self.HEAT_J_PER_M3_K * self.thick_m),)

    def states(self, t_s: Array) -> dict[str, Array]:
        temperature = ode_values(self, t_s)[:, 0]
        return {"T": temperature, "temperature": temperature.copy()}

    @classmethod
    def _glow(cls, kelvin: Array | float) -> Array:
        """[..., 3] linear light of a body at a temperature, as a camera with soft highlights records it."""
        strength = flames.blackbody_strength(kelvin, full_k=1450.0, full=cls.BRIGHT, softness=0.22)
        return np.asarray(flames.blackbody_rgb(kelvin) * np.asarray(strength)[..., None])

    def assembly(self) -> Assembly:
        (wide, high), top = self.SIZE_M, self.TOP_M
        sheet = parts.moved(parts.box((wide, 2 * self.thick_m, high)), z_m=top - self.HUNG_M - high / 2)
        chains = [shapes.rod((x, 0, top - self.HUNG_M - 0.01), (x, 0, top + 0.005), 0.0025, 8) for x in (-0.08, 0.08)]
        hot = Material(rgb=(0.1, 0.1, 0.1), roughness=0.9, per_vertex=True, emission_strength=1.0)
        return Assembly(
            (
                Part("sheet", sheet, hot, carries=True),
                Part("chains", parts.join(*chains), palette.IRON),
                furniture.gantry("gantry", 0.26, top, material=palette.IRON, bar_m=0.012, depth_m=0.1),
            ),
            (
                Lamp("light", (0.0, -0.06, top - self.HUNG_M - high / 2), 1.0, (1.0, 0.4, 0.1), 0.05),
                Lamp("back_light", (0.0, 0.06, top - self.HUNG_M - high / 2), 1.0, (1.0, 0.4, 0.1), 0.05),
            ),
        )  # fmt: skip

    def channels(self, state: State) -> ChannelMap:
        glow = self._glow(float(state["T"]))
        scale = self.DARK / max(float(glow.max()), 1e-6)
        power = Power(0.5 * float(glow.mean()))
        return {
            "sheet": (VertexColours(np.tile(scale * glow, (8, 1))), Emission(1 / scale)),
            "light": (power,),
            "back_light": (power,),
        }

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {}

    def measure(self, view: View) -> dict[str, float]:
        """The temperature whose glow comes nearest to the colour seen: an optical pyrometer."""
        if len(view.rgb["sheet"]) == 0:
            return {"temperature": float("nan")}
        kelvin = np.arange(600.0, 1500.0, 2.0)
        shown = np.clip(self._glow(kelvin), 0.0, 1.0)
        seen = linear_rgb(np.median(view.rgb["sheet"], axis=0))
        nearest = np.abs(shown ** (1 / 2.2) - seen ** (1 / 2.2)).sum(axis=1).argmin()
        return {"temperature": float(kelvin[nearest])}
