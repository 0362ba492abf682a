"""A concrete scene plan: no randomness left, canonical JSON, hashed. Only `SceneSpec -> ScenePlan` draws."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import pathlib
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from scenes.limits import (
    FPS,
    MAX_EVENTS,
    MAX_FRAMES,
    MAX_INTERRUPTIONS,
    MAX_LIGHTS,
    MAX_PLAN_BYTES,
    MAX_PROPS,
    MAX_S,
    MAX_SAMPLES,
    OUTPUT_NAMES,
    SIDE_PX,
    check_clip_size,
)
from scenes.plan_reading import Between, Each, Matching, OneOf, build
from untrusted import NAME, one_line, read_json

PLAN_VERSION = 2
Name = Annotated[str, Matching(NAME, "letters, digits, _ and - (at most 64)")]
Output = Annotated[str, OneOf(OUTPUT_NAMES)]
Angle = Annotated[float, Between(-100, 100)]  # some turns either way
Vec3 = tuple[float, float, float]
Rgb = Annotated[tuple[float, float, float], Each(0, 1000)]


@dataclass(frozen=True, kw_only=True)
class ClipPlan:
    num_frames: Annotated[int, Between(2, MAX_FRAMES)]
    fps: Annotated[float, Between(*FPS)]
    width_px: Annotated[int, Between(*SIDE_PX)]
    height_px: Annotated[int, Between(*SIDE_PX)]


@dataclass(frozen=True, kw_only=True)
class LightPlan:
    """A lamp of the world. Rectangle area lamp at `location_m`, shining towards `target_m`."""

    name: Name
    location_m: Vec3
    target_m: Vec3
    size_m: Annotated[float, Between(0, 100)]
    power_w: Annotated[float, Between(0, 1e6)]
    rgb: Rgb


@dataclass(frozen=True, kw_only=True)
class SkyPlan:
    """The open sky and its sun.

    clear     Blender's sky model (Nishita) as background, its radiance times `strength`
    overcast  a grey dome whose mean radiance is the world's `ambient_rgb`
    """

    kind: Literal["clear", "overcast"]
    strength: Annotated[float, Between(0, 1000)]
    sun_elevation_rad: Annotated[float, Between(-1.6, 1.6)]
    sun_azimuth_rad: Angle  # as the camera's: 0 is -y, positive to +x
    sun_w_per_m2: Annotated[float, Between(0, 1e4)]  # on a surface that faces it
    sun_rgb: Rgb
    sun_angle_rad: Annotated[
        float, Between(0, 3.2)
    ]  # across its disc, or across the bright part of the clouds: softness of shadows

    @property
    def towards_sun(self) -> Vec3:
        """Unit vector."""
        flat = math.cos(self.sun_elevation_rad)
        x, y = math.sin(self.sun_azimuth_rad), -math.cos(self.sun_azimuth_rad)
        return flat * x, flat * y, math.sin(self.sun_elevation_rad)


@dataclass(frozen=True, kw_only=True)
class PropPlan:
    """A static thing of the world: a builder's name, its numbers, and a pose on the support."""

    name: Name
    kind: Name  # key of scenes.props.PROPS
    location_m: Vec3
    yaw_rad: Angle
    params: dict[str, Any]  # numbers, colours (lists of 3) and pattern names for the builder


@dataclass(frozen=True, kw_only=True)
class WorldPlan:
    kind: Name  # key of scenes.worlds.WORLDS
    props: Annotated[tuple[PropPlan, ...], Between(0, MAX_PROPS)]  # includes table, cloth, wall, ...
    lights: Annotated[tuple[LightPlan, ...], Between(0, MAX_LIGHTS)]
    ambient_rgb: Rgb  # background radiance, linear; under a sky the mean of its dome
    sky: SkyPlan | None = None  # outdoors


@dataclass(frozen=True, kw_only=True)
class EventPlan:
    """One event in the world: `world_from_event` is a yaw about z followed by a translation."""

    id: Name
    type: Name
    params: dict[str, float]  # the class's own field names, angles in radians
    location_m: Vec3
    yaw_rad: Angle
    start_s: Annotated[
        float, Between(-MAX_S, MAX_S)
    ]  # clip time at which the event's own clock is 0; may be negative (already running)


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
    distance_m: Annotated[float, Between(1e-3, 1000)]  # at the start of the path
    elevation_rad: Annotated[float, Between(-1.57, 1.57)]
    azimuth_rad: Angle  # of the camera as seen from the look-at point, at t = 0; 0 is -y (in front), positive to +x
    sweep_rad: Angle = 0.0
    rise_rad: Angle = 0.0
    travel_share: Annotated[float, Between(-10, 0.99)] = 0.0
    fov_rad: Annotated[float, Between(0.01, 3.1)]  # horizontal


