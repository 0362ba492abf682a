"""Numbers and letters: seven-segment displays, lamps in a row, and flat 5 x 7 lettering for labels.

A display faces the front (or up). Its segments are Parts `{name}_{position}_{segment}` (segment a to g), so that what
is seen of each says whether it glows; position 0 is the leftmost digit.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import trimesh

from event_library import parts
from event_library.channels import Channel, Colour, Emission
from event_library.kit.palette import DARK, INK, RED
from event_library.kit.shapes import ORIGIN, Array, Facing, Place, extruded, placed, turned
from event_library.parts import Material, Part, Rgb

Channels = dict[str, tuple[Channel, ...]]

SEGMENTS = "abcdefg"  # top, upper right, lower right, bottom, lower left, upper left, middle
LIT = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")  # digit -> segments
ASPECT = 0.56  # width of a digit in heights, over all
STROKE = 0.15
PITCH = 0.78  # from digit to digit in heights
UNLIT_SHARE = 0.05  # of the lit colour that an unlit segment shows
GLOW = 3.0


# ---- seven segments
def seven_segments(
    name: str, num_digits: int, height_m: float, place: Place = ORIGIN, *, facing: Facing = "front", rgb: Rgb = RED,
    housing: Material = DARK, colon: bool = False,
) -> tuple[Part, ...]:  # fmt: skip
    """Housing `{name}_housing` and 7 segment Parts per digit; `place` is the middle of the front, digits height_m tall.

    colon: two dots between the second and third digit, always on (a clock).
    """
    width = (num_digits - 1) * PITCH * height_m + ASPECT * height_m
    box = parts.bevelled_box((width + 0.5 * height_m, 0.4 * height_m, 1.45 * height_m), 0.05 * height_m)
    made = [Part(f"{name}_housing", placed(parts.moved(box, y_m=0.2 * height_m), place, facing), housing)]
    for position in range(num_digits):
        x = (position - (num_digits - 1) / 2) * PITCH * height_m
        for segment in SEGMENTS:
            mesh = parts.moved(_segment(segment, height_m), x)
            material = Material(rgb=rgb, roughness=0.4, emission_rgb=rgb, emission_strength=GLOW)
            made.append(Part(f"{name}_{position}_{segment}", placed(mesh, place, facing), material, carries=True))
    if colon and num_digits > 2:
        x = (2 - num_digits / 2) * PITCH * height_m
        dots = [_bar((0.11 * height_m, 0.11 * height_m), height_m, x, z * height_m) for z in (-0.18, 0.18)]
        glowing = Material(rgb=rgb, emission_rgb=rgb, emission_strength=GLOW)
        made.append(Part(f"{name}_colon", placed(parts.join(*dots), place, facing), glowing))
    return tuple(made)


def seven_segments_channels(
    name: str, num_digits: int, text: str | int, *, rgb: Rgb = RED, glow: float = GLOW
) -> Channels:
    """Show a number (right-aligned, blanks in front) or a string of digits, blanks and '-' of num_digits characters."""
    shown = str(text).rjust(num_digits)
    assert len(shown) == num_digits, f"{text!r} doesn't fit {num_digits} digits"
    channels: Channels = {}
    for position, character in enumerate(shown):
        lit = lit_segments(character)
        for segment in SEGMENTS:
            on = segment in lit
            colour = np.asarray(rgb) if on else np.full(3, 0.015) + UNLIT_SHARE * np.asarray(rgb)
            channels[f"{name}_{position}_{segment}"] = (Colour(colour), Emission(glow if on else 0.0))
    return channels


def lit_segments(character: str) -> str:
    """Segments that show one character."""
    return {" ": "", "-": "g"}[character] if character in " -" else LIT[int(character)]


def read_digit(lit: str) -> str:
    """The character that a set of lit segments shows; '?' when it is none."""
    for digit, segments in enumerate(LIT):
        if set(segments) == set(lit):
            return str(digit)
    return {frozenset(): " ", frozenset("g"): "-"}.get(frozenset(lit), "?")


def read_display(
    name: str, num_digits: int, rgb: Mapping[str, Array], rgb_lit: Rgb = RED, *, threshold: float = 0.5
) -> str:
    """The text on a display from the colours seen of its Parts (`view.rgb`: name -> [N, 3] display-referred).

    A segment counts as lit where its brightest channel's median is over the threshold. One that is not seen at all is
    taken from the digits that agree with the rest; '?' when several or none do.
    """
    channel = int(np.argmax(rgb_lit))
    text = ""
    for position in range(num_digits):
        on: set[str] = set()
        off: set[str] = set()
        for segment in SEGMENTS:
            seen = rgb[f"{name}_{position}_{segment}"]
            if len(seen):
                (on if np.median(seen[:, channel]) > threshold else off).add(segment)
        fits = [c for c in "0123456789 -" if on <= set(lit_segments(c)) and not off & set(lit_segments(c))]
        text += fits[0] if len(fits) == 1 else "?"
    return text


def _segment(segment: str, height_m: float) -> trimesh.Trimesh:
    """One segment (hexagonal bar) of a digit centred on the origin, facing -y."""
    half_x, half_z = (ASPECT - STROKE) * height_m / 2, (1 - STROKE) * height_m / 2
    x, z = {
        "a": (0.0, half_z), "g": (0.0, 0.0), "d": (0.0, -half_z), "b": (half_x, half_z / 2), "c": (half_x, -half_z / 2),
        "e": (-half_x, -half_z / 2), "f": (-half_x, half_z / 2),
    }[segment]  # fmt: skip
    long = (2 * half_x if segment in "agd" else half_z) - 0.03 * height_m
    w = STROKE * height_m / 2
    tip = long / 2
    outline = np.array([(-tip, 0.0), (-tip + w, -w), (tip - w, -w), (tip, 0.0), (tip - w, w), (-tip + w, w)])
    if segment not in "agd":
        outline = outline[:, ::-1]
    thick = 0.03 * height_m
    return parts.moved(extruded(outline, thick), x, -thick, z)


def _bar(size_m: tuple[float, float], height_m: float, x: float, z: float) -> trimesh.Trimesh:
    return parts.moved(parts.box((size_m[0], 0.03 * height_m, size_m[1])), x, -0.015 * height_m, z)


# ---- lamps in a row
def lamp_row(
    name: str, num: int, radius_m: float, place: Place = ORIGIN, *, pitch_m: float | None = None,
    facing: Facing = "front", vertical: bool = False, rgb: Rgb | tuple[Rgb, ...] = RED, housing: Material = DARK,
) -> tuple[Part, ...]:  # fmt: skip
    """Panel `{name}_panel` with domed lamps `{name}_0` ... from left to right (or bottom to top), about its middle.

    rgb: one colour or one per lamp. Set them with `lamp_row_channels`.
    """
    pitch = 2.6 * radius_m if pitch_m is None else pitch_m
    long, wide = (num - 1) * pitch + 3.2 * radius_m, 3.4 * radius_m
    size = (wide, radius_m, long) if vertical else (long, radius_m, wide)
    panel = parts.bevelled_box(size, 0.2 * radius_m)
    made = [
        Part(f"{name}_panel", placed(parts.moved(panel, y_m=radius_m / 2), place, facing), housing),
    ]
    for index in range(num):
        offset = (index - (num - 1) / 2) * pitch
        dome = parts.sphere(radius_m, 2)
        dome.apply_scale((1.0, 0.45, 1.0))
        parts.moved(dome, *((0.0, 0.0, offset) if vertical else (offset, 0.0, 0.0)))
        colour = lamp_rgb(rgb, index)
        material = Material(rgb=colour, roughness=0.3, emission_rgb=colour, emission_strength=GLOW)
        made.append(Part(f"{name}_{index}", placed(dome, place, facing), material, carries=True, smooth_angle_deg=180))
    return tuple(made)


def lamp_row_channels(
    name: str, lit: Array | list[bool], *, rgb: Rgb | tuple[Rgb, ...] = RED, glow: float = GLOW
) -> Channels:
    """Which lamps [num] are on (bools, or shares in [0, 1] for dimmed ones)."""
    channels: Channels = {}
    for index, share in enumerate(np.asarray(lit, dtype=np.float64)):
        colour = np.asarray(lamp_rgb(rgb, index))
        channels[f"{name}_{index}"] = (
            Colour(colour * (UNLIT_SHARE + (1 - UNLIT_SHARE) * share) + 0.01),
            Emission(glow * float(share)),
        )
    return channels


def lamp_rgb(rgb: Rgb | tuple[Rgb, ...], index: int) -> Rgb:
    """Colour of one lamp of a row with one colour for all or one for each."""
    return rgb[index] if isinstance(rgb[0], tuple) else rgb


# ---- lettering
FONT: dict[str, tuple[int, ...]] = {  # 7 rows from the top, 5 bits each, the leftmost column is the highest bit
    " ": (0, 0, 0, 0, 0, 0, 0), "-": (0, 0, 0, 31, 0, 0, 0), "+": (0, 4, 4, 31, 4, 4, 0), ".": (0, 0, 0, 0, 0, 12, 12),
    ":": (0, 12, 12, 0, 12, 12, 0), "/": (1, 1, 2, 4, 8, 16, 16), "%": (25, 26, 2, 4, 8, 11, 19),
    "=": (0, 0, 31, 0, 31, 0, 0),
    "0": (14, 17, 19, 21, 25, 17, 14), "1": (4, 12, 4, 4, 4, 4, 14), "2": (14, 17, 1, 2, 4, 8, 31),
    "3": (31, 2, 4, 2, 1, 17, 14), "4": (2, 6, 10, 18, 31, 2, 2), "5": (31, 16, 30, 1, 1, 17, 14),
    "6": (6, 8, 16, 30, 17, 17, 14), "7": (31, 1, 2, 4, 8, 8, 8), "8": (14, 17, 17, 14, 17, 17, 14),
    "9": (14, 17, 17, 15, 1, 2, 12), "A": (14, 17, 17, 31, 17, 17, 17), "B": (30, 17, 17, 30, 17, 17, 30),
    "C": (14, 17, 16, 16, 16, 17, 14), "D": (28, 18, 17, 17, 17, 18, 28), "E": (31, 16, 16, 30, 16, 16, 31),
    "F": (31, 16, 16, 30, 16, 16, 16), "G": (14, 17, 16, 23, 17, 17, 15), "H": (17, 17, 17, 31, 17, 17, 17),
    "I": (14, 4, 4, 4, 4, 4, 14), "J": (7, 2, 2, 2, 2, 18, 12), "K": (17, 18, 20, 24, 20, 18, 17),
    "L": (16, 16, 16, 16, 16, 16, 31), "M": (17, 27, 21, 21, 17, 17, 17), "N": (17, 17, 25, 21, 19, 17, 17),
    "O": (14, 17, 17, 17, 17, 17, 14), "P": (30, 17, 17, 30, 16, 16, 16), "Q": (14, 17, 17, 17, 21, 18, 13),
    "R": (30, 17, 17, 30, 20, 18, 17), "S": (15, 16, 16, 14, 1, 1, 30), "T": (31, 4, 4, 4, 4, 4, 4),
    "U": (17, 17, 17, 17, 17, 17, 14), "V": (17, 17, 17, 17, 17, 10, 4), "W": (17, 17, 17, 21, 21, 21, 10),
    "X": (17, 17, 10, 4, 10, 17, 17), "Y": (17, 17, 17, 10, 4, 4, 4), "Z": (31, 1, 2, 4, 8, 16, 31),
}  # fmt: skip


def text_mesh(text: str, height_m: float, thick_m: float | None = None, *, facing: Facing = "front") -> trimesh.Trimesh:
    """Raised 5 x 7 lettering centred on the origin, `thick_m` proud of it; capitals, digits, a few signs."""
    dot = height_m / 7
    thick = 0.15 * dot if thick_m is None else thick_m
    boxes = []
    for place, character in enumerate(text.upper()):
        for row, bits in enumerate(FONT[character]):
            for first, last in _runs(bits):
                box = parts.box(((last - first) * dot, thick, dot))
                x = place * 6 + (first + last) / 2 - (6 * len(text) - 1) / 2
                boxes.append(parts.moved(box, x * dot, -thick / 2, (3 - row) * dot))
    assert boxes, f"nothing to see in {text!r}"
    mesh = parts.join(*boxes)
    return mesh if facing == "front" else turned(mesh, (1.0, 0.0, 0.0), -np.pi / 2)


def label(
    name: str, text: str, height_m: float, place: Place = ORIGIN, *, facing: Facing = "front", material: Material = INK
) -> Part:
    """Lettering as a static Part about `place`; keep it under 10 letters or so (a letter has about 100 vertices)."""
    return Part(name, parts.moved(text_mesh(text, height_m, facing=facing), *place), material)


def _runs(bits: int) -> list[tuple[int, int]]:
    """First and past-the-last column of each run of set bits."""
    on = np.array([0, *((bits >> (4 - column)) & 1 for column in range(5)), 0])
    steps = np.diff(on)
    return list(zip(np.flatnonzero(steps == 1).tolist(), np.flatnonzero(steps == -1).tolist(), strict=True))
