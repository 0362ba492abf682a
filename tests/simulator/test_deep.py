"""`clip verify --deep`: each cross-check passes on a sound clip and catches its own kind of lie."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from scenes.plan import ScenePlan
from simulator.clip import Clip, Window
from simulator.clip_writer import array_sha256, file_sha256
from simulator.deep import Wrong, hidden_in_twins
from simulator.hiding import FOUND, produce_hiding, small
from simulator.in_blender import ask_blender, blender_is_here
from simulator.stage import Shot
from simulator.verify import examine_clip, verify_clip
from tests.simulator.support import sketch_clip, tank_plan

OUTPUTS = ("rgb", "depth", "segmentation", "flow", "twins")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    camera = dataclasses.replace(tank_plan().camera, path="orbit", sweep_rad=0.4)
    return sketch_clip(tank_plan(camera=camera, outputs=OUTPUTS), tmp_path_factory.mktemp("deep") / "clip")


def forged(sound: Path, out: Path, name: str, change) -> Path:
    """A copy whose array `name` was changed by someone who also mended the hashes."""
    shutil.copytree(sound, out)
    manifest = json.loads((out / "manifest.json").read_text())
    with h5py.File(out / "arrays.h5", "a") as file:
        values = file[name][()]
        change(values)
        file[name][...] = values
    manifest["arrays"][name]["sha256"] = array_sha256(values)
    manifest["files"]["arrays.h5"] = file_sha256(out / "arrays.h5")
    (out / "manifest.json").write_text(json.dumps(manifest))
    return out


def test_a_sound_clip_says_what_was_compared(sound: Path) -> None:
    report = examine_clip(sound, deep=True, rendered=False)
    assert report.findings == () and set(report.notes) == {"hidden", "readouts", "flow", "silhouettes"}
    assert report.text.startswith(f"{sound}: sound\n  hidden: paused and true state differ by 0.00/255")


def _shift_flow(values) -> None:
    values[5, 10:50, 10:50] += 0.5


def _swap_ids(values) -> None:
    values[0, 2:12, 2:12] = 2  # water where there is none


def _push_depth(values) -> None:
    values[6] *= 1.2


@pytest.mark.parametrize(
    ("name", "change", "check"),
    [
        ("flow_px", _shift_flow, "flow"),
        ("depth_m", _push_depth, "flow"),
        ("segmentation", _swap_ids, "silhouettes"),
    ],
)
def test_a_forged_array_is_caught(name: str, change, check: str, sound: Path, tmp_path: Path) -> None:
    found = verify_clip(forged(sound, tmp_path / "forged", name, change), deep=True, rendered=False)
    assert check in {finding.check for finding in found}


def test_pictures_are_made_small_for_the_check() -> None:
    plan = tank_plan()
    wide = dataclasses.replace(plan, clip=dataclasses.replace(plan.clip, width_px=832, height_px=480))
    assert (small(wide).clip.width_px, small(wide).clip.height_px) == (64, 37) and small(plan) == plan


@pytest.mark.blender
@pytest.mark.skipif(not blender_is_here(), reason="Blender's module exists for Python 3.11 only")
def test_a_shadow_that_is_left_in_the_picture_is_found_by_rendering(tmp_path: Path) -> None:
    """The camera turns until no pixel of the glass is left, but its shadow is."""
    plan = tank_plan(turn_rad=0.62)
    plan = dataclasses.replace(plan, clip=dataclasses.replace(plan.clip, width_px=32, height_px=32))
    changes = {}
    for turn_rad in (0.62, 2.2):
        window = dataclasses.replace(plan.interruptions[0], turn_rad=turn_rad)
        folder = tmp_path / f"{turn_rad}"
        folder.mkdir()
        ask_blender(dataclasses.replace(plan, interruptions=(window,)), "hiding", folder)
        changes[turn_rad] = max(entry["change"] for entry in json.loads((folder / FOUND).read_text()))
    assert changes[2.2] <= 1.0 < changes[0.62]


def two_targets() -> ScenePlan:
    """Two glasses on one floor; the camera looks away from one for half a second, later from the other."""
    plan = tank_plan()
    away, glass = plan.interruptions[0], plan.events[0]
    times = ({"out_s": 0.5, "hidden_from_s": 1.0, "hidden_to_s": 1.5, "back_s": 2.0},
             {"out_s": 3.0, "hidden_from_s": 3.5, "hidden_to_s": 4.0, "back_s": 4.5})  # fmt: skip
    return dataclasses.replace(
        plan,
        clip=dataclasses.replace(plan.clip, width_px=48, height_px=48),
        camera=dataclasses.replace(plan.camera, distance_m=0.9),
        events=(glass, dataclasses.replace(glass, id="jar", location_m=(0.16, 0.0, 0.0))),
        interruptions=tuple(
            dataclasses.replace(away, target=name, **when) for name, when in zip(("glass", "jar"), times, strict=True)
        ),
    )


def test_each_window_is_rendered_with_the_state_of_its_own_target_alone(tmp_path: Path) -> None:
    plan, shots = two_targets(), []

    class Noting:
        device, seconds_in_renderer = "none", 0.0

        def render(self, shot: Shot) -> np.ndarray:
            shots.append(shot)
            return np.zeros((1, 1, 3), dtype=np.uint8)

    produce_hiding(plan, tmp_path, lambda stage: Noting(), lambda done, total: None)
    differ = [
        {event for event, t_s in truth.event_times_s.items() if t_s != other.event_times_s[event]}
        for truth, other in zip(shots[::2], shots[1::2], strict=True)
    ]
    assert differ == [{"glass"}, {"glass"}, {"jar"}, {"jar"}]


def test_a_target_that_lags_in_plain_sight_is_not_taken_for_a_hidden_one() -> None:
    windows = (Window("glass", "fog", 1, 4, (2, 3)), Window("jar", "occluder", 6, 9, (7, 8)))

    def findings(*changed: int) -> list[str]:
        rgb = np.zeros((12, 8, 8, 3), dtype=np.uint8)
        paused = rgb.copy()
        paused[list(changed)] = 90
        clip = SimpleNamespace(
            windows=windows, twins=("paused",), rgb=rgb, twin=lambda name: SimpleNamespace(rgb=paused)
        )
        return [found.text for found in hidden_in_twins(clip, tank_plan()) if isinstance(found, Wrong)]  # type: ignore[arg-type]

    assert findings(*range(4, 12)) == [], "the glass, seen again, lags while the jar is hidden"
    assert len(findings(3)) == 1 and "hidden frame 3" in findings(3)[0]


def test_hidden_frames_that_differ_are_named(sound: Path, tmp_path: Path) -> None:
    frame = Clip.open(sound).windows[0].hidden_frames[3]

    def brighten(values) -> None:
        values[frame, 20:30, 20:30] = np.minimum(values[frame, 20:30, 20:30].astype(int) + 9, 255)

    found = verify_clip(forged(sound, tmp_path / "forged", "rgb", brighten), deep=True, rendered=False)
    assert any(f.check == "hidden" and f"frame {frame}" in f.message for f in found)
