"""Rotary positions at true times, with a camera phase (PM-RoPE, mode `phase`).

Shapes: B batch, F frames, N tokens per frame, L = F N tokens, H heads, E head dim, P = E / 2 rotation pairs,
Y X token grid. Angles are float64 and rotations float32 whatever the autocast: bf16 cannot hold consecutive
integers above 256, and float64 angles keep a shift of all times harmless.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from trainer.model.cameras import DESCRIPTOR_DIM

THETA = 10000.0  # base of the frequencies, as in Wan (diffusers: WanRotaryPosEmbed)


class Rotation(NamedTuple):
    """cos and sin of an angle per rotation pair, float32, broadcastable to [B, F, N, P]."""

    cos: Tensor
    sin: Tensor

    def plus(self, angle: Tensor) -> Rotation:
        """Angle addition. A zero angle returns the same bits: x * 1 - y * 0 = x."""
        cos, sin = torch.cos(angle), torch.sin(angle)
        return Rotation(self.cos * cos - self.sin * sin, self.sin * cos + self.cos * sin)


def axis_pairs(head_dim: int) -> tuple[int, int, int]:
    """How many rotation pairs time, height and width get; Wan's split."""
    spatial = head_dim // 6
    return head_dim // 2 - 2 * spatial, spatial, spatial


def frequencies(num_pairs: int, device: torch.device) -> Tensor:
    """[num_pairs] float64, rad per position."""
    exponent = torch.arange(0, 2 * num_pairs, 2, dtype=torch.float64, device=device) / (2 * num_pairs)
    return 1.0 / THETA**exponent


def base_rotation(times_BF: Tensor, grid: tuple[int, int], head_dim: int) -> Rotation:
    """Rotation of every token by its true time (float, latent steps) and its place in the (Y, X) grid: [B, F, N, P]."""
    rows, columns = grid
    device = times_BF.device
    num_t, num_y, num_x = axis_pairs(head_dim)
    angle_t = times_BF.double()[:, :, None, None] * frequencies(num_t, device)
    place_y = torch.arange(rows, dtype=torch.float64, device=device)
    place_x = torch.arange(columns, dtype=torch.float64, device=device)
    angle_y = (place_y[:, None] * frequencies(num_y, device)).repeat_interleave(columns, dim=0)
    angle_x = (place_x[:, None] * frequencies(num_x, device)).repeat(rows, 1)
    shape = (*times_BF.shape, rows * columns)
    angle = torch.cat(
        [angle_t.expand(*shape, num_t), angle_y.expand(*shape, num_y), angle_x.expand(*shape, num_x)], dim=-1
    )
    return Rotation(angle.cos().float(), angle.sin().float())


def rotate(x_BLHE: Tensor, rotation: Rotation) -> Tensor:
    """Rotate neighbouring channel pairs; rotation is [B, F, N, P] with F N = L."""
    cos, sin = (part.flatten(1, 2).unsqueeze(2) for part in rotation)
    even, odd = x_BLHE[..., 0::2], x_BLHE[..., 1::2]
    rotated = torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1)
    return rotated.flatten(-2).type_as(x_BLHE)


class CameraPhase(nn.Module):
    """phi_f = W c_f of one layer: no bias, zero at the start, one for all heads and all tokens of a frame."""

    def __init__(self, head_dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(head_dim // 2, DESCRIPTOR_DIM))

    def init_weights(self) -> None:
        nn.init.zeros_(self.weight)

    def forward(self, cameras_BFc: Tensor) -> Tensor:
        """[B, F, 14] to phases [B, F, 1, P], rad, float32 also under autocast."""
        with torch.autocast(cameras_BFc.device.type, enabled=False):
            return (cameras_BFc.float() @ self.weight.float().T).unsqueeze(2)
