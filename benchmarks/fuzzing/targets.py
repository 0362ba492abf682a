"""What is fuzzed: one input in, one word on its outcome out. Whatever else comes out is a finding."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from scenes.errors import SpecError
from scenes.loading import EventTypes, parse_spec
from scenes.plan import ScenePlan
from scenes.sampling import sample_plans
from scenes.yaml_reading import decoded
from simulator.stage import Stage
from simulator.timeline import truth_shots

SPEC_LINE = re.compile(r"f\.yaml:\d+: [^\n]+: [^\n]+\Z")
GOOD = "good"


def load(content: bytes, event_types: EventTypes | None = None) -> str:
    """A spec file through the loader."""
    try:
        parse_spec(decoded(content, "f.yaml"), "f.yaml", event_types)
    except SpecError as error:
        return _refusal(error)
    return GOOD


def plan(content: bytes, event_types: EventTypes | None = None) -> str:
    """A spec file through the loader and the planner; a plan must equal its own read-back."""
    try:
        spec = parse_spec(decoded(content, "f.yaml"), "f.yaml", event_types)
        (sampled,) = sample_plans(spec, 1, event_types=event_types)
    except SpecError as error:
        return _refusal(error)
    assert ScenePlan.from_dict(sampled.to_dict()) == sampled
    return GOOD


def read_plan(content: bytes) -> str:
    """A plan file through the reader and, when that lets it pass, onto the stage with everything of its first frame."""
    with tempfile.TemporaryDirectory(prefix="remind-fuzz-") as folder:
        path = Path(folder) / "plan.json"
        path.write_bytes(content)
        try:
            read = ScenePlan.read(path)
            stage = Stage.from_plan(read)
            stage.placed(truth_shots(read)[0])
        except ValueError as error:
            return _told(error, path)
    assert ScenePlan.from_dict(read.to_dict()).plan_id == read.plan_id
    return GOOD


def _told(error: ValueError, path: Path) -> str:
    """A refusal as the user reads it: one line that prints."""
    line = str(error)
    assert line.isprintable() and line, repr(line)
    return reason_class(line.replace(f"{path}: ", ""))


def _refusal(error: SpecError) -> str:
    for problem in error.problems:
        assert SPEC_LINE.match(problem) and problem.isprintable(), repr(problem)
    return reason_class(str(error).split(": ", 2)[2])


def reason_class(reason: str) -> str:
    """A reason without the names and numbers in it, so that like ones count together."""
    plain = re.sub(r"'[^']*'|\"[^\"]*\"", "'..'", reason)
    plain = re.sub(r"[-+]?\d[\d.e+-]*", "#", plain)
    return plain.split(";")[0][:90]
