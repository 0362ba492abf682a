"""Solving interruptions: each window gets what hides its target. What cannot be hidden raises Problem with a fix."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from event_library.base import Event
from scenes.errors import Problem, under
from scenes.lighting import shadow_points
from scenes.looking_away import LookAway
from scenes.occluding import Occlusion
from scenes.occupancy import Occupancy, box_corners, hull_points, inflated
from scenes.plan import InterruptionPlan, WorldPlan
from scenes.staging import Staged
from scenes.windows import Request
from scenes.world import world_boxes
from scenes.worlds.site import Site

Array = NDArray[np.float64]
INFLATE = 1.2


def check_hideable(request: Request, events: Mapping[str, Event]) -> None:
    """Raises Problem when this kind of interruption cannot hide its target at all."""
    if request.kind != "lights_off" or request.event_lights:
        return
    for name, event in events.items():
        if event.info.emits_light:
            raise Problem(
                f"lights_off cannot hide anything here: {name!r} ({event.info.id}) gives light itself; use look_away, "
                "or `event_lights: true` if its light goes out too",
                ("kind",),
            )


def solve(
    requests: list[Request],
    windows: list[InterruptionPlan],
    staged: Staged,
    world: WorldPlan,
    site: Site,
    rng: np.random.Generator,
) -> tuple[InterruptionPlan, ...]:
    """Every window with its turn, shift or occluder. Raises Problem placed at `(index, field)`."""
    boxes_m = world_boxes(world)
    solved = []
    for i, (request, window) in enumerate(zip(requests, windows, strict=True)):
        with under(i):
            _check_apart(request, window, requests, windows)
            if request.kind in ("look_away", "occluder"):
                influence = hull_points(influence_points(staged.occupancies[request.target], world, site))
                solver = LookAway if request.kind == "look_away" else Occlusion
                window = solver(request, window, staged, influence, boxes_m).solve(rng)
            elif request.kind == "lights_off":
                window = dataclasses.replace(window, event_lights=request.event_lights)
            elif request.kind == "corrupt":
                window = dataclasses.replace(window, corruption=request.corruption)
        solved.append(window)
    return tuple(solved)


def _check_apart(
    request: Request, window: InterruptionPlan, requests: list[Request], windows: list[InterruptionPlan]
) -> None:
    """An occluder is placed for where the camera's base path is: a camera that goes elsewhere sees past it."""
    if request.kind != "occluder":
        return
    for other, its in zip(requests, windows, strict=True):
        if (
            other.motion == "translate"
            and its.kind == "look_away"
            and its.out_s < window.back_s
            and window.out_s < its.back_s
        ):
            raise Problem(
                f"conflicts with the look_away from {its.out_s:.3g} s to {its.back_s:.3g} s: the camera would go past "
                f"the occluder; let it turn (motion: yaw) or start at {its.back_s:.3g} s or later",
                ("at_s",),
            )


def influence_points(occupied: Occupancy, world: WorldPlan, site: Site) -> Array:
    """[N, 3] hull of all that an event ever occupies, inflated, with the shadows it throws."""
    box_m = inflated(occupied.box_m, INFLATE)
    return np.vstack([box_corners(box_m), shadow_points(box_m, world.lights, world.sky, site)])
