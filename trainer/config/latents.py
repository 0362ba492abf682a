"""From pixels and prompts to what the transformer takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trainer.config.limits import at_least

DEFAULT_PATCH = 8


@dataclass(frozen=True, kw_only=True)
class CodecConfig:
    """Pixels to latents."""

    kind: Literal["space_to_depth", "wan_vae"] = "space_to_depth"
    patch: int = at_least(1, DEFAULT_PATCH)  # of space_to_depth: patch x patch pixels are one latent cell
    pretrained: str = ""  # of wan_vae: hub id, or a local folder in the hub's layout with the subfolder vae/
    dtype: Literal["fp32", "bf16"] = "fp32"  # of wan_vae
    # of wan_vae: latents are stored, and a clip is disturbed and augmented in one of so many ways, each encoded once;
    # 0: in a new way every time, and every example is encoded anew
    latent_variants: int = at_least(0, 0)

    def problems(self) -> list[str]:
        if self.kind == "wan_vae":
            found = []
            if not self.pretrained:
                found.append("pretrained: is empty; give the hub id or the folder of a model with a Wan VAE")
            if self.patch != DEFAULT_PATCH:
                found.append(f"patch: {self.patch} is of space_to_depth; a VAE has its own, leave it out")
            return found
        given = {
            "pretrained": self.pretrained,
            "dtype": self.dtype != "fp32" and self.dtype,
            "latent_variants": self.latent_variants,
        }
        return [f"{name}: {value} is of wan_vae; leave it out" for name, value in given.items() if value]


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """Prompts to tokens. `bytes` has no weights; `umt5` is what real Wan models were trained with."""

    kind: Literal["bytes", "umt5"] = "bytes"
    pretrained: str = ""  # of umt5: hub id or local folder with the subfolders text_encoder/ and tokenizer/
    dtype: Literal["fp32", "bf16"] = "fp32"  # of umt5

    def problems(self) -> list[str]:
        if self.kind == "umt5":
            return [] if self.pretrained else ["pretrained: is empty; give the hub id or the folder of a Wan model"]
        given = {"pretrained": self.pretrained, "dtype": self.dtype != "fp32" and self.dtype}
        return [f"{name}: {value} is of umt5; leave it out" for name, value in given.items() if value]


@dataclass(frozen=True, kw_only=True)
class StoreConfig:
    """Encoded prompts and latents on disk, shared by all runs: what is there depends on content alone."""

    folder: str = ""  # none: remind-sim in the user's cache folder
    latents_gb: float = at_least(0.0, 50.0)  # at most; the longest unused make room


@dataclass(frozen=True, kw_only=True)
class LoaderConfig:
    """How batches are made ahead. Nothing of it but `skip_bad` changes what is in them."""

    num_workers: int = at_least(0, 0)  # processes; 0: in the training process itself
    prefetch: int = at_least(1, 2)  # batches that each worker makes ahead
    memory_mb: float = at_least(0.0, 2048.0)  # of decoded clips that are kept, over all workers together
    skip_bad: bool = False  # go on without clips that cannot be read
