"""The YAML of a scene spec (DESIGN section 5) as pydantic models. Values may be distributions.

Only what is built is accepted; what the design names but nobody has built yet is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from scenes.distributions import Value, fixed, uniform
from scenes.errors import Problem, Source
from scenes.fields import Point, Quantity, Resolution, Size, Vocabulary, Word, as_pydantic
from scenes.limits import (
    FPS,
    MAX_CLIP_S,
    MAX_CLUTTER,
    MAX_EVENTS,
    MAX_FRAMES,
    MAX_INTERRUPTIONS,
    MAX_SAMPLES,
    OUTPUT_NAMES,
    SIDE_PX,
)

OUTPUTS = Vocabulary(OUTPUT_NAMES, drawable=False)
KINDS = ("look_away", "occluder", "lights_off", "fog", "blackout", "frame_drop", "corrupt")
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, use_attribute_docstrings=True)


class ClipSpec(Model):
    num_frames: Annotated[Value, Quantity(2, MAX_FRAMES, "frames", integer=True)] | None = None
    """Frames of the clip (default 81)."""
    duration_s: Annotated[Value, Quantity(0.05, MAX_CLIP_S, "s")] | None = None
    """Instead of num_frames: a whole number of frames."""
    fps: Annotated[Value, Quantity(*FPS, "frames/s")] = fixed(16)
    resolution: Annotated[tuple[int, int], Resolution(*SIDE_PX)] = (256, 256)

    @model_validator(mode="after")
    def _one_length(self) -> ClipSpec:
        if self.num_frames is not None and self.duration_s is not None:
            raise as_pydantic(Problem("num_frames already says how long the clip is; keep one", ("duration_s",)))
        return self


class LightSpec(Model):
    preset: Annotated[Word, Vocabulary(("studio", "window", "dim", "day", "evening", "overcast"))] | None = None
    """In rooms studio (even and bright; the default), window (warm, strong from one side) or dim (dark, for candles and
    lamps); outdoors day (high sun; the default), evening (low warm sun) or overcast (hardly a shadow). Of several, one
    that fits the world is drawn."""
    strength: Annotated[Value, Quantity(0.2, 3.0, "times the preset")] = fixed(1.0)


class WorldSpec(Model):
    kind: Annotated[Word, Vocabulary(("tabletop", "room", "shelf", "outdoor"))] = Word(("tabletop",))
    """tabletop: on a table; room: on the floor or a low stand; shelf: on a board, only for small subjects seen from in
    front; outdoor: on lawn, paving or soil under the sky. What is too large for a table stands on the floor."""
    clutter: Annotated[Value, Quantity(0, MAX_CLUTTER, "things", integer=True)] = Value(
        "uniform_int", (2, 5), integer=True
    )
    """Things that stand around the event without hiding it."""
    light: LightSpec = LightSpec()


class EventSpec(Model):
    id: Name
    type: str
    """An event type of the library, e.g. tank_filling."""
    at: Annotated[str | tuple[float, float], Point(2, names="centre, left or right")] = "centre"
    """Where it stands: centre, left, right, or [x, y] in metres (x to the right, y away from the camera)."""
    yaw_deg: Annotated[Value, Quantity(-180, 180, "deg")] = fixed(0)
    """Turn about the vertical; 0 shows the event's front to a camera at azimuth 0."""
    start_s: Annotated[Value, Quantity(-120, 0, "s")] = fixed(0)
    """Clip time at which the event's own clock is 0; negative: already running when the clip starts."""
    params: dict[str, Any] = {}
    """Parameters of the type; those left out are drawn from the type's own ranges."""


