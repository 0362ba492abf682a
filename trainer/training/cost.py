"""What a step costs, before there are data or weights: parameters, memory of one device, floating-point operations.

Weights, gradients, moments and average are counted exactly on the meta device. Activations are those that autograd
keeps, counted over a forward pass of two layers on fake tensors, the widest example in every row; what is alive for
a moment only (the largest product, the allocator's slack) is not in it: benchmarks/memory.py measures how much that is.

Shapes: B rows of a micro-batch, F nodes of an example, N tokens of a node, S text tokens, D width, C latent channels.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from trainer.build import build_model
from trainer.config import CodecConfig, TrainConfig
from trainer.data.batches import Batch
from trainer.latents.build import text_shape
from trainer.latents.wan_geometry import STRIDE
from trainer.latents.wan_vae import vae_channels
from trainer.model.cameras import DESCRIPTOR_DIM
from trainer.model.shapes import HUB_CONFIGS
from trainer.model.wan import RememberingWan
from trainer.recipes import ClipShape
from trainer.training.learner import computation

GB = 1e9
CELL = {16: 8, 48: 16}  # pixels per latent cell and side of the Wan VAEs, by their channels
# Dense peak of matrix products, FLOP/s, bf16 and fp32 (TF32 off), from the makers' data sheets.
PEAK_FLOPS = {
    "H200": (989e12, 67e12),
    "H100": (989e12, 67e12),
    "A100": (312e12, 19.5e12),
    "L40S": (362e12, 91.6e12),
    "RTX 4090": (165e12, 82.6e12),
}


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one step; bytes are those of one device, FLOPs those of all devices together."""

    parameters: int
    learnt: int
    nodes_per_example: int  # about: history, and targets beside it; long ramps and further windows add some
    tokens_per_example: int
    weight_bytes: int
    gradient_bytes: int
    moment_bytes: int
    average_bytes: int
    activation_bytes: int
    flops: float

    @property
    def total_bytes(self) -> int:
        parts = (self.weight_bytes, self.gradient_bytes, self.moment_bytes, self.average_bytes, self.activation_bytes)
        return sum(parts)

    def text(self) -> str:
        """For people."""
        rows = {
            "parameters": f"{self.parameters / 1e6:,.2f} M, {self.learnt / 1e6:,.2f} M of them learnt",
            "per example": f"about {self.nodes_per_example} latent frames, {self.tokens_per_example:,} tokens",
            "weights": f"{self.weight_bytes / GB:.3f} GB a device",
            "gradients": f"{self.gradient_bytes / GB:.3f} GB",
            "moments": f"{self.moment_bytes / GB:.3f} GB",
            "average": f"{self.average_bytes / GB:.3f} GB",
            "activations": f"{self.activation_bytes / GB:.3f} GB (estimate)",
            "together": f"{self.total_bytes / GB:.3f} GB",
            "a step": f"{self.flops:.3g} FLOP",
        }
        return "\n".join(f"{name:<12} {value}" for name, value in rows.items())


