"""Mixtures of sources: shares by count, epochs, and what is refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.toy_bar import bar_clip
from trainer.config import DataConfig, MixtureConfig, SourceConfig, override
from trainer.config.data import MAX_WEIGHT, MIN_WEIGHT
from trainer.data.mixture import block_quotas, check_sources, draw, single_source, sources_of, with_folders
from trainer.recipes import recipe

CLIPS = [bar_clip(i) for i in range(5)]


def test_shares_are_exact_over_long_runs_and_nearly_so_over_short_ones():
    sizes, weights = (40, 7, 3), (0.7, 0.2, 0.1)
    picks = [draw(sizes, weights, seed=3, position=p)[0] for p in range(2000)]
    assert [picks.count(i) for i in range(3)] == [1400, 400, 200]
    for end in range(1, 2000):
        assert abs(picks[:end].count(1) - 0.2 * end) <= 2
    assert picks[:10] != picks[10:20], "the order within a block is drawn anew"


def test_every_source_shows_all_its_clips_before_it_shows_one_again():
    sizes, weights = (6, 4), (3.0, 1.0)
    picks = [draw(sizes, weights, seed=0, position=p) for p in range(96)]
    for source, size in enumerate(sizes):
        order = [index for s, index in picks if s == source]
        for start in range(0, len(order) - size + 1, size):
            assert sorted(order[start : start + size]) == list(range(size))
        assert order[:size] != order[size : 2 * size]
    assert Counter(s for s, _ in picks) == {0: 72, 1: 24}
    assert picks[50] == draw(sizes, weights, seed=0, position=50), "a pure function of seed and position"
    assert picks != [draw(sizes, weights, seed=1, position=p) for p in range(96)]


def test_weights_become_the_smallest_block_that_holds_them():
    assert block_quotas((1.0,)) == (1,) and block_quotas((2.0, 6.0)) == (1, 3)
    assert block_quotas((0.7, 0.3)) == (7, 3) and block_quotas((1 / 3, 2 / 3)) == (1, 2)
    odd = block_quotas((np.pi, np.e, 1.0))
    assert sum(odd) == 1000 and abs(odd[0] / 1000 - np.pi / (np.pi + np.e + 1)) < 1e-3
    with pytest.raises(ValueError, match="would never come"):
        block_quotas((1.0, 1e-5))
    with pytest.raises(ValueError, match="above 0"):
        block_quotas((1.0, 0.0))


def test_sources_have_weights_and_augmentations_of_their_own():
    config = MixtureConfig(
        sources=(
            SourceConfig(name="videos", weight=0.25, interrupted_share=0.0, interruptions={"fog": 1.0}),
            SourceConfig(name="renders", weight=0.75, mirror_share=0.5, gain_sigma=0.1, own_window_share=0.9),
        )
    )
    data = DataConfig(min_seen_s=0.5)
    renders, videos, plain = sources_of(
        config, data, [("renders", CLIPS[:3]), ("videos", CLIPS[3:4]), ("x", CLIPS[4:])]
    )
    assert (renders.weight, videos.weight, plain.weight) == (0.75, 0.25, 1.0)
    assert videos.data == replace(data, interrupted_share=0.0, interruptions={"fog": 1.0})
    assert renders.data == replace(data, mirror_share=0.5, gain_sigma=0.1, own_window_share=0.9)
    assert plain.data == data
    with pytest.raises(ValueError, match="two data sets are called 'x'"):
        sources_of(MixtureConfig(), data, [("x", CLIPS), ("x", CLIPS)])
    with pytest.raises(ValueError, match="no data was given for 'videos'"):
        sources_of(config, data, [("renders", CLIPS)])
    for changes, message in (
        ({"sources": '[{"name": "a", "weight": 0}]'}, "sources.0.weight: 0.0 is no weight"),
        ({"sources": '[{"name": "a"}, {"name": "a"}]'}, "'a' is there twice"),
        ({"sources": '[{"name": "a", "interruptions": {"hail": 1}}]'}, "interruptions.hail: is unknown"),
    ):
        with pytest.raises(ValueError, match=message):
            override(MixtureConfig(), changes)


def test_the_command_line_names_folders_with_weights(tmp_path):
    tiny = recipe("tiny")
    assert with_folders(tiny, ["data"]) == (tiny, [Path("data")]), "one folder may be called and moved as one likes"
    config, folders = with_folders(tiny, [str(tmp_path / "renders:0.8"), "c:/videos:0.2", "odd:name"])
    assert folders == [tmp_path / "renders", Path("c:/videos"), Path("odd:name")]
    assert {s.name: s.weight for s in config.mixture.sources} == {"renders": 0.8, "videos": 0.2, "odd:name": 1.0}
    fogged = override(tiny, {"mixture.sources": '[{"name": "a", "weight": 3, "gain_sigma": 0.1}]'})
    (source,) = with_folders(fogged, ["x/a:2"])[0].mixture.sources
    assert source == SourceConfig(name="a", weight=2.0, gain_sigma=0.1)
    for weight in ("0", "-1", "nan", "inf", "1e-7", "1e7"):
        with pytest.raises(ValueError, match="weight"):
            with_folders(tiny, [f"a:{weight}"])
    for weight in (MIN_WEIGHT, MAX_WEIGHT):
        (source,) = with_folders(tiny, [f"a:{weight}"])[0].mixture.sources
        assert block_quotas((source.weight,)) == (1,)


def test_what_cannot_be_trained_on_together_is_refused():
    check_sources(single_source(CLIPS, DataConfig()), needs_cameras=True)
    unknown = [replace(CLIPS[0], cameras_known=False)]
    check_sources(single_source(unknown, DataConfig()), needs_cameras=False)
    with pytest.raises(ValueError, match=r"model\.mode=none"):
        check_sources(single_source(unknown, DataConfig()), needs_cameras=True)
    with pytest.raises(ValueError, match="in one shape"):
        check_sources(single_source([CLIPS[0], bar_clip(1, num_frames=20)], DataConfig()), needs_cameras=True)
    short = single_source([bar_clip(0, seconds_per_frame=0.125)], DataConfig())
    check_sources(short, needs_cameras=True)
    with pytest.raises(ValueError, match=r"18 frames of 0\.125 s are too short to hide 1\.5 s"):
        check_sources([replace(short[0], data=DataConfig(hidden_min_s=1.5))], needs_cameras=True)
    for never in ({"own_window_share": 1.0}, {"interrupted_share": 0.0}):
        check_sources([replace(short[0], data=DataConfig(hidden_min_s=1.5, **never))], needs_cameras=True)
    with pytest.raises(ValueError, match="clip bar_0 never returns"):
        check_sources(
            single_source([replace(CLIPS[0], uninterrupted=None, returns=())], DataConfig()), needs_cameras=True
        )
    for records in ([], ()):
        with pytest.raises(ValueError, match="no clip to train on"):
            check_sources(single_source(records, DataConfig()), needs_cameras=True)