@dataclass(frozen=True, kw_only=True)
class OccluderPlan:
    """Something opaque that comes before the target, stays, and leaves. Upright; its base is centred on its origin."""

    kind: Name  # key of scenes.occluders.OCCLUDERS
    size_m: Annotated[Vec3, Each(1e-3, 1000)]  # width, thickness, height
    location_m: Vec3  # of its base while it hides the target
    yaw_rad: Angle  # its broad side faces its own -y
    enter_m: Vec3  # where it comes from, relative to location_m
    exit_m: Vec3  # where it goes to, relative to location_m
    rgb: Rgb


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
    target: Name  # event id
    out_s: Annotated[float, Between(0, MAX_S)]
    hidden_from_s: Annotated[float, Between(0, MAX_S)]
    hidden_to_s: Annotated[float, Between(0, MAX_S)]
    back_s: Annotated[float, Between(0, MAX_S)]
    motion: Motion = "none"  # look_away
    turn_rad: Angle = 0.0  # yaw: greatest turn, positive to the left; pitch: positive up
    shift_m: Vec3 = (0.0, 0.0, 0.0)  # translate: greatest shift in the world
    occluder: OccluderPlan | None = None
    event_lights: bool = False  # lights_off: what glows in the events goes out too
    corruption: Corruption = "none"


@dataclass(frozen=True, kw_only=True)
class RenderPlan:
    engine: Name  # cycles or preview
    samples: Annotated[int, Between(1, MAX_SAMPLES)]
    denoise: bool
    seed: Annotated[int, Between(0, 2**53)]


@dataclass(frozen=True, kw_only=True)
class ScenePlan:
    """Everything a renderer needs; the same plan gives the same bytes."""

    version: int
    name: Name
    spec_seed: Annotated[int, Between(0, 2**53)]
    index: Annotated[int, Between(0, 2**53)]  # which sample of the spec
    clip: ClipPlan
    world: WorldPlan
    events: Annotated[tuple[EventPlan, ...], Between(0, MAX_EVENTS)]
    camera: CameraPlan
    interruptions: Annotated[tuple[InterruptionPlan, ...], Between(0, MAX_INTERRUPTIONS)]
    render: RenderPlan
    outputs: Annotated[tuple[Output, ...], Between(1, 32)]

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
        """Raises ValueError, `field: reason`, when `data` is not a plan of this version inside the limits.

        What only the event library knows (types, their parameters) is for `scenes.plan_events` to check.
        """
        if not isinstance(data, dict) or data.get("version") != PLAN_VERSION:
            raise ValueError(f"version: not a scene plan of version {PLAN_VERSION}; sample it anew from its spec")
        plan = build(cls, data, "plan")
        check_plan(plan)
        return plan

    @classmethod
    def read(cls, path: pathlib.Path) -> Self:
        """A plan file, which anyone may have written. Raises ValueError: `file: field: reason`, one line."""
        data = read_json(pathlib.Path(path), MAX_PLAN_BYTES)
        try:
            return cls.checked(data)
        except ValueError as error:
            raise ValueError(one_line(f"{path}: {error}")) from None

    @classmethod
    def checked(cls, data: dict[str, Any]) -> Self:
        """As `from_dict`, with the events too as the library's types allow them."""
        from scenes.plan_events import events_of

        plan = cls.from_dict(data)
        events_of(plan)
        return plan


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


def check_plan(plan: ScenePlan) -> None:
    """What fields must be to each other. Raises ValueError, `field: reason`."""
    ids = [event.id for event in plan.events]
    for kind, names in (
        ("events", ids),
        ("world.props", [p.name for p in plan.world.props]),
        ("outputs", plan.outputs),
    ):
        if len(set(names)) < len(names):
            raise ValueError(f"plan.{kind}: two have the same name; names must differ")
    for i, window in enumerate(plan.interruptions):
        place = f"plan.interruptions[{i}]"
        if window.target not in ids:
            raise ValueError(f"{place}.target: no event has the id {window.target!r}; events: {', '.join(ids)}")
        if not window.out_s <= window.hidden_from_s <= window.hidden_to_s <= window.back_s:
            raise ValueError(f"{place}: out_s, hidden_from_s, hidden_to_s and back_s must follow each other")
        if (window.kind == "occluder") != (window.occluder is not None):
            raise ValueError(f"{place}.occluder: an interruption of kind occluder has one, the others have null")
    if "rgb" not in plan.outputs:
        raise ValueError("plan.outputs: rgb is always rendered; add it")
    clip = plan.clip
    if reason := check_clip_size(clip.num_frames, clip.fps, clip.width_px, clip.height_px, plan.outputs, len(ids)):
        raise ValueError(f"plan.clip: {reason}")