class CameraSpec(Model):
    path: Annotated[Word, Vocabulary(("static", "pan", "orbit", "dolly", "arc"))] = Word(("static",))
    """static; pan: turns by sweep_deg; orbit: goes round by sweep_deg; dolly: nearer by travel; arc: round and up."""
    loop: Annotated[bool, Field(strict=True)] = False
    """Out along the path and back to the exact same pose, in which it also rests at the start and the end."""
    look_at: Annotated[str | tuple[float, float, float], Point(3, names="an event's id, or centre")] = "centre"
    distance_m: Annotated[Value, Quantity(0.05, 50, "m")] | None = None
    """Left out: the planner frames what the event ever occupies at about 60 % of the picture."""
    fov_deg: Annotated[Value, Quantity(15, 90, "deg")] = fixed(40)
    """Horizontal field of view."""
    elevation_deg: Annotated[Value, Quantity(2, 70, "deg")] | None = None
    """Left out: what shows the looked-at event best (for most types 14 to 24)."""
    azimuth_deg: Annotated[Value, Quantity(-180, 180, "deg")] = uniform(-15, 15)
    """0 looks along +y, positive to the right of the event."""
    sweep_deg: Annotated[Value, Quantity(-180, 180, "deg")] | None = None
    """pan: turn of the camera (default 10 deg); orbit, arc: change of azimuth (default 24 or 30 deg); either way."""
    rise_deg: Annotated[Value, Quantity(-60, 60, "deg")] | None = None
    """arc: change of elevation (default 8 to 16 deg)."""
    travel: Annotated[Value, Quantity(-1.0, 0.8, "of the distance")] | None = None
    """dolly: share of the distance that it goes nearer, negative: away (default 0.2 to 0.35)."""


class InterruptionSpec(Model):
    kind: Annotated[Word, Vocabulary(KINDS)]
    """look_away: the camera; occluder: something before the target; lights_off; fog; blackout: a black picture;
    frame_drop: no pictures at all; corrupt: a broken signal."""
    target: Name
    """Id of the event that must not be seen."""
    hidden_s: Annotated[Value, Quantity(0.1, 300, "s")] = uniform(2.0, 3.0)
    """How long nothing of it is seen, without the way out and back."""
    at_s: Annotated[Value, Quantity(0, 600, "s")] | None = None
    """Clip time at which the way out begins; left out: the planner looks for a good one. With it, interruptions of
    different natures may overlap."""
    turn_s: Annotated[Value, Quantity(0, 10, "s")] | None = None
    """Time of the way out, and of the way back (default: 0.6 s to look away, 0.5 s for an occluder, 0.3 s for the
    light, 0.8 s for fog, 0.25 s for a broken signal, none for blackout and frame_drop)."""
    motion: Annotated[Word, Vocabulary(("yaw", "pitch", "translate"))] | None = None
    """look_away: how the camera goes (default yaw)."""
    direction: Annotated[Word, Vocabulary(("left", "right", "up", "down"))] | None = None
    """look_away: where to; occluder: the side it comes from. Left out: any that works."""
    turn_deg: Annotated[Value, Quantity(5, 180, "deg")] | None = None
    """look_away by yaw or pitch: greatest turn; left out: solved, so that nothing of the event is seen."""
    shift_m: Annotated[Value, Quantity(0.01, 100, "m")] | None = None
    """look_away by translate: greatest shift; left out: solved."""
    occluder: Annotated[Word, Vocabulary(("board", "curtain", "crate"))] | None = None
    """occluder: what it is. board and curtain leave by the side they came from, a crate passes through."""
    size_m: Annotated[tuple[float, float], Size()] | None = None
    """occluder: [width, height]; left out: solved."""
    event_lights: Annotated[bool, Field(strict=True)] = False
    """lights_off: whatever glows in the events goes out too; without it, events that give light refuse lights_off."""
    corruption: Annotated[Word, Vocabulary(("noise", "blur", "blocks"))] | None = None
    """corrupt: static, defocus, or lost blocks; left out: any of them."""


FIELDS_OF_KINDS: Mapping[str, tuple[str, ...]] = {
    "motion": ("look_away",),
    "direction": ("look_away", "occluder"),
    "turn_deg": ("look_away",),
    "shift_m": ("look_away",),
    "occluder": ("occluder",),
    "size_m": ("occluder",),
    "event_lights": ("lights_off",),
    "corruption": ("corrupt",),
}


class RenderSpec(Model):
    engine: Annotated[Word, Vocabulary(("cycles", "preview"), ("eevee",), drawable=False)] = Word(("cycles",))
    samples: Annotated[Value, Quantity(1, MAX_SAMPLES, "samples", integer=True)] = fixed(8)
    denoise: Annotated[bool, Field(strict=True)] = True


