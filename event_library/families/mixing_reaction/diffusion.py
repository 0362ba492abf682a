"""Dye in water: a drop that spreads, a stripe that winds up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import trimesh
from scipy.special import ive, j0, jn_zeros

from event_library.base import Array, Event, State, View, angle_param, param, readout, state
from event_library.channels import ChannelMap
from event_library.families.mixing_reaction.dishes import LIQUID, dish_disc, dyed, log_ratio, petri_dish
from event_library.kit.boards import field_disc, field_disc_channels
from event_library.laws import started
from event_library.parts import Assembly
from event_library.readouts import pixel_pitch_m
from event_library.taxonomy import facts

CLEAR = (0.86, 0.90, 0.92)  # white dish through water
DISH_M = 0.09
BLUE_DYE = (34.0, 18.0, 1.0)  # absorbance of the drop as it is placed
RED_DYE = (0.1, 2.2, 1.8)
NUM_MODES = 90
STRIPE_M = 0.007  # half width (standard deviation) of the stripe
INNER = 0.3  # radius, in dish radii, from which the turns are counted
NUM_WAVES = 24


@dataclass(frozen=True, kw_only=True)
class DyeDropDiffusing(Event):
    """Fick's law in a round dish with a tight wall: Bessel series (Crank, The Mathematics of Diffusion, ch. 5)."""

    info = facts("dye_drop_diffusing")
    variables = (
        state("c0", "ratio", 0.02, flags="monotone", label="concentration in the middle over that at first"),
        state("age", "s", 0.1, flags="monotone", label="event time, from which the cloud's shape follows"),
        readout(
            "sigma", "m", 0.0015, min_delta=0.0032, flags="monotone",
            label="rms distance of the dye from the middle, over sqrt 2",
        ),
    )  # fmt: skip

    drop_m: float = param("s0", "m", 0.011, 0.0135)
    diffusivity_m2_per_s: float = param("De", "m^2/s", 2e-5, 4e-5)

    def _modes(self, t_s: Array) -> tuple[Array, Array]:
        """Roots [M] of J1 and mode amplitudes [T, M] of c / (2 s0^2 / R^2), without their Bessel functions."""
        roots = _roots()
        spread_m2 = self.drop_m**2 / 2 + self.diffusivity_m2_per_s * np.minimum(t_s, 1e5)
        return roots, np.exp(-np.outer(spread_m2, (roots / DISH_M) ** 2))

    def states(self, t_s: Array) -> dict[str, Array]:
        roots, waves = self._modes(started(t_s))
        bow = j0(roots)
        second = DISH_M**2 * (0.5 + (4 * waves / (roots**2 * bow)).sum(axis=1))  # of c r^2, over that of c
        middle = 2 * (self.drop_m / DISH_M) ** 2 * (1 + (waves / bow**2).sum(axis=1))
        return {"c0": middle, "age": started(t_s), "sigma": np.sqrt(second / 2)}

    def assembly(self) -> Assembly:
        disc = dish_disc(DISH_M, 36, 48)
        return Assembly((field_disc("water", disc, LIQUID), *petri_dish("dish", DISH_M)))

    def channels(self, state: State) -> ChannelMap:
        disc = dish_disc(DISH_M, 36, 48)
        roots, waves = self._modes(np.array([state["age"]]))
        r = np.linspace(0.0, 1.0, disc.num_rings + 1)
        series = 1 + (waves[0] * j0(np.outer(r, roots)) / j0(roots) ** 2).sum(axis=1)
        rings = np.maximum(2 * (self.drop_m / DISH_M) ** 2 * series, 0.0)
        amount = np.concatenate([rings[:1], np.repeat(rings[1:], disc.num_spokes)])
        return field_disc_channels("water", dyed(CLEAR, BLUE_DYE, amount))

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {}

    def measure(self, view: View) -> dict[str, float]:
        """Width of the bell that the ratio of blue to red shows: how its logarithm falls with the squared radius.

        Only where the dye is neither too faint nor too dark to be told.
        """
        r2 = (dish_disc(DISH_M, 36, 48).on_board(view.points_m["water"]) ** 2).sum(axis=1)
        if len(r2) < 100:
            return {"sigma": float("nan")}
        dye = log_ratio(view, "water", 2, 0)
        dye -= np.median(dye[r2 > (0.88 * DISH_M) ** 2])
        rows = (dye > 0.15) & (dye < 1.6) & (r2 < (0.8 * DISH_M) ** 2)
        if rows.sum() < 4:
            return {"sigma": float("nan")}
        slope = np.polyfit(r2[rows], np.log(dye[rows]), 1, w=np.sqrt(dye[rows]))[0]
        return {"sigma": float(np.sqrt(-1 / (2 * slope))) if slope < 0 else float("nan")}


@cache
def _roots() -> Array:
    """Positive zeros of J1 = -J0': no flux through the wall."""
    return np.asarray(jn_zeros(1, NUM_MODES))