def estimate(config: TrainConfig, shape: ClipShape, *, world: int = 1) -> Cost:
    """Cost of a configuration on clips of one shape, on `world` devices. ValueError when clips do not divide."""
    channels, cell, stride = _codec_shape(config.codec)
    side = cell * config.model.patch
    if shape.height_px % side or shape.width_px % side:
        raise ValueError(f"clips: {shape.width_px} x {shape.height_px} px do not divide into tokens of {side} px")
    nodes = -(-(shape.num_frames // config.data.frame_stride) // stride)
    nodes += config.data.num_return_targets + config.data.num_other_targets
    grid = (shape.height_px // cell, shape.width_px // cell)
    tokens = nodes * grid[0] * grid[1] // config.model.patch**2
    rows = max(1, config.batch_size // (world * config.accumulation))
    with torch.device("meta"):
        model = build_model(config, weights=False, channels=channels)
    learnt = [p for p in model.parameters() if p.requires_grad]
    shards = world if config.sharding == "fsdp" else 1
    learnt_bytes = sum(p.numel() * p.element_size() for p in learnt) // shards
    flops = config.batch_size * training_flops(model, nodes, tokens // nodes, text_shape(config.text)[0])
    return Cost(
        parameters=sum(p.numel() for p in model.parameters()),
        learnt=sum(p.numel() for p in learnt),
        nodes_per_example=nodes,
        tokens_per_example=tokens,
        weight_bytes=sum(p.numel() * p.element_size() for p in model.parameters()) // shards,
        gradient_bytes=learnt_bytes,
        moment_bytes=2 * learnt_bytes,
        average_bytes=learnt_bytes,
        activation_bytes=_activation_bytes(config, channels, (rows, nodes, *grid)),
        flops=flops,
    )


def forward_flops(model: RememberingWan, num_nodes: int, num_tokens: int, text_tokens: int) -> float:
    """Products of one example's forward pass, two FLOPs a multiplication; attention as if nothing were masked.

    num_tokens: N, of one node. Norms, rotations and camera phases are left out (tests compare with a counter).
    """
    c = model.transformer.config
    dim = c.num_attention_heads * c.attention_head_dim
    length = num_nodes * num_tokens
    patch = c.patch_size[1] * c.patch_size[2]
    self_attention = 2.0 * 4 * length * dim**2 + 4.0 * length**2 * dim
    cross_attention = 2.0 * 2 * (length + text_tokens) * dim**2 + 4.0 * length * text_tokens * dim
    cameras = 0.0
    if model.mode == "prope":  # a second attention and what it is added through
        cameras = 4.0 * length**2 * dim + 2.0 * length * dim**2
    elif model.mode == "full":  # two matrices of a head around the attention
        cameras = 4.0 * length * dim * model.head_dim
    block = self_attention + cross_attention + cameras + 4.0 * length * dim * c.ffn_dim
    ends = 2.0 * length * dim * patch * (c.in_channels + c.out_channels)
    levels = 2.0 * num_nodes * (c.freq_dim * dim + dim**2 + 6 * dim**2)
    text = 2.0 * text_tokens * (c.text_dim * dim + dim**2)
    return c.num_layers * block + ends + levels + text


def training_flops(model: RememberingWan, num_nodes: int, num_tokens: int, text_tokens: int) -> float:
    """Forward and backward of one example: three times the forward pass, whatever is computed twice (the convention
    of model FLOPs utilisation). Frozen weights need no gradients of their own: twice."""
    frozen = any(not p.requires_grad for p in model.parameters())
    return (2.0 if frozen else 3.0) * forward_flops(model, num_nodes, num_tokens, text_tokens)


def peak_flops(device: torch.device, precision: str) -> float | None:
    """Of a device whose data sheet we know; else None, and no utilisation is shown."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((peaks[precision == "fp32"] for known, peaks in PEAK_FLOPS.items() if known in name), None)


def batch_flops(model: RememberingWan, batch: Batch) -> float:
    """Of the rows of one batch, padding included."""
    count, nodes = batch.level_BF.shape
    patch = model.transformer.config.patch_size[1] * model.transformer.config.patch_size[2]
    tokens = batch.clean_BFCYX.shape[3] * batch.clean_BFCYX.shape[4] // patch
    return count * training_flops(model, nodes, tokens, batch.text_BSD.shape[-2])


def _codec_shape(codec: CodecConfig) -> tuple[int, int, int]:
    """Latent channels, pixels per latent cell and side, frames per latent."""
    if codec.kind != "wan_vae":
        return 3 * codec.patch**2, codec.patch, 1
    known = HUB_CONFIGS.get(codec.pretrained)
    channels = int(known["in_channels"]) if known and not Path(codec.pretrained).exists() else 0
    channels = channels or vae_channels(codec.pretrained)
    return channels, CELL[channels], STRIDE


def _activation_bytes(config: TrainConfig, channels: int, shape_BFYX: tuple[int, int, int, int]) -> int:
    """What autograd keeps of one micro-batch: of two layers, drawn out to all."""
    model_config = dataclasses.replace(config.model, num_layers=2, attention="sdpa")
    two = dataclasses.replace(config, model=model_config)
    with torch.device("meta"):
        model = build_model(two, weights=False, channels=channels)
    model.gradient_checkpointing = False
    with FakeTensorMode():
        _make_fake(model)
        inputs = _fake_inputs(channels, text_shape(config.text), shape_BFYX)
        kept = _Kept(model)
        marks: list[int] = []
        for block in model.transformer.blocks:
            block.register_forward_hook(lambda *_: marks.append(kept.bytes))
        entry: list[int] = []
        model.transformer.blocks[0].register_forward_pre_hook(
            lambda _, arguments: entry.append(arguments[0].numel() * arguments[0].element_size())
        )
        with torch.autograd.graph.saved_tensors_hooks(kept.keep, lambda tensor: tensor):
            with computation(config.precision, torch.device("cpu")):
                out = model(**inputs)
            out.float().square().sum()
    per_block, layers = marks[1] - marks[0], config.model.num_layers
    ends = kept.bytes - 2 * per_block
    if config.model.gradient_checkpointing:
        return ends + layers * entry[0] + per_block
    return ends + layers * per_block


def _make_fake(model: nn.Module) -> None:
    """Parameters that pretend to lie on a CPU, where autocast acts; on the meta device it does not."""
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            fake = torch.empty(parameter.shape, dtype=parameter.dtype)
            setattr(module, name, nn.Parameter(fake, requires_grad=parameter.requires_grad))


class _Kept:
    """Bytes of the storages that autograd keeps, each once, those of parameters not at all."""

    def __init__(self, model: RememberingWan) -> None:
        self.bytes = 0
        self._held: list[Any] = []  # so that no address is used twice
        self._seen = {p.untyped_storage()._cdata for p in model.parameters()}

    def keep(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in self._seen:
            self._seen.add(storage._cdata)
            self._held.append(storage)
            self.bytes += storage.nbytes()
        return tensor


def _fake_inputs(channels: int, text_SD: tuple[int, int], shape_BFYX: tuple[int, int, int, int]) -> dict[str, Tensor]:
    rows, nodes, height, width = shape_BFYX
    return {
        "latents_BFCYX": torch.zeros(rows, nodes, channels, height, width),
        "times_BF": torch.zeros(rows, nodes, dtype=torch.float64),
        "noise_BF": torch.zeros(rows, nodes),
        "cameras_BFc": torch.zeros(rows, nodes, DESCRIPTOR_DIM),
        "text_BSD": torch.zeros(rows, *text_SD),
        "mask_BFF": torch.ones(rows, nodes, nodes, dtype=torch.bool),
    }
