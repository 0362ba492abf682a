"""A job is one plan; its id is a content hash, so the same plan is never rendered twice into one data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from scenes.plan import ScenePlan


@dataclass(frozen=True)
class Job:
    """One clip to render."""

    plan: ScenePlan

    @property
    def id(self) -> str:
        """20 hex digits of the plan's content hash; the name of the published directory."""
        return self.plan.plan_id[:20]


@dataclass(frozen=True)
class Result:
    """How one job ended.

    done: rendered and published by this run; present: was published before; failed: quarantined, `message` says why.
    """

    job_id: str
    state: Literal["done", "present", "failed"]
    path: Path  # the published clip, or the quarantine folder
    attempts: int = 0
    message: str = ""
    stats: Mapping[str, Any] = field(default_factory=dict)  # what the worker reports of its work
