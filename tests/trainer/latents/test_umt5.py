"""UMT5 embeddings as the Wan pipeline makes them, kept on disk; a tiny random encoder, a few words."""

from __future__ import annotations

import pytest
import torch
from diffusers.pipelines.wan.pipeline_wan import WanPipeline
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoTokenizer, PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

from trainer.config import TextConfig, validate
from trainer.latents.build import text_shape
from trainer.latents.store import TensorStore
from trainer.latents.umt5 import Umt5Encoder
from trainer.model.shapes import WAN_2_1_T2V_1_3B

WORDS = ("<pad>", "</s>", "<unk>", "a", "glass", "fills", "slowly")


def save_tiny_umt5(folder, seed=0):
    torch.manual_seed(seed)
    config = UMT5Config(vocab_size=len(WORDS), d_model=16, d_kv=8, d_ff=24, num_layers=1, num_heads=2)
    UMT5EncoderModel(config).save_pretrained(folder / "text_encoder")
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=512
    )
    fast.save_pretrained(folder / "tokenizer")
    return str(folder)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_umt5(tmp_path_factory.mktemp("umt5"))


def encoder(model, folder):
    return Umt5Encoder(model, TensorStore(folder, "text"), dtype="fp32")


def test_embeddings_are_those_of_the_wan_pipeline(model, tmp_path):
    prompts = ["a  glass fills ", "a glass", ""]
    ours = encoder(model, tmp_path).encode(prompts)
    pipeline = WanPipeline(
        tokenizer=AutoTokenizer.from_pretrained(f"{model}/tokenizer"),
        text_encoder=UMT5EncoderModel.from_pretrained(f"{model}/text_encoder").eval(),
        transformer=None,
        vae=None,
        scheduler=None,
    )
    with torch.no_grad():
        theirs = pipeline._get_t5_prompt_embeds(prompts, max_sequence_length=512, device=torch.device("cpu"))
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)
    assert ours.shape == (3, 512, 16) and not ours[1, 3:].any() and ours[1, :3].abs().min() > 0
    assert (ours[0, :3] - ours[1, :3]).abs().max() > 1e-3


def test_what_is_stored_needs_no_weights_and_other_weights_find_nothing(model, tmp_path, monkeypatch):
    first = encoder(model, tmp_path).encode(["a glass"])
    loads = []
    original = Umt5Encoder._load
    monkeypatch.setattr(Umt5Encoder, "_load", lambda self: loads.append(1) or original(self))
    again = encoder(model, tmp_path)
    assert torch.equal(again.encode(["a glass", " a glass"])[1:], first) and not loads
    again.prepare(["a glass", "slowly", "fills"])
    again.encode(["slowly"])
    assert len(loads) == 1, "all that is missing, in one load"
    other = Umt5Encoder(save_tiny_umt5(tmp_path / "other", 1), TensorStore(tmp_path, "text"), dtype="fp32")
    assert not torch.equal(other.encode(["a glass"]), first) and len(loads) == 2
    assert encoder(model, tmp_path).digest != Umt5Encoder(model, TensorStore(tmp_path, "text")).digest


def test_configurations_of_text(model, tmp_path):
    assert text_shape(TextConfig()) == (24, 80) and text_shape(TextConfig(kind="umt5", pretrained=model)) == (512, 16)
    assert text_shape(TextConfig(kind="umt5", pretrained=WAN_2_1_T2V_1_3B)) == (512, 4096), "without a network"
    with pytest.raises(ValueError, match="pretrained: is empty"):
        validate(TextConfig(kind="umt5"))
    with pytest.raises(ValueError, match=r"dtype: bf16 is of umt5"):
        validate(TextConfig(dtype="bf16"))
    with pytest.raises(ValueError, match="no folder text_encoder/"):
        text_shape(TextConfig(kind="umt5", pretrained=str(tmp_path)))
