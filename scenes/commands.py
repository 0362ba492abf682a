"""What `remind scene` does: each function returns the text to show and raises ValueError with what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from scenes.errors import SpecError
from scenes.loading import EventTypes, load_spec
from scenes.plan import ScenePlan
from scenes.sampling import sample_plans
from scenes.schema import spec_schema

STARTER = "tank_filling.yaml"


def example_specs() -> list[Path]:
    """The specs that come with the package."""
    return sorted(Path(str(files("scenes"))).glob("specs/*.yaml"))


def init(path: Path | str, example: str = STARTER) -> str:
    """Write a commented starter spec. Raises SpecError when the file exists or the example does not."""
    path, specs = Path(path), {spec.name: spec for spec in example_specs()}
    if example not in specs:
        raise SpecError([f"{example}: no such example; there are {', '.join(specs)}"])
    if not path.parent.is_dir():
        raise SpecError([f"{path}: its folder does not exist; make it first"])
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(specs[example].read_text("utf-8"))
    except FileExistsError:
        raise SpecError([f"{path}: exists already; choose another name"]) from None
    except (OSError, ValueError) as error:
        raise SpecError([f"{path}: cannot be written: {error}"]) from None
    return f"wrote {path}; next: remind scene check {path}"


def check(paths: Iterable[Path | str], event_types: EventTypes | None = None) -> str:
    """Load every spec and plan its first clip. Raises ValueError with all problems of all files, a line each."""
    paths = list(paths)
    problems: list[str] = []
    for path in paths:
        try:
            sample_plans(load_spec(path, event_types), 1, event_types=event_types)
        except SpecError as error:
            problems += error.problems
    if problems:
        raise ValueError("\n".join(problems))
    return "\n".join(f"{path}: good" for path in paths)


def schema(event_types: EventTypes | None = None) -> str:
    """The JSON schema as text."""
    return json.dumps(spec_schema(event_types), indent=1, sort_keys=True)


def plan(
    path: Path | str,
    count: int,
    out: Path | str | None = None,
    start_index: int = 0,
    event_types: EventTypes | None = None,
) -> str:
    """Sample plans of a spec: a line on each; with `out`, also `<out>/<name>-<index>.json`. Raises SpecError."""
    if count < 1 or start_index < 0:
        raise SpecError([f"{path}: count {count} from index {start_index}: needs at least one plan, from 0 on"])
    plans = sample_plans(load_spec(path, event_types), count, start_index, event_types)
    if out is not None:
        _write(plans, Path(out))
    return "\n".join(summary(sampled) for sampled in plans)


def summary(sampled: ScenePlan) -> str:
    """One line: the plan's id, its events, its interruptions."""
    events = ", ".join(f"{event.id}={event.type}" for event in sampled.events)
    windows = ", ".join(
        f"{w.kind} of {w.target} hidden {w.hidden_from_s:.2f}-{w.hidden_to_s:.2f} s" for w in sampled.interruptions
    )
    return f"{sampled.name}-{sampled.index:05d} {sampled.plan_id[:16]}: {events}; {windows or 'no interruption'}"


def _write(plans: list[ScenePlan], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for sampled in plans:
            (folder / f"{sampled.name}-{sampled.index:05d}.json").write_text(sampled.to_json(), encoding="utf-8")
    except OSError as error:
        raise SpecError([f"{folder}: cannot be written: {error}"]) from None
