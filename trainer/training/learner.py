"""What changes while training, and the one step that changes it.

Shapes: B examples, F frames, C Y X latent.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn

from trainer.build import build_codec, build_model
from trainer.config import OptimConfig, TrainConfig
from trainer.data.batches import Batch
from trainer.flow import add_noise, flow_error
from trainer.model.wan import RememberingWan
from trainer.training.devices import Devices, gradients_stay, spread, whole


class StepReport(NamedTuple):
    """Of the whole batch, the same on every device."""

    loss: float
    grad_norm: float  # before clipping


class Learner:
    """Model, optimiser and moving average of one run.

    Weights, gradients, moments and average are float32 whatever the precision; with FSDP all four are shards.
    """

    def __init__(self, config: TrainConfig, devices: Devices) -> None:
        self.config, self.devices, self.codec = config, devices, build_codec(config, devices.device)
        self.model = build_model(config)
        self.spread_model = spread(self.model, config, devices)
        self.optimizer = _optimizer(self.model, config.optim)
        self.ema = {name: p.detach().clone() for name, p in learnt_parameters(self.model).items()}

    def step(self, batch: Batch, step: int) -> StepReport:
        """One optimiser step on this device's rows of batch `step`.

        Raises FloatingPointError, on every device and with the weights as they were, when the loss or the norm of its
        gradients is not finite.
        """
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config, step)
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.backward(batch)
        if not torch.isfinite(loss):
            raise FloatingPointError(f"step {step}: the loss is {loss.item()}; lower optim.lr or use precision fp32")
        limit = self.config.optim.grad_clip or float("inf")
        norm = float(whole(torch.nn.utils.clip_grad_norm_(learnt_parameters(self.model).values(), limit)))
        if not math.isfinite(norm):
            raise FloatingPointError(f"step {step}: the gradient norm is {norm}; lower optim.lr or use precision fp32")
        self.optimizer.step()
        decay = min(self.config.optim.ema_decay, (1.0 + step) / (10.0 + step))
        with torch.no_grad():
            for name, parameter in learnt_parameters(self.model).items():
                self.ema[name].lerp_(parameter, 1.0 - decay)
        return StepReport(float(loss), norm)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Inside, the model has the averaged weights and is in evaluation mode."""
        parameters = learnt_parameters(self.model)
        current = {name: parameter.detach().clone() for name, parameter in parameters.items()}
        self._assign(self.ema)
        self.model.eval()
        try:
            # what was compiled was compiled for training: with a cache, every length would be compiled anew
            with torch.compiler.set_stance("force_eager") if self.config.compile else nullcontext():
                yield
        finally:
            self._assign(current)

    @torch.no_grad()
    def _assign(self, values: Mapping[str, Tensor]) -> None:
        for name, parameter in learnt_parameters(self.model).items():
            parameter.copy_(values[name])

    def backward(self, batch: Batch) -> Tensor:
        """Gradients of the loss of the global batch; returns that loss.

        Divided by all devices' weights together: a mean of the devices' means would weigh examples by their company.
        """
        weight = self.devices.total(batch.weight_BFYX.sum().to(self.devices.device))
        total = weight.clamp_min(torch.finfo(torch.float32).tiny)
        loss = torch.zeros((), device=self.devices.device)
        parts = _parts(batch, self.config.accumulation)
        for place, part in enumerate(parts):
            last = place == len(parts) - 1
            with nullcontext() if last else gradients_stay(self.spread_model):
                error = self.error(part.to(self.devices.device)) / total
                (error * self.devices.world).backward()  # gradients are averaged over devices
            loss += error.detach()
        return self.devices.total(loss)

    def error(self, batch: Batch) -> Tensor:
        noisy = add_noise(batch.clean_BFCYX, batch.noise_BFCYX, batch.level_BF)
        with computation(self.config.precision, noisy.device):
            prediction = predict_batch(self.spread_model, batch, noisy)
        kind = self.config.flow.prediction
        return flow_error(prediction, batch.clean_BFCYX, batch.noise_BFCYX, batch.weight_BFYX, kind)


@contextmanager
def computation(precision: str, device: torch.device) -> Iterator[None]:
    """Inside, products are computed in this precision."""
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"), warnings.catch_warnings():
        # of the norms of queries and keys, whose weights stay float32 as they should
        warnings.filterwarnings("ignore", message="Mismatch dtype between input and weight")
        yield


def predict_batch(model: nn.Module, batch: Batch, noisy: Tensor) -> Tensor:
    """The model's raw prediction for every node of a batch, [B, F, C, Y, X]."""
    prediction: Tensor = model(
        noisy,
        times_BF=batch.times_BF,
        noise_BF=batch.level_BF,
        cameras_BFc=batch.cameras_BFc,
        text_BSD=batch.text_BSD,
        mask_BFF=batch.mask_BFF,
    )
    return prediction


def learning_rate(config: TrainConfig, step: int) -> float:
    """Linear warm-up, constant, linear decay up to config.steps, wherever a call stops.

    A run that is shorter than its decay decays all along, from the full rate.
    """
    warm = (step + 1) / max(config.optim.warmup_steps, 1)
    left = (config.steps - step) / max(min(config.optim.decay_steps, config.steps), 1)
    return config.optim.lr * min(1.0, warm, left)


def learnt_parameters(model: RememberingWan) -> dict[str, nn.Parameter]:
    """What is trained, averaged and saved; the weights below a LoRA are not."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def _optimizer(model: RememberingWan, config: OptimConfig) -> torch.optim.Optimizer:
    """AdamW; vectors, tables and camera modules are not decayed."""
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in learnt_parameters(model).items():
        decayed = parameter.ndim == 2 and name.startswith("transformer.")
        (matrices if decayed else others).append(parameter)
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    return torch.optim.AdamW(groups, lr=config.lr, betas=(0.9, config.beta2), fused=True)


def _parts(batch: Batch, count: int) -> list[Batch]:
    """The rows of a batch in `count` equal parts."""
    size = batch.weight_BFYX.shape[0] // count
    slices = [slice(i * size, (i + 1) * size) for i in range(count)]
    return [Batch(**{name: value[rows] for name, value in vars(batch).items()}) for rows in slices]
