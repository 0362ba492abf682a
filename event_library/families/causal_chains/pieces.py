"""What the chains of this family share: cables, indicator lamps, pipes with a valve."""

from __future__ import annotations

import numpy as np

from event_library import parts
from event_library.base import Array
from event_library.channels import Channel
from event_library.kit import digits, machinery, streams
from event_library.kit.palette import BRASS, CHROME, DARK, RED_PAINT
from event_library.kit.shapes import Place, at, bezier, rod, swept
from event_library.parts import Part, Rgb

LAMP_GREEN: Rgb = (0.03, 0.80, 0.12)
LAMP_RED: Rgb = (0.90, 0.03, 0.02)
STRING_M = 0.005  # radius of cords that must show at 64 px
Channels = dict[str, tuple[Channel, ...]]


def rad(degrees: float) -> float:
    return float(np.deg2rad(degrees))


def cable(name: str, control_m: list[Place], radius_m: float = 0.004) -> Part:
    """Black cable along a smooth curve through the first and the last of its control points."""
    line = np.maximum(bezier(np.array(control_m), 24), [-np.inf, -np.inf, radius_m])
    return Part(name, swept(line, radius_m, 8), DARK, smooth_angle_deg=60)


def lamp(name: str, radius_m: float, place: Place, rgb: Rgb = LAMP_GREEN) -> tuple[Part, ...]:
    """One signal lamp `{name}_0` in its housing, facing the viewer."""
    return digits.lamp_row(name, 1, radius_m, place, rgb=rgb)


def lamp_channels(name: str, on: bool, rgb: Rgb = LAMP_GREEN) -> Channels:
    return digits.lamp_row_channels(name, [on], rgb=rgb)


def lamp_is_on(rgb: Array, colour: Rgb = LAMP_GREEN) -> float:
    """1 where the strongest channel of a signal lamp's colour is bright, else 0; nan when it is not seen."""
    return float(np.median(rgb[:, int(np.argmax(colour))]) > 0.6) if len(rgb) else float("nan")


def supply_pipe(name: str, mouth: Place, foot_x_m: float, valve_x_m: float, bore_m: float = 0.011) -> tuple[Part, ...]:
    """Stand pipe at foot_x_m with an arm over to a downward spout at `mouth` and a valve, `{name}_handle`, on the arm.

    The handle turns on `valve_pivot_m`: up is shut, along the arm (a quarter turn) is open.
    """
    x, y, z = mouth
    high = z + 3.2 * bore_m
    route = np.array([
        (foot_x_m, y, 0.0), (foot_x_m, y, high - 0.02), (foot_x_m + np.sign(x - foot_x_m) * 0.02, y, high),
        (x - np.sign(x - foot_x_m) * 0.015, y, high), (x, y, high - 0.012), (x, y, z),
    ])  # fmt: skip
    valve = parts.join(
        parts.moved(parts.bevelled_box((4.2 * bore_m, 3.4 * bore_m, 3.4 * bore_m), 0.4 * bore_m), valve_x_m, y, high),
        rod((valve_x_m, y, high), (valve_x_m, y - 3.4 * bore_m, high), 0.7 * bore_m),
    )
    return (
        Part(f"{name}_pipe", swept(route, bore_m, 16), CHROME, smooth_angle_deg=50),
        Part(f"{name}_foot", parts.moved(parts.cylinder(0.035, 0.012), foot_x_m, y), CHROME, smooth_angle_deg=40),
        Part(f"{name}_valve", valve, BRASS, smooth_angle_deg=30),
        machinery.lever(f"{name}_handle", 0.085, 0.018, material=RED_PAINT),
    )


def valve_pivot_m(mouth: Place, valve_x_m: float, bore_m: float = 0.011) -> Place:
    return valve_x_m, mouth[1] - 3.4 * bore_m - 0.01, mouth[2] + 3.2 * bore_m


def stream_channels(name: str, flow_m3_per_s: float, mouth: Place, surface_z_m: float, running: bool) -> Channels:
    """A falling jet `{name}` and its splash `{name}_splash` on the surface."""
    return {
        **streams.falling_jet_channels(name, flow_m3_per_s, mouth, surface_z_m, running=running),
        **streams.splash_channels(f"{name}_splash", (mouth[0], mouth[1], surface_z_m), running),
    }


def direction(heading_rad: float) -> Array:
    """[3] unit vector along a heading on the ground."""
    return at(np.cos(heading_rad), np.sin(heading_rad), 0.0)


def round_m(centre: Array, radius_m: float, from_rad: float, to_rad: float, num: int = 9) -> Array:
    """[num, 3] arc in the xz plane, angles counter-clockwise from +x as the viewer sees them."""
    angle = np.linspace(from_rad, to_rad, num)
    return centre + radius_m * np.column_stack([np.cos(angle), np.zeros(num), np.sin(angle)])
