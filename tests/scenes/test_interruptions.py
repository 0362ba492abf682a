"""Every kind of interruption is solved so that it hides its target; what cannot be is refused with place and fix."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from scenes.cameras import base_pose, camera_from_world, envelope, event_light_level, intrinsics, light_level, project
from scenes.clock import Clock
from scenes.errors import SpecError
from scenes.loading import parse_spec
from scenes.occluders import OCCLUDERS, occluder_parts, occluder_poses
from scenes.occupancy import occupancy
from scenes.plan import OccluderPlan, ScenePlan
from scenes.poses import standing_pose
from scenes.sampling import sample_plans
from scenes.world import world_boxes
from tests.scenes.stand_ins import SPEC, TYPES

AWAY = "- {kind: look_away, target: column, hidden_s: [2.0, 2.5]}"
LONG = SPEC.replace("num_frames: 48", "num_frames: 120").replace(
    "{rate_m_per_s: {uniform: [0.006, 0.012]}}", "{rate_m_per_s: 0.005, height_m: 0.2}"
)


def plans(text: str, count: int = 1) -> list[ScenePlan]:
    return sample_plans(parse_spec(text, "k.yaml", TYPES), count, event_types=TYPES)


def refusal(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        plans(text)
    return str(caught.value)


def points_m(plan: ScenePlan) -> np.ndarray:
    """[N, 3] all that the first event occupies over the clip."""
    event = plan.events[0]
    times = np.linspace(0.0, plan.clip.num_frames / plan.clip.fps, 40)
    return occupancy(TYPES[event.type](**event.params), standing_pose(event), times - event.start_s).points_m


@pytest.mark.parametrize("path", ["static", "pan", "orbit, loop: true", "dolly", "arc"])
@pytest.mark.parametrize("motion", ["pitch", "pitch, direction: down", "translate", "yaw, direction: left"])
def test_look_aways_leave_nothing_in_the_picture_and_come_back(motion: str, path: str) -> None:
    text = SPEC.replace("target: column", f"target: column, motion: {motion}").replace("orbit, loop: true", path)
    for plan in plans(text, 2):
        window, points = plan.interruptions[0], points_m(plan)
        for t_s in np.linspace(window.hidden_from_s, window.hidden_to_s, 7):
            uv, depth = project(points, camera_from_world(plan, t_s), intrinsics(plan.camera, plan.clip))
            inside = (depth > 0) & np.all((uv > -1) & (uv < [65, 65]), axis=1)
            assert not inside.any()
        duration_s = plan.clip.num_frames / plan.clip.fps
        for t_s in (window.out_s, window.back_s):
            base = np.linalg.inv(base_pose(plan.camera, t_s, duration_s))
            assert np.allclose(camera_from_world(plan, t_s), base, atol=1e-12)


@pytest.mark.parametrize("occluder", sorted(OCCLUDERS))
@pytest.mark.parametrize("path", ["static", "orbit", "dolly, loop: true"])
def test_an_occluder_stands_between_every_point_and_the_camera(occluder: str, path: str) -> None:
    text = SPEC.replace("look_away, target: column", f"occluder, target: column, occluder: {occluder}")
    for plan in plans(text.replace("orbit, loop: true", path), 2):
        window, made = plan.interruptions[0], plan.interruptions[0].occluder
        assert made is not None
        half_m, thick_m, height_m = made.size_m[0] / 2, made.size_m[1], made.size_m[2]
        for t_s in np.linspace(window.hidden_from_s, window.hidden_to_s, 5):
            (pose,) = occluder_poses(plan, t_s).values()
            inverse = np.linalg.inv(pose)
            eye = np.linalg.inv(camera_from_world(plan, t_s))[:3, 3]
            start = inverse[:3, :3] @ eye + inverse[:3, 3]
            ends = points_m(plan) @ inverse[:3, :3].T + inverse[:3, 3]
            assert start[1] < -thick_m / 2 and (ends[:, 1] > thick_m / 2).all()
            cross = start + (ends - start) * (-start[1] / (ends[:, 1] - start[1]))[:, None]
            assert (np.abs(cross[:, 0]) <= half_m).all() and (cross[:, 2] <= height_m).all()
        assert not occluder_poses(plan, window.out_s) and not occluder_poses(plan, window.back_s)


@pytest.mark.parametrize("occluder", sorted(OCCLUDERS))
def test_an_occluder_touches_nothing_on_its_way(occluder: str) -> None:
    text = SPEC.replace("look_away, target: column", f"occluder, target: column, occluder: {occluder}")
    for plan in plans(text, 3):
        made = plan.interruptions[0].occluder
        assert made is not None
        parts = np.vstack([np.asarray(part.mesh.vertices) for part in occluder_parts(made)])
        parts = parts[parts[:, 2] > 0.02 * made.size_m[2]]  # its foot stands on something
        things = [box for box in world_boxes(plan.world) if box[1, 2] > 0.01] + [
            np.stack([points_m(plan).min(axis=0), points_m(plan).max(axis=0)])
        ]
        for t_s in np.linspace(plan.interruptions[0].out_s, plan.interruptions[0].back_s, 40):
            for pose in occluder_poses(plan, t_s).values():
                points = parts @ pose[:3, :3].T + pose[:3, 3]
                for box in things:
                    inside = (points > box[0]) & (points < box[1])
                    assert not inside.all(axis=1).any()


def test_occluders_have_the_size_they_are_given() -> None:
    for kind in OCCLUDERS:
        plan = OccluderPlan(
            kind=kind, size_m=(0.8, 0.05, 0.5), location_m=(0, 0, 0), yaw_rad=0.0, enter_m=(0, 0, 0), exit_m=(0, 0, 0),
            rgb=(0.3, 0.2, 0.1),
        )  # fmt: skip
        points = np.vstack([np.asarray(part.mesh.vertices) for part in occluder_parts(plan)])
        assert abs(points[:, 0].max() - points[:, 0].min() - 0.8) <= 0.8 * 0.05
        assert points[:, 2].min() == pytest.approx(0.0, abs=1e-9) and points[:, 2].max() >= 0.5 - 1e-9


def test_event_lights_go_out_with_the_lamps_only_when_asked_to() -> None:
    dark = plans(SPEC.replace("kind: look_away", "kind: lights_off"))[0]
    glowing = SPEC.replace("type: rise", "type: glow").replace(
        "kind: look_away", "kind: lights_off, event_lights: true"
    )
    both = plans(glowing)[0]
    middle_s = (dark.interruptions[0].hidden_from_s + dark.interruptions[0].hidden_to_s) / 2
    assert (light_level(dark, middle_s), event_light_level(dark, middle_s)) == (0.0, 1.0)
    middle_s = (both.interruptions[0].hidden_from_s + both.interruptions[0].hidden_to_s) / 2
    assert (light_level(both, middle_s), event_light_level(both, middle_s)) == (0.0, 0.0)


def test_what_comes_at_once_is_whole_from_its_first_instant() -> None:
    plan = plans(SPEC.replace("kind: look_away", "kind: blackout"))[0]
    window = plan.interruptions[0]
    assert window.out_s == window.hidden_from_s and window.back_s == window.hidden_to_s
    assert envelope(window, window.hidden_from_s) == 1.0 and envelope(window, window.hidden_from_s - 1e-6) == 0.0


def test_interruptions_of_different_natures_may_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what the event does is looked at up to the sweep's end, 1.5 times the time that they hide it together."""
    until_s = []

    def noting(event, pose, times_s):
        until_s.append(times_s[-1])
        return occupancy(event, pose, times_s)

    monkeypatch.setattr("scenes.sampling.occupancy", noting)
    text = LONG.replace(
        AWAY,
        "- {kind: look_away, target: column, at_s: 4, hidden_s: 3}\n"
        "  - {kind: lights_off, target: column, at_s: 6, hidden_s: 3}",
    )
    plan = plans(text)[0]
    first, second = plan.interruptions
    assert first.out_s < second.out_s < first.back_s < second.back_s
    assert until_s[-1] + plan.events[0].start_s == pytest.approx(120 / 8 + 1.5 * (second.back_s - first.out_s))


