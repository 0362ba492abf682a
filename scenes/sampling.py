"""`SceneSpec -> ScenePlan`: the only place where anything is drawn. Plan i depends on the spec and on i alone."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from event_library.base import Event, Unaccepted, nearest_accepted
from scenes.clock import Clock
from scenes.distributions import Value, uniform
from scenes.errors import Problem, under
from scenes.fields import Word
from scenes.framing import duration_s, fitted_distance_m
from scenes.lighting import vec3
from scenes.limits import MAX_FRAMES, check_clip_size
from scenes.loading import EventTypes, registered_types
from scenes.occupancy import Occupancy, hull_points, occupancy, union_box
from scenes.placing import standing_places
from scenes.plan import (
    PLAN_VERSION,
    CameraPlan,
    ClipPlan,
    Corruption,
    EventPlan,
    InterruptionPlan,
    Kind,
    Motion,
    Path,
    RenderPlan,
    ScenePlan,
    rounded,
)
from scenes.planning import check_hideable, solve
from scenes.poses import standing_pose
from scenes.seeding import derived_seed, generator
from scenes.spec import EventSpec, InterruptionSpec, SceneSpec
from scenes.staging import Running, Staged, check_framed, check_seen
from scenes.windows import TURN_S, Request, check_times, fitting_slack_s, place_windows, spanned
from scenes.worlds.building import WorldDraw, check_light, check_lights_out

Array = NDArray[np.float64]
FILLS = (0.62, 0.7, 0.8, 0.88)  # shares of the picture for the framed subject, the first that shows enough
HULL_MARGIN = 1.1  # hulls cover more pixels than what they hold: first ask for so many times what is needed
TRIES = 10  # whole draws of a plan before the last reason is reported
PARAM_TRIES, COSTLY_PARAM_TRIES = 100, 20  # draws of the params that a spec gives as distributions
NUM_INSTANTS = 24  # at which occupied space is sampled
SWEEP_DEG = Value("choice", (-30, -24, 24, 30))  # of orbits and arcs
PAN_DEG = Value("choice", (-10, 10))
RISE_DEG = uniform(8, 16)
TRAVEL = uniform(0.2, 0.35)


def sample_plans(
    spec: SceneSpec, count: int, start_index: int = 0, event_types: EventTypes | None = None
) -> list[ScenePlan]:
    """Plans `start_index` .. `start_index + count - 1` of a spec; plan i is the same whatever is asked for with it.

    Raises SpecError (file, line, field, reason, fix) when no draw can be hidden, seen or placed.
    """
    types = registered_types() if event_types is None else event_types
    return [_plan(spec, index, types) for index in range(start_index, start_index + count)]


def _plan(spec: SceneSpec, index: int, types: EventTypes) -> ScenePlan:
    last: Problem | None = None
    for attempt in range(TRIES):
        try:
            return _Draw(spec, index, attempt, types).plan()
        except Problem as problem:
            last = problem
            if problem.final:
                break
    assert last is not None
    raise spec.source.error([last])


@dataclass(frozen=True)
class _Draw:
    """One attempt at one plan."""

    spec: SceneSpec
    index: int
    attempt: int
    types: EventTypes

    def rng(self, *names: str) -> np.random.Generator:
        return generator(self.spec.seed, self.index, self.attempt, *names)

    def plan(self) -> ScenePlan:
        """The finished plan, equal to its own read-back. Raises Problem with a place in the spec."""
        spec, clip = self.spec, self._clip()
        world_kind = spec.world.kind.sample(self.rng("world"))
        requests = [self._request(i, wanted, clip) for i, wanted in enumerate(spec.interruptions)]
        with under("interruptions"):
            fitting_slack_s(requests, clip)
            check_lights_out(world_kind, [request.kind for request in requests])
        with under("world", "light"):
            check_light(world_kind, spec.world.light)
        longest_s = max((request.whole_s for request in requests), default=0.0)
        events = {event.id: self._event(i, event) for i, event in enumerate(spec.events)}
        self._check_hideable(requests, events)
        running = Running(clip, self._started(events), events)
        with under("interruptions"):
            windows = place_windows(requests, running, self.rng("windows"), suggest=self.attempt == TRIES - 1)
        joint = [whole for whole, window in zip(spanned(windows), windows, strict=True) if whole != window]
        longest_s = max([longest_s, *(whole.back_s - whole.out_s for whole in joint)])
        plans, occupancies = self._placed(running, duration_s(clip) + 1.5 * longest_s)
        staged = Staged(clip, plans, events, self._direction(occupancies), occupancies)
        staged = self._framed(staged, windows)
        with under("world"):
            world, site = WorldDraw(spec.world, staged, self.rng).build(world_kind)
        with under("interruptions"):
            interruptions = solve(requests, windows, staged, world, site, self.rng("turns"))
        draft = ScenePlan(
            version=PLAN_VERSION,
            name=spec.name,
            spec_seed=spec.seed,
            index=self.index,
            clip=clip,
            world=world,
            events=tuple(plans.values()),
            camera=staged.camera,
            interruptions=interruptions,
            render=self._render(),
            outputs=spec.output_names,
        )
        return ScenePlan.from_dict(draft.to_dict())

    def _clip(self) -> ClipPlan:
        clip, rng = self.spec.clip, self.rng("clip")
        fps = float(clip.fps.sample(rng))
        if clip.duration_s is None:
            num_frames = int(clip.num_frames.sample(rng)) if clip.num_frames is not None else 81
        else:
            num_frames = self._num_frames(clip.duration_s, fps, rng)
        width_px, height_px = clip.resolution
        outputs, num_events = self.spec.output_names, len(self.spec.events)
        if reason := check_clip_size(num_frames, fps, width_px, height_px, outputs, num_events):
            raise Problem(reason, ("clip",))
        return ClipPlan(num_frames=num_frames, fps=fps, width_px=width_px, height_px=height_px)

    def _num_frames(self, duration: Value, fps: float, rng: np.random.Generator) -> int:
        """A fixed duration must be whole frames; a drawn one is taken to the nearest."""
        place = ("clip", "duration_s")
        wanted_s = float(duration.sample(rng))
        if not duration.fixed:
            wanted_s = max(1, round(wanted_s * fps)) / fps
        try:
            num_frames = Clock.from_duration(wanted_s, fps).num_frames
        except ValueError as error:
            raise Problem(str(error), place) from None
        if not 2 <= num_frames <= MAX_FRAMES:
            raise Problem(
                f"{wanted_s:g} s at {fps:g} fps is {num_frames} frames; 2 to {MAX_FRAMES} are possible", place
            )
        return num_frames

    # ---- events
    def _event(self, i: int, wanted: EventSpec) -> Event:
        """An event whose parameters are already what the plan will store, accept rules included."""
        kind, rng = self.types[wanted.type], self.rng("events", wanted.id)
        by_name = {spec.yaml_name: spec for spec in kind.param_specs()}
        num_tries = COSTLY_PARAM_TRIES if kind.costly_rules else PARAM_TRIES
        if all(value.fixed for value in wanted.params.values()):
            num_tries = 1
        for _ in range(num_tries):
            fixed = {by_name[n].name: by_name[n].from_yaml(v.sample(rng)) for n, v in sorted(wanted.params.items())}
            fixed = {n: int(v) if isinstance(v, int) else float(v) for n, v in fixed.items()}
            try:
                sampled = kind.accepted(rng, fixed, max(kind.num_draws() // num_tries, 1))
                event = kind(**rounded(sampled.params()))
            except Unaccepted as error:
                reason = str(error)
                continue
            except ValueError as error:
                raise Problem(str(error), ("events", i, "params")) from None
            if not event.rejection():
                return event
            reason = f"after rounding, {event.rejection()}"
        reason = f"{reason}: {nearest_accepted(kind, fixed)}"
        raise Problem(f"{reason}; change or leave out some of the params", ("events", i, "params"), final=True)

    def _started(self, events: Mapping[str, Event]) -> dict[str, EventPlan]:
        """Every event with its start and its turn, still at the origin."""
        plans = {}
        for spec in self.spec.events:
            rng = self.rng("placing", spec.id)
            yaw_rad = float(np.deg2rad(spec.yaw_deg.sample(rng)))
            start_s = float(spec.start_s.sample(rng))
            plans[spec.id] = EventPlan(
                id=spec.id,
                type=spec.type,
                params=events[spec.id].params(),
                location_m=(0.0, 0.0, 0.0),
                yaw_rad=yaw_rad,
                start_s=start_s,
            )
        return plans

    def _placed(self, running: Running, seen_s: float) -> tuple[dict[str, EventPlan], dict[str, Occupancy]]:
        """Where events stand and what they occupy from the clip's start to `seen_s` (the sweep looks past it)."""
        plans, at_origin = dict(running.plans), {}
        for name, plan in plans.items():
            times = np.linspace(-plan.start_s, seen_s - plan.start_s, NUM_INSTANTS)
            at_origin[name] = occupancy(running.events[name], standing_pose(plan), times)
        places = standing_places(self.spec.events, {name: found.box_m for name, found in at_origin.items()})
        for name, (x, y) in places.items():
            plans[name] = dataclasses.replace(plans[name], location_m=(x, y, 0.0))
            at_origin[name] = at_origin[name].moved(np.array([x, y, 0.0]))
        return plans, at_origin

    # ---- camera
    def _direction(self, occupancies: Mapping[str, Occupancy]) -> CameraPlan:
        """The camera with everything but its distance (1 m for now)."""
        spec, rng = self.spec.camera, self.rng("camera")
        path = cast(Path, spec.path.sample(rng))
        if isinstance(spec.look_at, tuple):
            look_at = np.asarray(spec.look_at, dtype=np.float64)
        else:
            look_at = union_box(self._subject(occupancies)).mean(axis=0)
        elevation_rad = float(np.deg2rad(self._elevation_deg().sample(rng)))
        azimuth_rad = float(np.deg2rad(spec.azimuth_deg.sample(rng)))
        usual_sweep = PAN_DEG if path == "pan" else SWEEP_DEG
        sweep_rad = float(np.deg2rad((spec.sweep_deg or usual_sweep).sample(rng)))
        rise_rad = float(np.deg2rad((spec.rise_deg or RISE_DEG).sample(rng)))
        if path == "arc" and not np.deg2rad(1.0) <= elevation_rad + rise_rad <= np.deg2rad(80.0):
            raise Problem(
                f"an arc from {np.rad2deg(elevation_rad):.0f} deg by {np.rad2deg(rise_rad):.0f} deg leaves [1, 80] deg"
                "; change rise_deg or elevation_deg",
                ("camera", "rise_deg"),
            )
        return CameraPlan(
            path=path,
            loop=spec.loop and path != "static",
            look_at_m=vec3(look_at),
            distance_m=1.0,
            elevation_rad=elevation_rad,
            azimuth_rad=azimuth_rad,
            sweep_rad=sweep_rad if path in ("pan", "orbit", "arc") else 0.0,
            rise_rad=rise_rad if path == "arc" else 0.0,
            travel_share=float((spec.travel or TRAVEL).sample(rng)) if path == "dolly" else 0.0,
            fov_rad=float(np.deg2rad(spec.fov_deg.sample(rng))),
        )

    def _elevation_deg(self) -> Value:
        """The height asked for, or what suits the event that the camera looks at (the first one, if none)."""
        if self.spec.camera.elevation_deg is not None:
            return self.spec.camera.elevation_deg
        named = [e for e in self.spec.events if e.id == self.spec.camera.look_at] or self.spec.events
        return uniform(*self.types[named[0].type].info.elevation_deg)

    def _subject(self, occupancies: Mapping[str, Occupancy]) -> list[Occupancy]:
        """What the camera frames: the event it looks at, or all of them."""
        named = occupancies.get(self.spec.camera.look_at) if isinstance(self.spec.camera.look_at, str) else None
        return [named] if named is not None else list(occupancies.values())

    def _framed(self, staged: Staged, windows: list[InterruptionPlan]) -> Staged:
        """With the camera's distance: the one asked for, or the furthest at which the targets show enough."""
        asked = self.spec.camera.distance_m
        if asked is not None:
            return _seen(staged, float(asked.sample(self.rng("distance"))), windows)
        points = hull_points(np.vstack([found.points_m for found in self._subject(staged.occupancies)]))
        for margin, fill in itertools.product((HULL_MARGIN, 1.0), FILLS):
            distance_m = fitted_distance_m(points, staged.camera, staged.clip, fill)
            try:
                return _seen(staged, distance_m, windows, margin)
            except Problem as problem:
                last = problem
        raise last

    # ---- interruptions
    def _request(self, i: int, wanted: InterruptionSpec, clip: ClipPlan) -> Request:
        rng = self.rng("interruptions", str(i))
        kind = cast(Kind, wanted.kind.sample(rng))
        corruption = wanted.corruption or Word(("noise", "blur", "blocks"))
        request = Request(
            kind=kind,
            target=wanted.target,
            hidden_s=float(wanted.hidden_s.sample(rng)),
            turn_s=float(wanted.turn_s.sample(rng)) if wanted.turn_s is not None else TURN_S[kind],
            at_s=float(wanted.at_s.sample(rng)) if wanted.at_s is not None else None,
            motion=cast(Motion, (wanted.motion or Word(("yaw",))).sample(rng)),
            direction=wanted.direction.sample(rng) if wanted.direction is not None else None,
            turn_rad=float(np.deg2rad(wanted.turn_deg.sample(rng))) if wanted.turn_deg is not None else None,
            shift_m=float(wanted.shift_m.sample(rng)) if wanted.shift_m is not None else None,
            occluder=(wanted.occluder or Word(("board", "curtain", "crate"))).sample(rng),
            size_m=wanted.size_m,
            event_lights=wanted.event_lights,
            corruption=cast(Corruption, corruption.sample(rng) if kind == "corrupt" else "none"),
        )
        with under("interruptions", i):
            check_times(request, clip.fps)
        return request

    def _check_hideable(self, requests: list[Request], events: Mapping[str, Event]) -> None:
        for i, request in enumerate(requests):
            with under("interruptions", i):
                check_hideable(request, events)

    def _render(self) -> RenderPlan:
        spec, rng = self.spec.render, self.rng("render")
        seed = derived_seed(self.spec.seed, self.index, "render") % 2**31
        return RenderPlan(
            engine=spec.engine.sample(rng), samples=int(spec.samples.sample(rng)), denoise=spec.denoise, seed=seed
        )


def _seen(staged: Staged, distance_m: float, windows: list[InterruptionPlan], margin: float = 1.0) -> Staged:
    """With this distance of the camera, if every target then stays in the picture and shows enough of its state."""
    nearer = dataclasses.replace(staged, camera=dataclasses.replace(staged.camera, distance_m=distance_m))
    for i, window in enumerate(spanned(windows)):
        check_framed(window.target, nearer)
        with under("interruptions", i):
            check_seen(window, nearer, margin)
    return nearer
