"""What a frame of a rollout costs: early and late, with a bounded memory and without a bound, with and without cache.

    python -m benchmarks.cached_rollout

Processor time of one thread. The early and the late frame are made in turn, one of either, so that other work on the
machine disturbs both alike: the ratio is the median of the pairs'. The model is random, of the size of the recipe
`tiny` at 64 px (16 tokens a frame), with 2 Euler steps a frame.
"""

from __future__ import annotations

import time

import numpy as np
import torch

from benchmarks.toy_bar import bar_clip
from trainer.build import build_codec, build_model
from trainer.checkpoint import TrainedModel
from trainer.data.clips import ClipRecord
from trainer.graph.nodes import FrameGraph
from trainer.recipes import recipe
from trainer.rollout import CacheConfig, RolloutConfig, RolloutSession, camera_path, continued, rollout_graph
from trainer.rollout.sampler import euler_sample, flow_levels

EARLY, LATE = 20, 200
PER_START, STARTS = 10, 3  # early frames made by a rollout, which is then begun again
STEPS = 2
POLICIES = {"sink 1, window 15": CacheConfig(sink=1, window=15), "no bound": CacheConfig()}


def main() -> None:
    torch.set_num_threads(1)
    trained = random_model()
    clip = bar_clip(0, size_px=64)
    num_frames = LATE + PER_START * STARTS // 2 + 1
    clip = continued(clip, camera_path(clip, num_frames - clip.num_frames, "hold"))
    graph = rollout_graph(clip, trained, context=1)
    print("memory | frame 20, ms | frame 200, ms | ratio | cache at 20, MB | at 200, MB")
    for name, cache in POLICIES.items():
        pairs, mb = frame_costs(trained, clip, graph, cache)
        early, late = 1e3 * np.median(pairs, axis=0)
        ratio = np.median(pairs[:, 1] / pairs[:, 0])
        print(f"{name} | {early:.1f} | {late:.1f} | {ratio:.2f} | {mb[0]:.2f} | {mb[1]:.2f}", flush=True)
    print("frames | through the cache, s | by recomputing the history, s | ratio")
    for count in (16, 64):
        through, again = cached_seconds(trained, clip, graph, count), uncached_seconds(trained, graph, count)
        print(f"{count} | {through:.2f} | {again:.2f} | {again / through:.1f}", flush=True)


def random_model() -> TrainedModel:
    config = recipe("tiny")
    model = build_model(config).eval().requires_grad_(False)
    return TrainedModel(model=model, config=config, codec=build_codec(config), step=0)


def frame_costs(
    trained: TrainedModel, clip: ClipRecord, graph: FrameGraph, cache: CacheConfig
) -> tuple[np.ndarray, tuple[float, float]]:
    """[pairs, 2] seconds of frames around the early and the late one, and megabytes of the cache at both."""
    config = RolloutConfig(steps=STEPS, cache=cache)
    late = RolloutSession(trained, clip, graph, config)
    late.advance(LATE - PER_START * STARTS // 2 - 1)
    pairs = []
    for _ in range(STARTS):
        early = RolloutSession(trained, clip, graph, config)
        early.advance(EARLY - PER_START // 2 - 1)
        pairs += [(seconds_of_a_frame(early), seconds_of_a_frame(late)) for _ in range(PER_START)]
    return np.array(pairs), (early.cache.num_bytes / 1e6, late.cache.num_bytes / 1e6)


def seconds_of_a_frame(session: RolloutSession) -> float:
    began = time.process_time()
    assert session.advance(1) == 1
    return time.process_time() - began


def cached_seconds(trained: TrainedModel, clip: ClipRecord, graph: FrameGraph, count: int) -> float:
    session = RolloutSession(trained, clip, graph, RolloutConfig(steps=STEPS))
    began = time.process_time()
    session.advance(count - 1)
    return time.process_time() - began


@torch.no_grad()
def uncached_seconds(trained: TrainedModel, graph: FrameGraph, count: int) -> float:
    """The same frames when every Euler step reads all clean frames before it again."""
    config = trained.model.transformer.config
    latents = torch.zeros(1, count, config["in_channels"], 4, 4)
    times = torch.tensor([[node.time for node in graph.nodes[:count]]], dtype=torch.float64)
    cameras = torch.from_numpy(np.stack([node.camera for node in graph.nodes[:count]]))[None]
    mask = torch.ones(1, count, count, dtype=torch.bool).tril()
    text = torch.zeros(1, 24, config["text_dim"])
    began = time.process_time()
    for last in range(1, count):
        part = slice(0, last + 1)

        def denoise(x: torch.Tensor, level: float, part: slice = part, last: int = last) -> torch.Tensor:
            levels = torch.zeros(1, last + 1)
            levels[:, last] = level
            video = torch.cat([latents[:, :last], x], dim=1)
            made: torch.Tensor = trained.model(
                video,
                times_BF=times[:, part],
                noise_BF=levels,
                cameras_BFc=cameras[:, part],
                text_BSD=text,
                mask_BFF=mask[:, part, part],
            )
            return made[:, -1:]

        noise = torch.zeros(1, 1, *latents.shape[2:])
        latents[:, last] = euler_sample(denoise, noise, flow_levels(STEPS, 1.0))[:, 0]
    return time.process_time() - began


if __name__ == "__main__":
    main()
