"""One progress bar over all clips: pictures, pictures per second, time left, clips."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from tqdm import tqdm

from render_jobs.jobs import Result

QUIET_S = 10.0  # between two lines when the output is a file


class ProgressBar:
    """Counts pictures: frames, twins and sweeps alike.

    A clip whose size is not known yet counts as the mean of the others; `pictures_per_clip` is a guess that holds until
    the first worker reports.
    """

    def __init__(self, num_clips: int, pictures_per_clip: int) -> None:
        self._num_clips, self._guess = num_clips, pictures_per_clip
        self._done: dict[str, int] = {}
        self._total: dict[str, int] = {}
        self._ended: dict[str, int] = {"done": 0, "present": 0, "failed": 0}
        self._bar = tqdm(
            total=num_clips * pictures_per_clip,
            unit="frames",
            dynamic_ncols=True,
            desc="render",
            mininterval=0.1 if sys.stderr.isatty() else QUIET_S,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def on_progress(self, job_id: str, done: int, total: int) -> None:
        self._done[job_id], self._total[job_id] = done, total
        self._draw()

    def on_result(self, result: Result) -> None:
        self._ended[result.state] += 1
        if result.state == "done":
            self._done[result.job_id] = self._total.get(result.job_id, 0)
        else:  # nothing to draw for this clip any more
            self._done.pop(result.job_id, None)
            self._total.pop(result.job_id, None)
            self._num_clips -= 1
        self._draw()

    def _draw(self) -> None:
        known = sum(self._total.values())
        mean = known / len(self._total) if self._total else self._guess
        self._bar.total = round(known + mean * (self._num_clips - len(self._total)))
        finished = self._ended["done"] + self._ended["present"]
        failed = f", {self._ended['failed']} failed" if self._ended["failed"] else ""
        self._bar.set_postfix_str(f"{finished} clips{failed}", refresh=False)
        self._bar.update(sum(self._done.values()) - self._bar.n)
