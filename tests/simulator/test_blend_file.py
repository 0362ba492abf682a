"""An exported .blend, opened again by Blender: names, range, camera, light, and the pictures of the clip."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from scenes.cameras import light_level, world_from_camera
from scenes.plan import ClipPlan, EventPlan
from simulator.clip import Clip
from simulator.export import EXPORTERS
from simulator.stage import Stage
from tests.simulator.support import sketch_clip, tank_plan

pytest.importorskip("bpy", reason="Blender's module exists for Python 3.11 only")
pytestmark = pytest.mark.blender

FRAMES = (0, 7, 20)  # at the start; lights half way down; at the end, the glass fuller


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A filling glass and a board whose cells change colour, seen from an orbit while the lights go down and up."""
    folder = tmp_path_factory.mktemp("blend")
    plan = tank_plan("lights_off", clip=ClipPlan(num_frames=24, fps=4.0, width_px=32, height_px=32), outputs=("rgb",))
    board = EventPlan(
        id="board",
        type="langtons_ant",
        params={},
        location_m=(-0.1, 0.5, 0.0),
        yaw_rad=0.0,
        start_s=0.0,
    )
    camera = dataclasses.replace(plan.camera, path="orbit", sweep_rad=0.5, distance_m=0.45)
    plan = dataclasses.replace(plan, camera=camera, events=(*plan.events, board))
    clip = Clip.open(sketch_clip(plan, folder / "clip"))
    (path,) = EXPORTERS["blend"]([clip], folder / "out")
    command = [sys.executable, "-m", "tests.simulator.in_blender_file", str(path), str(clip.path / "plan.json")]
    finished = subprocess.run([*command, *map(str, FRAMES)], capture_output=True, text=True, timeout=300)
    lines = [line for line in finished.stdout.splitlines() if line.startswith("MEASURED ")]
    assert lines, finished.stderr[-2000:]
    return plan, json.loads(lines[0].removeprefix("MEASURED "))


def test_the_file_holds_the_scene_by_name_and_the_plan(exported):
    plan, found = exported
    assert set(found["objects"]) >= {body.key for body in Stage.from_plan(plan).bodies} | {"camera", "key"}
    assert found["range"] == [0, 23] and found["fps"] == pytest.approx(4.0)
    assert found["plan"] == plan.to_json()


@pytest.mark.parametrize("frame", FRAMES)
def test_camera_and_lights_are_the_plans(exported, frame):
    plan, found = exported
    seen, t_s = found["frames"][str(frame)], frame / plan.clip.fps
    expected = world_from_camera(plan, t_s) @ np.diag([1.0, -1.0, -1.0, 1.0])
    np.testing.assert_allclose(seen["camera"], expected, rtol=0, atol=1e-6)
    assert seen["power_w"]["key"] == pytest.approx(18.0 * light_level(plan, t_s), rel=1e-6)


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_rendered_from_the_file_is_the_clips(exported, frame):
    seen = exported[1]["frames"][str(frame)]
    assert seen["psnr_db"] > 30.0
    assert frame == FRAMES[0] or seen["psnr_of_first_db"] < 25.0, "the frames differ, or this says nothing"
