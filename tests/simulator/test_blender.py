"""What only Blender can say: independence of order, hidden light, and rays against Cycles' own passes."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("bpy", reason="Blender's module exists for Python 3.11 only")


@pytest.fixture(scope="module")
def measured():
    command = [sys.executable, "-m", "tests.simulator.in_blender"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300)
    lines = [line for line in finished.stdout.splitlines() if line.startswith("MEASURED ")]
    assert lines, finished.stderr[-2000:]
    return json.loads(lines[0].removeprefix("MEASURED "))


def test_a_shot_does_not_depend_on_what_was_rendered_before(measured):
    assert measured["order"] == {"again": True, "fresh": True, "other": False, "wrapped": True}


def test_a_hidden_event_throws_no_light_that_tells_its_state(measured):
    """DESIGN section 5 at low noise, with the event fully present; the control is a frame in which it is seen."""
    assert measured["hidden"]["hidden"] <= 1.0
    assert measured["hidden"]["seen"] > 20.0


def test_leaving_the_hidden_event_out_of_the_light_changes_next_to_nothing(measured):
    assert measured["hidden"]["muted"] <= 2.0


def test_rays_agree_with_cycles_passes(measured):
    assert measured["pixels"] > 1000
    assert measured["id_mismatches"] == 0
    assert measured["depth_error"] < 1e-4  # float32 distances
