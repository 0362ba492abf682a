"""Clips of every kind of interruption: what is hidden, why, what the twins share, and what is not rendered twice."""

from __future__ import annotations

from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from scenes.cameras import envelope
from scenes.loading import parse_spec
from scenes.plan import ScenePlan
from scenes.sampling import sample_plans
from simulator.clip import Clip
from simulator.effects import EFFECTS, Effect, apply_effects, clearness
from simulator.rays import RayCaster
from simulator.stage import Stage
from simulator.timeline import clip_clock, observed_shots, paused_shots, paused_times_s, truth_shots
from simulator.verify import verify_clip
from tests.simulator.support import SketchRenderer, sketch_clip

SPEC = """
version: 1
name: away
seed: 5
clip: {{num_frames: {num_frames}, fps: 8, resolution: [48, 48]}}
world: {{kind: tabletop, clutter: 1}}
events:
  - {{id: glass, type: tank_filling, start_s: -1, params: {{inflow_m3_per_s: 6.0e-5}}}}
interruptions:
  - {interruptions}
outputs: [rgb, depth, segmentation, twins]
"""
KINDS = {
    "look_away, motion: pitch": "out_of_view",
    "look_away, motion: translate": "out_of_view",
    "occluder, occluder: crate": "occluded",
    "lights_off": "dark",
    "fog": "fog",
    "blackout": "black",
    "frame_drop": "dropped",
    "corrupt, corruption: noise": "corrupt",
    "corrupt, corruption: blur": "corrupt",
    "corrupt, corruption: blocks": "corrupt",
}
ON_THE_PICTURE = ("fog", "black", "dropped", "corrupt")


def plan_of(*interruptions: str, num_frames: int = 48) -> ScenePlan:
    listed = "\n  - ".join(f"{{target: glass, kind: {text}}}" for text in interruptions)
    return sample_plans(parse_spec(SPEC.format(interruptions=listed, num_frames=num_frames)), 1)[0]


class Counting(SketchRenderer):
    """Knows how many pictures it drew."""

    drawn = 0

    def render(self, shot):
        type(self).drawn += 1
        return super().render(shot)


