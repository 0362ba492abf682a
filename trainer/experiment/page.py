"""The report of an experiment: one HTML file, no network, no script, everything escaped."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from trainer.experiment.curves import Curve, curves
from trainer.experiment.results import ArmOnSplit, Results, habit_table, table
from trainer.probe.bootstrap import Difference
from trainer.probe.charts import Bar, bars
from trainer.probe.compare import comparison_table, recoveries
from trainer.probe.report import interval, number, p_text
from trainer.probe.result import ClipFacts, finite
from trainer.probe.strips import strip_file
from trainer.probe.templating import publish, template

LEVEL = 0.05  # of p values, adjusted by Holm
NUM_SHOWN = 2  # best and worst windows of each arm
CURVES = {  # of metrics.jsonl: what each line of a run is called in the report
    "loss": "training loss",
    "heldout_ratio": "error at the return, held-out scenes (1: frozen)",
    "heldout_recovery": "recovery while training, held-out scenes",
}


def write_experiment_page(folder: Path, name: str, results: Results, file_text: str, commands: Sequence[str]) -> Path:
    """Write index.html, results.json and results.md into `folder`; returns the page, which a rename publishes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(finite(_as_json(results)), indent=1) + "\n")
    (folder / "results.md").write_text(_markdown(name, results))
    page = template("trainer.experiment", "experiment.html.j2").render(
        name=name,
        summary=sentences(results),
        runs=[
            (arm, len(seeds), sum(len(one.seeds) for one in results.found if one.arm == arm))
            for arm, seeds in results.asked.items()
        ],
        splits=[_split(results, split) for split in results.splits if results.on(split)],
        curves=[(title, Markup(drawn)) for title, drawn in _curves(results)],  # noqa: S704 (escaped in curves)
        shown=[_shown(results, one) for one in results.on(results.splits[0])],
        file_text=file_text,
        commands=commands,
        interval=interval,
        number=number,
        p_text=p_text,
    )
    publish(folder / "index.html", page)
    return folder / "index.html"


def sentences(results: Results) -> list[str]:
    """What was found, in words."""
    lines = []
    for split in results.splits:
        arms = results.on(split)
        if not arms:
            continue
        line = f"{split}: recovery {', '.join(f'{one.arm} {interval(one.row.recovery)}' for one in arms)}. "
        means = {row.name: row.recovery.mean for row in results.baselines(split)}
        for name, rows in results.against_baselines(split).items():
            told = [f"{d.first} {_side(d)} ({interval(d.estimate)})" for d in rows]
            line += f"Against {name} ({means[name]:.2f}), window by window: {', '.join(told)}. "
        told = [f"{one.arm} {interval(one.habits[0].memory)}" for one in arms if one.habits]
        line += f"Memory of this event's own change (0: habit alone, 1: truth): {', '.join(told)}. " if told else ""
        clear = [d for d in results.differences(split) if d.p_holm < LEVEL]
        if len(arms) > 1:
            told = [f"{_pair(d)} {interval(d.estimate)} (p {d.p_holm:.3f}; {_seeds(results, split, d)})" for d in clear]
            line += f"Arms whose runs differ: {'; '.join(told) if told else 'none'}."
        lines.append(line.rstrip())
    missing = sum(map(len, results.asked.values())) * len(results.splits) - sum(len(one.seeds) for one in results.found)
    return lines + ([f"{missing} probes are still to come; this page is rewritten after each run."] if missing else [])


def _side(difference: Difference) -> str:
    if difference.p_holm >= LEVEL:
        return "not decided"
    return "above" if difference.estimate.mean > 0 else "below"


def _pair(difference: Difference) -> str:
    return f"{difference.first} - {difference.second}"


def _seeds(results: Results, split: str, difference: Difference) -> str:
    apart = results.by_seed(split, difference.first, difference.second)
    if len(apart) < 2:
        return "one seed: of these two runs"
    return f"by seed {', '.join(f'{mean:+.2f}' for mean in apart)}"


