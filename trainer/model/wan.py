"""RememberingWan: any WanTransformer3DModel made frame-causal, with true times, camera phases and a KV cache.

Shapes: B batch, F frames of this call, K cached frames, N = Y X tokens per frame (after Wan's spatial patches),
C latent channels, D model dim, S text tokens.
"""

from __future__ import annotations

from typing import Any, get_args

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from trainer.model.attention import FrameContext, FramePlaces, FrameSelfAttention, UnfoldedCrossAttention
from trainer.model.cache import KVCache
from trainer.model.diagnostics import AttentionRecorder
from trainer.model.kernels import attention_kernel
from trainer.model.options import AttentionBackend, CameraMode
from trainer.model.projective import CameraProjection, RelativeAttention, projective_matrices
from trainer.model.rope import CameraPhase, base_rotation

TIMESTEPS = 1000.0  # Wan's timestep embedding expects flow time times this


class RememberingWan(nn.Module):
    """The transformer is changed from outside only: its attention processors are replaced, its weights are its own.

    mode, how attention sees the cameras:
        none    not at all
        phase   PM-RoPE: a phase per layer, added to the rotary angle of queries and keys
        full    the phase, and projective matrices around the same single attention (CameraProjection)
        prope   a comparator: PRoPE in a second attention, added to the first (RelativeAttention)
    With the full mask and integer times each gives the unmodified transformer's output bit for bit until the first
    optimiser step.
    """

    def __init__(
        self,
        transformer: Any,
        *,
        mode: CameraMode = "phase",
        attention: AttentionBackend = "sdpa",
        gradient_checkpointing: bool = False,
    ) -> None:
        super().__init__()
        for name, value, choices in (("mode", mode, CameraMode), ("attention", attention, AttentionBackend)):
            if value not in get_args(choices):
                raise ValueError(f"model.{name}: {value!r} is unknown; choose of {', '.join(get_args(choices))}")
        config = transformer.config
        if config.patch_size[0] != 1:
            raise ValueError(f"model: a patch of {config.patch_size[0]} latent frames would mix times; it must be 1")
        if config.image_dim is not None or config.added_kv_proj_dim is not None:
            raise ValueError("model: image-conditioned Wan (image_dim, added_kv_proj_dim) is not supported; use T2V")
        self.transformer = transformer
        self.mode = mode
        self.attention: AttentionBackend = attention
        self.gradient_checkpointing = gradient_checkpointing
        self.head_dim: int = config.attention_head_dim
        layers, heads = range(config.num_layers), config.num_attention_heads
        self.phases = nn.ModuleList(CameraPhase(self.head_dim) for _ in layers if mode in ("phase", "full"))
        self.projections = nn.ModuleList(CameraProjection(self.head_dim) for _ in layers if mode == "full")
        self.relatives = nn.ModuleList(RelativeAttention(heads, self.head_dim) for _ in layers if mode == "prope")
        for layer, block in enumerate(transformer.blocks):
            cameras = {
                name: modules[layer] if len(modules) else None
                for name, modules in (
                    ("phase", self.phases),
                    ("projection", self.projections),
                    ("relative", self.relatives),
                )
            }
            block.attn1.set_processor(FrameSelfAttention(layer, **cameras))  # type: ignore[arg-type]
            block.attn2.set_processor(UnfoldedCrossAttention(block.attn2.processor))

    def zero_camera_modules(self) -> None:
        """Put back what must start at zero, after loading a checkpoint that has no camera modules."""
        for module in (*self.phases, *self.projections, *self.relatives):
            module.init_weights()

    def forward(
        self,
        latents_BFCYX: Tensor,
        *,
        times_BF: Tensor,
        noise_BF: Tensor,
        cameras_BFc: Tensor,
        text_BSD: Tensor,
        mask_BFF: Tensor | None = None,
        cache: KVCache | None = None,
        write_ids: list[int] | None = None,
        write_anchors: list[bool] | None = None,
        recorder: AttentionRecorder | None = None,
    ) -> Tensor:
        """The transformer's prediction, [B, F, C, Y, X].

        times_BF: true latent times, float. noise_BF: flow time in [0, 1] per frame, or [B] when all frames share it.
        cameras_BFc: [B, F, 14]. text_BSD: [B, S, text_dim], or [B, P, S, text_dim], a prompt for each F / P frames.
        mask_BFF: which frames of this call see which; None: all. Cached frames are seen when strictly earlier.
        write_ids: remember these F frames in the cache under these ids, in the place of frames that are cached under
        them (not under grad). recorder: told where each layer looks.
        """
        batch, num_frames, _, height, width = latents_BFCYX.shape
        patch_y, patch_x = self.transformer.config.patch_size[1:]
        if height % patch_y or width % patch_x:
            raise ValueError(f"latents: {width} x {height} is no multiple of the patch {patch_x}; crop the clips")
        if text_BSD.ndim == 4 and num_frames % text_BSD.shape[1]:
            raise ValueError(f"text: {text_BSD.shape[1]} prompts do not divide {num_frames} frames; give one a frame")
        grid = (height // patch_y, width // patch_x)
        context = self._context(grid, times_BF, cameras_BFc, mask_BFF, cache)
        context.recorder = recorder
        if write_ids is not None:
            context.fresh = {}

        hidden_BDFYX = self.transformer.patch_embedding(latents_BFCYX.transpose(1, 2))
        hidden = hidden_BDFYX.permute(0, 2, 3, 4, 1).flatten(2, 3).flatten(0, 1).contiguous()  # [B F, N, D]
        frames_per_level = num_frames if noise_BF.ndim == 1 else 1
        level, modulation, text, _ = self.transformer.condition_embedder(
            noise_BF.flatten() * TIMESTEPS, text_BSD, None, timestep_seq_len=None
        )
        text = text.flatten(0, -3)  # [B, S, D], or [B P, S, D]
        level = level.repeat_interleave(frames_per_level, dim=0)  # [B F, D]
        modulation = modulation.unflatten(1, (6, -1)).repeat_interleave(frames_per_level, dim=0)  # [B F, 6, D]

        checkpointed = self.gradient_checkpointing and torch.is_grad_enabled()
        for block in self.transformer.blocks:
            if checkpointed:
                hidden = checkpoint(block, hidden, text, modulation, context, use_reentrant=False)
            else:
                hidden = block(hidden, text, modulation, context)

        shift, scale = (self.transformer.scale_shift_table + level.unsqueeze(1)).chunk(2, dim=1)
        hidden = (self.transformer.norm_out(hidden.float()) * (1 + scale) + shift).type_as(hidden)
        out = self.transformer.proj_out(hidden)  # [B F, N, patch_y patch_x C]
        out = out.reshape(batch, num_frames, *grid, patch_y, patch_x, -1)
        if write_ids is not None:
            assert cache is not None and context.fresh is not None, "write_ids needs a cache"
            cache.write(
                context.fresh,
                node_ids=write_ids,
                times_BF=times_BF,
                cameras_BFc=cameras_BFc,
                anchors=write_anchors or [False] * num_frames,
            )
        return out.permute(0, 1, 6, 2, 4, 3, 5).flatten(5, 6).flatten(3, 4)

    def _context(
        self,
        grid: tuple[int, int],
        times_BF: Tensor,
        cameras_BFc: Tensor,
        mask_BFF: Tensor | None,
        cache: KVCache | None,
    ) -> FrameContext:
        query_times, key_times, key_cameras, mask = times_BF, times_BF, cameras_BFc, mask_BFF
        held = cache if cache is not None and len(cache) else None
        if held is not None:
            cached_times, query_times = held.seen_times(times_BF.double())
            key_times = torch.cat([cached_times, query_times], dim=1)
            key_cameras = torch.cat([held.cameras_BKc, cameras_BFc], dim=1)
            mask = _mask_with_cache(held.times_BK, times_BF, mask_BFF)
        return FrameContext(
            num_frames=times_BF.shape[1],
            query=self._places(query_times, cameras_BFc, grid),
            key=self._places(key_times, key_cameras, grid),
            attend=attention_kernel(self.attention, mask, grid[0] * grid[1], times_BF.device),
            mask=mask,
            recorder=None,
            cache=held,
            fresh=None,
        )

    def _places(self, times_BF: Tensor, cameras_BFc: Tensor, grid: tuple[int, int]) -> FramePlaces:
        return FramePlaces(
            rotation=base_rotation(times_BF, grid, self.head_dim),
            half_rotation=base_rotation(times_BF, grid, self.head_dim // 2) if self.mode == "prope" else None,
            cameras=cameras_BFc,
            projective=projective_matrices(cameras_BFc) if self.mode in ("full", "prope") else None,
        )


def _mask_with_cache(cached_times_BK: Tensor, times_BF: Tensor, mask_BFF: Tensor | None) -> Tensor | None:
    """[B, F, K + F] bool, or None when every query may look everywhere."""
    earlier_BFK = cached_times_BK[:, None, :] < times_BF[:, :, None]
    if mask_BFF is None:
        if bool(earlier_BFK.all()):
            return None
        mask_BFF = times_BF.new_ones(*times_BF.shape, times_BF.shape[1], dtype=torch.bool)
    return torch.cat([earlier_BFK, mask_BFF], dim=2)
