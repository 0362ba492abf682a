"""One or many devices: which rows of a batch are ours, how gradients meet, how sharded tensors become whole.

Several processes come from `accelerate launch` or `torchrun`; Accelerate reads what they were told. Gradients are those
of the sum over all devices, never a mean of means, so that one process and many take the same step.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from accelerate import PartialState
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

from trainer.build import default_device
from trainer.config import TrainConfig
from trainer.model.wan import RememberingWan


@dataclass(frozen=True, kw_only=True)
class Devices:
    """This process among all processes of the run."""

    device: torch.device
    rank: int = 0
    world: int = 1

    @classmethod
    def find(cls) -> Devices:
        """Joins the process group, when the environment says that there is one."""
        if int(os.environ.get("WORLD_SIZE", "1")) == 1:
            return cls(device=default_device())
        state = PartialState(cpu=not torch.cuda.is_available())
        # a CPU without number, as everywhere else
        device = state.device if state.device.type == "cuda" else torch.device("cpu")
        return cls(device=device, rank=state.process_index, world=state.num_processes)

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def rows(self, batch_size: int) -> range:
        """Our rows of the global batch."""
        share = batch_size // self.world
        return range(self.rank * share, (self.rank + 1) * share)

    def total(self, value: Tensor) -> Tensor:
        """The sum over all processes, the same bits in each."""
        if self.world > 1:
            value = value.clone()
            dist.all_reduce(value)
        return value

    def wait(self) -> None:
        """Until all are here."""
        if self.world > 1:
            dist.barrier()


def spread(model: RememberingWan, config: TrainConfig, devices: Devices) -> nn.Module:
    """Put a model on its device or devices; what it returns is to be called where gradients are wanted.

    With `sharding: fsdp` the model itself is changed: its parameters become shards (FSDP2), gathered block by block.
    """
    model.to(devices.device)
    if config.compile:
        for block in model.transformer.blocks:
            block.compile(dynamic=True)
    if devices.world == 1:
        return model
    if config.sharding == "fsdp":
        mesh = init_device_mesh(devices.device.type, (devices.world,))
        for block in model.transformer.blocks:
            fully_shard(block, mesh=mesh)
        fully_shard(model, mesh=mesh, reshard_after_forward=True)  # so that between calls all parameters are shards
        return model
    ids = [devices.device.index] if devices.device.type == "cuda" else None
    return DistributedDataParallel(model, device_ids=ids, broadcast_buffers=False, gradient_as_bucket_view=True)


@contextmanager
def gradients_stay(spread_model: nn.Module) -> Iterator[None]:
    """Inside, gradients are added up on each device and not exchanged: for all micro-batches but the last."""
    if isinstance(spread_model, DistributedDataParallel):
        with spread_model.no_sync():
            yield
    elif isinstance(spread_model, FSDPModule):
        spread_model.set_requires_gradient_sync(False)
        yield
        spread_model.set_requires_gradient_sync(True)
    else:
        yield


def whole(tensor: Tensor) -> Tensor:
    """The full tensor of a shard; all processes must ask. Anything else as it is."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def placed_like(parameter: Tensor) -> Callable[[Tensor], Tensor]:
    """What puts a whole tensor where a parameter lies: its device, and its shard of it."""

    def place(full: Tensor) -> Tensor:
        full = full.detach().to(parameter.device)
        if isinstance(parameter, DTensor) and full.shape == parameter.shape:
            return distribute_tensor(full, parameter.device_mesh, parameter.placements, src_data_rank=None)
        return full

    return place
