"""Every example spec to a verified clip: hidden, seen around it, its state read back from the passes."""

import dataclasses

import numpy as np
import pytest

from event_library.registry import EVENT_TYPES
from scenes.commands import example_specs
from scenes.loading import load_spec
from scenes.plan import ScenePlan
from scenes.sampling import sample_plans
from simulator.clip import Clip
from simulator.deep import readouts
from simulator.stage import Stage
from simulator.verify import verify_clip
from tests.simulator.support import sketch_clip

# the sketch renderer's colours say nothing: types that are read by colour are measured in rendered pictures only
READ_BY_COLOUR = ("bread_toasting", "gray_scott_spots", "timer_valve_tank_leds")
SPECS = [path for path in example_specs() if path.stem not in READ_BY_COLOUR]


@pytest.fixture(scope="module", params=SPECS, ids=lambda path: path.stem)
def clip_path(request, tmp_path_factory):
    """A clip of one spec without Blender; its passes are the real ones, cast by rays."""
    plan = sample_plans(load_spec(request.param), 1)[0]
    plan = dataclasses.replace(plan, outputs=("rgb", "depth", "segmentation", "twins"))
    return sketch_clip(plan, tmp_path_factory.mktemp("types") / request.param.stem)


def test_the_example_is_sound(clip_path):
    assert verify_clip(clip_path, deep=True, rendered=False) == []


def test_the_state_is_measured_from_the_passes(clip_path):
    clip, plan = Clip.open(clip_path), ScenePlan.read(clip_path / "plan.json")
    rows = list(readouts(clip, plan))
    probed = EVENT_TYPES[plan.events[0].type].probe_variable().name
    errors = np.array([abs(measured - truth) / max(tol, 1e-9) for _, _, n, measured, truth, tol in rows if n == probed])
    assert len(errors) >= 15 and (errors <= 1.0 + 1e-6).all()


def test_the_hidden_change_is_one_that_counts(clip_path):
    clip = Clip.open(clip_path)
    event = clip.windows[0].target
    variable = EVENT_TYPES[clip.manifest["event_types"][event]].probe_variable()
    series, window = clip.series(event, variable.name), clip.windows[0]
    assert variable.min_delta is not None
    assert abs(series[window.t_r] - series[window.t_h]) >= variable.min_delta
    paused = clip.series(event, variable.name, twin="paused")
    assert paused[window.t_r] == series[window.t_h]


def test_the_log_has_the_triggers_of_the_clip(clip_path):
    clip, plan = Clip.open(clip_path), ScenePlan.read(clip_path / "plan.json")
    (event,) = plan.events
    triggers = Stage.from_plan(plan).events[event.id].triggers()
    within = {n: t + event.start_s for n, t in triggers.items() if 0 <= t + event.start_s < clip.num_frames / clip.fps}
    assert {entry["name"]: entry["t_s"] for entry in clip.event_log if entry["name"] in triggers} == within
    window = clip.windows[0]
    for entry in clip.event_log:  # a turning camera may lose the event a little before it is wholly turned away
        assert entry["hidden"] or entry["frame"] not in window.hidden_frames
        assert not entry["hidden"] or window.t_h < entry["frame"] < window.t_r
