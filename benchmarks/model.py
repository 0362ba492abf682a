"""Exactness of the wrapped transformer and its cache, in figures, at the size of the recipe `tiny`.

    python -m benchmarks.model

Prints the greatest absolute difference of the outputs for each promise and for its negative control, and what a frame
costs through the cache and without it.
"""

from __future__ import annotations

import time

import torch
from torch import Tensor

from trainer.build import build_model
from trainer.model.cache import KVCache
from trainer.model.wan import RememberingWan
from trainer.recipes import recipe

NUM_FRAMES, GAP = 16, 5
Inputs = dict[str, Tensor]


def main() -> None:
    torch.manual_seed(0)
    config = recipe("tiny")
    model = build_model(config).eval()
    inputs = random_inputs(model)
    even = inputs | {"times_BF": torch.arange(NUM_FRAMES).double()[None]}
    stock = model.transformer.__class__.from_config(model.transformer.config).eval()
    stock.load_state_dict(model.transformer.state_dict())
    level = torch.tensor([0.5])
    with torch.no_grad():
        theirs = stock(inputs["latents_BFCYX"].transpose(1, 2), level * 1000.0, inputs["text_BSD"]).sample.transpose(
            1, 2
        )
        row("at initialisation, against the stock model", model(**even | {"noise_BF": level}), theirs)
        for phase in model.phases:
            phase.weight.normal_(0.0, 0.3)
        row("control: camera phases no longer zero", model(**even | {"noise_BF": level}), theirs)
        full = model(**inputs, mask_BFF=causal(NUM_FRAMES))
        for chunk in (1, 4):
            row(
                f"cached in chunks of {chunk}, across a gap of {GAP}, against full causal",
                cached(model, inputs, chunk),
                full,
            )
        row("control: without the gap", cached(model, inputs | {"times_BF": even["times_BF"]}, 1), full)
        still = torch.zeros_like(inputs["cameras_BFc"])
        row("control: without the cameras", cached(model, inputs | {"cameras_BFc": still}, 1), full)
        row("control: without the mask", cached(model, inputs, 1), model(**inputs))
        later = inputs["latents_BFCYX"].clone()
        later[:, 8:] += 1.0
        changed = model(**inputs | {"latents_BFCYX": later}, mask_BFF=causal(NUM_FRAMES))
        row("frames before 8 when frames from 8 on change", changed[:, :8], full[:, :8])
        unmasked = (model(**inputs)[:, :8], model(**inputs | {"latents_BFCYX": later})[:, :8])
        row("control: the same without the mask", *unmasked)
        costs(model, inputs)


def row(name: str, ours: Tensor, theirs: Tensor) -> None:
    print(f"{name:72} {(ours - theirs).abs().max().item():.2e}", flush=True)


def random_inputs(model: RememberingWan) -> Inputs:
    """One clip with a gap in time, moving cameras and mixed noise levels."""
    times = torch.arange(NUM_FRAMES).double()
    times[NUM_FRAMES // 2 :] += GAP
    text_dim = model.transformer.config["text_dim"]
    return {
        "latents_BFCYX": torch.randn(1, NUM_FRAMES, model.transformer.config["in_channels"], 4, 4),
        "times_BF": times[None],
        "noise_BF": torch.rand(1, NUM_FRAMES),
        "cameras_BFc": torch.randn(1, NUM_FRAMES, 14),
        "text_BSD": torch.randn(1, 5, text_dim),
    }


def causal(num_frames: int) -> Tensor:
    return torch.ones(1, num_frames, num_frames, dtype=torch.bool).tril()


def cached(model: RememberingWan, inputs: Inputs, chunk: int) -> Tensor:
    """The clip chunk by chunk, each frame written to the cache as it is read."""
    cache, out = KVCache(), []
    for start in range(0, NUM_FRAMES, chunk):
        part = {k: v if k == "text_BSD" else v[:, start : start + chunk] for k, v in inputs.items()}
        ids = list(range(start, start + chunk))
        out.append(model(**part, mask_BFF=causal(chunk), cache=cache, write_ids=ids))
    return torch.cat(out, dim=1)


def costs(model: RememberingWan, inputs: Inputs) -> None:
    """Milliseconds for a whole clip, frame by frame, with the cache and by recomputing the history."""
    began = time.perf_counter()
    cached(model, inputs, 1)
    through = time.perf_counter() - began
    began = time.perf_counter()
    for end in range(1, NUM_FRAMES + 1):
        part = {k: v if k == "text_BSD" else v[:, :end] for k, v in inputs.items()}
        model(**part, mask_BFF=causal(end))
    again = time.perf_counter() - began
    print(f"{NUM_FRAMES} frames one by one: {1e3 * through:.0f} ms through the cache, {1e3 * again:.0f} ms without")


if __name__ == "__main__":
    main()