@pytest.mark.parametrize(("kind", "cause"), KINDS.items())
def test_each_kind_hides_and_tells_why(kind: str, cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(f"{kind}, hidden_s: 2")
    monkeypatch.setattr("tests.simulator.support.SketchRenderer", Counting)
    monkeypatch.setattr(Counting, "drawn", 0)
    clip = Clip.open(sketch_clip(plan, tmp_path / "clip"))
    (window,), paused, observed = clip.windows, clip.twin("paused"), clip.twin("observed")
    rows = clip.states["event"] == "glass"
    causes = dict(zip(clip.states["frame"][rows], clip.states["hidden_by"][rows], strict=True))
    assert {causes[f] for f in window.hidden_frames} == {cause}
    assert all(causes[f] is None for f in (0, window.t_h, window.t_r, 47))
    hidden = list(window.hidden_frames)
    assert np.array_equal(clip.rgb[hidden], paused.rgb[hidden])
    assert np.array_equal(clip.rgb[: window.t_h + 1], paused.rgb[: window.t_h + 1])
    assert not np.array_equal(clip.rgb[window.t_r], paused.rgb[window.t_r])
    times, interruption = clip_clock(plan).frame_times_s, plan.interruptions[0]
    plain = [f for f, t_s in enumerate(times) if envelope(interruption, t_s) == 0.0]
    assert np.array_equal(clip.rgb[plain], observed.rgb[plain])
    # the clip, what its uninterrupted twin does not share with it, and what differs in the paused one
    on_picture = cause in ON_THE_PICTURE
    differ = sum(f > window.t_h for f in range(48)) - len(hidden)
    extra = 0 if on_picture else 48 - len(plain)
    assert Counting.drawn == 48 + extra + differ
    assert verify_clip(clip.path) == []


def test_masks_in_the_dark_are_of_the_twin_whose_they_are(tmp_path: Path) -> None:
    plan = plan_of("lights_off, hidden_s: 2")
    clip, caster = Clip.open(sketch_clip(plan, tmp_path / "clip")), RayCaster(Stage.from_plan(plan))
    paused, frame = clip.twin("paused"), clip.windows[0].hidden_frames[-1]
    for masks, shots in (
        (clip.segmentation, truth_shots(plan)),
        (clip.twin("observed").segmentation, observed_shots(plan)),
        (paused.segmentation, paused_shots(plan, clip.windows)),
    ):
        assert np.array_equal(masks[frame], caster.cast(shots[frame]).segmentation)
    assert np.array_equal(clip.rgb[frame], paused.rgb[frame])
    assert not np.array_equal(clip.segmentation[frame], paused.segmentation[frame])


def test_dropped_frames_are_a_true_gap(tmp_path: Path) -> None:
    clip = Clip.open(sketch_clip(plan_of("frame_drop, hidden_s: 2"), tmp_path / "clip"))
    dropped = list(clip.dropped_frames)
    assert dropped == list(clip.windows[0].hidden_frames) and len(dropped) in (16, 17)
    assert clip.num_frames == len(clip.rgb) == 48 and not clip.rgb[dropped].any()
    assert imageio_ffmpeg.count_frames_and_secs(str(clip.path / "video.mp4"))[0] == 48 - len(dropped)
    assert len(np.unique(clip.states["frame"])) == 48


def test_overlapping_interruptions_of_one_target_are_one_window(tmp_path: Path) -> None:
    plan = plan_of("look_away, at_s: 1.5, hidden_s: 2", "fog, at_s: 3, hidden_s: 2, turn_s: 0.4", num_frames=64)
    clip = Clip.open(sketch_clip(plan, tmp_path / "clip"))
    (window,) = clip.windows
    assert window.kind == "look_away+fog" and window.t_h <= 13 and window.t_r >= 44
    assert set(range(17, 33)) | set(range(28, 44)) <= set(window.hidden_frames)
    lost = clip_clock(plan).frame_times_s + 1 - paused_times_s(plan, clip.windows)["glass"]
    assert lost[-1] == pytest.approx((window.t_r - window.t_h) / 8) and verify_clip(clip.path) == []


def test_each_of_several_windows_has_its_sweep(tmp_path: Path) -> None:
    plan = plan_of("occluder, hidden_s: 1.5", "blackout, hidden_s: 1.5", num_frames=72)
    spec = plan.to_dict() | {"outputs": ["rgb", "twins", "sweep"]}
    clip = Clip.open(sketch_clip(ScenePlan.from_dict(spec), tmp_path / "clip"))
    assert [w.kind for w in clip.windows] == ["occluder", "blackout"]
    assert [sweep.frame for sweep in clip.sweeps] == [w.t_r for w in clip.windows]
    for window, sweep in zip(clip.windows, clip.sweeps, strict=True):
        at_t_h_s, hidden_s = clip.event_time_s(window.t_h), (window.t_r - window.t_h) / 8
        assert sweep.event_time_s.min() >= at_t_h_s - hidden_s - 1e-9
        assert sweep.event_time_s.max() == pytest.approx(at_t_h_s + 2.5 * hidden_s)
    first, second = clip.windows
    stopped = clip.series("glass", "level", twin="paused")
    assert np.ptp(stopped[first.t_h : first.t_r + 1]) == 0 and np.ptp(stopped[second.t_h : second.t_r + 1]) == 0


# ---- effects
PICTURE = np.random.default_rng(0).integers(0, 256, (40, 56, 3)).astype(np.uint8)
DEPTH = np.full((40, 56), 2.0, dtype=np.float32)
MEAN = np.array([90.0, 80.0, 70.0])


def effect(kind: str, strength: float, light: float = 1.0) -> tuple[Effect, ...]:
    return (Effect(kind, strength, 11, 7, 2.0, light),)


@pytest.mark.parametrize("kind", sorted(EFFECTS))
def test_a_whole_effect_leaves_nothing_of_the_picture(kind: str) -> None:
    whole = effect(kind, 1.0)
    other = apply_effects(whole, 255 - PICTURE, DEPTH, MEAN)
    assert clearness(whole) == 0.0 and np.array_equal(apply_effects(whole, PICTURE, DEPTH, MEAN), other)
    assert np.array_equal(apply_effects(whole, None, DEPTH, MEAN), other)


@pytest.mark.parametrize("kind", sorted(EFFECTS))
def test_a_faint_effect_changes_little_and_repeats(kind: str) -> None:
    faint = apply_effects(effect(kind, 1e-6), PICTURE, DEPTH, MEAN)
    assert np.array_equal(faint, PICTURE)
    half = [apply_effects(effect(kind, 0.5), PICTURE, DEPTH, MEAN) for _ in range(2)]
    assert np.array_equal(half[0], half[1]) and (half[0] != PICTURE).any()


def test_fog_follows_beer_and_lambert() -> None:
    black = np.zeros_like(PICTURE)
    near, far = (apply_effects(effect("fog", 0.4), black, np.full_like(DEPTH, d), MEAN)[0, 0, 0] for d in (1.0, 4.0))
    assert (near, far) == (round(245 * (1 - 0.6**1)), round(245 * (1 - 0.6**4)))
    nowhere = apply_effects(effect("fog", 0.4), black, np.full_like(DEPTH, np.inf), MEAN)
    assert nowhere[0, 0, 0] == round(245 * (1 - 0.6**6))
    assert not apply_effects(effect("fog", 1.0, light=0.0), PICTURE, DEPTH, MEAN).any()


def test_lost_blocks_stay_lost_as_more_go() -> None:
    some, more = (apply_effects(effect("blocks", s), PICTURE, DEPTH, MEAN) != PICTURE for s in (0.3, 0.7))
    assert 0.15 < some.any(axis=2).mean() < more.any(axis=2).mean() < 0.85
    assert (more.any(axis=2) | ~some.any(axis=2)).mean() > 0.99
