"""Projective camera matrices in attention: PM-RoPE mode `full` and the comparator `prope`.

P maps homogeneous points of the first camera's frame (units of the scene scale) to a frame's image plane: the
intrinsics, lifted to 4x4, times camera_from_first. Shapes: B batch, F frames, N tokens per frame, L = F N, H heads,
E head dim, D = H E, c = 14 camera numbers (see cameras.py).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from trainer.model.rope import Rotation, rotate


class Projective(NamedTuple):
    """P and its inverse per frame, [B, F, 4, 4] float32."""

    matrix: Tensor
    inverse: Tensor


def projective_matrices(cameras_BFc: Tensor) -> Projective:
    """P = lift(diag(fx, fy, 1)) [R^T | -R^T t] and P^-1 = [R | t] lift(diag(1/fx, 1/fy, 1)), in closed form.

    t, R: the camera's position and axes in the first camera's frame; focals over the image width; the principal
    point is the middle of the picture. P of the first camera is its intrinsics alone.
    """
    cameras_BFc = cameras_BFc.float()
    position = cameras_BFc[..., :3, None]
    rotation = cameras_BFc[..., 3:12].unflatten(-1, (3, 3))
    focal = cameras_BFc[..., 12:14].exp()
    lift = torch.cat([focal, torch.ones_like(focal)], dim=-1)  # [B, F, 4], a diagonal
    with torch.autocast(cameras_BFc.device.type, enabled=False):
        camera_from_first = torch.cat([rotation.mT, -rotation.mT @ position], dim=-1)
    return Projective(
        matrix=lift[..., :, None] * _homogeneous(camera_from_first),
        inverse=_homogeneous(torch.cat([rotation, position], dim=-1)) / lift[..., None, :],
    )


def _homogeneous(top: Tensor) -> Tensor:
    """[..., 3, 4] with the row (0, 0, 0, 1) below it."""
    row = top.new_tensor([0.0, 0.0, 0.0, 1.0]).expand(*top.shape[:-2], 1, 4)
    return torch.cat([top, row], dim=-2)


def transform(x_BLHE: Tensor, matrix_BF44: Tensor) -> Tensor:
    """Each 4-vector along E times its frame's matrix, M x, in float32 whatever the autocast."""
    batch, frames = matrix_BF44.shape[:2]
    with torch.autocast(x_BLHE.device.type, enabled=False):
        rows = x_BLHE.float().reshape(batch * frames, -1, 4)
        moved = torch.bmm(rows, matrix_BF44.flatten(0, 1).mT)
    return moved.reshape(x_BLHE.shape).type_as(x_BLHE)


class CameraProjection(nn.Module):
    """Around one layer's attention: V <- V + W_v (P^-1 V) and out <- out + W_p (P out).

    P is tiled over the head dimension (E / 4 four-vectors); W_v and W_p are [E, E], one pair a layer, shared by its
    heads, without bias, zero at the start. W and P are joined into one [E, E] matrix a frame, in float32, so that a
    token costs a single product.
    """

    def __init__(self, head_dim: int) -> None:
        super().__init__()
        if head_dim % 4:
            raise ValueError(f"model.mode: full needs a head dim that 4 divides, not {head_dim}; change num_heads")
        self.value_weight = nn.Parameter(torch.zeros(head_dim, head_dim))
        self.out_weight = nn.Parameter(torch.zeros(head_dim, head_dim))

    def init_weights(self) -> None:
        nn.init.zeros_(self.value_weight)
        nn.init.zeros_(self.out_weight)

    def values(self, value_BLHE: Tensor, keys: Projective) -> Tensor:
        """keys: of all frames that value holds, cached ones first."""
        return _add_product(value_BLHE, self.value_weight, keys.inverse)

    def outputs(self, out_BLHE: Tensor, queries: Projective) -> Tensor:
        return _add_product(out_BLHE, self.out_weight, queries.matrix)


def _add_product(x_BLHE: Tensor, weight: Tensor, matrix_BF44: Tensor) -> Tensor:
    """x + W (P x). With W = 0 the bits of x."""
    with torch.autocast(x_BLHE.device.type, enabled=False):
        joined = torch.einsum("eac,bfcd->bfead", weight.float().unflatten(1, (-1, 4)), matrix_BF44)
    per_frame = joined.flatten(-2).flatten(0, 1).mT.to(x_BLHE.dtype)  # [B F, E, E]
    rows = x_BLHE.reshape(per_frame.shape[0], -1, x_BLHE.shape[-1])
    return torch.baddbmm(rows, rows, per_frame).reshape(x_BLHE.shape)


class RelativeAttention(nn.Module):
    """What PRoPE needs beside the second attention itself; the comparator `prope`.

    Source: Cameras as Relative Positional Encoding, arXiv 2507.10496, with D_i = diag(I x P_i, RoPE_i): the
    first half of E carries P, the second half the position, here time, row and column as in Wan's own RoPE at half
    the head dim (the paper's views have no time). Attention(D^T q, D^-1 k, D^-1 v), its output times D, so that only
    P_i P_j^-1 counts. It shares q, k and v with the layer's own attention and is added through `weight`, [D, D],
    without bias, zero at the start.
    """

    def __init__(self, num_heads: int, head_dim: int) -> None:
        super().__init__()
        if head_dim % 8:
            raise ValueError(f"model.mode: prope needs a head dim that 8 divides, not {head_dim}; change num_heads")
        self.weight = nn.Parameter(torch.zeros(num_heads * head_dim, num_heads * head_dim))

    def init_weights(self) -> None:
        nn.init.zeros_(self.weight)

    def query(self, query_BLHE: Tensor, cameras: Projective, places: Rotation) -> Tensor:
        return _halves(query_BLHE, cameras.matrix.mT, places)

    def key(self, key_BLHE: Tensor, cameras: Projective, places: Rotation) -> Tensor:
        """The same for keys and for values."""
        return _halves(key_BLHE, cameras.inverse, places)

    def output(self, out_BLHE: Tensor, cameras: Projective, places: Rotation) -> Tensor:
        """[B, L, H, E] to what is added to the attention's output, [B, L, D]."""
        back = Rotation(places.cos, -places.sin)
        return nn.functional.linear(_halves(out_BLHE, cameras.matrix, back).flatten(2), self.weight)


def _halves(x_BLHE: Tensor, matrix_BF44: Tensor, places: Rotation) -> Tensor:
    camera, place = x_BLHE.chunk(2, dim=-1)
    return torch.cat([transform(camera, matrix_BF44), rotate(place, places)], dim=-1)
