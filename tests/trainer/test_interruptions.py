"""Interruption augmentations: hidden is hidden, the rest is untouched, every kind looks like itself."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.config.data import INTERRUPTIONS, DataConfig
from trainer.data.interruptions import MIN_AFTER, checked_room, interrupted, random_interruption, strength_of
from trainer.data.veils import SUDDEN, VEILS

SIZE = (24, 32)


def world(seed: int = 0, num_frames: int = 14) -> np.ndarray:
    """A bright square that moves over a textured ground."""
    rng = np.random.default_rng(0)
    ground = rng.integers(60, 120, (*SIZE, 3))
    rgb = np.repeat(ground[None], num_frames, axis=0)
    for frame in range(num_frames):
        x = (frame + 7 * seed * (frame > 3)) % (SIZE[1] - 6)  # another state from frame 4 on
        rgb[frame, 8:14, x : x + 6] = 230
    return rgb.astype(np.uint8)


def shown(kind: str, rgb: np.ndarray, seed: int = 0, **options):
    timing = {"start": 3.5, "ramp": 0.0 if kind in SUDDEN else 2.0, "hold": 3.5} | options
    return interrupted(kind, rgb, np.random.default_rng(seed), **timing)


def test_a_configuration_knows_every_kind():
    assert sorted(INTERRUPTIONS) == sorted(VEILS)


def test_strength_rises_holds_and_falls():
    strength = strength_of(12, start=2.0, ramp=1.5, hold=3.0)
    assert np.flatnonzero(strength == 1.0).tolist() == [4, 5, 6]
    assert np.flatnonzero(strength == 0.0).tolist() == [0, 1, 2, 8, 9, 10, 11]
    assert 0.0 < strength[3] < 1.0 and 0.0 < strength[7] < 1.0
    assert strength_of(6, start=2.0, ramp=0.0, hold=1.0).tolist() == [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("kind", VEILS)
@pytest.mark.parametrize("seed", range(6))
def test_hidden_frames_are_the_same_whatever_is_beneath_and_others_untouched(kind, seed):
    one, other = world(), world(seed=1)
    assert (one[4:] != other[4:]).any(axis=(1, 2, 3)).all() and np.array_equal(one[:4], other[:4])
    made, again = shown(kind, one, seed), shown(kind, other, seed)
    assert made.hidden.any() and made.returns == again.returns
    assert np.array_equal(made.rgb[made.hidden], again.rgb[made.hidden])
    clear = np.ones(len(one), dtype=bool)
    clear[4 : made.returns[0]] = False
    assert np.array_equal(made.plain, clear)
    assert np.array_equal(made.rgb[clear], one[clear])
    assert not clear[made.hidden].any() and (made.rgb[made.hidden] != one[made.hidden]).mean() > 0.5
    if kind not in SUDDEN:
        between = ~clear & ~made.hidden
        assert between.sum() >= 2, "there is a ramp"
        assert (made.rgb[between] != again.rgb[between]).any(), "where it is not hidden the world shows"
    assert np.array_equal(made.dropped, made.hidden if kind == "frame_drop" else np.zeros(len(one), dtype=bool))


def test_every_kind_looks_like_itself():
    rgb = world()
    hidden = {kind: shown(kind, rgb).rgb[shown(kind, rgb).hidden].astype(float) for kind in VEILS}
    for kind in ("lights_off", "blackout", "frame_drop"):
        assert not hidden[kind].any()
    assert (hidden["fog"] == 245.0).all()
    assert hidden["noise"].std() > 60.0 and (hidden["noise"][0] != hidden["noise"][1]).mean() > 0.9
    assert np.abs(hidden["blur"] - rgb[0].reshape(-1, 3).mean(axis=0)).max() <= 0.5
    assert hidden["blocks"].min() >= 70 * 0.9 - 1 and hidden["blocks"].max() <= 131
    assert np.array_equal(hidden["occluder"][0], hidden["occluder"][-1]), "the board stands still"


def test_an_occluder_comes_from_a_side_and_may_cover_the_event_alone():
    rgb, cover = world(), np.zeros(SIZE, dtype=bool)
    cover[8:14, 10:20] = True
    for seed in range(12):
        made = shown("occluder", rgb, seed, cover=cover)
        changed = (made.rgb != rgb).any(axis=3)
        assert changed[made.hidden][:, cover].all() and not changed[made.hidden][:, 0, 0].any()
        coming = changed[4] | changed[5]
        assert coming[0].any() or coming[-1].any() or coming[:, 0].any() or coming[:, -1].any()
        assert not changed[:4].any()


def test_kinds_come_by_their_weights_and_windows_leave_room():
    rgb = world(num_frames=30)
    options = {"seconds_per_frame": 0.25, "hidden_s": (1.0, 3.0), "ramp_max_s": 0.5, "min_seen_s": 1.0, "min_after": 2}
    weights = {"fog": 1.0, "frame_drop": 3.0, "blackout": 0.0}
    made = [random_interruption(rgb, np.random.default_rng(i), weights=weights, **options) for i in range(200)]
    dropped = sum(bool(m.dropped.any()) for m in made)
    assert 130 <= dropped <= 170 and all((m.rgb[m.hidden & ~m.dropped] == 245).all() for m in made)
    assert all(m.hidden[:4].sum() == 0 and 3 <= m.hidden.sum() <= 13 and m.returns[0] <= 28 for m in made)
    with pytest.raises(ValueError, match="too short to hide 1 s"):
        random_interruption(rgb[:8], np.random.default_rng(0), weights=weights, **options)
    with pytest.raises(ValueError, match="choose of lights_off"):
        interrupted("hail", rgb, np.random.default_rng(0), start=2.0, ramp=0.0, hold=3.0)
    with pytest.raises(ValueError, match="no clear frame"):
        shown("fog", rgb, hold=40.0)


@pytest.mark.parametrize(("num_frames", "seconds_per_frame"), [(16, 3 / 16), (24, 2 / 24), (49, 1 / 24), (8, 3 / 8)])
def test_clips_that_are_long_enough_are_so_whatever_is_drawn(num_frames, seconds_per_frame):
    """What a clip has no room for is a long ramp: 48 and 49 frames, as recipes keep them of clips of 8 to 24 fps."""
    rgb = np.full((num_frames, 2, 2, 3), 100, dtype=np.uint8)
    data = DataConfig()
    timing = {"seconds_per_frame": seconds_per_frame, "hidden_s": (data.hidden_min_s, data.hidden_max_s)}
    timing |= {"min_seen_s": data.min_seen_s, "min_after": MIN_AFTER}
    for seed in range(200):
        rng = np.random.default_rng(seed)
        made = random_interruption(rgb, rng, weights={"fog": 1.0}, ramp_max_s=data.ramp_max_s, **timing)
        assert made.plain[: int(data.min_seen_s / seconds_per_frame)].all() and made.plain[-MIN_AFTER:].all()
        assert made.hidden.sum() >= int(data.hidden_min_s / seconds_per_frame)
    needed = (data.hidden_min_s + data.min_seen_s) / seconds_per_frame + 2
    fewest = next(n for n in range(100) if n >= needed)
    assert checked_room(fewest, **timing) * seconds_per_frame >= data.hidden_min_s - 1e-9
    with pytest.raises(ValueError, match="too short to hide"):
        checked_room(fewest - 1, **timing)
