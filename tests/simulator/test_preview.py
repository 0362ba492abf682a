"""The preview renderer against rays, against itself, and against patterns that can be computed."""

import dataclasses
import itertools
import subprocess
import sys

import numpy as np
import pytest
from scipy.ndimage import maximum_filter, minimum_filter

from scenes.cameras import look_at
from scenes.loading import parse_spec
from scenes.plan import PropPlan
from scenes.sampling import sample_plans
from scenes.showing import showing_plan, showing_spec
from simulator.deep import among_neighbours
from simulator.preview import MISSING, open_preview, require_preview
from simulator.rays import RayCaster
from simulator.stage import Shot, Stage
from simulator.timeline import truth_shots
from tests.simulator.support import tank_plan

try:
    require_preview()
except ValueError as missing:
    pytest.skip(str(missing), allow_module_level=True)

SIZE_PX = 128
FAMILIES = ("tank_filling", "domino_chain", "gardener_watering", "flower_opening", "candle_burning_down")

WORLD_SPEC = """
version: 1
name: a_world
seed: 4
clip: {{num_frames: 48, fps: 8, resolution: [128, 128]}}
world: {{kind: {world}, clutter: {{uniform_int: [2, 4]}}}}
events: [{{id: glass, type: hourglass}}]
camera: {{path: orbit, look_at: glass}}
interruptions: [{{kind: look_away, target: glass, hidden_s: 2.0}}]
outputs: [rgb, depth, segmentation]
"""


def _sized(plan, size_px=SIZE_PX):
    return dataclasses.replace(plan, clip=dataclasses.replace(plan.clip, width_px=size_px, height_px=size_px))


def _agrees(stage, shot, renderer, caster):
    """Checks ids, depth and areas of one shot; returns how many pixels were compared."""
    hits = caster.cast(shot)
    ids, depth_m = renderer.silhouettes(shot)
    shells = [b.instance for b in stage.bodies if b.part.see_through]
    known = ~np.isin(hits.segmentation, shells)  # behind glass the rays tell carriers only
    differ = known & (ids != hits.segmentation)
    explained = among_neighbours(ids, hits.segmentation) | among_neighbours(hits.segmentation, ids)
    assert not (differ & ~explained).any()
    assert differ.sum() < 0.01 * known.sum()
    inside = known & (maximum_filter(ids, 3) == minimum_filter(ids, 3)) & (ids == hits.segmentation) & (ids > 0)
    np.testing.assert_allclose(depth_m[inside], hits.depth_m[inside], rtol=2e-4)
    assert np.isinf(depth_m[ids == 0]).all()
    for instance in np.unique(hits.segmentation[known]):
        area = int((known & (hits.segmentation == instance)).sum())
        if area >= 400:
            assert abs(int((known & (ids == instance)).sum()) - area) <= 0.02 * area
    return int(inside.sum())


