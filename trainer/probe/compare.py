"""Models compared in pairs on the windows that both were probed on: differences of recovery, Holm over all pairs.

A window's figure is its mean recovery over samples, unreadable pictures counted 0; scenes are the clusters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trainer.probe.bootstrap import Difference, paired_differences
from trainer.probe.result import Key, ProbeResult


def compare(
    results: Mapping[str, ProbeResult], category: str | None = None, split: str | None = None
) -> list[Difference]:
    """Every two of the named probes; only windows of one STEVO category, or in one of `splits.SPLITS`, if given.

    Two models are compared on windows that are in that split for both (they may have been trained on different things).

    ValueError when fewer than two are given, one holds no model, or two share no window.
    """
    if len(results) < 2:
        raise ValueError(f"{len(results)} probe given: comparing takes two or more")
    figures: dict[str, dict[Key, float]] = {}
    scenes: dict[Key, str] = {}
    for name, result in results.items():
        if not result.model:
            raise ValueError(f"{name}: a probe without a model; give one with a run")
        chosen = {
            c.key: c.scene_id
            for c in result.clips
            if category in (None, c.category) and (split is None or split in c.splits)
        }
        scenes |= chosen
        figures[name] = {key: recovery for key, recovery in recoveries(result).items() if key in chosen}
    return paired_differences(figures, scenes)


def recoveries(result: ProbeResult) -> dict[Key, float]:
    """Clip and window -> mean recovery over samples."""
    samples: dict[Key, list[float]] = {}
    for score in result.model:
        samples.setdefault(score.key, []).append(score.recovery)
    return {key: sum(values) / len(values) for key, values in samples.items()}


def comparison_table(differences: Sequence[Difference]) -> str:
    """Markdown: one row for each pair."""
    lines = [
        "| models | recovery, first - second [95 % interval] | p | p (Holm) | windows | scenes |",
        "|---|---|---|---|---|---|",
    ]
    for row in differences:
        apart = row.estimate
        figures = f"{apart.mean:+.2f} [{apart.low:+.2f}, {apart.high:+.2f}]"
        tests = f"{row.p_value:.3f} | {row.p_holm:.3f}"
        lines.append(f"| {row.first} - {row.second} | {figures} | {tests} | {apart.num_values} | {apart.num_scenes} |")
    return "\n".join(lines)
