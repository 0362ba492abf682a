"""From a clip to an example: interruptions, returns, targets and their weights, the curriculum's step."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.toy_bar import bar_clip
from trainer.config import CurriculumConfig, DataConfig, FlowConfig, curriculum_preset, override
from trainer.data.augment import mirrored
from trainer.data.batches import drawn_example
from trainer.data.clips import ClipRecord
from trainer.data.examples import after_return, history_graph, return_example, training_example
from trainer.data.interruptions import Interruption, interrupted
from trainer.data.mixture import prompts_of, single_source
from trainer.graph.nodes import Role
from trainer.latents.codec import SpaceToDepthCodec
from trainer.latents.layout import LatentLayout

CODEC, CLIP = SpaceToDepthCodec(patch=16), bar_clip(0)
NONE = curriculum_preset("none", 100)


def example_of(record: ClipRecord = CLIP, seed: int = 0, curriculum=NONE, step: int = 0, flow=None, **data):
    config = override(DataConfig(), {"own_window_share": 1.0, "num_return_targets": 3, "num_other_targets": 2} | data)
    return training_example(record, CODEC, np.random.default_rng(seed), config, curriculum, flow or FlowConfig(), step)


def asked(example) -> dict[int, float]:
    return {n.frame: n.weight for n in example.graph.nodes if n.role is Role.TARGET}


def two_windows() -> ClipRecord:
    """The world of CLIP, hidden in frames 4-5 and 10-12; a frame half hidden follows the first time."""
    assert CLIP.uninterrupted is not None
    hidden = np.zeros(18, dtype=bool)
    hidden[[4, 5, 10, 11, 12]] = True
    rgb = CLIP.uninterrupted.copy()
    rgb[hidden] = 0
    rgb[6] //= 2
    plain = ~hidden & (np.arange(18) != 6)
    return replace(CLIP, rgb=rgb, hidden=hidden, plain=plain, returns=(7, 13))


def test_every_window_of_a_clip_is_asked_about():
    clip = two_windows()
    shown = Interruption(rgb=clip.rgb, hidden=clip.hidden, plain=clip.plain, returns=clip.returns, dropped=clip.dropped)
    assert np.flatnonzero(after_return(shown, 3)).tolist() == [6, 7, 8, 9, 13, 14, 15]
    example = example_of(clip)
    weights = asked(example)
    assert {f for f, w in weights.items() if w == FlowConfig().return_weight} == {6, 7, 8, 9, 13, 14, 15}
    assert sum(w == 1.0 for w in weights.values()) == 2
    roles = {n.frame: n.role for n in example.graph.nodes if n.role is not Role.TARGET}
    assert [f for f, role in roles.items() if role is Role.ANCHOR] == [0, 3, 9]
    assert [f for f, role in roles.items() if role is Role.DEGRADED] == [4, 5, 10, 11, 12]
    first = return_example(clip, CODEC).graph
    assert asked(return_example(clip, CODEC)) == {7: 1.0}
    assert max(n.frame for n in first.nodes if n.role not in (Role.DROPPED, Role.TARGET)) == 5


def test_the_last_plain_latent_is_the_anchor_and_no_dimmed_one():
    """Lamps dim in frames 7 and 8; a latent of several frames is plain when all of them are."""
    dimmed = interrupted("lights_off", CLIP.uninterrupted, np.random.default_rng(0), start=6.0, ramp=3.0, hold=3.0)
    assert np.flatnonzero(dimmed.hidden).tolist() == [9, 10, 11, 12]
    ends = {"single": np.arange(18), "of four": np.array([0, 4, 8, 12, 16])}
    anchors = {}
    for name, last in ends.items():
        first = np.append(0, last[:-1] + 1)
        layout = LatentLayout(first_frame=first, last_frame=last, time=last / 1.0, starts=first == 0)
        anchors[name] = history_graph(CLIP, layout, dimmed).with_role(Role.ANCHOR)
    assert anchors == {"single": [0, 6], "of four": [0, 1]}


def test_weights_follow_the_return_and_how_long_after_it_is_said():
    flow = FlowConfig(return_weight=5.0)
    back = int(np.flatnonzero(CLIP.hidden)[-1]) + 1
    for count in (1, 3):
        heavy = [f for f, w in asked(example_of(flow=flow, num_return_targets=count)).items() if w == 5.0]
        assert CLIP.return_index is not None
        assert heavy == list(range(back, min(CLIP.return_index + count, 18)))
    config = override(NONE, {"frontier_continuation.share": 1.0, "frontier_continuation.at_return": 1.0})
    weights = asked(example_of(flow=flow, curriculum=config))
    assert {w for f, w in weights.items() if f < CLIP.return_index + 3} == {5.0}
    assert {w for f, w in weights.items() if f >= CLIP.return_index + 3} <= {1.0}


def test_targets_predicted_together_share_their_level_and_others_do_not():
    config = override(NONE, {"frontier_continuation.share": 1.0, "frontier_continuation.chunk": 2})
    for seed in range(5):
        levels: dict[int, set[float]] = {}
        for node in example_of(seed=seed, curriculum=config).graph.nodes:
            if node.role is Role.TARGET:
                levels.setdefault(node.chunk, set()).add(node.noise_level)
        assert all(len(values) == 1 for values in levels.values())
        assert len(set.union(*levels.values())) == len(levels)
    alone = [n.noise_level for n in example_of().graph.nodes if n.role is Role.TARGET]
    assert len(set(alone)) == len(alone)


def test_examples_may_be_shown_without_interruption():
    example = example_of(interrupted_share=0.0)
    assert np.array_equal(example.rgb, CLIP.uninterrupted) and example.segments == ((0, 18),)
    assert set(asked(example).values()) == {1.0} and len(asked(example)) == 5
    assert [n.frame for n in example.graph.nodes if n.role is Role.ANCHOR] == [0]
    shown = [len(example_of(seed=s, interrupted_share=0.5).segments) > 1 for s in range(40)]
    assert 10 <= sum(shown) <= 30


def test_the_kinds_of_the_configuration_are_those_that_come():
    fog = example_of(own_window_share=0.0, interruptions='{"fog": 1}')
    hidden = np.flatnonzero([n.hidden for n in fog.graph.nodes if n.role is not Role.TARGET])
    assert len(hidden) and (fog.rgb[hidden] == 245).all()
    gone = example_of(own_window_share=0.0, interruptions='{"frame_drop": 1}').graph
    absent = {n.frame for n in gone.nodes if n.hidden}
    assert absent and absent == {n.frame for n in gone.nodes if n.role is Role.DROPPED}
    board = example_of(own_window_share=0.0, interruptions='{"occluder": 1}', occluder_covers="event")
    before = next(i for i, n in enumerate(board.graph.nodes) if n.hidden)
    assert (board.rgb[before][CLIP.region] != CLIP.uninterrupted[before][CLIP.region]).any(axis=1).mean() > 0.9
    assert np.array_equal(board.rgb[before][0, :2], CLIP.uninterrupted[before][0, :2])


def spans(**data) -> list[list[float]]:
    """Times of the hidden nodes of many examples."""
    options = {"own_window_share": 0.0, "ramp_max_s": 0.0} | data
    nodes = [example_of(seed=s, **options).graph.nodes for s in range(12)]
    return [[n.time for n in example if n.hidden and n.role is not Role.TARGET] for example in nodes]


def test_windows_keep_to_the_seconds_of_the_configuration():
    assert {len(span) for span in spans(hidden_min_s=1.0, hidden_max_s=1.0)} <= {4, 5}
    assert max(len(span) for span in spans(hidden_min_s=0.5, hidden_max_s=3.0)) > 8
    assert min(span[0] for span in spans(min_seen_s=2.0)) >= 8.0 > min(span[0] for span in spans(min_seen_s=0.5))
    ramps = [example_of(seed=s, own_window_share=0.0, ramp_max_s=0.75).rgb for s in range(10)]
    dim = [((r.max(axis=(1, 2, 3)) > 0) & (r.max(axis=(1, 2, 3)) < 140)).sum() for r in ramps]
    assert max(dim) >= 2


def test_a_mirrored_clip_is_asked_about_in_the_mirror():
    plain, seen = example_of(), example_of(mirror_share=1.0)
    assert np.array_equal(seen.region, plain.region[:, ::-1]) and np.array_equal(seen.rgb, mirrored(CLIP).rgb)


def test_prompts_are_left_out_by_chance_and_nothing_else_changes():
    kept = [example_of(seed=seed) for seed in range(200)]
    dropped = [example_of(seed=seed, prompt_dropout=0.25) for seed in range(200)]
    assert {example.prompt for example in kept} == {CLIP.prompt}
    assert {example.prompt for example in dropped} == {CLIP.prompt, ""}
    assert 30 <= sum(not example.prompt for example in dropped) <= 70  # binomial, 50 +- 6
    assert all(np.array_equal(a.rgb, b.rgb) and asked(a) == asked(b) for a, b in zip(kept, dropped, strict=True))


def test_the_prompt_tells_of_the_interruption_that_is_shown():
    own = example_of().prompt
    assert own == CLIP.prompt == "A bar fills or drains. The lights go out for a few seconds, then come back on."
    assert example_of(interrupted_share=0.0).prompt == "A bar fills or drains."
    says = {"fog": "fog closes in", "frame_drop": "video stops", "noise": "signal breaks up", "lights_off": "lights go"}
    kinds = json.dumps(dict.fromkeys(says, 1.0))
    data = override(DataConfig(), {"own_window_share": 0.3, "interruptions": kinds, "prompt_dropout": 0.1})
    prepared = prompts_of(single_source([CLIP], data))
    for kind, words in says.items():
        told = example_of(own_window_share=0.0, interruptions=json.dumps({kind: 1.0})).prompt
        assert told.startswith("A bar fills or drains. ") and words in told and told in prepared
        assert sum(other in told for other in says.values()) == 1
    assert len(prepared) == 6 and {own, "", "A bar fills or drains."} < prepared
    assert prompts_of(single_source([replace(CLIP, uninterrupted=None)], DataConfig())) == {own}


def test_the_step_of_training_decides_about_stages():
    config = override(curriculum_preset("none", 100), {"node_drop.share": 1.0, "node_drop.from_step": 7})
    source = single_source([CLIP], DataConfig())
    options = {"seed": 0, "row": 0, "batch_size": 1, "curriculum": config, "flow": FlowConfig()}
    assert drawn_example(source, CODEC, step=6, **options).stages == ()
    assert drawn_example(source, CODEC, step=7, **options).stages == ("node_drop",)
    assert example_of(curriculum=config, step=6).stages == () != example_of(curriculum=config, step=7).stages


def test_stages_change_neither_pictures_nor_windows():
    """The arms of an experiment see the same pictures and, but for continuations, are asked the same."""
    for seed in range(4):
        plain, full = example_of(seed=seed), example_of(seed=seed, curriculum=CurriculumConfig())
        assert np.array_equal(plain.rgb, full.rgb) and plain.segments == full.segments
        assert asked(plain) == asked(full)


def test_a_clip_that_never_returns_and_has_no_twin_is_refused():
    with pytest.raises(ValueError, match="has no uninterrupted twin"):
        example_of(replace(CLIP, uninterrupted=None, returns=()))
