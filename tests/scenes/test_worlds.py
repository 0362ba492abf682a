"""Worlds: closed, free of collisions, in nobody's way; what cannot be is refused."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from scenes.cameras import base_pose
from scenes.clutter import prop_box_m
from scenes.errors import SpecError
from scenes.framing import duration_s, path_times_s
from scenes.lighting import PRESETS, SKY_PRESETS, shadow_points
from scenes.loading import parse_spec
from scenes.occupancy import box_corners
from scenes.plan import LightPlan, PropPlan, ScenePlan, SkyPlan
from scenes.props import PROPS
from scenes.sampling import sample_plans
from scenes.world import world_boxes, world_parts
from scenes.worlds import WORLDS
from scenes.worlds.site import Ground, Site
from tests.scenes.stand_ins import SPEC, TYPES
from tests.scenes.test_plans import occupied

Array = NDArray[np.float64]
FREE = SPEC.replace("light: {preset: studio, strength: {uniform: [0.8, 1.2]}}", "light: {}").replace("[1, 3]", "[2, 6]")
LARGE = FREE.replace("type: rise", "type: swing").replace("{rate_m_per_s: {uniform: [0.006, 0.012]}}", "{}")
CASES = [(FREE, kind) for kind in WORLDS] + [(LARGE, kind) for kind in WORLDS if kind != "shelf"]
LIES_UNDER = ("mat", "rug", "paving", "soil", "ground", "floor")  # things stand on these
HANGS = ("wall", "skirting", "picture", "window", "door", "ceiling")


@cache
def plans(text: str, kind: str, count: int = 4) -> tuple[ScenePlan, ...]:
    spec = parse_spec(text.replace("kind: tabletop", f"kind: {kind}", 1), "k.yaml", TYPES)
    return tuple(sample_plans(spec, count, event_types=TYPES))


def prop_boxes_m(plan: ScenePlan, prop: PropPlan) -> Array:
    """[P, 2, 3] boxes of the prop's parts."""
    return world_boxes(type(plan.world)(kind="", props=(prop,), lights=(), ambient_rgb=(0.0, 0.0, 0.0)))


def eyes_m(plan: ScenePlan) -> Array:
    times = path_times_s(plan.camera, plan.clip)
    return np.stack([base_pose(plan.camera, t, duration_s(plan.clip))[:3, 3] for t in times])


def meet(first: Array, second: Array) -> bool:
    """Whether two boxes overlap by more than a hair."""
    return bool(np.all(first[0] < second[1] - 1e-6) and np.all(second[0] < first[1] - 1e-6))


def hits(origin: Array, way: Array, boxes: Array) -> Array:
    """[B] distance in units of `way` at which a ray enters each box, inf if it never does."""
    with np.errstate(divide="ignore", invalid="ignore"):
        bounds = (boxes - origin) / way
    near, far = np.sort(bounds, axis=1)[:, 0].max(axis=1), np.sort(bounds, axis=1)[:, 1].min(axis=1)
    return np.where((near <= far) & (far > 0), np.maximum(near, 0.0), np.inf)


@pytest.mark.parametrize(("text", "kind"), CASES)
def test_clutter_rests_on_something_and_meets_nothing(text: str, kind: str) -> None:
    for plan in plans(text, kind):
        assert plan.world.kind == kind
        things = [prop for prop in plan.world.props if prop.name.startswith("clutter")]
        others = [prop for prop in plan.world.props if not prop.name.startswith(("clutter", *LIES_UNDER))]
        solid = np.vstack([prop_boxes_m(plan, prop) for prop in others])
        carriers = np.vstack([prop_boxes_m(plan, prop) for prop in plan.world.props if prop not in things])
        events = [found.box_m for found in occupied(plan).values()]
        boxes = [prop_box_m(thing) for thing in things]
        for i, (thing, box) in enumerate(zip(things, boxes, strict=True)):
            parts = prop_boxes_m(plan, thing)
            assert abs(parts[:, 0, 2].min() - thing.location_m[2]) < 1e-6  # its foot is where it stands
            under = np.all(carriers[:, 0, :2] <= box[0, :2], axis=1) & np.all(carriers[:, 1, :2] >= box[1, :2], axis=1)
            assert np.abs(carriers[under, 1, 2] - thing.location_m[2]).min() < 1e-6, thing
            for other in [*boxes[:i], *events, *solid]:
                assert not meet(box, other), (plan.index, thing)


@pytest.mark.parametrize(("text", "kind"), CASES)
def test_furniture_stands_apart_and_on_its_floor(text: str, kind: str) -> None:
    for plan in plans(text, kind):
        skipped = ("clutter", "board", "upright", "border", *HANGS, *LIES_UNDER)
        standing = [prop for prop in plan.world.props if not prop.name.startswith(skipped)]
        boxes = [prop_boxes_m(plan, prop) for prop in standing]
        whole = [np.stack([found[:, 0].min(axis=0), found[:, 1].max(axis=0)]) for found in boxes]
        every = np.vstack([prop_boxes_m(plan, prop) for prop in plan.world.props])
        for i, box in enumerate(whole):
            assert not any(meet(box, other) for other in whole[:i] if kind != "outdoor"), standing[i]
            assert not any(meet(box, found.box_m) for found in occupied(plan).values()), standing[i]
            if standing[i].kind != "table":
                middle = box[:, :2].mean(axis=0)
                under = np.all(every[:, 0, :2] <= middle, axis=1) & np.all(every[:, 1, :2] >= middle, axis=1)
                assert np.abs(every[under, 1, 2] - box[0, 2]).min() < 1e-6


