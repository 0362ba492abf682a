"""Kinds of world: each builder turns a Setting into a Site, or raises Problem when it cannot take the events."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from scenes.worlds.outdoor import outdoor
from scenes.worlds.room import room
from scenes.worlds.shelf import shelf
from scenes.worlds.site import Setting, Site
from scenes.worlds.tabletop import tabletop

WORLDS: Mapping[str, Callable[[Setting, np.random.Generator], Site]] = {
    "tabletop": tabletop,
    "room": room,
    "shelf": shelf,
    "outdoor": outdoor,
}
