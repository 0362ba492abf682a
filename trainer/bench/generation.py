"""How the videos of a run of ours were made: `generate.json` beside them, read back when they are scored.

Whoever makes videos may write it; nothing but what it says is believed, and it changes no score.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from trainer.bench.tasks import Given
from trainer.seen import Seen
from untrusted import MAX_JSON_BYTES, one_line, read_json

RECORD = "generate.json"
SCHEMA_VERSION = 1
MAX_SHOWN = 300  # characters


@dataclass(frozen=True, kw_only=True)
class Generation:
    """A model, what it was given, and how it was asked."""

    run: str  # folder
    step: int  # of training
    given: Given
    how: str  # sampler, guidance and memory in words, as `RolloutConfig.text`
    config: Mapping[str, Any]  # every setting of the rollout
    seen: Seen | None  # what the run was trained on; None: it left no note
    clips: Mapping[str, str] = field(default_factory=dict)  # task -> truth clip whose frames were given

    def text(self) -> str:
        """For people."""
        beside = ", hidden frames given" if self.given == "hidden" else ""
        return one_line(f"training step {self.step}, {self.how}{beside}, seed {self.config.get('seed')}")[:MAX_SHOWN]

    def write(self, folder: Path) -> None:
        """Publish the record by a rename."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        tree = {"schema_version": SCHEMA_VERSION} | fields | {"seen": self.seen.tree() if self.seen else None}
        partial = folder / ".generate.partial"
        partial.write_text(json.dumps(tree, indent=1) + "\n")
        os.replace(partial, folder / RECORD)

    def difference(self, other: Generation) -> str:
        """The first setting in which `other` is not as this: `window 8, not None`; empty when there is none."""
        mine, its = self._settings(), other._settings()
        for name in dict.fromkeys((*mine, *its)):
            if mine.get(name) != its.get(name):
                return one_line(f"{name} {mine.get(name)!r}, not {its.get(name)!r}")
        for task in sorted(set(self.clips) & set(other.clips)):
            if self.clips[task] != other.clips[task]:
                return one_line(f"clip {self.clips[task]} of {task}, not {other.clips[task]}")
        return ""

    def _settings(self) -> dict[str, Any]:
        nested = {k: v for k, v in self.config.items() if isinstance(v, Mapping)}
        flat = {k: v for k, v in self.config.items() if k not in nested}
        for group in nested.values():
            flat |= group
        return {"run": str(Path(self.run).resolve()), "step": self.step, "given": self.given, **flat}


def read_generation(folder: Path) -> Generation:
    """Raises ValueError, in one line that names the file, when it holds none."""
    path = folder / RECORD
    tree = read_json(path, MAX_JSON_BYTES)
    try:
        if tree["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema_version {tree['schema_version']!r}, this version reads {SCHEMA_VERSION}")
        run, step, given, how, config, seen = (tree[n] for n in ("run", "step", "given", "how", "config", "seen"))
        if not (isinstance(run, str) and isinstance(how, str) and isinstance(config, dict)):
            raise ValueError("run and how must be texts, config an object")
        clips = tree.get("clips", {})  # older records have none
        if not isinstance(clips, dict) or not all(isinstance(clip, str) for clip in clips.values()):
            raise ValueError("clips must map tasks to texts")
        if type(step) is not int or given not in get_args(Given):
            raise ValueError(f"step must be a whole number, given one of {', '.join(get_args(Given))}")
        return Generation(
            run=run,
            step=step,
            given=given,
            how=how,
            config=config,
            seen=None if seen is None else Seen.of(seen),
            clips=clips,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(one_line(f"{path}: does not say how the videos were made ({error})")) from None