@pytest.mark.parametrize("type_id", FAMILIES)
def test_silhouettes_and_depth_agree_with_rays(type_id):
    plan = showing_plan(type_id, 0, SIZE_PX)
    stage = Stage.from_plan(plan)
    renderer, caster, shots = open_preview(stage), RayCaster(stage), truth_shots(plan)
    for frame in (0, len(shots) // 2, len(shots) - 1):
        assert _agrees(stage, shots[frame], renderer, caster) > 0.7 * SIZE_PX**2


@pytest.mark.parametrize("world", ["room", "shelf", "outdoor"])
def test_every_world_agrees_with_rays(world):
    plan = sample_plans(parse_spec(WORLD_SPEC.format(world=world), world), 1)[0]
    stage = Stage.from_plan(plan)
    renderer, caster, shots = open_preview(stage), RayCaster(stage), truth_shots(plan)
    for frame in (0, len(shots) // 2):
        assert _agrees(stage, shots[frame], renderer, caster) > 0.6 * SIZE_PX**2


def test_the_sky_is_drawn_behind_everything_and_goes_dark_with_the_light():
    plan = sample_plans(parse_spec(WORLD_SPEC.format(world="outdoor"), "outdoor"), 1)[0]
    stage = Stage.from_plan(plan)
    shot, renderer = truth_shots(plan)[0], open_preview(stage)
    up = look_at(np.array([0.0, 0.0, 30.0]), np.array([0.0, 10.0, 36.0]))
    above = renderer.render(dataclasses.replace(shot, world_from_camera=up)).astype(float)
    assert above.min() > 20 and above[-1].mean() > 1.1 * above[0].mean()  # brighter towards the horizon
    assert renderer.render(dataclasses.replace(shot, world_from_camera=up, light_level=0.0)).max() == 0


def test_an_occluder_hides_and_leaves():
    plan = sample_plans(showing_spec("tank_filling", 64, "occluder"), 1)[0]
    stage = Stage.from_plan(plan)
    renderer, caster = open_preview(stage), RayCaster(stage)
    carriers = [b.instance for b in stage.bodies if b.part.carries]
    seen = []
    for shot in truth_shots(plan)[::4]:
        _agrees(stage, shot, renderer, caster)
        seen.append(int(np.isin(renderer.silhouettes(shot)[0], carriers).sum()))
    assert min(seen) == 0 < min(seen[0], seen[-1])


def test_the_same_shot_gives_the_same_bytes_whatever_came_before():
    plan = _sized(tank_plan(), 48)
    stage, shots = Stage.from_plan(plan), truth_shots(plan)
    renderer = open_preview(stage)
    first = [renderer.render(shots[f]) for f in (4, 24, 44)]
    again = [renderer.render(shots[f]) for f in (44, 24, 4)][::-1]
    fresh = open_preview(Stage.from_plan(plan)).render(shots[44])
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(first[2], fresh)
    assert np.abs(first[0].astype(int) - first[2]).max() > 60  # the glass has filled


def test_darkness_is_black_and_light_goes_with_the_level():
    stage = Stage.from_plan(_sized(tank_plan("lights_off"), 48))
    shots, renderer = truth_shots(stage.plan), open_preview(stage)
    means = [renderer.render(dataclasses.replace(shots[0], light_level=level)).mean() for level in (1.0, 0.5, 0.1, 0.0)]
    assert means[-1] == 0.0 and all(a > 1.2 * b for a, b in itertools.pairwise(means))
    assert renderer.render(shots[24]).max() == 0


def test_a_muted_event_is_not_in_the_picture():
    stage = Stage.from_plan(_sized(tank_plan(), 48))
    shot, renderer = truth_shots(stage.plan)[0], open_preview(stage)
    muted = dataclasses.replace(shot, muted=frozenset({"glass"}))
    later = dataclasses.replace(muted, event_times_s={"glass": 3.0})
    np.testing.assert_array_equal(renderer.render(muted), renderer.render(later))
    assert (renderer.render(muted) != renderer.render(shot)).any()


def test_checks_lie_where_the_formula_puts_them():
    side_m, size_m = 0.1, 0.8
    slab = PropPlan(
        name="board", kind="slab", location_m=(0.0, 0.0, -0.1), yaw_rad=0.0,
        params={"size_m": [size_m, size_m, 0.1], "rgb": [0.9, 0.9, 0.9], "pattern": "checker",
                "pattern_rgb": [0.02, 0.02, 0.02], "pattern_size_m": side_m},
    )  # fmt: skip
    plan = _sized(tank_plan(), SIZE_PX)
    plan = dataclasses.replace(plan, world=dataclasses.replace(plan.world, props=(slab,)))
    stage = Stage.from_plan(plan)
    pose = look_at(np.array([0.2, -0.3, 1.0]), np.zeros(3))
    shot = Shot(pose, 1.0, {"glass": 0.0}, 1, 0, muted=frozenset({"glass"}))
    picture = open_preview(stage).render(shot).mean(axis=-1)
    u, v = np.meshgrid(np.arange(SIZE_PX) + 0.5, np.arange(SIZE_PX) + 0.5)
    k = stage.intrinsics
    rays = np.stack([(u - k[0, 2]) / k[0, 0], (v - k[1, 2]) / k[1, 1], np.ones_like(u)], axis=-1) @ pose[:3, :3].T
    on_plane = pose[:3, 3] + rays * (-pose[2, 3] / rays[..., 2])[..., None]
    x, y = on_plane[..., 0] / side_m, on_plane[..., 1] / side_m
    # the board's own top face lies at z = 0.05 of the part, half a check off the lattice: floor(0.05 / 0.1 + 0.5) = 1
    second = (np.floor(x) + np.floor(y) + 1) % 2 == 0
    middles = (np.abs(x % 1 - 0.5) < 0.3) & (np.abs(y % 1 - 0.5) < 0.3)
    middles &= (np.abs(on_plane[..., :2]) < size_m / 2 - side_m / 2).all(axis=-1)
    assert picture[middles & ~second].min() > 1.5 * picture[middles & second].max()


def test_absent_libraries_are_one_clear_line():
    code = (
        "import sys; sys.modules['pyrender'] = None\n"
        "from simulator.preview import require_preview\n"
        "try: require_preview()\n"
        "except ValueError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.startswith(MISSING) and len(said.splitlines()) == 1