def test_windows_of_several_targets_and_kinds_follow_each_other() -> None:
    text = LONG.replace(
        AWAY,
        "- {kind: occluder, target: column, hidden_s: 2}\n  - {kind: fog, target: column, hidden_s: 2}\n"
        "  - {kind: corrupt, target: column, hidden_s: 2}",
    )
    windows = plans(text)[0].interruptions
    assert [w.kind for w in windows] == ["occluder", "fog", "corrupt"]
    for earlier, later in itertools.pairwise(windows):
        assert later.out_s >= earlier.back_s + 0.7 - 1e-6


@pytest.mark.parametrize(
    ("interruption", "place", "part"),
    [
        ("{kind: look_away, target: column, motion: pitch, direction: left}", "direction", "possible: up, down"),
        ("{kind: look_away, target: column, motion: pitch, turn_deg: 12}", "turn_deg", "12 deg do not hide 'column'"),
        ("{kind: look_away, target: column, motion: translate, shift_m: 0.02}", "shift_m", "0.02 m do not hide"),
        ("{kind: look_away, target: column, motion: translate, turn_deg: 90}", "turn_deg", "give shift_m"),
        ("{kind: look_away, target: column, shift_m: 1}", "shift_m", "only `motion: translate` shifts"),
        ("{kind: fog, target: column, turn_deg: 30}", "turn_deg", "only look_away know it"),
        ("{kind: occluder, target: column, size_m: [0.02, 0.02]}", "size_m", "are too small to hide 'column'"),
        ("{kind: occluder, target: column, occluder: crate, direction: up}", "direction", "possible: left, right"),
        ("{kind: occluder, target: column, direction: down}", "direction", "cannot come from there"),
        ("{kind: frame_drop, target: column, turn_s: 0.5}", "turn_s", "frame_drop has no way out"),
        ("{kind: look_away, target: column, turn_s: 0}", "turn_s", "at least 0.05 s"),
        ("{kind: blackout, target: column, hidden_s: 0.11, at_s: 2}", "hidden_s", "no frame need lie within 0.11 s"),
        ("{kind: fog, target: column, at_s: 5.2}", "at_s", "must follow"),
        ("{kind: look_away, target: column, at_s: 0.1}", "at_s", "must be seen for 0.7 s before"),
        ("{kind: fog, target: column, hidden_s: 9}", "hidden_s", "make the clip longer"),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(interruption: str, place: str, part: str) -> None:
    line = refusal(SPEC.replace(AWAY, f"- {interruption}"))
    assert line.startswith(f"k.yaml:16: interruptions[0].{place}: ") and part in line, line


def test_a_wall_in_the_cameras_way_is_told_from_a_way_that_is_too_short() -> None:
    away = "- {kind: look_away, target: column, motion: translate, shift_m: 100}"
    line = refusal(SPEC.replace(AWAY, away).replace("kind: tabletop", "kind: room"))
    place, _, said = line.partition(".shift_m: ")
    assert place == "k.yaml:16: interruptions[0]" and said.startswith("something stands in the camera's way within")


@pytest.mark.parametrize(
    ("first", "second", "part"),
    [
        ("look_away", "look_away", "both act on the camera"),
        ("fog", "fog", "both act on the air"),
        ("blackout", "corrupt", "both act on the picture signal"),
        ("look_away, motion: translate", "occluder", "the camera would go past the occluder"),
    ],
)
def test_conflicting_interruptions_are_refused(first: str, second: str, part: str) -> None:
    both = "\n  ".join(
        f"- {{kind: {kind}, target: column, at_s: {at_s}, hidden_s: 3}}" for kind, at_s in ((first, 4), (second, 6))
    )
    line = refusal(LONG.replace(AWAY, both))
    assert line.startswith("k.yaml:17: interruptions[1].at_s: conflicts with the ") and part in line, line


def test_an_event_that_is_over_before_its_window_is_refused_with_the_reason() -> None:
    text = LONG.replace("rate_m_per_s: 0.005", "rate_m_per_s: 0.03").replace(
        "hidden_s: [2.0, 2.5]", "hidden_s: 2, at_s: 9"
    )
    line = refusal(text)
    assert "interruptions[0].hidden_s: level changes by 0 m" in line and "(the event is over at" in line


@pytest.mark.parametrize("path", ["pan", "orbit", "dolly", "arc"])
def test_loops_of_every_path_come_back_bitwise(path: str) -> None:
    plan = plans(SPEC.replace("path: orbit", f"path: {path}").replace(AWAY, "- {kind: blackout, target: column}"))[0]
    times = Clock(plan.clip.num_frames, plan.clip.fps).frame_times_s
    first, last = (camera_from_world(plan, t_s) for t_s in (times[0], times[-1]))
    assert first.tobytes() == last.tobytes()
    assert not np.allclose(first, camera_from_world(plan, times[len(times) // 2]))


def test_paths_do_what_their_names_say() -> None:
    camera = dataclasses.replace(plans(SPEC)[0].camera, loop=False, sweep_rad=0.3, rise_rad=0.2, travel_share=0.25)
    poses = {
        p: [base_pose(dataclasses.replace(camera, path=p), t, 6.0) for t in (0.0, 6.0)] for p in ("pan", "dolly", "arc")
    }
    look_at = np.asarray(camera.look_at_m)
    distances = {p: [np.linalg.norm(pose[:3, 3] - look_at) for pose in pair] for p, pair in poses.items()}
    assert np.array_equal(poses["pan"][0][:3, 3], poses["pan"][1][:3, 3])
    turn = poses["pan"][0][:3, :3].T @ poses["pan"][1][:3, :3]
    assert np.arccos((np.trace(turn) - 1) / 2) == pytest.approx(0.3)
    assert distances["dolly"][1] == pytest.approx(0.75 * distances["dolly"][0])
    assert np.allclose(poses["dolly"][0][:3, :3], poses["dolly"][1][:3, :3])
    rise = [np.arcsin((pose[2, 3] - look_at[2]) / camera.distance_m) for pose in poses["arc"]]
    assert rise[1] - rise[0] == pytest.approx(0.2) and distances["arc"][0] == pytest.approx(distances["arc"][1])
