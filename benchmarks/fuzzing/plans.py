"""Plan files: mutations of real plans of every world and interruption, as text and as values."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import yaml

from benchmarks.fuzzing.specs import whole_stock
from benchmarks.fuzzing.trees import mutated_bytes, mutated_text, mutated_tree, pick
from scenes.loading import parse_spec
from scenes.sampling import sample_plans

WORDS = ("name", "kind", "params", "size_m", "count", "seed", "target", "fps", "num_frames", "sky", "occluder", "x")
VARIANTS = (("tabletop", "occluder"), ("room", "look_away"), ("outdoor", "corrupt"), ("shelf", "fog"))


@cache
def real_plans() -> tuple[dict[str, Any], ...]:
    """Plans of one shipped spec, in every kind of world and interrupted in several ways."""
    (tree,) = [tree for _, tree in whole_stock().examples if tree["name"] == "tank_filling"]
    found = []
    for world, interruption in VARIANTS:
        spec = {
            **tree,
            "world": {"kind": world},
            "interruptions": [{"kind": interruption, "target": tree["events"][0]["id"], "hidden_s": [2.0, 2.5]}],
        }
        found.append(sample_plans(parse_spec(yaml.safe_dump(spec)), 1)[0].to_dict())
    return tuple(found)


def plan_input(seed: int, index: int) -> bytes:
    """The bytes of one plan.json."""
    rng = np.random.default_rng([seed, index, 2])
    plan = pick(rng, real_plans())
    match int(rng.integers(6)):
        case 0:
            return mutated_text(json.dumps(plan), rng).encode("utf-8", errors="surrogatepass")
        case 1:
            return mutated_bytes(json.dumps(plan).encode(), rng)
        case _:
            return json.dumps(mutated_tree(plan, rng, WORDS)).encode("utf-8", errors="surrogatepass")
