"""The picture of an example's graph: it is drawn of every kind of example, and shows what is in it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import trainer.graph_picture
from benchmarks.toy_bar import bar_clip
from trainer.config import curriculum_preset, override
from trainer.data.mixture import single_source
from trainer.graph.nodes import Role
from trainer.graph_picture import COLOURS, show_graph
from trainer.recipes import recipe

CLIPS = [bar_clip(i) for i in range(3)]


@pytest.fixture
def config(monkeypatch):
    tiny = override(recipe("tiny"), {"codec.patch": 16, "data.own_window_share": 1.0})
    monkeypatch.setattr(trainer.graph_picture, "split", lambda *_: (single_source(CLIPS, tiny.data), []))
    return tiny


def has(path, role: Role) -> int:
    """Pixels of a role's colour in a picture."""
    colour = tuple(int(COLOURS[role][i : i + 2], 16) for i in (1, 3, 5))
    return int((np.asarray(Image.open(path).convert("RGB")) == colour).all(axis=2).sum())


def test_a_picture_shows_every_role_that_is_in_the_example(config, tmp_path):
    stages = {"reference_cache.share": 1.0, "node_drop.share": 0.5, "noisy_memory.share": 1.0}
    config = override(config, {f"curriculum.{name}": value for name, value in stages.items()})
    example = show_graph(config, [], tmp_path / "a.png", sample=1, step=3)
    assert {node.role for node in example.graph.nodes} == set(Role)
    assert all(has(tmp_path / "a.png", role) > 1000 for role in set(Role) - {Role.DROPPED})
    none = override(config, {"curriculum.reference_cache.share": 0.0})
    show_graph(none, [], tmp_path / "b.png", sample=1, step=3)
    assert has(tmp_path / "b.png", Role.REFERENCE) < 1000, "in the key alone"


def test_continuations_are_drawn_and_the_same_example_is_the_same_picture(config, tmp_path):
    changes = {"frontier_continuation.share": 1.0, "frontier_continuation.from_step": 2}
    curriculum = override(curriculum_preset("none", 10), changes)
    config = override(config, {"curriculum": curriculum.__dict__})
    for name, step in (("a", 2), ("b", 2), ("c", 1)):
        example = show_graph(config, [], tmp_path / f"{name}.png", step=step)
        assert (example.stages == ("frontier_continuation",)) == (step == 2)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "c.png").read_bytes()


def test_an_example_that_is_not_there_is_refused(config, tmp_path):
    with pytest.raises(ValueError, match="--sample: 4 is not in a batch of 4"):
        show_graph(config, [], tmp_path / "a.png", sample=4)
    with pytest.raises(ValueError, match="--step: -1"):
        show_graph(config, [], tmp_path / "a.png", step=-1)
