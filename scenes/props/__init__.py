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


def prop_parts(kind: str, params: Params) -> tuple[Part, ...]:
    """Parts of one prop in its own frame; they are shared, so leave them as they are.

    Raises ValueError for an unknown kind or a missing number.
    """
    if kind not in PROPS:
        raise ValueError(f"unknown prop {kind!r}; known: {', '.join(sorted(PROPS))}")
    try:
        return _built(kind, json.dumps(params))
    except KeyError as missing:
        raise ValueError(f"prop {kind!r} needs the parameter {missing}") from None


@lru_cache(maxsize=256)  # planning, the stage and the rays ask for the same props again and again
def _built(kind: str, params: str) -> tuple[Part, ...]:
    return PROPS[kind](json.loads(params))
