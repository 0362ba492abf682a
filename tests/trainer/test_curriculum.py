"""Curricula as data: schedules, presets, and what each field does."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from trainer.config import CurriculumConfig, curriculum_preset, override, validate
from trainer.graph.curriculum import STAGES, Entry, apply_curriculum, curriculum_of
from trainer.graph.nodes import CONTEXT, FrameGraph, Node, Role


def example_graph() -> FrameGraph:
    """Twelve frames seen, six hidden, six seen again and asked."""
    nodes = []
    for i in range(24):
        role = Role.ANCHOR if i in (0, 11) else Role.DEGRADED if 12 <= i < 18 else Role.FRONTIER
        camera = np.full(14, min(i, 29 - i), dtype=np.float32)
        nodes.append(Node(frame=i, time=float(i), camera=camera, role=role, hidden=12 <= i < 18))
    targets = [Node(**{**vars(nodes[i]), "role": Role.TARGET, "noise_level": 1.0}) for i in (5, 18, 19, 20)]
    return FrameGraph(nodes=(*nodes, *targets))


def summary(graph: FrameGraph):
    return [(n.frame, n.role, n.noise_level, n.chunk) for n in graph.nodes]


def made(changes: dict[str, object], seed: int = 0, step: int = 0):
    """The example graph after a curriculum in which nothing is on but what `changes` says."""
    config = override(curriculum_preset("none", 100), changes)
    return summary(apply_curriculum(example_graph(), np.random.default_rng(seed), curriculum_of(config), step)[0])


def test_the_share_follows_the_schedule_to_the_step():
    entry = Entry(stage="node_drop", parameters={}, share=0.8, from_step=10, ramp_steps=4)
    assert [entry.share_at(step) for step in (0, 9, 10, 11, 12, 13, 14, 99)] == pytest.approx(
        [0.0, 0.0, 0.0, 0.2, 0.4, 0.6, 0.8, 0.8]
    )
    sudden = Entry(stage="node_drop", parameters={}, share=1.0, from_step=10)
    assert [sudden.share_at(step) for step in (9, 10)] == [0.0, 1.0]


def test_stages_are_applied_in_order_by_their_shares_and_their_draws_are_their_own():
    assert list(STAGES) == list(CurriculumConfig.__dataclass_fields__)
    on = {f"{stage}.share": 1.0 for stage in STAGES}
    config = override(curriculum_preset("none", 100), on | {"noisy_memory.from_step": 50})
    graph, applied = apply_curriculum(example_graph(), np.random.default_rng(0), curriculum_of(config), 49)
    assert applied == ("frontier_continuation", "reference_cache", "node_drop"), "a continuation keeps its history"
    assert (
        apply_curriculum(example_graph(), np.random.default_rng(0), curriculum_of(config), 50)[1][-1] == "noisy_memory"
    )
    again = apply_curriculum(example_graph(), np.random.default_rng(0), curriculum_of(config), 49)[0]
    assert summary(again) == summary(graph)
    half = curriculum_of(override(curriculum_preset("none", 100), {"noisy_memory.share": 0.5}))
    hit = [bool(apply_curriculum(example_graph(), np.random.default_rng(i), half, 0)[1]) for i in range(200)]
    assert 80 <= sum(hit) <= 120
    both = curriculum_of(override(curriculum_preset("none", 100), {"noisy_memory.share": 0.5, "node_drop.share": 1.0}))
    with_drop = [
        "noisy_memory" in apply_curriculum(example_graph(), np.random.default_rng(i), both, 0)[1] for i in range(200)
    ]
    assert with_drop == hit, "another stage changes no draw"


def test_nothing_on_is_nothing_done():
    assert made({}) == summary(example_graph())


@pytest.mark.parametrize(
    "changes",
    [
        {"node_drop.share": 1.0, "node_drop.degraded": 0.0, "node_drop.frontier": 0.0},
        {"drop_after_return.share": 1.0},
    ],
)
def test_a_stage_that_finds_nothing_to_do_is_not_said_to_be_applied(changes):
    config = curriculum_of(override(curriculum_preset("none", 100), changes))
    unseen = FrameGraph(nodes=tuple(n for n in example_graph().nodes if n.time < 18.0 or n.role is Role.TARGET))
    assert apply_curriculum(unseen, np.random.default_rng(0), config, 0)[1] == ()


CONTINUATION, REFERENCES = {"frontier_continuation.share": 1.0}, {"reference_cache.share": 1.0}
DROPS, NOISE = {"node_drop.share": 1.0}, {"noisy_memory.share": 1.0}


@pytest.mark.parametrize(
    ("base", "change"),
    [
        ({}, {"drop_after_return.share": 1.0}),
        ({}, DROPS),
        ({}, NOISE),
        ({}, CONTINUATION),
        ({}, REFERENCES),
        (DROPS, {"node_drop.from_step": 10}),
        (DROPS, {"node_drop.ramp_steps": 10}),
        (DROPS, {"node_drop.degraded": 1.0}),
        (DROPS, {"node_drop.frontier": 1.0}),
        (NOISE, {"noisy_memory.max_level": 0.9}),
        (NOISE, {"noisy_memory.anchor_max_level": 0.2}),
        (CONTINUATION, {"frontier_continuation.chunk": 1}),
        (CONTINUATION, {"frontier_continuation.min_prefix": 14}),
        (CONTINUATION, {"frontier_continuation.max_chunks": 1}),
        (CONTINUATION, {"frontier_continuation.at_return": 0.0}),
        (REFERENCES, {"reference_cache.num_references": 5}),
        (REFERENCES, {"reference_cache.local_window": 1.0}),
        (REFERENCES, {"reference_cache.choice": "mirror"}),
    ],
)
def test_every_field_changes_what_the_model_may_see(base, change):
    assert any(made(base, seed) != made(base | change, seed) for seed in range(8))


def test_parameters_of_a_stage_are_those_of_its_function():
    for entry in curriculum_of(CurriculumConfig()):
        keywords = [
            p.name for p in inspect.signature(STAGES[entry.stage]).parameters.values() if p.kind is p.KEYWORD_ONLY
        ]
        assert sorted(keywords) == sorted(entry.parameters)


def test_the_arms_of_an_experiment():
    assert curriculum_preset("drop_noise", 1000) == CurriculumConfig()
    shares = {e.stage: [e.share_at(s) for s in (0, 400, 1000)] for e in curriculum_of(curriculum_preset("all", 1000))}
    assert shares["node_drop"] == [1.0, 1.0, 1.0] and shares["drop_after_return"] == [0.7, 0.7, 0.7]
    assert shares["noisy_memory"] == [0.0, 0.3, 0.3]
    assert shares["frontier_continuation"] == [0.0, 0.3, 0.3] and shares["reference_cache"] == [0.0, 0.0, 0.3]
    assert not any(e.share for e in curriculum_of(curriculum_preset("none", 1000)))
    with pytest.raises(ValueError, match="choose of none, drop_noise, all"):
        curriculum_preset("everything", 10)
    with pytest.raises(ValueError, match=r"noisy_memory\.anchor_max_level: 0.5 is more than max_level"):
        override(CurriculumConfig(), {"noisy_memory.anchor_max_level": 0.5})
    for name in ("none", "drop_noise", "all"):
        validate(curriculum_preset(name, 7))


def test_the_default_is_what_it_was_before_stages_were_data():
    """Half of the dark and a twentieth of the seen history dropped, in 70 % nothing since the return, in 30 % noise."""
    entries = curriculum_of(CurriculumConfig())
    count = {"dark": 0, "seen": 0, "return": 0, "noise": 0}
    for seed in range(200):
        graph = apply_curriculum(example_graph(), np.random.default_rng(seed), entries, 0)[0]
        roles = {n.frame: n.role for n in graph.nodes if n.role is not Role.TARGET}
        count["dark"] += sum(roles[i] is Role.DROPPED for i in range(12, 18))
        count["seen"] += sum(roles[i] is Role.DROPPED for i in range(1, 11))
        count["return"] += all(roles[i] is Role.DROPPED for i in range(18, 24))
        count["noise"] += any(n.noise_level > 0.0 for n in graph.nodes if n.role in CONTEXT)
    assert abs(count["dark"] / 1200 - 0.5) < 0.05 and abs(count["seen"] / 2000 - 0.05) < 0.02
    assert abs(count["return"] / 200 - 0.7) < 0.1 and abs(count["noise"] / 200 - 0.3) < 0.1
