"""From evidence to a reading: when is a picture unreadable?

A memoryless generator paints the mean of all futures; a naive nearest match calls that perfect. Three limits stand
against it (DESIGN section 9): residual, sharpness, mixture. `Limits` comes in two kinds:

- strict: the 99th percentile of true frames of *other* scenes (`learn_strict`): right for renders;
- tolerant (`TOLERANT`, what figures use): constants in units of the sweep's spread, so that a picture of the right
  state that a small model paints a little soft stays readable, while mean and ghost do not. See docs/RESULTS.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainer.probe.metrics import clock_ratio
from trainer.probe.readout import Evidence, SweepModel, nearest


@dataclass(frozen=True)
class Limits:
    """Readable means: residual and mixture_gain (units of V) at most these, sharpness within its bounds, and no mixture
    explaining more than `mixture_share` of the residual (1: not asked), where it gains more than `SHARE_ASKED`.

    A ghost of two moments that lie close together gains little, but a mixture explains it whole. Blur, noise and codecs
    leave a residual of which mixtures explain little.
    """

    residual: float
    mixture_gain: float
    sharpness: tuple[float, float]
    mixture_share: float = 1.0


SHARE_ASKED = 0.1  # mixture gain, in V, from which the share is asked: twice what renders of one moment gain
TOLERANT = Limits(residual=1.0, mixture_gain=0.25, sharpness=(0.2, 3.0), mixture_share=0.5)


@dataclass(frozen=True)
class Reading:
    """What one picture says about the clock. `clock_ratio` is None when unreadable; `reasons` then says why."""

    clock_ratio: float | None
    reasons: tuple[str, ...]
    num_alternatives: int  # intervals of event time that look the same (1: unambiguous)
    set_size: float  # their summed length, in units of the clock ratio (0: points)
    best_clock_ratio: float  # of the single best time, whatever the reference
    naive_clock_ratio: float
    residual: float
    mixture_gain: float
    sharpness: float


def read(
    model: SweepModel, evidence: Evidence, reference_s: float, limits: Limits = TOLERANT, until_s: float | None = None
) -> Reading:
    """Verdict and clock ratio; of several times that look the same the one nearest to `reference_s` counts.

    `until_s`: event time of the picture's own frame, when that is a frame after t_r (CR is 1 there).
    """
    t_h_s, t_r_s = model.t_h_s, model.t_r_s if until_s is None else until_s
    reasons = unreadable(evidence, limits)
    ratio = clock_ratio(nearest(evidence.candidates_s, reference_s), t_h_s, t_r_s)
    return Reading(
        clock_ratio=None if reasons else ratio,
        reasons=reasons,
        num_alternatives=len(evidence.candidates_s),
        set_size=sum(high - low for low, high in evidence.candidates_s) / (t_r_s - t_h_s),
        best_clock_ratio=clock_ratio(evidence.time_s, t_h_s, t_r_s),
        naive_clock_ratio=clock_ratio(evidence.naive_time_s, t_h_s, t_r_s),
        residual=evidence.residual,
        mixture_gain=evidence.mixture_gain,
        sharpness=evidence.sharpness,
    )


def unreadable(evidence: Evidence, limits: Limits) -> tuple[str, ...]:
    """The limits that a picture breaks, in words; empty when it is readable."""
    low, high = limits.sharpness
    shared = limits.mixture_share * evidence.residual
    checks = {
        "residual": evidence.residual <= limits.residual,
        "mixture": evidence.mixture_gain <= min(limits.mixture_gain, max(shared, SHARE_ASKED)),
        "blurred": evidence.sharpness >= low,
        "too sharp or noisy": evidence.sharpness <= high,
    }
    return tuple(reason for reason, kept in checks.items() if not kept)


def learn_strict(true_frames: Sequence[Evidence]) -> Limits:
    """99th percentiles over true frames (1st and 99th for sharpness); leave the scene under test out."""
    if not true_frames:
        raise ValueError("no true frames of other scenes: strict limits need at least two scenes")
    sharpness = [e.sharpness for e in true_frames]
    return Limits(
        residual=float(np.quantile([e.residual for e in true_frames], 0.99)),
        mixture_gain=float(np.quantile([e.mixture_gain for e in true_frames], 0.99)),
        sharpness=(float(np.quantile(sharpness, 0.01)), float(np.quantile(sharpness, 0.99))),
    )
