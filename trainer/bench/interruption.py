"""Whether the interruption is there: did the event get out of sight while it should be hidden?

Without this question a model that never looks away would win. With g the video's picture, i the interrupted clip's and
o that of the clip's twin without the interruption,

    lost(g) = 1 - R^2 of o on g (a gain and an offset for each channel, all channels together)

is the part of the uninterrupted picture that g does not tell: 0 for o itself, however dimmed or tinted, about 1 for a
black picture, a wall, noise or invented surroundings. It is taken over the target (the twin's carriers, dilated by
`MARGIN_PX`) and over the whole picture: an event that is drawn otherwise than it is has not left the view. The event is
hidden in g when both are at least half of lost(i). A place in which the truth itself loses less than `MIN_LOST` is not
asked about, nor are frames that a frame_drop took.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from trainer.bench.align import ForeignVideo
from trainer.probe.subject import Subject

MARGIN_PX = 2
SHARE_OF_TRUTH = 0.5  # of what the true interruption hides
MIN_LOST = 0.2


def interruption_there(subject: Subject, video: ForeignVideo) -> float | None:
    """Share of the hidden frames in which the event is out of sight; None: nothing to look at.

    Only pictures taken inside the hidden time count. A video that goes on to the return and has none counts 0.
    """
    window, fps = subject.window, subject.clip.fps
    hidden = window.hidden_frames
    at = {int(f): i for i, f in enumerate(video.frames)}
    span_s = hidden[0] / fps - 1e-6, hidden[-1] / fps + 1e-6
    shown = [f for f in hidden if f in at and span_s[0] <= f / fps + video.late_s[at[f]] <= span_s[1]]
    if not shown:
        dropped = set(hidden) <= set(subject.clip.dropped_frames)
        return None if dropped or video.frames[-1] < subject.t_r else 0.0
    twin, carriers = subject.clip.twin("observed"), list(subject.clip.carrier_ids(subject.target))
    found = []
    for f in shown:
        target = ndimage.binary_dilation(np.isin(twin.segmentation[f], carriers), iterations=MARGIN_PX)
        plain, interrupted, picture = twin.rgb[f], subject.clip.rgb[f], video.rgb[at[f]]
        shares = [_share(plain[place], interrupted[place], picture[place]) for place in (target, np.ones_like(target))]
        known = [share for share in shares if share is not None]
        if known:
            found.append(min(known) >= SHARE_OF_TRUTH)
    return float(np.mean(found)) if found else None


def _share(plain: NDArray[np.uint8], interrupted: NDArray[np.uint8], picture: NDArray[np.uint8]) -> float | None:
    """lost(picture) / lost(interrupted), all [n, 3]; None where the truth loses too little to ask."""
    asked, told = lost(plain, interrupted), lost(plain, picture)
    return None if asked is None or told is None or asked < MIN_LOST else told / asked


def lost(plain: NDArray[np.uint8], picture: NDArray[np.uint8]) -> float | None:
    """1 - R^2 of `plain` on `picture`, both [n, 3]; None where `plain` is flat or empty: nothing to tell."""
    if not len(plain):
        return None
    wanted, given = (p.astype(np.float64) - p.mean(0) for p in (plain, picture))
    variance, own, common = (wanted**2).sum(0), (given**2).sum(0), (wanted * given).sum(0)
    if variance.sum() == 0.0:
        return None
    told = np.divide(common**2, own, out=np.zeros(3), where=own > 0)
    return float(1.0 - told.sum() / variance.sum())
