"""What each camera mode costs: forward and backward of a training step's model, all modes in one run.

    python -m benchmarks.rope_cost [--frames 8 --grid 8 8 --dim 192 ...]     # small, on a CPU
    python -m benchmarks.rope_cost --wan1_3b [--attention flex]              # Wan2.1-T2V-1.3B at 480 x 832 x 81, a GPU

The modes take turns, in another order each round, so that whatever else the machine does falls on all of them; the
ratio is the median over rounds of a mode's time over that of `none`, plain RoPE, in the same round. Camera modules are
not zero; the mask is block-causal. On a CPU the time is the process's CPU time, so that other work moves it little.
DESIGN section 10: on a GPU at Wan-1.3B shapes phase <= 1.02, full <= 1.15.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any, get_args

import torch
from diffusers import WanTransformer3DModel
from torch import Tensor

from trainer.model.options import AttentionBackend, CameraMode
from trainer.model.shapes import HUB_CONFIGS, WAN_2_1_T2V_1_3B
from trainer.model.wan import RememberingWan

MODES = get_args(CameraMode)
WAN_GRID, WAN_FRAMES, WAN_TEXT = (30, 52), 21, 512  # tokens of 480 x 832, latents of 81 frames


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wan1_3b", action="store_true", help="shapes of Wan2.1-T2V-1.3B, bf16, checkpointed")
    parser.add_argument("--frames", type=int, help="latent frames (default 8; Wan 21)")
    parser.add_argument(
        "--grid", type=int, nargs=2, metavar=("ROWS", "COLUMNS"), help="tokens of a frame (default 8 8)"
    )
    parser.add_argument("--layers", type=int, help="fewer layers measure the same ratio (default 6; Wan 30)")
    parser.add_argument("--dim", type=int, default=192)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--attention", choices=get_args(AttentionBackend), default="sdpa")
    options = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    config, inputs = shapes(options, device)
    steps = {mode: step(build(mode, config, options, device), inputs, options.wan1_3b) for mode in MODES}
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    report(measure(steps, options.rounds, clock), options, config, inputs, device)


def shapes(options: argparse.Namespace, device: torch.device) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The transformer's configuration and one batch."""
    if options.wan1_3b:
        config, frames, grid = (
            dict(HUB_CONFIGS[WAN_2_1_T2V_1_3B]),
            options.frames or WAN_FRAMES,
            options.grid or WAN_GRID,
        )
        config["num_layers"] = options.layers or config["num_layers"]
    else:
        frames, grid = options.frames or 8, options.grid or (8, 8)
        config = {
            "patch_size": (1, 1, 1),
            "num_attention_heads": options.heads,
            "attention_head_dim": options.dim // options.heads,
            "ffn_dim": 4 * options.dim,
            "num_layers": options.layers or 6,
            "text_dim": 80,
        }
    patch, batch = config["patch_size"][1], options.batch
    text = WAN_TEXT if options.wan1_3b else 24
    rotation, _ = torch.linalg.qr(torch.randn(batch, frames, 3, 3))
    cameras = torch.cat([torch.randn(batch, frames, 3), rotation.flatten(2), torch.zeros(batch, frames, 2)], dim=2)
    inputs = {
        "latents_BFCYX": torch.randn(batch, frames, 16, patch * grid[0], patch * grid[1]),
        "times_BF": torch.arange(frames).double().expand(batch, -1),
        "noise_BF": torch.rand(batch, frames),
        "cameras_BFc": cameras,
        "text_BSD": torch.randn(batch, text, config["text_dim"]),
        "mask_BFF": torch.ones(frames, frames, dtype=torch.bool).tril().expand(batch, -1, -1),
    }
    return config, {name: value.to(device) for name, value in inputs.items()}


def build(
    mode: CameraMode, config: dict[str, Any], options: argparse.Namespace, device: torch.device
) -> RememberingWan:
    with device:
        transformer = WanTransformer3DModel(**config)
        model = RememberingWan(
            transformer, mode=mode, attention=options.attention, gradient_checkpointing=options.wan1_3b
        )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not name.startswith("transformer."):
                parameter.normal_(0.0, 0.1)
    return model


def step(model: RememberingWan, inputs: dict[str, Tensor], bf16: bool) -> Callable[[], None]:
    device = inputs["latents_BFCYX"].device

    def run() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            model(**inputs).float().square().mean().backward()
        model.zero_grad(set_to_none=True)
        if device.type == "cuda":
            torch.cuda.synchronize()

    return run


def measure(steps: dict[str, Callable[[], None]], rounds: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    """Seconds of each mode in each round, after one step of each to warm up."""
    for run in steps.values():
        run()
    times: dict[str, list[float]] = {mode: [] for mode in steps}
    for round_number in range(rounds):
        for place in range(len(MODES)):
            mode = MODES[(round_number + place) % len(MODES)]
            began = clock()
            steps[mode]()
            times[mode].append(clock() - began)
    return times


def report(
    times: dict[str, list[float]],
    options: argparse.Namespace,
    config: dict[str, Any],
    inputs: dict[str, Tensor],
    device: torch.device,
) -> None:
    machine = torch.cuda.get_device_name() if device.type == "cuda" else f"{platform.machine()} CPU"
    batch, frames, _, rows, columns = inputs["latents_BFCYX"].shape
    tokens = frames * rows * columns // config["patch_size"][1] ** 2
    width = config["num_attention_heads"] * config["attention_head_dim"]
    print(
        f"{machine}, {torch.get_num_threads()} threads, torch {torch.__version__}; batch {batch}, {frames} frames, "
        f"{tokens} tokens, width {width}, {config['num_layers']} layers, {options.attention}, "
        f"{'bf16' if options.wan1_3b else 'fp32'}, {options.rounds} rounds\n"
    )
    print("| mode | median ms | ratio to plain RoPE | quartiles of the ratio |\n|---|---|---|---|")
    for mode, seconds in times.items():
        ratios = [a / b for a, b in zip(seconds, times["none"], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(f"| {mode} | {1e3 * statistics.median(seconds):.0f} | {middle:.3f} | {low:.3f}-{high:.3f} |")


if __name__ == "__main__":
    main()
