"""Making and checking the benchmark suite (scenes/suites): run by hand, minutes of planning.

    python -m benchmarks.suite design > scenes/suites/v1.csv     # choose tasks that plan, pin their plans
    python -m benchmarks.suite check                             # does every task of every size draw its pinned plan?

The design: 16 types of each STEVO category, all held-out types that can be planned among them, each type once;
in each category every kind of interruption about equally often, with its variants in turn. A type that no kind suits is
passed over (the reason goes to stderr).
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import itertools
import sys
import time
from collections import Counter

from event_library.base import EventInfo
from event_library.registry import EVENT_TYPES
from scenes.errors import SpecError
from scenes.suite import SIZES, Suite, Task, draw_task, load_suite

PER_CATEGORY = 16
VARIANTS = {
    "look_away": ("motion: yaw", "motion: translate", "motion: pitch"),
    "occluder": ("occluder: board", "occluder: curtain", "occluder: crate"),
    "lights_off": ("",),
    "fog": ("",),
    "blackout": ("",),
    "frame_drop": ("",),
    "corrupt": ("corruption: noise", "corruption: blur", "corruption: blocks"),
}
PATHS = ("static", "orbit loop", "static", "arc", "static", "dolly", "static", "pan loop")
STARTS_S = (-1.0, 0.0, -2.0)
COLUMNS = (
    "task", "category", "family", "type", "held_out", "kind", "option", "path", "start_s", "seed",
    *("plan_" + name.replace("-", "_") for name in SIZES),
)  # fmt: skip
Row = dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["design", "check"])
    if parser.parse_args().what == "check":
        sys.exit(check())
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    seeds, paths, turns = itertools.count(1), itertools.cycle(PATHS), Counter[str]()
    for category in dict.fromkeys(kind.info.stevo_category for kind in EVENT_TYPES.values()):
        counts: Counter[str] = Counter()
        for info in candidates(category):
            if sum(counts.values()) == PER_CATEGORY:
                break
            row = designed(info, counts, turns, next(seeds), next(paths))
            if row is not None:
                counts[row["kind"]] += 1
                turns[row["kind"]] += 1
                writer.writerow(row)
                sys.stdout.flush()


def candidates(category: str) -> list[EventInfo]:
    """Held-out types first, then one of each family in turn, easy ones first."""
    infos = [kind.info for kind in EVENT_TYPES.values() if kind.info.stevo_category == category]
    rank: Counter[str] = Counter()
    order = []
    for info in sorted(infos, key=lambda i: (not i.held_out, i.difficulty, i.id)):
        rank[info.family] += 1
        order.append((not info.held_out, rank[info.family], info.difficulty, info.id, info))
    return [entry[-1] for entry in sorted(order, key=lambda entry: entry[:-1])]


def designed(info: EventInfo, counts: Counter[str], turns: Counter[str], seed: int, path: str) -> Row | None:
    """The row of a type, with the rarest kind of interruption that can be planned in all sizes."""
    for kind in sorted(VARIANTS, key=lambda k: counts[k]):
        options = VARIANTS[kind]
        option = options[turns[kind] % len(options)]
        if kind == "lights_off" and info.emits_light:
            option = "event_lights: true"
        if kind == "fog" and "fog" not in info.interruptions and counts[kind] > 1:
            continue
        for start_s in STARTS_S:
            task = Task(
                id=f"{info.id}-{kind}",
                category=info.stevo_category,
                family=info.family,
                type=info.id,
                held_out=info.held_out,
                kind=kind,
                option=option,
                path="static" if kind == "occluder" else path,
                start_s=start_s,
                seed=seed,
                plan_id="",
            )
            if (pins := pinned(task)) is not None:
                return _row(task, pins)
    return None


def pinned(task: Task) -> dict[str, str] | None:
    """Suite -> plan id, or None when some size cannot be planned."""
    pins = {}
    for name, size in reversed(list(SIZES.items())):
        suite = Suite(name=name, size=size, tasks=(task,), digest="")
        begun_s = time.process_time()
        try:
            pins[name] = draw_task(suite, task).plan_id[:20]
        except SpecError as error:
            print(f"{time.process_time() - begun_s:.1f} s: start {task.start_s:g}: {error}", file=sys.stderr)
            return None
    return pins


def _row(task: Task, pins: dict[str, str]) -> Row:
    row = {key: str(value) for key, value in dataclasses.asdict(task).items() if key not in ("id", "plan_id")}
    row |= {"task": task.id, "held_out": "yes" if task.held_out else "no"}
    return row | {"plan_" + name.replace("-", "_"): plan_id for name, plan_id in pins.items()}


def check() -> int:
    """Draw every task again; 1 when one draws another plan."""
    wrong = 0
    for name in SIZES:
        suite, begun_s = load_suite(name), time.process_time()
        for task in suite.tasks:
            found = draw_task(suite, task).plan_id[:20]
            if found != task.plan_id:
                wrong += 1
                print(f"{name}: {task.id}: draws {found}, pinned {task.plan_id}")
        spent_s = time.process_time() - begun_s
        print(f"{name}: {len(suite.tasks)} tasks, digest {suite.digest}, {spent_s:.0f} CPU s, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    main()