@dataclass(frozen=True, kw_only=True)
class DyeVortexWinding(Event):
    """A stripe wound up by a steady vortex W0 / (1 + (r/rc)^2), with shear-enhanced diffusion (Rhines & Young 1983)."""

    info = facts("dye_vortex_winding")
    variables = (
        state("age", "s", 0.1, flags="monotone", label="event time, from which the spiral follows"),
        readout(
            "winding", "count", 0.12, min_delta=0.25, flags="monotone", label="turns between 0.3 radii and the rim"
        ),
    )

    accept_rules = (
        (
            "2.5 s wind it up by a quarter of a turn",
            lambda e: 2.5 * (e.rate_rad_per_s(INNER * e.dish_m) - e.rate_rad_per_s(e.dish_m)) >= np.pi / 2,
        ),
    )

    core_rate_rad_per_s: float = angle_param("W0", 50, 90, unit="rad/s", default_deg=86)
    core_m: float = param("rc", "m", 0.025, 0.035)
    dish_m: float = param("Rd", "m", 0.07, 0.09)
    diffusivity_m2_per_s: float = param("D", "m^2/s", 2e-7, 8e-7)

    def rate_rad_per_s(self, r_m: Array | float) -> Array:
        return self.core_rate_rad_per_s / (1 + (np.asarray(r_m) / self.core_m) ** 2)

    def states(self, t_s: Array) -> dict[str, Array]:
        shear = self.rate_rad_per_s(INNER * self.dish_m) - self.rate_rad_per_s(self.dish_m)
        return {"age": started(t_s), "winding": shear * started(t_s) / (2 * np.pi)}

    def assembly(self) -> Assembly:
        return Assembly((field_disc("water", dish_disc(self.dish_m, 40, 96), LIQUID), *petri_dish("dish", self.dish_m)))

    def channels(self, state: State) -> ChannelMap:
        disc = dish_disc(self.dish_m, 40, 96)
        r = self.dish_m * np.arange(disc.num_rings + 1) / disc.num_rings
        phi = 2 * np.pi * np.arange(disc.num_spokes) / disc.num_spokes
        rings = self._dye(r, phi, float(state["age"]))
        return field_disc_channels("water", dyed(CLEAR, RED_DYE, np.concatenate([rings[0, :1], rings[1:].ravel()])))

    def _dye(self, r_m: Array, phi_rad: Array, t_s: float) -> Array:
        """[R, P] dye: even Fourier waves of a Gaussian stripe, each turned by the vortex and damped by diffusion."""
        r, n = r_m[:, None, None], np.arange(NUM_WAVES)
        sharp = (r / STRIPE_M) ** 2 / 4
        rate = self.rate_rad_per_s(r)
        shear = -2 * rate * (r / self.core_m**2) / (1 + (r / self.core_m) ** 2)
        damping = self.diffusivity_m2_per_s * (t_s / np.maximum(r, STRIPE_M) ** 2 + shear**2 * t_s**3 / 3)
        waves = ive(n, sharp) * np.where(n > 0, 2.0, 1.0) * np.exp(-4 * n**2 * damping)
        return np.clip((waves * np.cos(2 * n * (phi_rad[None, :, None] - rate * t_s))).sum(axis=-1), 0.0, 1.0)

    def carrier_dimensions(self, meshes: Mapping[str, trimesh.Trimesh]) -> dict[str, float]:
        return {}

    def measure(self, view: View) -> dict[str, float]:
        """Phase of the two arms, followed ring by ring from the rim inwards; half its growth is how far they wound."""
        points = view.points_m["water"]
        if len(points) < 100:
            return {"winding": float("nan")}
        at, dye = dish_disc(self.dish_m, 1, 3).on_board(points), log_ratio(view, "water", 0, 1)
        r, phi = np.hypot(*at.T), np.arctan2(at[:, 1], at[:, 0])
        pitch = pixel_pitch_m(view.pixel_area_m2["water"])
        rings = np.linspace(0.97 * self.dish_m, INNER * self.dish_m, 40)
        phases: list[float] = []
        for ring in rings:
            near = np.exp(-(((r - ring) / (0.5 * pitch)) ** 2))
            system = np.column_stack([np.ones(len(r)), np.cos(2 * phi), np.sin(2 * phi)]) * near[:, None]
            _, a, b = np.linalg.lstsq(system, dye * near, rcond=None)[0]
            phase = float(np.arctan2(b, a))
            ahead = 0.0 if not phases else phases[-1] + (phases[-1] - phases[-2] if len(phases) > 1 else 0.0)
            phases.append(ahead + (phase - ahead + np.pi) % (2 * np.pi) - np.pi)
        slope = (phases[3] - phases[0]) / (rings[3] - rings[0])
        rim = phases[0] + slope * (self.dish_m - rings[0])
        return {"winding": (phases[-1] - rim) / (4 * np.pi)}
