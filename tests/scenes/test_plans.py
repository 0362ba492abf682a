"""Plans: the same bytes every time, and what they promise about hiding and seeing holds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from scenes.cameras import base_pose, camera_from_world, intrinsics, light_level, project, world_from_camera
from scenes.clock import Clock
from scenes.clutter import prop_box_m
from scenes.commands import example_specs, schema
from scenes.distributions import parse_value
from scenes.loading import load_spec, parse_spec
from scenes.occupancy import Occupancy, occupancy, union_box
from scenes.plan import InterruptionPlan, ScenePlan
from scenes.poses import standing_pose
from scenes.sampling import sample_plans
from scenes.seeding import derived_seed, generator
from scenes.windows import check_order
from scenes.world import world_parts
from tests.scenes.stand_ins import SPEC, TYPES

ROOT = Path(__file__).parents[2]
DARK = SPEC.replace("kind: look_away", "kind: lights_off").replace(", loop: true", "")
LARGE = (
    SPEC.replace("type: rise", "type: swing")
    .replace("{rate_m_per_s: {uniform: [0.006, 0.012]}}", "{}")
    .replace("preset: studio", "preset: {choice: [window, dim]}")
)
TWO = (
    SPEC.replace("camera:", "  - {id: other, type: swing, at: right, params: {reach_m: 0.8}}\ncamera:")
    .replace("look_at: column", "look_at: centre")
    .replace("type: rise", "type: swing")
    .replace("{rate_m_per_s: {uniform: [0.006, 0.012]}}", "{reach_m: [0.8, 0.9]}")
)


@cache
def plan_of(text: str, index: int) -> ScenePlan:
    (plan,) = sample_plans(parse_spec(text, "k.yaml", TYPES), 1, index, TYPES)
    return plan


def plans(text: str, count: int) -> tuple[ScenePlan, ...]:
    return tuple(plan_of(text, index) for index in range(count))


def occupied(plan: ScenePlan) -> dict[str, Occupancy]:
    """Where every event is at 60 times of the clip."""
    times = np.linspace(0.0, plan.clip.num_frames / plan.clip.fps, 60)
    found = {}
    for event in plan.events:
        made = TYPES[event.type](**event.params)
        found[event.id] = occupancy(made, standing_pose(event), times - event.start_s)
    return found


@pytest.mark.parametrize("text", [SPEC, DARK, LARGE, TWO])
def test_plan_does_not_depend_on_count_and_reads_back_equal(text: str) -> None:
    """What the other tests here rely on, too: they draw each plan once and alone."""
    three = sample_plans(parse_spec(text, "other.yaml", TYPES), 3, event_types=TYPES)
    assert [plan.to_json() for plan in three] == [plan.to_json() for plan in plans(text, 3)]
    assert len({plan.plan_id for plan in three}) == 3
    for plan in three:
        assert ScenePlan.from_dict(plan.to_dict()) == plan


def test_same_bytes_in_another_process_whatever_the_hash_seed() -> None:
    code = (
        "from tests.scenes.stand_ins import SPEC, TYPES\n"
        "from scenes.loading import load_spec, parse_spec\nfrom scenes.sampling import sample_plans\n"
        "print(sample_plans(parse_spec(SPEC, 'k', TYPES), 1, 1, TYPES)[0].plan_id)"
    )
    found = set()
    for hash_seed in ("1", "77"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        found.add(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, env=environment, text=True).strip())
    assert found == {plans(SPEC, 3)[1].plan_id}


def test_loop_and_look_away_return_bitwise() -> None:
    plan = plans(SPEC, 1)[0]
    window, clock = plan.interruptions[0], Clock(plan.clip.num_frames, plan.clip.fps)
    first = camera_from_world(plan, 0.0)
    assert camera_from_world(plan, clock.frame_times_s[-1]).tobytes() == first.tobytes()
    for t_s in (window.out_s, window.back_s):
        base = base_pose(plan.camera, t_s, clock.duration_s)
        assert world_from_camera(plan, t_s).tobytes() == base.tobytes()


@pytest.mark.parametrize(("text", "count"), [(SPEC, 40), (LARGE, 20)])
def test_look_away_hides_everything_the_event_occupies(text: str, count: int) -> None:
    for plan in plans(text, count):
        window = plan.interruptions[0]
        points = occupied(plan)["column"].points_m
        for t_s in np.linspace(window.hidden_from_s, window.hidden_to_s, 9):
            uv, depth = project(points, camera_from_world(plan, t_s), intrinsics(plan.camera, plan.clip))
            inside = (depth > 0) & np.all((uv > -1) & (uv < [plan.clip.width_px + 1, plan.clip.height_px + 1]), axis=1)
            assert not inside.any()


@pytest.mark.parametrize(("text", "count"), [(SPEC, 20), (DARK, 5), (LARGE, 10)])
def test_target_is_in_the_picture_outside_the_window_and_has_moved(text: str, count: int) -> None:
    for plan in plans(text, count):
        window, event = plan.interruptions[0], plan.events[0]
        points = occupied(plan)["column"].points_m
        for t_s in Clock(plan.clip.num_frames, plan.clip.fps).frame_times_s:
            if window.out_s < t_s < window.back_s:
                continue
            uv, depth = project(points, camera_from_world(plan, t_s), intrinsics(plan.camera, plan.clip))
            assert depth.min() > 0 and uv.min() >= 0 and (uv.max(axis=0) <= [64, 64]).all()
        made = TYPES[event.type](**event.params)
        variable = made.probe_variable()
        values = made.states(np.array([window.out_s, window.back_s]) - event.start_s)[variable.name]
        assert abs(values[1] - values[0]) >= (variable.min_delta or 0)
        assert window.out_s >= 0.7 - 1e-6 and window.back_s <= 6 - 0.7 + 1e-6


def test_lights_off_is_dark_in_its_window_only() -> None:
    plan = plans(DARK, 1)[0]
    window = plan.interruptions[0]
    assert light_level(plan, window.hidden_from_s) == light_level(plan, window.hidden_to_s) == 0.0
    assert light_level(plan, window.out_s) == light_level(plan, window.back_s) == 1.0


@pytest.mark.parametrize(("text", "count"), [(SPEC, 20), (LARGE, 5), (TWO, 3)])
def test_clutter_stands_free_and_hides_nothing(text: str, count: int) -> None:
    for plan in plans(text, count):
        things = [prop_box_m(prop) for prop in plan.world.props if prop.name.startswith("clutter")]
        events = [found.box_m for found in occupied(plan).values()]
        for i, box in enumerate(things):
            for other in things[:i] + events:
                assert np.any(box[0] >= other[1]) or np.any(other[0] >= box[1])
        names = [part.name for part, _ in world_parts(plan.world)]
        assert len(names) == len(set(names))


def test_thing_boxes_hold_their_parts() -> None:
    for plan in plans(SPEC, 10):
        for prop in plan.world.props:
            if not prop.name.startswith("clutter"):
                continue
            box = prop_box_m(prop)
            for part, matrix in world_parts(plan.world):
                if part.name.startswith(f"{prop.name}."):
                    points = np.asarray(part.mesh.vertices) @ matrix[:3, :3].T + matrix[:3, 3]
                    assert (points >= box[0] - 1e-9).all() and (points <= box[1] + 1e-9).all()


def test_several_events_stand_apart_and_several_windows_follow_each_other() -> None:
    text = TWO.replace("num_frames: 48", "num_frames: 120").replace(
        "render:", "  - {kind: lights_off, target: other, hidden_s: 1.0}\nrender:"
    )
    plan = plans(text, 1)[0]
    first, second = (found.box_m for found in occupied(plan).values())
    assert first[1, 0] < second[0, 0]
    check_order(list(plan.interruptions), 15.0, 0.7)
    both = union_box(occupied(plan).values())
    uv, _ = project(both, camera_from_world(plan, 0.0), intrinsics(plan.camera, plan.clip))
    assert uv.min() >= 0 and uv.max() <= 64


def test_windows_that_meet_are_refused() -> None:
    def window(out_s: float) -> InterruptionPlan:
        times = {"out_s": out_s, "hidden_from_s": out_s + 0.5, "hidden_to_s": out_s + 1.5, "back_s": out_s + 2}
        return InterruptionPlan(kind="look_away", target="a", **times)

    check_order([window(1.0), window(4.0)], 7.0, 0.7)
    with pytest.raises(ValueError, match="must be seen for"):
        check_order([window(1.0), window(3.1)], 7.0, 0.7)


def test_exposure_does_not_hang_on_scale() -> None:
    small, large = plans(SPEC, 1)[0], plans(LARGE.replace("{choice: [window, dim]}", "studio"), 1)[0]
    for plan in (small, large):
        key = plan.world.lights[0]
        distance_m = np.linalg.norm(np.subtract(key.location_m, key.target_m))
        assert 0.8 * 1.6 <= key.power_w / (np.pi * distance_m**2) <= 1.2 * 1.6
    assert large.world.lights[0].power_w > 4 * small.world.lights[0].power_w


def test_draws_stay_inside_their_range() -> None:
    rng = generator(5, "draws")
    for raw in (2, [1, 3], {"normal": [1.1, 5.0]}, {"loguniform": [1, 3]}, {"choice": [1, 3]}, {"uniform_int": [1, 3]}):
        value = parse_value(raw, low=1, high=3)
        assert all(1 <= value.sample(rng) <= 3 for _ in range(200))


def test_seeds_are_the_same_everywhere() -> None:
    assert derived_seed(7, 3, "camera") == 0xD6018040EF9D6EB
    assert derived_seed(7, 3, "camera") != derived_seed(73, "camera")


def test_no_global_randomness_in_our_packages() -> None:
    names = "seed|rand|randn|randint|uniform|normal|choice|shuffle|permutation|random"
    banned = re.compile(rf"np\.random\.({names})\b|\bhash\(|^import random|^from random|default_rng\(\)")
    packages = ("event_library", "scenes", "simulator", "render_jobs")
    for file in (f for package in packages for f in (ROOT / package).rglob("*.py")):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            assert not banned.search(line), f"{file.name}:{number}: {line}"


def test_schema_names_types_and_their_params() -> None:
    text = schema(TYPES)
    assert '"rate_m_per_s"' in text and '"amplitude_deg"' in text and '"look_away"' in text
    assert "additionalProperties" in text


@pytest.mark.parametrize("path", example_specs(), ids=lambda path: path.stem)
def test_examples_plan(path: Path) -> None:
    plan = sample_plans(load_spec(path), 1)[0]
    assert (plan.clip.fps, plan.clip.width_px, plan.render.samples) == (8.0, 64, 8)
    assert plan.clip.num_frames in (48, 64, 72)
    window = plan.interruptions[0]
    assert 2.0 <= window.hidden_to_s - window.hidden_from_s <= 2.5 + 1e-6
