"""The page of a comparison before and after: one HTML file, no network, no script, everything escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.forgetting.loss import TASKS
from trainer.forgetting.result import LOSSES, ForgettingResult, Row
from trainer.probe.charts import data_uri
from trainer.probe.report import interval, number, p_text
from trainer.probe.templating import publish, template

FRAMES_IN_STRIP = 10


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """One clip's films, by name, all [F, H, W, 3]."""

    clip_id: str
    prompt: str
    films: Mapping[str, NDArray[np.uint8]]


def write_page(path: Path, result: ForgettingResult, exhibits: Sequence[Exhibit]) -> None:
    """Write `path`, published by a rename."""
    rows, levels = result.rows(), result.level_rows()
    page = template("trainer.forgetting", "forgetting.html.j2").render(
        result=result,
        summary=sentences(result, rows),
        groups=[("Loss", rows[: len(LOSSES)]), ("Continuation of the first frame", rows[len(LOSSES) :])],
        levels=[(task, [row for row in levels if row.name.startswith(task)]) for task in TASKS],
        exhibits=[(e, _strips(e)) for e in exhibits],
        num_scenes=len({clip.scene_id for clip in result.clips}),
        interval=interval,
        number=number,
        p_text=p_text,
    )
    publish(path, page)


def sentences(result: ForgettingResult, rows: Sequence[Row]) -> list[str]:
    """What was found, in words."""
    worse, better = ([row.name for row in rows if row.verdict == verdict] for verdict in ("worse", "better"))
    rest = len(rows) - len(worse) - len(better)
    found = [f"Worse after than before: {', '.join(worse) or 'nothing'}. Better: {', '.join(better) or 'nothing'}."]
    if len({clip.scene_id for clip in result.clips}) == 1:
        found = ["All clips are of one scene, which gives no interval: nothing is called worse or better."]
    elif rest:
        found[0] += f" Of {rest} other{'s' if rest > 1 else ''} no difference could be shown."
    image = rows[LOSSES.index("loss, image to video")]
    share = "" if image.percent is None else f" ({image.percent:+.1f} %)"
    found.append(
        f"The plain image-to-video loss went from {image.before.mean:.4g} to {image.after.mean:.4g}{share}; "
        f"difference {interval(image.difference, 4)}."
    )
    ones = [(when, facts["trained_on"]) for when, facts in (("before", result.before), ("after", result.after))]
    if any(count for _, count in ones):
        counts = " and ".join(f"{count} {when}" for when, count in ones if count)
        found.append(
            f"Of the {len(result.clips)} clips here scenes of {counts} were trained on: there a model knows the "
            "answers, so take clips that neither was trained on for a claim about forgetting."
        )
    return found


def _strips(exhibit: Exhibit) -> list[tuple[str, list[str]]]:
    length = min(len(film) for film in exhibit.films.values())
    frames = np.unique(np.linspace(0, length - 1, FRAMES_IN_STRIP).round().astype(int))
    return [(name, [data_uri(film[f]) for f in frames]) for name, film in exhibit.films.items()]
