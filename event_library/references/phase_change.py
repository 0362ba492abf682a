"""Phase change: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from event_library.families.phase_change.evaporating import DropletArrayDrying, KettleBoilingAway, PuddleEvaporating
from event_library.families.phase_change.freezing import FrostSpreading, StefanFreezingTank, SupercooledFreezing
from event_library.families.phase_change.melting import (
    IceCubeMelting,
    IceOnHotPlate,
    PopsicleDripping,
    SnowmanMelting,
)
from event_library.references.base import Array, Reference
from event_library.references.integrating import until


def ice_cube_melting(event: IceCubeMelting, t_s: Array) -> dict[str, Array]:
    """rho L da/dtau = -2 hc dT; the water is the mass that the ice has lost."""
    speed = 2 * event.transfer_w_per_m2_k * event.warmth_k / (917 * 3.34e5)
    side = until(lambda tau, a: [-speed], event.start_side_m, 0.0, t_s * event.time_scale)
    volume = float(event.assembly().parts[0].mesh.volume)
    water = 0.917 * volume * (1 - (side / event.start_side_m) ** 3)
    return {"side": side, "puddle_radius": np.sqrt(water / 0.003 / np.pi)}


def ice_on_hot_plate(event: IceOnHotPlate, t_s: Array) -> dict[str, Array]:
    """rho L dh/dtau = -q."""
    rate = -event.flux_w_per_m2 / (917 * 3.34e5)
    return {"height": until(lambda tau, h: [rate], event.start_height_m, 0.0, t_s * event.time_scale)}


def stefan_freezing_tank(event: StefanFreezingTank, t_s: Array) -> dict[str, Array]:
    """The heat equation in the ice, u'' = -2 xi u' in xi = z / (2 sqrt(alpha tau)), shot at the Stefan condition."""
    stefan, alpha = 2100 * event.undercooling_k / 3.34e5, 2.2 / (917 * 2100)

    def misses(front: float) -> float:
        """Speed of the front against what the slope of the temperature there carries off."""
        run = solve_ivp(lambda x, y: [y[1], -2 * x * y[1]], (0.0, front), [0.0, 1.0], rtol=1e-12, atol=1e-14)
        value, slope = run.y[:, -1]
        return float(2 * front - stefan * slope / value)

    front = brentq(misses, 1e-3, 1.0, xtol=1e-13)
    return {"s": np.minimum(2 * front * np.sqrt(alpha * t_s * event.time_scale), event.depth_m / 0.917)}


def puddle_evaporating(event: PuddleEvaporating, t_s: Array) -> dict[str, Array]:
    """The level in a hollow z = r^2 / (2 c) falls at a constant speed; the area of its surface is 2 pi c z."""
    curvature_m = 10.0
    level = event.start_m2 / (2 * np.pi * curvature_m)
    z = until(lambda tau, z: [-level / event.drying_s], level, 0.0, t_s * event.time_scale)
    return {"A": 2 * np.pi * curvature_m * z}


def droplet_array_drying(event: DropletArrayDrying, t_s: Array) -> dict[str, Array]:
    """dR^2/dtau = -K for every drop until it is gone."""
    squares = [
        until(lambda tau, y: [-event.drying_m2_per_s], start**2, 0.0, t_s * event.time_scale)
        for start in event.start_radii_m()
    ]
    radii = np.sqrt(np.maximum(np.stack(squares, axis=1), 0.0))
    return {"R": radii, "remaining": (radii > 0).sum(axis=1)}


def frost_spreading(event: FrostSpreading, t_s: Array) -> dict[str, Array]:
    """Every point of the pane asked anew at every time, in complex numbers: cos 6 phi = Re (w / |w|)^6."""
    points = event.grid.centres_m().reshape(-1, 3) - event.grid.place
    at = points[:, 0] + 1j * points[:, 2]
    x, z, heading = event.nuclei().T
    away = (at[:, None] - (x + 1j * z)) * np.exp(-1j * heading)
    distance = np.abs(away)
    needed = distance * (1 + 0.25 * ((away / np.maximum(distance, 1e-15)) ** 6).real)
    reach = event.speed_m_per_s * event.time_scale * t_s
    return {"coverage": np.array([(needed <= far).any(axis=1).mean() for far in reach])}


def kettle_boiling_away(event: KettleBoilingAway, t_s: Array) -> dict[str, Array]:
    """m c dT/dtau = P up to 100 C, then dm/dtau = -P / L until it is dry."""
    tau = t_s * event.time_scale
    warming = event.power_w / (event.water_kg * 4186)
    boils = (100 - event.start_degc) / warming
    mass = until(lambda s, m: [-event.power_w / 2.26e6], event.water_kg, 0.0, np.maximum(tau - boils, 0.0))
    return {
        "T": until(lambda s, y: [warming], event.start_degc, 100.0, tau),
        "m": mass,
        "level_fraction": mass / event.water_kg,
        "trigger:boils": np.asarray(boils / event.time_scale),
        "trigger:dry": np.asarray((boils + event.water_kg * 2.26e6 / event.power_w) / event.time_scale),
    }


def snowman_melting(event: SnowmanMelting, t_s: Array) -> dict[str, Array]:
    """rho L dR/dtau = -q for every ball; then stacked from the lawn up, each sunk by a tenth of its radius."""
    rate = -event.flux_w_per_m2 / (event.snow_kg_per_m3 * 3.34e5)
    shares = (1.0, 0.72, 0.5)
    radii = [until(lambda tau, r: [rate], f * event.base_radius_m, 0.0, t_s * event.time_scale) for f in shares]
    top, foot = np.zeros_like(t_s), np.zeros_like(t_s)
    for radius in radii:
        top = np.maximum(top, foot + 1.9 * radius)
        foot = foot + 1.8 * radius
    return {"R": np.stack(radii, axis=1), "total_height": top, "balls_left": np.sum([r > 0 for r in radii], axis=0)}


def popsicle_dripping(event: PopsicleDripping, t_s: Array) -> dict[str, Array]:
    """dv/dtau ~ -v^(2/3) of the share v that is left, its surface's, with the factor that ends it at tau_m."""
    rate = lambda tau, v: [-3 / event.melting_s * max(v[0], 0.0) ** (2 / 3)]  # noqa: E731
    left = until(rate, 1.0, 1e-12, t_s * event.time_scale, end=0.0)
    melt = 0.917 * event.start_m3 * (1 - left)
    return {"V": event.start_m3 * left, "pool_radius": np.sqrt(melt / 0.0025 / np.pi)}


def supercooled_freezing(event: SupercooledFreezing, t_s: Array) -> dict[str, Array]:
    """dx/dt = v from the knock on, until the floor is reached."""
    front = until(lambda t, x: [event.front_m_per_s], 0.0, event.water_m, np.maximum(t_s - event.tap_s, 0.0))
    return {"front_depth": front, "trigger:tap": np.asarray(event.tap_s)}


REFERENCES: Mapping[str, Reference] = {
    "ice_cube_melting": ice_cube_melting,
    "ice_on_hot_plate": ice_on_hot_plate,
    "stefan_freezing_tank": stefan_freezing_tank,
    "puddle_evaporating": puddle_evaporating,
    "droplet_array_drying": droplet_array_drying,
    "frost_spreading": frost_spreading,
    "kettle_boiling_away": kettle_boiling_away,
    "snowman_melting": snowman_melting,
    "popsicle_dripping": popsicle_dripping,
    "supercooled_freezing": supercooled_freezing,
}
