"""Builders of the world's static things: a name and some numbers -> parts. Props stand on z = 0 of their own frame."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache

from event_library.parts import Part
from scenes.props import furniture, garden, things
from scenes.props.shaping import Params

PROPS: Mapping[str, Callable[[Params], tuple[Part, ...]]] = {
    "slab": furniture.slab,
    "disc": furniture.disc,
    "ceiling": furniture.ceiling,
    "table": furniture.table,
    "picture": furniture.picture,
    "window": furniture.window,
    "door": furniture.door,
    "cabinet": furniture.cabinet,
    "sofa": furniture.sofa,
    "armchair": furniture.armchair,
    "bookcase": furniture.bookcase,
    "book_row": furniture.book_row,
    "floor_lamp": furniture.floor_lamp,
    "ball": things.ball,
    "book": things.book,
    "mug": things.mug,
    "blocks": things.blocks,
    "bottle": things.bottle,
    "plant": things.plant,
    "crate": things.crate,
    "stool": things.stool,
    "tree": garden.tree,
    "conifer": garden.conifer,
    "bush": garden.bush,
    "hedge": garden.hedge,
    "fence": garden.fence,
    "brick_wall": garden.brick_wall,
    "house": garden.house,
    "rock": garden.rock,
    "bench": garden.bench,
    "tufts": garden.tufts,
    "flower_pot": garden.flower_pot,
    "watering_can": garden.watering_can,
}

LEAST_M, MOST_M, MAX_COUNT = 1e-5, 1e4, 5000  # of a prop's sides, and of what it is made of


def prop_parts(kind: str, params: Params) -> tuple[Part, ...]:
    """Parts of one prop in its own frame; they are shared, so leave them as they are.

    Raises ValueError for an unknown kind, and for numbers that are missing, of the wrong form or beyond all measure.
    """
    if kind not in PROPS:
        raise ValueError(f"unknown prop {kind!r}; known: {', '.join(sorted(PROPS))}")
    try:
        _check_measures(params)
        return _built(kind, json.dumps(params))
    except KeyError as missing:
        raise ValueError(f"prop {kind!r} needs the parameter {missing}") from None
    except (TypeError, ValueError, ArithmeticError, IndexError) as error:
        raise ValueError(f"prop {kind!r} cannot be built from its params ({error})") from None


def _check_measures(params: Params) -> None:
    """Bounds on what decides how much a builder builds. Raises ValueError."""
    size = params.get("size_m", 1.0)
    for side in size if isinstance(size, list | tuple) else (size,):
        if not LEAST_M <= side <= MOST_M:
            raise ValueError(f"size_m {side:g} is outside [{LEAST_M:g}, {MOST_M:g}] m")
    if not 0 <= params.get("count", 0) <= MAX_COUNT:
        raise ValueError(f"count {params['count']:g} is outside [0, {MAX_COUNT}]")
    if not 0 <= params.get("seed", 0) <= 2**53:
        raise ValueError(f"seed {params['seed']:g} is outside [0, 2**53]")


@lru_cache(maxsize=256)  # planning, the stage and the rays ask for the same props again and again
def _built(kind: str, params: str) -> tuple[Part, ...]:
    return PROPS[kind](json.loads(params))
