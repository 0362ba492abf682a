"""The gallery: one plan for each type, one strip for each clip. The pictures come from a renderer without Blender."""

import pytest

from event_library.registry import EVENT_TYPES
from render_jobs.gallery import SIZE_PX, gallery_plans, strip
from scenes.commands import example_specs
from simulator.clip import Clip
from tests.simulator.support import sketch_clip, tank_plan


def test_every_registered_type_has_a_plan():
    plans = gallery_plans(example_specs())
    assert list(plans) == list(EVENT_TYPES)
    assert all(plan.clip.width_px == plan.clip.height_px == SIZE_PX for plan in plans.values())


def test_a_type_without_a_spec_is_named():
    with pytest.raises(ValueError, match=r"no example spec shows .*tank_filling"):
        gallery_plans([p for p in example_specs() if p.stem != "tank_filling"])


def test_a_strip_shows_six_moments(tmp_path):
    clip = Clip.open(sketch_clip(tank_plan(), tmp_path / "clip"))
    picture, window = strip(clip), clip.windows[0]
    assert picture.shape == (64, 6 * 64, 3)
    assert (picture[:, 3 * 64 : 4 * 64] == clip.rgb[window.t_r]).all()
    assert (picture[:, 3 * 64 : 4 * 64] != picture[:, 5 * 64 :]).any()  # the paused twin is another picture
