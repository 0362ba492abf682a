"""The closed vocabulary of visual channels.

An event says *what* changes in the picture in these words; renderers learn the words, never the events. A renderer
keeps a table with one setter per class in `CHANNELS` and fails at import when one is missing.

A part without a channel stays as built. All channels of a part are set on every frame, in the order
vertices -> scale -> rotate -> move, so that a frame never depends on the frame before it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Move:
    """Where the part's origin lies, or where a lamp is, metres, in the event's frame."""

    location_m: Array  # [3]


@dataclass(frozen=True)
class Rotate:
    """Rotation about the part's origin, unit quaternion (w, x, y, z)."""

    rotation_wxyz: Array  # [4]


@dataclass(frozen=True)
class Scale:
    """Per-axis factor about the part's origin."""

    factor: Array  # [3]


@dataclass(frozen=True)
class Vertices:
    """New vertex positions, same number and order as the part's mesh, metres, in the part's own frame."""

    vertices_m: Array  # [V, 3]


@dataclass(frozen=True)
class Colour:
    """Base colour of the part's material, linear RGB in [0, 1]."""

    rgb: Array  # [3]


@dataclass(frozen=True)
class VertexColours:
    """Base colours of a part whose material is `per_vertex`: linear RGB in [0, 1], one row per vertex of its mesh.

    Colours blend across a face; tiles that must stay crisp have vertices of their own.
    """

    rgb: Array  # [V, 3]


@dataclass(frozen=True)
class Roughness:
    """Roughness of the part's material, [0, 1]."""

    roughness: float


@dataclass(frozen=True)
class Opacity:
    """1 is solid, 0 is clear (materials principled and haze). The truth rays meet a part from 0.5 on."""

    opacity: float


@dataclass(frozen=True)
class Emission:
    """Emission strength of the part's material (radiance factor; 0 is dark)."""

    strength: float


@dataclass(frozen=True)
class Power:
    """Radiant power of a lamp, watts."""

    power_w: float


@dataclass(frozen=True)
class Visible:
    """Whether the part exists in this frame, for the camera, for light and for the truth rays alike."""

    visible: bool


Channel = Move | Rotate | Scale | Vertices | Colour | VertexColours | Roughness | Opacity | Emission | Power | Visible
CHANNELS: tuple[type, ...] = (
    Move, Rotate, Scale, Vertices, Colour, VertexColours, Roughness, Opacity, Emission, Power, Visible,
)  # fmt: skip
ChannelMap = Mapping[str, tuple[Channel, ...]]  # part or lamp name -> its channels in one instant


def check_setters(renderer: str, setters: Mapping[type, object]) -> None:
    """Raise at start-up when a renderer does not know every channel (or knows one that does not exist)."""
    missing = [c.__name__ for c in CHANNELS if c not in setters]
    surplus = [c.__name__ for c in setters if c not in CHANNELS]
    if missing or surplus:
        raise RuntimeError(f"{renderer}: channels without a setter {missing}, setters without a channel {surplus}")


def present(channels: tuple[Channel, ...]) -> bool:
    """Whether a part with these channels is there for the truth rays: visible and at least half opaque."""
    hidden = any(isinstance(c, Visible) and not c.visible for c in channels)
    return not hidden and all(c.opacity >= 0.5 for c in channels if isinstance(c, Opacity))


def pose_matrix(channels: tuple[Channel, ...]) -> Array:
    """[4, 4] matrix `event_from_part` of the Scale, Rotate and Move channels among `channels`."""
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1.0
    linear = None
    for channel in channels:
        if isinstance(channel, Scale):
            linear = np.diag(channel.factor) if linear is None else linear @ np.diag(channel.factor)
        elif isinstance(channel, Rotate):
            turn = rotation_matrix(channel.rotation_wxyz)
            linear = turn if linear is None else turn @ linear
        elif isinstance(channel, Move):
            matrix[:3, 3] = channel.location_m
    matrix[:3, :3] = np.eye(3) if linear is None else linear
    return matrix


def rotation_matrix(rotation_wxyz: Array) -> Array:
    """[3, 3] rotation of a unit quaternion (w, x, y, z)."""
    rotation = np.asarray(rotation_wxyz, dtype=np.float64)
    w, x, y, z = (rotation / math.sqrt(rotation.dot(rotation))).tolist()  # plain floats: five times as fast
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def quaternion_about(axis: tuple[float, float, float], angle_rad: float) -> Array:
    """Unit quaternion (w, x, y, z) of a right-handed turn by `angle_rad` about a unit `axis`."""
    return np.array([np.cos(angle_rad / 2), *(np.sin(angle_rad / 2) * np.asarray(axis, dtype=np.float64))])
