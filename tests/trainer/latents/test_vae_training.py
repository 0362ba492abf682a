"""Training through a tiny random VAE and a tiny UMT5: stored latents, variants, exact resume."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from benchmarks.toy_bar import bar_clip
from tests.trainer.latents.test_umt5 import save_tiny_umt5
from tests.trainer.support import save_tiny_vae
from trainer.build import build_codec, build_text
from trainer.checkpoint import load_trained, newest_checkpoint
from trainer.config import override
from trainer.data.mixture import single_source
from trainer.data.stream import BatchStream
from trainer.latents.wan_vae import WanVaeCodec
from trainer.recipes import recipe
from trainer.rollout import rollout
from trainer.train import fit

CLIPS = [bar_clip(i) for i in range(3)]


@pytest.fixture
def config(tmp_path):
    changes = {"model.dim": 16, "model.num_heads": 2, "model.num_layers": 1, "model.ffn_dim": 16, "batch_size": 2}
    changes |= {"codec.patch": 8, "codec.kind": "wan_vae", "codec.pretrained": str(save_tiny_vae(tmp_path / "vae"))}
    changes |= {"text.kind": "umt5", "text.pretrained": save_tiny_umt5(tmp_path / "text")}
    changes |= {"store.folder": str(tmp_path / "store"), "steps": 4, "logging.tensorboard": False}
    return override(recipe("tiny"), changes)


def stream(config, steps=2):
    codec, text = build_codec(config), build_text(config)
    return list(BatchStream(single_source(CLIPS, config.data), codec, text, config, rows=range(2), start=0, stop=steps))


def test_variants_are_encoded_once_and_change_what_is_seen(config, monkeypatch):
    calls = []
    original = WanVaeCodec._encode_piece
    monkeypatch.setattr(WanVaeCodec, "_encode_piece", lambda self, v: calls.append(1) or original(self, v))
    fresh = stream(config)
    assert len(calls) >= 8, "without variants nothing is stored"
    one = override(config, {"codec.latent_variants": 1})
    stream(one)  # four examples: each of the three clips
    calls.clear()
    later = stream(one, steps=4)
    assert not calls, "every clip in its one variant is in the store"
    clean = [{tuple(row.flatten()[:4].tolist()) for row in batch.clean_BFCYX[:, 0]} for batch in later]
    assert len(set().union(*clean)) <= len(CLIPS), "the first latents: one for each clip"
    assert not torch.equal(fresh[0].clean_BFCYX, later[0].clean_BFCYX)
    assert fresh[0].text_BSD.shape == (2, 512, 16)


def test_runs_through_a_vae_resume_exactly_and_roll_out(config, tmp_path):
    sources = single_source(CLIPS[1:], config.data)
    fit(config, sources, CLIPS[:1], tmp_path / "whole", stop_at=2, progress=False)
    for stop_at in (1, 2):
        fit(config, sources, CLIPS[:1], tmp_path / "parts", stop_at=stop_at, resume=True, progress=False)
    whole, parts = (load_file(newest_checkpoint(tmp_path / n) / "model.safetensors") for n in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    made = rollout(load_trained(tmp_path / "whole"), CLIPS[0])
    assert made.generated.any() and made.rgb.shape == CLIPS[0].rgb.shape
