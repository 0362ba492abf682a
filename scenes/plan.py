"""A concrete scene plan: no randomness left, canonical JSON, hashed. Only `SceneSpec -> ScenePlan` draws."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import pathlib
import types
import typing
from dataclasses import dataclass
from typing import Any, Literal, Self

PLAN_VERSION = 2
Vec3 = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class ClipPlan:
    num_frames: int
    fps: float
    width_px: int
    height_px: int


@dataclass(frozen=True, kw_only=True)
class LightPlan:
    """A lamp of the world. Rectangle area lamp at `location_m`, shining towards `target_m`."""

    name: str
    location_m: Vec3
    target_m: Vec3
    size_m: float
    power_w: float
    rgb: Vec3


@dataclass(frozen=True, kw_only=True)
class SkyPlan:
    """The open sky and its sun.

    clear     Blender's sky model (Nishita) as background, its radiance times `strength`
    overcast  a grey dome whose mean radiance is the world's `ambient_rgb`
    """

    kind: Literal["clear", "overcast"]
    strength: float
    sun_elevation_rad: float
    sun_azimuth_rad: float  # as the camera's: 0 is -y, positive to +x
    sun_w_per_m2: float  # on a surface that faces it
    sun_rgb: Vec3
    sun_angle_rad: float  # across its disc, or across the bright part of the clouds: softness of shadows

    @property
    def towards_sun(self) -> Vec3:
        """Unit vector."""
        flat = math.cos(self.sun_elevation_rad)
        x, y = math.sin(self.sun_azimuth_rad), -math.cos(self.sun_azimuth_rad)
        return flat * x, flat * y, math.sin(self.sun_elevation_rad)


@dataclass(frozen=True, kw_only=True)
class PropPlan:
    """A static thing of the world: a builder's name, its numbers, and a pose on the support."""

    name: str
    kind: str  # key of scenes.props.PROPS
    location_m: Vec3
    yaw_rad: float
    params: dict[str, Any]  # numbers, colours (lists of 3) and pattern names for the builder


@dataclass(frozen=True, kw_only=True)
class WorldPlan:
    kind: str  # key of scenes.worlds.WORLDS
    props: tuple[PropPlan, ...]  # includes table, cloth, wall, ...
    lights: tuple[LightPlan, ...]
    ambient_rgb: Vec3  # background radiance, linear; under a sky the mean of its dome
    sky: SkyPlan | None = None  # outdoors


@dataclass(frozen=True, kw_only=True)
class EventPlan:
    """One event in the world: `world_from_event` is a yaw about z followed by a translation."""

    id: str
    type: str
    params: dict[str, float]  # the class's own field names, angles in radians
    location_m: Vec3
    yaw_rad: float
    start_s: float  # clip time at which the event's own clock is 0; may be negative (already running)


Path = Literal["static", "pan", "orbit", "dolly", "arc"]


@dataclass(frozen=True, kw_only=True)
class CameraPlan:
    """Base path of the camera, a function of clip time (scenes.cameras evaluates it).

    static  stands still
    pan     stands still and turns about the vertical by `sweep_rad`, half of it to each side of the look-at point
    orbit   goes round the look-at point at one height: the azimuth changes by `sweep_rad`
    dolly   goes straight towards the look-at point by the share `travel_share` of its distance (negative: away)
    arc     goes round by `sweep_rad` while its elevation changes by `rise_rad`
    """

    path: Path
    loop: bool = False  # out in the middle of the clip, and back to bitwise the same pose at its end
    look_at_m: Vec3
    distance_m: float  # at the start of the path
    elevation_rad: float
    azimuth_rad: float  # of the camera as seen from the look-at point, at t = 0; 0 is -y (in front), positive to +x
    sweep_rad: float = 0.0
    rise_rad: float = 0.0
    travel_share: float = 0.0
    fov_rad: float  # horizontal


@dataclass(frozen=True, kw_only=True)
class OccluderPlan:
    """Something opaque that comes before the target, stays, and leaves. Upright; its base is centred on its origin."""

    kind: str  # key of scenes.occluders.OCCLUDERS
    size_m: Vec3  # width, thickness, height
    location_m: Vec3  # of its base while it hides the target
    yaw_rad: float  # its broad side faces its own -y
    enter_m: Vec3  # where it comes from, relative to location_m
    exit_m: Vec3  # where it goes to, relative to location_m
    rgb: Vec3


Kind = Literal["look_away", "occluder", "lights_off", "fog", "blackout", "frame_drop", "corrupt"]
Motion = Literal["none", "yaw", "pitch", "translate"]
Corruption = Literal["none", "noise", "blur", "blocks"]


