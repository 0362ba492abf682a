"""Small models and clips that the trainer's tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from torch import Tensor
from torch.nn import Parameter

from trainer.model.options import CameraMode
from trainer.model.wan import RememberingWan

NUM_CHANNELS, GRID = 6, (2, 3)


def tiny_wan(seed: int = 0) -> WanTransformer3DModel:
    """An unmodified two-layer Wan in evaluation mode."""
    torch.manual_seed(seed)
    return WanTransformer3DModel(
        patch_size=(1, 1, 1),
        num_attention_heads=2,
        attention_head_dim=24,
        in_channels=NUM_CHANNELS,
        out_channels=NUM_CHANNELS,
        text_dim=80,
        freq_dim=32,
        ffn_dim=64,
        num_layers=2,
        rope_max_seq_len=64,
    ).eval()


def tiny_model(seed: int = 0, mode: CameraMode = "phase", **options: Any) -> RememberingWan:
    return RememberingWan(tiny_wan(seed), mode=mode, **options)


def with_camera_phases(model: RememberingWan, seed: int = 1) -> RememberingWan:
    """As after training: phases, and whatever else the mode has for cameras, that are no longer zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in camera_parameters(model).values():
            weight.copy_(0.7 * torch.randn(weight.shape, generator=generator))
    return model


def camera_parameters(model: RememberingWan) -> dict[str, Parameter]:
    return {name: p for name, p in model.named_parameters() if not name.startswith("transformer.")}


def random_cameras(num_frames: int, batch: int, generator: torch.Generator) -> Tensor:
    """[B, F, 14]: any position, any axes, focal lengths around the width of the picture."""
    rotation, _ = torch.linalg.qr(torch.randn(batch, num_frames, 3, 3, generator=generator))
    rotation = rotation * torch.linalg.det(rotation)[..., None, None]
    position = torch.randn(batch, num_frames, 3, generator=generator)
    log_focal = 0.3 * torch.randn(batch, num_frames, 2, generator=generator)
    return torch.cat([position, rotation.flatten(2), log_focal], dim=2)


def random_inputs(num_frames: int, batch: int = 2, seed: int = 3) -> dict[str, Tensor]:
    """Inputs of RememberingWan.forward with uneven times (gaps), moving cameras and mixed noise levels."""
    generator = torch.Generator().manual_seed(seed)
    steps = torch.randint(1, 4, (batch, num_frames), generator=generator)
    return {
        "latents_BFCYX": torch.randn(batch, num_frames, NUM_CHANNELS, *GRID, generator=generator),
        "times_BF": steps.cumsum(1).double(),
        "noise_BF": torch.rand(batch, num_frames, generator=generator),
        "cameras_BFc": random_cameras(num_frames, batch, generator),
        "text_BSD": torch.randn(batch, 5, 80, generator=generator),
    }


def frames(inputs: dict[str, Tensor], part: slice) -> dict[str, Tensor]:
    """The same inputs, some of the frames."""
    return {name: value if name == "text_BSD" else value[:, part] for name, value in inputs.items()}


def causal(num_frames: int, batch: int = 2) -> Tensor:
    """[B, F, F] bool: each frame sees itself and earlier ones."""
    return torch.ones(num_frames, num_frames, dtype=torch.bool).tril().expand(batch, -1, -1)


def save_tiny_vae(folder: Path, seed: int = 0, *, residual: bool = False) -> Path:
    """A random Wan VAE in the hub's layout: 1/8 as in Wan2.1, or residual and patchified, 1/16, as in Wan2.2."""
    torch.manual_seed(seed)
    channels, size = (6, 16) if residual else (4, 8)
    patches = {"is_residual": True, "patch_size": 2, "in_channels": 12, "out_channels": 12} if residual else {}
    vae = AutoencoderKLWan(
        base_dim=4,
        z_dim=channels,
        dim_mult=[1, 1, 1, 1] if residual else [1, 2, 2, 2],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=torch.linspace(-0.5, 0.5, channels).tolist(),
        latents_std=torch.linspace(0.5, 1.5, channels).tolist(),
        scale_factor_spatial=size,
        **patches,
    )
    vae.save_pretrained(folder / "vae")
    return folder
