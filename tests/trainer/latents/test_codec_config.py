"""Which codec a configuration names."""

from __future__ import annotations

import json

import pytest

from tests.trainer.support import save_tiny_vae
from trainer.build import build_codec, build_model
from trainer.config import config_from_json, override
from trainer.recipes import recipe

TINY = override(recipe("tiny"), {"model.dim": 16, "model.num_heads": 2, "model.num_layers": 1, "codec.patch": 8})


def test_every_field_names_another_codec(tmp_path):
    vae = {"codec.kind": "wan_vae", "codec.pretrained": str(save_tiny_vae(tmp_path / "a"))}
    other = {"codec.pretrained": str(save_tiny_vae(tmp_path / "b", seed=1))}
    configs = [TINY, override(TINY, {"codec.patch": 4}), *(override(TINY, vae | more) for more in ({}, other))]
    configs.append(override(TINY, vae | {"codec.dtype": "bf16"}))
    digests = [build_codec(config).digest for config in configs]
    assert len(set(digests)) == len(digests)
    assert [build_model(config).transformer.config.in_channels for config in configs] == [192, 48, 4, 4, 4]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "wan_vae"}, r"codec.pretrained: is empty; give the hub id"),
        ({"kind": "wan_vae", "pretrained": "x", "patch": 4}, r"codec.patch: 4 is of space_to_depth"),
        ({"pretrained": "x"}, r"codec.pretrained: x is of wan_vae"),
        ({"dtype": "bf16"}, r"codec.dtype: bf16 is of wan_vae"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        override(TINY, {f"codec.{name}": value for name, value in changes.items()})


def test_a_run_of_an_older_version_is_told_where_its_field_went(tmp_path):
    tree = json.loads(TINY.to_json())
    tree["data"]["codec_patch"] = 8
    (tmp_path / "config.json").write_text(json.dumps(tree))
    with pytest.raises(ValueError, match=r"data.codec_patch: is now codec.patch"):
        config_from_json(tmp_path / "config.json")
