"""Scene specs: mutations of the shipped examples, random specs over all that the library knows, and plain rubbish."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import yaml

from benchmarks.fuzzing.trees import mutated_bytes, mutated_text, mutated_tree, pick
from event_library.base import ParamSpec
from event_library.registry import EVENT_TYPES
from scenes.commands import example_specs
from scenes.loading import EventTypes
from scenes.spec import FIELDS_OF_KINDS, KINDS, CameraSpec, ClipSpec, EventSpec, InterruptionSpec, SceneSpec, WorldSpec

WORDS = tuple(
    name
    for model in (SceneSpec, ClipSpec, WorldSpec, EventSpec, CameraSpec, InterruptionSpec)
    for name in model.model_fields
)
FIELD_VALUES: Mapping[str, tuple[Any, ...]] = {
    "motion": ("yaw", "pitch", "translate"),
    "direction": ("left", "right", "up", "down"),
    "turn_deg": (20, 60, {"uniform": [10, 170]}),
    "shift_m": (0.1, 3, {"loguniform": [0.05, 50]}),
    "occluder": ("board", "curtain", "crate"),
    "size_m": ([0.5, 0.5], [3, 2], [0.01, 50]),
    "event_lights": (True, False),
    "corruption": ("noise", "blur", "blocks"),
}


@dataclass(frozen=True)
class Stock:
    """What inputs are made of: good specs (text and tree of each), and what random ones draw from."""

    examples: tuple[tuple[str, Any], ...]
    types: EventTypes
    worlds: tuple[str, ...] = ("tabletop", "tabletop", "room", "shelf", "outdoor")
    most_clutter: int | None = None  # None: what specs allow, left out most of the time


def with_trees(texts: Iterable[str]) -> tuple[tuple[str, Any], ...]:
    return tuple((text, yaml.safe_load(text)) for text in texts)


@cache
def whole_stock() -> Stock:
    """Every shipped spec and all event types of the library."""
    return Stock(with_trees(path.read_text("utf-8") for path in example_specs()), EVENT_TYPES)


def loader_input(seed: int, index: int) -> bytes:
    """The bytes of one spec file."""
    rng, stock = np.random.default_rng([seed, index]), whole_stock()
    text, tree = pick(rng, stock.examples)
    match int(rng.integers(20)):
        case 0:
            return mutated_bytes(text.encode(), rng)
        case 1:
            return rng.integers(0, 256, size=int(rng.integers(0, 200)), dtype=np.uint8).tobytes()
        case 2 | 3 | 4 | 5 | 6 | 7 | 8:
            return mutated_text(text, rng).encode("utf-8", errors="surrogatepass")
        case 9 | 10:
            return _dumped(mutated_tree(random_spec(stock, rng), rng, WORDS))
        case 11 | 12:
            return _dumped(random_spec(stock, rng))
        case _:
            return _dumped(mutated_tree(tree, rng, WORDS))


def planner_input(seed: int, index: int, stock: Stock | None = None) -> bytes:
    """Mostly gets past the loader: three in four are random but legal by field, the rest mutated examples."""
    rng, stock = np.random.default_rng([seed, index, 1]), stock or whole_stock()
    if index % 4:
        return _dumped(random_spec(stock, rng))
    return _dumped(mutated_tree(pick(rng, stock.examples)[1], rng, WORDS))


def _dumped(tree: Any) -> bytes:
    text: str = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
    return text.encode("utf-8", errors="surrogatepass")


def random_spec(stock: Stock, rng: np.random.Generator) -> dict[str, Any]:
    """Every field legal by itself; whether they go together is for the planner to say."""
    ids = ["glass", "b", "c-3"][: int(pick(rng, (1, 1, 1, 1, 2, 2, 3)))]
    duration_s = float(pick(rng, (1.5, 3, 5, 5, 6, 8, 12, 30)))
    fps = float(pick(rng, (1, 4, 8, 8, 16, 24, 30, 120)))
    spec: dict[str, Any] = {
        "version": 1,
        "name": "fuzz",
        "seed": int(rng.integers(2**53)),
        "clip": {
            "num_frames": int(np.clip(round(duration_s * fps), 2, 2000)),
            "fps": fps,
            "resolution": list(pick(rng, ([64, 64], [64, 64], [16, 16], [256, 128], [512, 512]))),
        },
        "world": {"kind": pick(rng, stock.worlds)},
        "events": [
            _event(name, spot, stock.types, rng) for name, spot in zip(ids, ("centre", "left", "right"), strict=False)
        ],
        "camera": _camera(ids, rng),
        "interruptions": [_interruption(ids, duration_s, rng) for _ in range(int(pick(rng, (0, 1, 1, 1, 1, 2, 3))))],
    }
    if stock.most_clutter is not None or rng.uniform() < 0.3:
        spec["world"]["clutter"] = int(rng.integers((12 if stock.most_clutter is None else stock.most_clutter) + 1))
    if rng.uniform() < 0.3:
        spec["world"]["light"] = {"preset": pick(rng, ("studio", "window", "dim", "day", "evening", "overcast"))}
    return spec


def _event(name: str, spot: str, types: EventTypes, rng: np.random.Generator) -> dict[str, Any]:
    type_id = pick(rng, sorted(types))
    kind = types[type_id]
    event: dict[str, Any] = {"id": name, "type": type_id, "at": spot}
    if rng.uniform() < 0.1:
        event["at"] = pick(rng, ("centre", "left", "right", [0.1, 0.1], [-5, 12]))
    if rng.uniform() < 0.2:
        event["yaw_deg"] = float(rng.uniform(-180, 180))
    if rng.uniform() < 0.3:
        event["start_s"] = -float(pick(rng, (0.5, 3, 20, 100, 120)))
    if rng.uniform() < 0.6:
        event["params"] = {s.yaml_name: _param(s, rng) for s in kind.param_specs() if rng.uniform() < 0.4}
    return event


def _param(spec: ParamSpec, rng: np.random.Generator) -> Any:
    """An end of the range, something in it, or a distribution over all of it."""
    low, high = spec.to_yaml(spec.low), spec.to_yaml(spec.high)
    inside = float(rng.uniform(low, high))
    value = pick(rng, (low, high, inside, inside, [low, high]))
    if not spec.integer:
        return value
    return [int(low), int(high)] if isinstance(value, list) else round(value)


def _camera(ids: list[str], rng: np.random.Generator) -> dict[str, Any]:
    camera: dict[str, Any] = {
        "path": pick(rng, ("static", "pan", "orbit", "dolly", "arc")),
        "look_at": pick(rng, (*ids, "centre", [0, 0, 0.2])),
    }
    if camera["path"] != "static" and rng.uniform() < 0.4:
        camera["loop"] = True
    for name, low, high, share in (
        ("distance_m", 0.05, 8, 0.15), ("fov_deg", 15, 90, 0.3), ("elevation_deg", 2, 70, 0.2),
        ("azimuth_deg", -180, 180, 0.2),
    ):  # fmt: skip
        if rng.uniform() < share:
            camera[name] = float(rng.uniform(low, high))
    return camera


def _interruption(ids: list[str], duration_s: float, rng: np.random.Generator) -> dict[str, Any]:
    kind = pick(rng, KINDS)
    wanted: dict[str, Any] = {"kind": kind, "target": pick(rng, ids)}
    hidden_s = float(np.clip(duration_s * rng.uniform(0.05, 0.5), 0.1, 300))
    wanted["hidden_s"] = 300 if rng.uniform() < 0.05 else pick(rng, (hidden_s, [0.8 * hidden_s + 0.02, hidden_s + 0.1]))
    if rng.uniform() < 0.2:
        wanted["at_s"] = float(rng.uniform(0, duration_s))
    if rng.uniform() < 0.2:
        wanted["turn_s"] = float(pick(rng, (0, 0.05, 0.5, 10)))
    for name, values in FIELD_VALUES.items():
        if kind in FIELDS_OF_KINDS[name] and rng.uniform() < 0.25:
            wanted[name] = pick(rng, values)
    return wanted
