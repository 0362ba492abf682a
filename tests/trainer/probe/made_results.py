"""Probe results without pictures: what a model of known habit and memory would get."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trainer.probe.result import ClipFacts, ModelFrame, ModelScore, ProbeResult, VariableScore
from trainer.probe.verdict import Limits, Reading

FPS, T_H, T_R, NUM_FRAMES = 4.0, 8, 16, 20
READ = Reading(1.0, (), 1, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0)
UNREAD = Reading(None, ("residual",), 0, 0.0, 1.0, 1.0, 9.0, 0.0, 1.0)
Change = Callable[[float, float], float]  # (true rate, usual rate) -> the rate that the model made while hidden


def probed(
    types: dict[str, list[float]], made: Change, *, unread: int = 0, domain: str = "scalar", monotone: bool = True
) -> ProbeResult:
    """One window for each rate of each type, two samples of each; the first `unread` windows cannot be read."""
    clips, scores = [], []
    for kind, rates in types.items():
        usual = float(np.mean(rates))
        for number, rate in enumerate(rates):
            name = f"{kind}-{number}"
            truth = tuple(3.0 + rate * f / FPS for f in range(NUM_FRAMES))
            clips.append(
                ClipFacts(
                    clip_id=name, window=0, num_windows=1, scene_id=name, event_type=kind, family=None, category=None,
                    interruption="lights_off", held_out=True, prompt="", variable="level", unit="m", t_h=T_H, t_r=T_R,
                    fps=FPS, monotone=monotone, truth=truth, paused=truth, baselines={}, paused_as_model=READ,
                )
            )  # fmt: skip
            hidden_s = (T_R - T_H) / FPS
            value = truth[T_H] + made(rate, usual) * hidden_s
            variable = VariableScore("level", domain, "m", "readout", None, None, None, None, {})
            readable = number >= unread
            frame = ModelFrame(T_R, READ if readable else UNREAD, value if readable else None, None)
            scores += [
                ModelScore(name, (frame,), 0.0, None, None, None, None, None, None, None, (variable,), sample=sample)
                for sample in range(2)
            ]
    return ProbeResult("", None, Limits(1.0, 0.25, (0.2, 5.0)), tuple(clips), (), tuple(scores))


RATES = {"tank": [1.0, 1.1, 2.0, 2.3, 1.7, 0.8], "candle": [-30.0, -80.0, -75.0, -41.0, -66.0]}
