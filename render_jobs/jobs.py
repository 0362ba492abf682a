"""What can be asked for: a plan (`Job`), or a spec's n-th sample, whose plan a worker draws first (`Draw`)."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from scenes.plan import PLAN_VERSION, ScenePlan
from scenes.yaml_reading import read_text


@dataclass(frozen=True)
class Job:
    """One clip to render. Its id is a content hash: the same plan is never rendered twice into one data set."""

    plan: ScenePlan

    @cached_property
    def id(self) -> str:
        """20 hex digits of the plan's content hash; the name of the published directory."""
        return self.plan.plan_id[:20]

    @property
    def engine(self) -> str:
        return self.plan.render.engine


@dataclass(frozen=True)
class SpecText:
    """A spec that was read and found good."""

    name: str  # of its file, without the suffix
    text: str
    engine: str  # what its plans are rendered with
    labels: tuple[str, ...]  # its own name, its event types

    @classmethod
    def read(cls, path: Path) -> SpecText:
        """Raises SpecError (a ValueError) with every problem of the file."""
        from scenes.loading import parse_spec  # here: it takes a second to import, and runs of plans do without

        text = read_text(path, str(path))
        spec = parse_spec(text, str(path))
        return cls(path.stem, text, spec.render.engine.options[0], (spec.name, *(event.type for event in spec.events)))

    @cached_property
    def digest(self) -> str:
        """12 hex digits of the text and of what draws plans from it: another version may draw others."""
        stamp = f"{PLAN_VERSION} {metadata.version('remind-sim')}\n{self.text}"
        return hashlib.sha256(stamp.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Draw:
    """Sample `index` of a spec. `renderer` takes the place of the spec's own."""

    spec: SpecText
    index: int
    renderer: str | None = None

    @property
    def id(self) -> str:
        """What it goes by until its plan, and with it the clip's id, is known."""
        suffix = f"-{self.renderer}" if self.renderer else ""
        return f"{self.spec.name}-{self.spec.digest}-{self.index:05d}{suffix}"

    @property
    def engine(self) -> str:
        return self.renderer or self.spec.engine

    def job(self, plan: ScenePlan) -> Job:
        """The job of the drawn plan."""
        return Job(plan if self.renderer is None else drawn_by(plan, self.renderer))


def drawn_by(plan: ScenePlan, renderer: str) -> ScenePlan:
    """The same plan for another renderer: another clip, with another id."""
    return dataclasses.replace(plan, render=dataclasses.replace(plan.render, engine=renderer))


@dataclass(frozen=True)
class Result:
    """How one job ended.

    done: rendered and published by this run; present: published by another run or before; failed: quarantined,
    `message` says why.
    """

    job_id: str
    state: Literal["done", "present", "failed"]
    path: Path  # the published clip, or the quarantine folder
    attempts: int = 0
    message: str = ""
    stats: Mapping[str, Any] = field(default_factory=dict)  # what the worker reports of its work
