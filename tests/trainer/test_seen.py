"""What a run says it was trained on."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from trainer.config import DataConfig
from trainer.data.interruptions import longest_hold_s, random_interruption
from trainer.data.mixture import Source, seen_by
from trainer.data.sources import ClipHeader, ClipRecords, OwnWindow
from trainer.seen import Seen, read_seen

TANK_AND_BAR = ("tank_filling", "progress_bar")
DATA = DataConfig(hidden_min_s=1.0, hidden_max_s=2.75, min_seen_s=1.0, own_window_share=0.3)


def header(scene: str, types: tuple[str, ...] = ("tank_filling",), **fields: object) -> ClipHeader:
    known = {"uninterrupted_known": True, "cameras_known": True, "num_frames": 12, "seconds_per_frame": 0.5}
    plain = {"path": Path(scene), "clip_id": scene, "scene_id": scene, "prompt": "", "size_px": (32, 32)}
    known["returns"] = "windows" in fields
    return ClipHeader(**{**plain, **known, "event_types": types, **fields})  # type: ignore[arg-type]


def source(*headers: ClipHeader, **data: object) -> Source:
    records = ClipRecords(headers, 2, memory_mb=0.0)
    return Source(name="data", records=records, data=dataclasses.replace(DATA, **data))  # type: ignore[arg-type]


OWN = (OwnWindow(kind="look_away+fog", hidden_s=3.5),)


def test_scenes_events_and_random_interruptions() -> None:
    seen = seen_by([source(header("a"), header("b", TANK_AND_BAR), interruptions={"lights_off": 1.0, "blocks": 2.0})])
    assert seen.scenes == {"a", "b"} and seen.types == set(TANK_AND_BAR) and seen.complete
    assert seen.compositions == {("tank_filling",), ("progress_bar", "tank_filling")}
    assert seen.interruptions == {"lights_off", "corrupt"} and seen.longest_hidden_s == 2.75
    assert seen.together(TANK_AND_BAR) and seen.together(["progress_bar"])
    assert not seen.together(["tank_filling", "tank_filling"]), "two glasses were never seen"


def test_a_clips_own_interruption_counts_when_training_shows_it() -> None:
    own = header("a", windows=OWN)
    assert seen_by([source(own)]).interruptions == {"look_away", "fog", "lights_off"}
    assert seen_by([source(own)]).longest_hidden_s == 3.5
    assert seen_by([source(own, own_window_share=0.0)]).interruptions == {"lights_off"}
    assert seen_by([source(own, own_window_share=1.0)]).interruptions == {"look_away", "fog"}
    only = header("a", windows=OWN, uninterrupted_known=False)
    for share in (0.0, 1.0):  # there is no other picture of it
        assert seen_by([source(only, interrupted_share=share, own_window_share=0.0)]).interruptions == {
            "look_away",
            "fog",
        }
    assert seen_by([source(own, interrupted_share=0.0)]).longest_hidden_s == 0.0
    mixed = seen_by([source(own, own_window_share=1.0), source(header("b"), interruptions={"blackout": 1.0})])
    assert mixed.interruptions == {"look_away", "fog", "blackout"} and mixed.longest_hidden_s == 3.5


def test_a_kind_of_weight_zero_is_never_shown() -> None:
    seen = seen_by([source(header("a"), interruptions={"lights_off": 1.0, "fog": 0.0})])
    assert seen.interruptions == {"lights_off"}


@pytest.mark.parametrize("num_frames", [8, 12, 30])
def test_no_random_interruption_is_longer_than_what_is_noted(num_frames: int) -> None:
    """And some come near it: the bound is no idle one."""
    longest_s = longest_hold_s(num_frames, seconds_per_frame=0.5, hidden_s=(1.0, 2.75), min_seen_s=1.0, min_after=1)
    black = np.zeros((num_frames, 4, 4, 3), dtype=np.uint8)
    hidden_s = [
        0.5
        * random_interruption(
            black,
            np.random.default_rng(i),
            weights={"blackout": 1.0},
            seconds_per_frame=0.5,
            hidden_s=(1.0, 2.75),
            ramp_max_s=0.3,
            min_seen_s=1.0,
            min_after=1,
        ).hidden.sum()
        for i in range(300)
    ]
    assert longest_s - 0.75 <= max(hidden_s) <= longest_s + 0.5, "to a frame: 0.5 s"
    assert longest_s == min(2.75, (num_frames - 4) * 0.5)


def test_the_note_reads_back_and_adds_up(tmp_path: Path) -> None:
    seen = seen_by([source(header("a"), header("b", TANK_AND_BAR, windows=OWN))])
    seen.write(tmp_path)
    assert read_seen(tmp_path) == seen
    more = seen_by([source(header("c", ("hourglass",)), hidden_max_s=1.5, interruptions={"fog": 1.0})])
    both = seen | more
    assert both.scenes == {"a", "b", "c"} and both.types == {*TANK_AND_BAR, "hourglass"}
    assert both.longest_hidden_s == seen.longest_hidden_s == 3.5 and both.complete


def test_an_older_run_knows_its_scenes_alone(tmp_path: Path) -> None:
    (tmp_path / "scenes.json").write_text(json.dumps(["a", "b"]))
    seen = read_seen(tmp_path)
    assert seen.scenes == {"a", "b"} and not seen.complete
    assert not (seen | seen_by([source(header("c"))])).complete


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"schema_version": 2}', '{"schema_version": 1, "complete": true, "longest_hidden_s": "x"}'],
)
def test_a_damaged_note_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "seen.json").write_text(text)
    with pytest.raises(ValueError, match=r"seen\.json") as caught:
        read_seen(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{}", "[1]", "[" * 100_000])
def test_a_damaged_older_note_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "scenes.json").write_text(text)
    with pytest.raises(ValueError, match=r"scenes\.json: expected a list of ids of scenes"):
        read_seen(tmp_path)


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no seen\.json; give the folder of a training run"):
        read_seen(tmp_path)


def test_types_follow_from_compositions() -> None:
    seen = Seen(
        scenes=frozenset(),
        compositions=frozenset({("b", "a")}),
        interruptions=frozenset(),
        longest_hidden_s=0.0,
    )
    assert seen.types == {"a", "b"}