def _split(results: Results, split: str) -> dict[str, Any]:
    arms, rivals = results.on(split), results.baselines(split)
    parts: dict[str, list[Any]] = {}
    for one in arms:
        for row in one.rows:
            if row.split == "event type":
                parts.setdefault(row.name, []).append((one.arm, row))
    frozen = rivals[0].recovery.mean
    entries = [
        Bar(one.arm, one.row.recovery.mean, one.row.recovery.low, one.row.recovery.high, f"{one.row.recovery.mean:.2f}")
        for one in arms
    ]
    entries += [
        Bar(row.name, row.recovery.mean, row.recovery.low, row.recovery.high, f"{row.recovery.mean:.2f}")
        for row in rivals
    ]
    chart = bars(entries, f"recovery on {split}", frozen, "paused")
    return {
        "name": split,
        "arms": arms,
        "rivals": rivals,
        "parts": parts,
        "differences": [(d, results.by_seed(split, d.first, d.second)) for d in results.differences(split)],
        "against": results.against_baselines(split),
        "chart": Markup(chart),  # noqa: S704 (escaped in charts)
        "num_scenes": len({c.scene_id for c in arms[0].pooled.clips}),
        "links": [
            (f"{one.arm}, seed {seed}", f"../probes/{one.arm}-{seed}/{split}/index.html")
            for one in arms
            for seed in one.seeds
        ],
    }


def _curves(results: Results) -> list[tuple[str, str]]:
    found = []
    for key, title in CURVES.items():
        lines = [
            Curve(run, [(row["step"], row[key]) for row in rows if isinstance(row.get(key), int | float)])
            for run, rows in results.curves.items()
        ]
        lines = [line for line in lines if len(line.points) > 1]
        if lines:
            found.append((title, curves(lines, title)))
    return found


def _shown(results: Results, one: ArmOnSplit) -> dict[str, Any]:
    """The windows that the first seed of an arm continued best and worst, with their film strips."""
    seed, result = next(iter(one.seeds.items()))
    ranked = sorted(recoveries(result).items(), key=lambda item: item[1])
    facts = {clip.key: clip for clip in result.clips}
    folder = results.out / "probes" / f"{one.arm}-{seed}" / one.split / "strips"
    ratios = {score.key: score.clock_ratio for score in reversed(result.model)}

    def exhibit(key: Any, recovery: float) -> dict[str, Any]:
        return {
            "facts": facts[key],
            "recovery": recovery,
            "ratio": ratios[key],
            "picture": _embedded(folder, facts[key]),
        }

    worst, best = ranked[:NUM_SHOWN], ranked[: -NUM_SHOWN - 1 : -1]
    return {
        "arm": one.arm,
        "seed": seed,
        "best": [exhibit(*item) for item in best],
        "worst": [exhibit(*item) for item in worst if item not in best],
    }


def _embedded(folder: Path, facts: ClipFacts) -> str:
    path = folder / strip_file(facts)
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode() if path.exists() else ""


def _markdown(name: str, results: Results) -> str:
    parts = [f"# {name}\n", *(f"{line}\n" for line in sentences(results))]
    for split in results.splits:
        if results.on(split):
            parts += [f"## {split}\n", table(results, split) + "\n"]
            if habits := habit_table(results, split):
                parts.append(habits + "\n")
            if differences := results.differences(split):
                parts.append(comparison_table(differences) + "\n")
    return "\n".join(parts)


def _as_json(results: Results) -> dict[str, Any]:
    return {
        split: {
            "arms": {
                one.arm: {
                    "all": dataclasses.asdict(one.row),
                    "recovery_by_seed": one.recovery_by_seed,
                    "habit": [dataclasses.asdict(row) for row in one.habits],
                }
                for one in results.on(split)
            },
            "baselines": [dataclasses.asdict(row) for row in results.baselines(split)],
            "differences": [dataclasses.asdict(difference) for difference in results.differences(split)],
            "against_baselines": {
                name: [dataclasses.asdict(difference) for difference in rows]
                for name, rows in results.against_baselines(split).items()
            },
        }
        for split in results.splits
    }