class SceneSpec(Model):
    """A scene spec as read from YAML; `scenes.loading.load_spec` makes it, `scenes.sampling.sample_plans` uses it."""

    version: Annotated[int, Field(strict=True, ge=1, le=1)]
    name: Name
    seed: Annotated[int, Field(strict=True, ge=0, le=2**53)] = 0
    """All randomness derives from it."""
    clip: ClipSpec = ClipSpec()
    world: WorldSpec = WorldSpec()
    events: Annotated[tuple[EventSpec, ...], Field(min_length=1, max_length=MAX_EVENTS)]
    camera: CameraSpec = CameraSpec()
    interruptions: Annotated[tuple[InterruptionSpec, ...], Field(max_length=MAX_INTERRUPTIONS)] = ()
    render: RenderSpec = RenderSpec()
    outputs: Annotated[tuple[Annotated[Word, OUTPUTS], ...], Field(min_length=1, max_length=len(OUTPUT_NAMES))] = tuple(
        Word((name,)) for name in OUTPUTS.available
    )
    _source: Source = PrivateAttr(default_factory=Source)

    @property
    def source(self) -> Source:
        """Where the spec was read from, for errors that are found only while planning."""
        return self._source

    @property
    def output_names(self) -> tuple[str, ...]:
        return tuple(word.options[0] for word in self.outputs)

    @model_validator(mode="after")
    def _references(self) -> SceneSpec:
        if problem := _wrong_reference(self):
            raise as_pydantic(problem)
        return self


def _idle_path_field(camera: CameraSpec) -> Problem | None:
    """A number of the camera's path that none of the paths it can have uses."""
    uses = {"sweep_deg": {"pan", "orbit", "arc"}, "rise_deg": {"arc"}, "travel": {"dolly"}}
    for name, paths in uses.items():
        if getattr(camera, name) is not None and not paths & set(camera.path.options):
            return Problem(f"only the path {' or '.join(sorted(paths))} uses it; remove it", (name,))
    if camera.loop and camera.path.options == ("static",):
        return Problem("a static camera has no way to loop; give a path", ("loop",))
    return None


def _meaningless(interruption: InterruptionSpec) -> Problem | None:
    """A field that none of the kinds this interruption can have knows, or that its motion has no use for."""
    for name, kinds in FIELDS_OF_KINDS.items():
        if getattr(interruption, name) not in (None, False) and not set(kinds) & set(interruption.kind.options):
            return Problem(f"only {' and '.join(kinds)} know it; remove it", (name,))
    motions = ("yaw",) if interruption.motion is None else interruption.motion.options
    if interruption.turn_deg is not None and set(motions) <= {"translate"}:
        return Problem("translate does not turn; give shift_m, or remove it", ("turn_deg",))
    if interruption.shift_m is not None and "translate" not in motions:
        return Problem("only `motion: translate` shifts; remove it", ("shift_m",))
    return None


def _wrong_reference(spec: SceneSpec) -> Problem | None:
    """Names that point nowhere, names given twice, and fields without a meaning where they stand."""
    ids = [event.id for event in spec.events]
    for i, event in enumerate(spec.events):
        if event.id in ids[:i]:
            return Problem(f"{event.id!r} is the id of another event; ids must differ", ("events", i, "id"))
        if isinstance(event.at, str) and event.at not in ("centre", "left", "right"):
            return Problem(
                f"unknown spot {event.at[:40]!r}; known: centre, left, right, or [x, y]", ("events", i, "at")
            )
    if problem := _idle_path_field(spec.camera):
        return problem.under("camera")
    known = ", ".join(ids)
    for i, interruption in enumerate(spec.interruptions):
        place = ("interruptions", i)
        if interruption.target not in ids:
            return Problem(f"no event has the id {interruption.target!r}; events: {known}", (*place, "target"))
        if problem := _meaningless(interruption):
            return problem.under(*place)
    look_at = spec.camera.look_at
    if isinstance(look_at, str) and look_at not in [*ids, "centre"]:
        return Problem(f"no event has the id {look_at[:40]!r}; known: centre, {known}", ("camera", "look_at"))
    for i, name in enumerate(spec.output_names):
        if name in spec.output_names[:i]:
            return Problem(f"{name!r} is listed twice", ("outputs", i))
    if "rgb" not in spec.output_names:
        return Problem("rgb is always rendered; add it", ("outputs",))
    return None
