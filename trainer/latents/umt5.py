"""The text encoder of Wan models, UMT5, whose embeddings are kept on disk. Shapes: B prompts, S = 512 tokens, D."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from trainer.latents.pretrained import content_digest, local_part
from trainer.latents.store import TensorStore
from trainer.latents.wan_vae import DTYPES
from untrusted import MAX_JSON_BYTES, one_line, read_json

NUM_TOKENS = 512  # what Wan was trained with


class Umt5Encoder:
    """Embeddings as the Wan pipelines make them: whitespace and HTML entities cleaned (mojibake is left as it is), 512
    tokens, longer prompts cut, the last hidden state, zero past the prompt's end.

    The weights (11 GB for the public one) are loaded when a prompt is not in the store, and freed again after it.
    """

    def __init__(
        self,
        pretrained: str,
        store: TensorStore,
        *,
        dtype: Literal["fp32", "bf16"] = "bf16",
        device: torch.device | None = None,
    ) -> None:
        """pretrained: hub id or local folder in the hub's layout, with the subfolders text_encoder and tokenizer."""
        self._folder, self._tokenizer = local_part(pretrained, "text_encoder"), local_part(pretrained, "tokenizer")
        self._store, self._dtype = store, dtype
        self._device = device or torch.device("cpu")
        self.dim = text_width(pretrained)
        self.digest = f"umt5_{content_digest(self._folder)}_{content_digest(self._tokenizer)}_{dtype}"
        self._known: dict[str, Tensor] = {}  # prompt -> [tokens of it, D]

    def prepare(self, prompts: Sequence[str]) -> None:
        """Embed all prompts that are not known yet."""
        missing = []
        for prompt in dict.fromkeys(map(_cleaned, prompts)):
            if prompt in self._known:
                continue
            found = self._store.get(self._key(prompt))
            if found is None:
                missing.append(prompt)
            else:
                self._known[prompt] = found
        if missing:
            self._embed(missing)

    def encode(self, prompts: Sequence[str]) -> Tensor:
        """[B, S, D] float32 on the CPU."""
        self.prepare(prompts)
        embedded_BSD = torch.zeros(len(prompts), NUM_TOKENS, self.dim)
        for row, prompt in enumerate(map(_cleaned, prompts)):
            tokens_SD = self._known[prompt]
            embedded_BSD[row, : len(tokens_SD)] = tokens_SD.float()
        return embedded_BSD

    @torch.no_grad()
    def _embed(self, prompts: Sequence[str]) -> None:
        tokenizer, model = self._load()
        for prompt in prompts:
            tokens = tokenizer(
                [prompt],
                padding="max_length",
                max_length=NUM_TOKENS,
                truncation=True,
                add_special_tokens=True,
                return_attention_mask=True,
                return_tensors="pt",
            )
            mask_BS = tokens.attention_mask.to(self._device)
            embedded_BSD = model(tokens.input_ids.to(self._device), mask_BS).last_hidden_state
            self._known[prompt] = embedded_BSD[0, : int(mask_BS.sum())].cpu().clone()
            self._store.put(self._key(prompt), self._known[prompt])

    def _load(self) -> tuple[Any, Any]:
        from transformers import AutoTokenizer, UMT5EncoderModel  # here: runs whose prompts are stored need neither

        try:
            tokenizer = AutoTokenizer.from_pretrained(self._tokenizer)
            model = UMT5EncoderModel.from_pretrained(self._folder, dtype=DTYPES[self._dtype], use_safetensors=True)
        except (OSError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ValueError(one_line(f"text.pretrained: {self._folder}: no UMT5 encoder: {reason}")) from None
        return tokenizer, model.eval().to(self._device)

    def _key(self, prompt: str) -> str:
        return f"{self.digest} {prompt}"


def text_width(pretrained: str) -> int:
    """Numbers D of an embedded token, from the encoder's configuration alone."""
    return int(read_json(local_part(pretrained, "text_encoder") / "config.json", MAX_JSON_BYTES)["d_model"])


def _cleaned(prompt: str) -> str:
    return " ".join(html.unescape(html.unescape(prompt)).split())
