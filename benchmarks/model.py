"""Exactness of the wrapped transformer and its cache, in figures, at the size of the recipe `tiny`.

    python -m benchmarks.model

Prints the greatest absolute difference of the outputs for each promise and for its negative control, in every camera
mode, and what a frame costs through the cache and without it.
"""

from __future__ import annotations

import time
from typing import get_args

import numpy as np
import torch
from torch import Tensor

from trainer.build import build_model
from trainer.config import override
from trainer.model.cache import KVCache
from trainer.model.cameras import camera_descriptors
from trainer.model.options import CameraMode
from trainer.model.wan import RememberingWan
from trainer.recipes import recipe

NUM_FRAMES, GAP = 16, 5
Inputs = dict[str, Tensor]


def main() -> None:
    columns = {mode: differences(mode) for mode in get_args(CameraMode)}
    print(f"| greatest difference of outputs | {' | '.join(columns)} |")
    print("|---" * (len(columns) + 1) + "|")
    for name in columns["none"]:
        print(f"| {name} | {' | '.join(f'{column[name]:.1e}' for column in columns.values())} |")
    model = build_model(recipe("tiny")).eval()
    with torch.no_grad():
        costs(model, random_inputs(model))


@torch.no_grad()
def differences(mode: CameraMode) -> dict[str, float]:
    """Promise or control -> greatest absolute difference."""
    model = build_model(override(recipe("tiny"), {"model.mode": mode})).eval()
    inputs = random_inputs(model)
    even = inputs | {"times_BF": torch.arange(NUM_FRAMES).double()[None]}
    stock = model.transformer.__class__.from_config(model.transformer.config).eval()
    stock.load_state_dict(model.transformer.state_dict())
    level = torch.tensor([0.5])
    theirs = stock(inputs["latents_BFCYX"].transpose(1, 2), level * 1000.0, inputs["text_BSD"]).sample.transpose(1, 2)
    found = {"at initialisation, against the stock model": greatest(model(**even | {"noise_BF": level}), theirs)}
    generator = torch.Generator().manual_seed(1)
    for name, parameter in model.named_parameters():
        if not name.startswith("transformer."):
            parameter.normal_(0.0, 0.3, generator=generator)
    found["control: camera modules no longer zero"] = greatest(model(**even | {"noise_BF": level}), theirs)

    full = model(**inputs, mask_BFF=causal(NUM_FRAMES))
    for chunk in (1, 4):
        name = f"cached in chunks of {chunk}, across a gap of {GAP}, against full causal"
        found[name] = greatest(cached(model, inputs, chunk), full)
    found["control: without the gap"] = greatest(cached(model, inputs | {"times_BF": even["times_BF"]}, 1), full)
    still = inputs["cameras_BFc"][:, :1].expand(-1, NUM_FRAMES, -1)
    found["control: without the cameras' motion"] = greatest(cached(model, inputs | {"cameras_BFc": still}, 1), full)
    found["control: without the mask"] = greatest(cached(model, inputs, 1), model(**inputs))

    turned = inputs | {"cameras_BFc": random_cameras(world=random_transform(np.random.default_rng(9)))}
    found["in another world frame"] = greatest(model(**turned, mask_BFF=causal(NUM_FRAMES)), full)
    later = inputs["latents_BFCYX"].clone()
    later[:, 8:] += 1.0
    changed = inputs | {"latents_BFCYX": later}
    found["frames before 8 when frames from 8 on change"] = greatest(
        model(**changed, mask_BFF=causal(NUM_FRAMES))[:, :8], full[:, :8]
    )
    found["control: the same without the mask"] = greatest(model(**changed)[:, :8], model(**inputs)[:, :8])
    return found


def greatest(ours: Tensor, theirs: Tensor) -> float:
    return (ours - theirs).abs().max().item()


def random_inputs(model: RememberingWan) -> Inputs:
    """One clip with a gap in time, moving cameras and mixed noise levels."""
    generator = torch.Generator().manual_seed(0)
    times = torch.arange(NUM_FRAMES).double()
    times[NUM_FRAMES // 2 :] += GAP
    config = model.transformer.config
    return {
        "latents_BFCYX": torch.randn(1, NUM_FRAMES, config["in_channels"], 4, 4, generator=generator),
        "times_BF": times[None],
        "noise_BF": torch.rand(1, NUM_FRAMES, generator=generator),
        "cameras_BFc": random_cameras(world=np.eye(4)),
        "text_BSD": torch.randn(1, 5, config["text_dim"], generator=generator),
    }


def random_cameras(world: np.ndarray) -> Tensor:
    """[1, F, 14]: the same cameras whatever the world frame, which `world` changes."""
    rng = np.random.default_rng(0)
    camera_from_world = np.stack([random_transform(rng) for _ in range(NUM_FRAMES)]) @ world
    intrinsics = np.tile(np.diag([60.0, 70.0, 1.0]), (NUM_FRAMES, 1, 1))
    return torch.from_numpy(camera_descriptors(camera_from_world, intrinsics, scene_scale_m=1.0, width_px=64))[None]


def random_transform(rng: np.random.Generator) -> np.ndarray:
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    transform = np.eye(4)
    transform[:3, :3], transform[:3, 3] = rotation * np.linalg.det(rotation), rng.normal(size=3)
    return transform


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
