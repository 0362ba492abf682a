"""Heat and fire: heating, cooling, glow, burning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import trimesh

from event_library import parts
from event_library.base import Array, Event, State, Variable, View, param
from event_library.channels import ChannelMap, Emission, Move, Power, Vertices, Visible
from event_library.laws import started
from event_library.parts import Assembly, Lamp, Material, Part, Pattern
from event_library.readouts import top_height_m
from event_library.taxonomy import facts

STUMP_M = 0.005  # hmin: the flame goes out here
CANDLE_RADIUS_M = 0.0125
DISH_M = 0.004  # top of the saucer's floor, on which the candle stands
FLAME_M = 0.009  # of the flame's middle above the wax
LAMP_W = 0.9
TRANSLUCENCE = 0.12  # wax lit from within by its flame

WAX = Material(rgb=(0.90, 0.84, 0.70), roughness=0.45)
LIT_WAX = Material(rgb=WAX.rgb, roughness=WAX.roughness, emission_rgb=(1.0, 0.52, 0.18), emission_strength=TRANSLUCENCE)
WICK = Material(rgb=(0.03, 0.025, 0.02), roughness=0.9)
SAUCER = Material(rgb=(0.16, 0.30, 0.42), roughness=0.25, pattern=Pattern("speckle", (0.10, 0.20, 0.30), 0.012))
FLAME = Material(rgb=(1.0, 0.62, 0.18), kind="flame", emission_rgb=(1.0, 0.55, 0.2), emission_strength=9.0)

# (radius / candle radius, height below the crest [m]) from the foot of the melted rim to the middle of its pool
MELTED_RIM = np.array(
    [
        (1.0, 0.0036),
        (1.06, 0.0026),
        (1.06, 0.0014),
        (0.97, 0.0004),
        (0.84, 0.0),
        (0.68, 0.0007),
        (0.4, 0.0014),
        (0.0, 0.0016),
    ]
)
FLAME_PROFILE = np.array(
    [
        (0.0, -0.008),
        (0.0024, -0.0068),
        (0.0040, -0.0035),
        (0.0045, 0.0),
        (0.0041, 0.005),
        (0.0029, 0.011),
        (0.0014, 0.018),
        (0.0, 0.025),
    ]
)


@dataclass(frozen=True, kw_only=True)
class CandleBurningDown(Event):
    """A lit candle grows shorter at a steady rate: h = max(hmin, h0 - v tau), tau = time_scale t."""

    info = facts("candle_burning_down")
    variables = (
        Variable(name="h", unit="m", domain="scalar", tolerance=0.003, flags=("monotone", "bounded")),
        Variable(
            name="height", unit="m", domain="scalar", tolerance=0.003, min_delta=0.009, role="readout",
            flags=("monotone", "bounded"), label="candle height above the saucer",
        ),
    )  # fmt: skip
    accept_rules = (
        ("burning down takes 6 to 15 s", lambda e: 6 <= (e.start_height_m - STUMP_M) / e.sink_m_per_s <= 15),
    )

    start_height_m: float = param("h0", "m", 0.06, 0.09)
    burn_rate_m_per_s: float = param("v", "m/s", 5.0e-5, 9.0e-5)
    time_scale: float = param("time_scale", "s/s", 60.0, 150.0)

    @property
    def sink_m_per_s(self) -> float:
        return self.burn_rate_m_per_s * self.time_scale

    def states(self, t_s: Array) -> dict[str, Array]:
        h = np.maximum(STUMP_M, self.start_height_m - self.sink_m_per_s * started(t_s))
        return {"h": h, "height": h.copy()}

    def assembly(self) -> Assembly:
        top = self.start_height_m
        dish = [
            (0.0, 0.0),
            (0.034, 0.0),
            (0.056, 0.009),
            (0.058, 0.0105),
            (0.056, 0.012),
            (0.036, DISH_M),
            (0.0, DISH_M),
        ]
        pool = [(0.0, 0.0), (0.019, 0.0), (0.0185, 0.0012), (0.015, 0.002), (0.0, 0.002)]
        wick = parts.tube(np.array([(0, 0, -0.002), (0, 0, 0.004), (0.0012, 0, 0.0075)]), 0.0009, 8)
        flame = parts.lathe(FLAME_PROFILE, 20)
        return Assembly(
            parts=(
                Part("wax", self._wax(top), LIT_WAX, carries=True, smooth_angle_deg=50),
                Part("wick", wick, WICK, carries=True),
                Part("flame", flame, FLAME, carries=True, smooth_angle_deg=180),
                Part(
                    "drips",
                    parts.moved(parts.lathe(np.array(pool), 32), z_m=DISH_M),
                    WAX,
                    smooth_angle_deg=50,
                ),
                Part("saucer", parts.lathe(np.array(dish), 48), SAUCER, smooth_angle_deg=50),
            ),
            lamps=(Lamp("glow", (0.0, 0.0, DISH_M + top + FLAME_M), LAMP_W, (1.0, 0.55, 0.2), 0.008),),
        )

    def channels(self, state: State) -> ChannelMap:
        h = float(state["h"])
        crest = DISH_M + h
        lit = h > STUMP_M
        above = np.array([0.0, 0.0, crest + FLAME_M])
        return {
            "wax": (Vertices(np.asarray(self._wax(h).vertices)), Emission(TRANSLUCENCE if lit else 0.0)),
            "wick": (Move(np.array([0.0, 0.0, crest - 0.001])),),
            "flame": (Visible(lit), Move(above)),
            "glow": (Power(LAMP_W if lit else 0.0), Move(above)),
        }

    def _wax(self, h: float) -> trimesh.Trimesh:
        """Closed candle of crest height `h` on the saucer's floor; only the stem below the melted rim shortens."""
        rim = np.column_stack([MELTED_RIM[:, 0] * CANDLE_RADIUS_M, DISH_M + h - MELTED_RIM[:, 1]])
        return parts.lathe(np.vstack([[(0.0, DISH_M), (CANDLE_RADIUS_M, DISH_M)], rim]), 32)

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {"h": float(np.ptp(meshes["wax"].vertices[:, 2]))}

    def measure(self, view: View) -> dict[str, float]:
        return {"height": top_height_m(view.points_m["wax"], view.pixel_area_m2["wax"])[0] - DISH_M}