@pytest.mark.parametrize(("text", "kind"), CASES)
def test_nothing_is_in_the_way_and_no_direction_is_empty(text: str, kind: str) -> None:
    rng = np.random.default_rng(0)
    for plan in plans(text, kind)[:4]:
        names = [part.name for part, _ in world_parts(plan.world)]
        assert len(names) == len(set(names))
        boxes = world_boxes(plan.world)
        above = boxes[boxes[:, 1, 2] > 1e-3]
        for eye in eyes_m(plan):
            for found in occupied(plan).values():
                for corner in box_corners(found.box_m + np.array([[0.0, 0.0, 2e-3], [0.0, 0.0, 0.0]])):
                    assert hits(eye, corner - eye, above).min() >= 1.0, plan.index
            assert not np.all((boxes[:, 0] < eye) & (eye < boxes[:, 1]), axis=1).any()
        for way in rng.normal(size=(60, 3)):
            if kind != "outdoor" or way[2] < -0.02 * np.linalg.norm(way[:2]):
                assert np.isfinite(hits(eye, way, boxes).min()), way


@pytest.mark.parametrize("lit", ["lamp", "sun"])
def test_shadows_lie_inside_their_points(lit: str) -> None:
    """Slow twin: points of the box walk away from the lamp until they meet the board, the floor or the wall."""
    rng = np.random.default_rng(1)
    light = LightPlan(
        name="key", location_m=(0.9, -1.4, 0.9), target_m=(0, 0, 0), size_m=0.4, power_w=1.0, rgb=(1, 1, 1)
    )
    sky = SkyPlan(kind="clear", strength=1.0, sun_elevation_rad=0.5, sun_azimuth_rad=0.8, sun_w_per_m2=1.0,
                  sun_rgb=(1, 1, 1), sun_angle_rad=0.01)  # fmt: skip
    board = Ground(z_m=0.0, low_m=(-0.4, -0.2), high_m=(0.4, 0.25))
    floor = Ground(z_m=-0.8, low_m=(-2, -3), high_m=(2, 0.25), clutter=False)
    site = Site(props=(), grounds=(board, floor), low_m=(-2, -3), high_m=(2, 0.25), things={}, thing_scale=1.0,
                overhead_m=None)  # fmt: skip
    box = np.array([[-0.1, -0.08, 0.0], [0.12, 0.09, 0.3]])
    points = shadow_points(box, (light,) if lit == "lamp" else (), sky if lit == "sun" else None, site)
    hull = ConvexHull(np.vstack([points, box_corners(box)]))
    for _ in range(300):
        start = rng.uniform(box[0], box[1])
        source = (
            rng.uniform(-0.13, 0.13, 3) + light.location_m if lit == "lamp" else start + 1e4 * np.array(sky.towards_sun)
        )
        way = (start - source) / np.linalg.norm(start - source)
        spot = start
        while spot[2] > -0.8 and -2 < spot[0] < 2 and spot[1] < 0.25:
            on_board = -0.4 < spot[0] < 0.4 and spot[1] > -0.2
            if on_board and spot[2] <= 0.0 < spot[2] - 0.002 * way[2]:
                break
            spot = spot + 0.002 * way
        assert (hull.equations[:, :3] @ spot + hull.equations[:, 3]).max() < 0.02


def refusal(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        sample_plans(parse_spec(text, "k.yaml", TYPES), 1, event_types=TYPES)
    return str(caught.value)


def test_worlds_that_cannot_be_are_refused() -> None:
    assert "world.kind: a shelf cannot take what is" in refusal(LARGE.replace("kind: tabletop", "kind: shelf"))
    side = FREE.replace("kind: tabletop", "kind: shelf").replace("look_at: column", "look_at: column, azimuth_deg: 120")
    assert "k.yaml:6: world.kind: the camera comes round to the side of the shelf" in refusal(side)
    dark = FREE.replace("kind: tabletop", "kind: outdoor").replace("kind: look_away", "kind: lights_off")
    assert "interruptions[0].kind: the sun cannot be switched off" in refusal(dark)


def test_of_several_worlds_and_lights_one_that_fits_is_drawn() -> None:
    text = LARGE.replace("kind: tabletop", "kind: {choice: [shelf, room, outdoor]}")
    text = text.replace("light: {}", "light: {preset: {choice: [window, evening]}}")
    found = sample_plans(parse_spec(text, "k.yaml", TYPES), 8, event_types=TYPES)
    assert {plan.world.kind for plan in found} == {"room", "outdoor"}
    for plan in found:
        outdoors = plan.world.kind == "outdoor"
        assert (plan.world.sky is not None) == outdoors and (plan.world.lights == ()) == outdoors
        if plan.world.sky is not None:
            assert np.rad2deg(plan.world.sky.sun_elevation_rad) < 28


def test_props_stand_on_their_origin_and_are_light() -> None:
    for text, kind in CASES:
        for prop in plans(text, kind)[0].world.props:
            parts = PROPS[prop.kind](prop.params)
            low = min(float(part.mesh.bounds[0, 2]) for part in parts)
            assert prop.kind == "table" or prop.kind == "window" or abs(low) < 1e-9, prop.kind
            assert sum(len(part.mesh.faces) for part in parts) < 2500, prop.kind


@pytest.mark.parametrize("line", [f"kind: {w}" for w in WORLDS] + [f"preset: {p}" for p in {**PRESETS, **SKY_PRESETS}])
def test_spec_knows_every_world_and_every_light(line: str) -> None:
    old = "kind: tabletop" if line.startswith("kind") else "preset: studio"
    parse_spec(SPEC.replace(old, line, 1), "k.yaml", TYPES)