@dataclass(frozen=True, kw_only=True)
class InterruptionPlan:
    """A solved interruption: times in clip seconds, ramps included.

    out_s .. hidden_from_s: the way out (turn, entrance, dimming ...; may take no time); hidden_from_s .. hidden_to_s:
    fully hidden; hidden_to_s .. back_s: the way back. Outside [out_s, back_s] everything is exactly as without it.
    """

    kind: Kind
    target: str  # event id
    out_s: float
    hidden_from_s: float
    hidden_to_s: float
    back_s: float
    motion: Motion = "none"  # look_away
    turn_rad: float = 0.0  # yaw: greatest turn, positive to the left; pitch: positive up
    shift_m: Vec3 = (0.0, 0.0, 0.0)  # translate: greatest shift in the world
    occluder: OccluderPlan | None = None
    event_lights: bool = False  # lights_off: what glows in the events goes out too
    corruption: Corruption = "none"


@dataclass(frozen=True, kw_only=True)
class RenderPlan:
    engine: str  # cycles
    samples: int
    denoise: bool
    seed: int


@dataclass(frozen=True, kw_only=True)
class ScenePlan:
    """Everything a renderer needs; the same plan gives the same bytes."""

    version: int
    name: str
    spec_seed: int
    index: int  # which sample of the spec
    clip: ClipPlan
    world: WorldPlan
    events: tuple[EventPlan, ...]
    camera: CameraPlan
    interruptions: tuple[InterruptionPlan, ...]
    render: RenderPlan
    outputs: tuple[str, ...]

    @property
    def scene_id(self) -> str:
        """Digest of the plan without camera, interruptions, render settings and outputs; splits go by it."""
        full = self.to_dict()
        kept = {k: full[k] for k in ("version", "world", "events")}
        return digest(kept)[:16]

    @property
    def plan_id(self) -> str:
        """Content hash of the whole plan, 64 hex digits."""
        return digest(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        return rounded(dataclasses.asdict(self))

    def to_json(self) -> str:
        """Canonical text: what is hashed, stored with the clip and read back to an equal plan."""
        return json.dumps(self.to_dict(), sort_keys=True, indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Raises ValueError with the field's name when `data` is not a plan of this version."""
        if not isinstance(data, dict) or data.get("version") != PLAN_VERSION:
            raise ValueError(f"version: not a scene plan of version {PLAN_VERSION}")
        return _build(cls, data, "plan")

    @classmethod
    def read(cls, path: pathlib.Path) -> Self:
        try:
            data = json.loads(pathlib.Path(path).read_text())
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}: not JSON: {error}") from None
        return cls.from_dict(data)


def rounded(value: Any) -> Any:
    """The same tree with floats rounded to 9 significant digits and tuples as lists: hashes ignore noise."""
    if isinstance(value, bool) or value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {str(k): rounded(v) for k, v in value.items()}
    return [rounded(v) for v in value]


def digest(tree: Any) -> str:
    """sha256 of the canonical JSON of a tree of plain values."""
    text = json.dumps(rounded(tree), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _build(kind: Any, data: Any, place: str) -> Any:
    """Rebuild a frozen dataclass from plain JSON values, naming the place of whatever is wrong."""
    if dataclasses.is_dataclass(kind):
        return _build_dataclass(kind, data, place)
    origin = typing.get_origin(kind)
    if origin is types.UnionType:  # `X | None`
        return None if data is None else _build(typing.get_args(kind)[0], data, place)
    if origin is tuple:
        return _build_tuple(typing.get_args(kind), data, place)
    if origin is Literal:
        if data not in typing.get_args(kind):
            raise ValueError(f"{place}: expected one of {', '.join(map(str, typing.get_args(kind)))}")
        return data
    if origin is dict:
        if not isinstance(data, dict):
            raise ValueError(f"{place}: expected an object")
        return dict(data)
    if kind is float and isinstance(data, int | float) and not isinstance(data, bool):
        return float(data)
    if kind is Any or (isinstance(data, kind) and not (kind is int and isinstance(data, bool))):
        return data
    raise ValueError(f"{place}: expected {kind.__name__}, got {data!r}")


def _build_dataclass(kind: Any, data: Any, place: str) -> Any:
    if not isinstance(data, dict):
        raise ValueError(f"{place}: expected an object")
    hints = typing.get_type_hints(kind)
    names = {f.name for f in dataclasses.fields(kind)}
    required = {f.name for f in dataclasses.fields(kind) if f.default is dataclasses.MISSING}
    if unknown := set(data) - names:
        raise ValueError(f"{place}: unknown field {sorted(unknown)[0]!r}")
    if missing := required - set(data):
        raise ValueError(f"{place}: missing field {sorted(missing)[0]!r}")
    return kind(**{k: _build(hints[k], v, f"{place}.{k}") for k, v in data.items()})


def _build_tuple(args: tuple[Any, ...], data: Any, place: str) -> Any:
    if not isinstance(data, list):
        raise ValueError(f"{place}: expected a list")
    if args[-1] is Ellipsis:
        return tuple(_build(args[0], v, f"{place}[{i}]") for i, v in enumerate(data))
    if len(data) != len(args):
        raise ValueError(f"{place}: expected {len(args)} values")
    return tuple(_build(a, v, f"{place}[{i}]") for i, (a, v) in enumerate(zip(args, data, strict=True)))
