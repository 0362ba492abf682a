"""What a run was trained on, as far as the splits of a probe ask (`trainer.probe.splits`); `<run>/seen.json`."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from untrusted import MAX_JSON_BYTES, one_line, read_json, read_regular

SEEN = "seen.json"
SCENES = "scenes.json"  # of runs before there was a SEEN: a list of the ids of their scenes, and nothing else
SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Scenes, events, interruptions and hidden times of all training clips together."""

    scenes: frozenset[str]  # ids
    compositions: frozenset[tuple[str, ...]]  # the event types of a scene, sorted, one for each event
    interruptions: frozenset[str]  # kinds, as a clip's windows name them
    longest_hidden_s: float  # for which nothing of the event was seen, without the way out and back; 0: never hidden
    complete: bool = True  # False: of an older run, which noted its scenes alone

    @property
    def types(self) -> frozenset[str]:
        """Every event type that was in a training scene."""
        return frozenset(name for types in self.compositions for name in types)

    def together(self, types: Iterable[str]) -> bool:
        """Whether some training scene held all these events, whatever else it held."""
        wanted = Counter(types)
        return any(wanted <= Counter(held) for held in self.compositions)

    def __or__(self, other: Seen) -> Seen:
        return Seen(
            scenes=self.scenes | other.scenes,
            compositions=self.compositions | other.compositions,
            interruptions=self.interruptions | other.interruptions,
            longest_hidden_s=max(self.longest_hidden_s, other.longest_hidden_s),
            complete=self.complete and other.complete,
        )

    def tree(self) -> dict[str, Any]:
        """As plain values, for a JSON file."""
        return {
            "schema_version": SCHEMA_VERSION,
            "complete": self.complete,
            "longest_hidden_s": self.longest_hidden_s,
            "interruptions": sorted(self.interruptions),
            "compositions": sorted(self.compositions),
            "scenes": sorted(self.scenes),
        }

    @classmethod
    def of(cls, tree: dict[str, Any]) -> Seen:
        """What `tree` gave. KeyError, TypeError or ValueError for anything else."""
        if tree["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema_version {tree['schema_version']!r}, this version reads {SCHEMA_VERSION}")
        longest, complete = tree["longest_hidden_s"], tree["complete"]
        if not isinstance(complete, bool) or not isinstance(longest, int | float) or not math.isfinite(longest):
            raise ValueError("complete must be true or false, longest_hidden_s a number")
        return cls(
            scenes=frozenset(_texts(tree["scenes"])),
            compositions=frozenset(tuple(_texts(types)) for types in tree["compositions"]),
            interruptions=frozenset(_texts(tree["interruptions"])),
            longest_hidden_s=float(longest),
            complete=complete,
        )

    def write(self, run_dir: Path) -> None:
        (run_dir / SEEN).write_text(json.dumps(self.tree(), indent=1) + "\n")


def seen_file(folder: Path) -> Path:
    """The note of a run, or of what was exported from one; that of an older version where there is no other."""
    path, older = folder / SEEN, folder / SCENES
    return older if older.exists() and not path.exists() else path


def read_seen(run_dir: Path) -> Seen:
    """What a run was trained on; of an older run the scenes alone. ValueError, naming the file, if it says neither."""
    path = seen_file(run_dir)
    if path.name == SCENES:
        return Seen(
            scenes=frozenset(_older_scenes(path)),
            compositions=frozenset(),
            interruptions=frozenset(),
            longest_hidden_s=0.0,
            complete=False,
        )
    if not path.exists():
        raise ValueError(one_line(f"{run_dir}: holds no {SEEN}; give the folder of a training run"))
    tree = read_json(path, MAX_JSON_BYTES)
    try:
        return Seen.of(tree)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(one_line(f"{path}: does not say what was trained on ({error}); train again")) from None


def _older_scenes(path: Path) -> list[str]:
    try:
        return _texts(json.loads(read_regular(path, MAX_JSON_BYTES)))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(one_line(f"{path}: expected a list of ids of scenes ({error})")) from None


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError("expected a list of texts")
    return value
