"""The Wan video autoencoder as a codec: Wan2.1 (16 channels, 1/8) and Wan2.2 (48 channels, 1/16), 1 + 4k frames.

Shapes: F frames, F' latents, H W pixels, C latent channels, Y X latent grid.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d, unpatchify
from torch import Tensor

from trainer.latents.layout import LatentLayout, Segments, check_segments
from trainer.latents.pretrained import content_digest, local_part
from trainer.latents.wan_geometry import STRIDE, WanGeometry, pieces
from untrusted import MAX_JSON_BYTES, read_json

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class WanVaeCodec:
    """Every segment is encoded by itself, so that a latent knows nothing of frames outside its segment.

    Latents are the posterior's mode, normalised by the mean and deviation in the VAE's configuration as the Wan
    pipelines do. Results are fp32 on the device of the input; the VAE stays where it is.
    """

    def __init__(self, vae: AutoencoderKLWan, digest: str) -> None:
        made: Any = vae  # diffusers' classes tell type checkers too little
        config = made.config
        if config.scale_factor_temporal != STRIDE or sum(config.temperal_downsample) != 2:
            raise ValueError(f"codec: a VAE of temporal stride {config.scale_factor_temporal}; only {STRIDE} is known")
        if not config.z_dim == len(config.latents_mean) == len(config.latents_std):
            raise ValueError(f"codec: latents_mean and latents_std of the VAE must have {config.z_dim} numbers each")
        self.vae = made.requires_grad_(False).eval()
        self._digest = f"wan_vae_{digest}_{str(made.dtype).removeprefix('torch.')}"
        self._mean_C11 = torch.tensor(config.latents_mean)[:, None, None]
        self._deviation_C11 = torch.tensor(config.latents_std)[:, None, None]

    @classmethod
    def from_pretrained(
        cls, pretrained: str, *, dtype: Literal["fp32", "bf16"] = "fp32", device: torch.device | None = None
    ) -> WanVaeCodec:
        """pretrained: hub id or local folder in the hub's layout, with the VAE in its subfolder `vae`."""
        folder = local_part(pretrained, "vae")
        try:
            vae = AutoencoderKLWan.from_pretrained(folder, torch_dtype=DTYPES[dtype], use_safetensors=True)
        except (OSError, ValueError) as error:
            raise ValueError(f"{folder}: cannot be read as a Wan VAE: {str(error).splitlines()[0]}") from None
        return cls(vae.to(device or torch.device("cpu")), content_digest(folder))

    @property
    def digest(self) -> str:
        return self._digest

    @property
    def channels(self) -> int:
        return int(self.vae.config.z_dim)

    @property
    def geometry(self) -> WanGeometry:
        return WanGeometry(cell_px=int(self.vae.config.scale_factor_spatial))

    def grid(self, height_px: int, width_px: int) -> tuple[int, int]:
        return self.geometry.grid(height_px, width_px)

    def layout(self, segments: Segments) -> LatentLayout:
        return self.geometry.layout(segments)

    @torch.no_grad()
    def encode(self, video_F3HW: Tensor, segments: Segments) -> Tensor:
        check_segments(segments, len(video_F3HW))
        self.grid(*video_F3HW.shape[-2:])
        parts = [self._encode_piece(video_F3HW[start:stop]) for start, stop in pieces(segments)]
        return torch.cat(parts).to(video_F3HW.device)

    def _encode_piece(self, video_F3HW: Tensor) -> Tensor:
        video_13FHW = video_F3HW.transpose(0, 1)[None].to(self.vae.device, self.vae.dtype)
        latents_CFYX = self.vae.encode(video_13FHW).latent_dist.mode()[0].float()
        mean, deviation = (t.to(latents_CFYX.device) for t in (self._mean_C11, self._deviation_C11))
        return (latents_CFYX.transpose(0, 1) - mean) / deviation

    def decoder(self) -> WanVaeDecoder:
        return WanVaeDecoder(self)

    def decode(self, latents_FCYX: Tensor, starts_F: np.ndarray) -> Tensor:
        return self.decoder().push(latents_FCYX, starts_F)

    def denormalised(self, latents_FCYX: Tensor) -> Tensor:
        """What the VAE's own decoder takes, [1, C, F', Y, X], on its device."""
        mean, deviation = (t.to(latents_FCYX.device) for t in (self._mean_C11, self._deviation_C11))
        raw_FCYX = latents_FCYX.float() * deviation + mean
        return raw_FCYX.transpose(0, 1)[None].to(self.vae.device, self.vae.dtype)


class WanVaeDecoder:
    """Decodes latent by latent and keeps the decoder's features in between, which `AutoencoderKLWan.decode` forgets."""

    def __init__(self, codec: WanVaeCodec) -> None:
        self._codec = codec
        self._num_caches = sum(isinstance(m, WanCausalConv3d) for m in codec.vae.decoder.modules())
        self._features: list[Tensor | str | None] | None = None

    @torch.no_grad()
    def push(self, latents_FCYX: Tensor, starts_F: np.ndarray) -> Tensor:
        """The next latents of a layout; ValueError when the very first of all does not start a segment."""
        vae = self._codec.vae
        raw_1CFYX = self._codec.denormalised(latents_FCYX)
        frames = []
        for i, starts in enumerate(starts_F):
            if starts:
                self._features = [None] * self._num_caches
            if self._features is None:
                raise ValueError("decoder: the first latent must be one that starts a segment")
            latent = vae.post_quant_conv(raw_1CFYX[:, :, i : i + 1])  # by itself: its rounding depends on the length
            frames.append(vae.decoder(latent, feat_cache=self._features, feat_idx=[0], first_chunk=bool(starts)))
        video_13FHW = torch.cat(frames, dim=2)
        if vae.config.patch_size is not None:
            video_13FHW = unpatchify(video_13FHW, patch_size=vae.config.patch_size)
        return video_13FHW[0].transpose(0, 1).float().clamp(-1.0, 1.0).to(latents_FCYX.device)


def vae_channels(pretrained: str) -> int:
    """Latent channels of a VAE, from its configuration alone."""
    path = local_part(pretrained, "vae") / "config.json"
    return int(read_json(path, MAX_JSON_BYTES)["z_dim"])
