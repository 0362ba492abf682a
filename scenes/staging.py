"""A plan's events in front of its camera, before its interruptions: what must be in the picture, and is it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from event_library.base import Event
from scenes.cameras import base_pose
from scenes.errors import Problem
from scenes.framing import EDGE, covered_px, duration_s, inverse, reach
from scenes.occupancy import Occupancy, occupancy
from scenes.plan import CameraPlan, ClipPlan, EventPlan, InterruptionPlan
from scenes.poses import standing_pose


@dataclass(frozen=True)
class Running:
    """Clip and events in time: what happens when, wherever it stands."""

    clip: ClipPlan
    plans: Mapping[str, EventPlan]
    events: Mapping[str, Event]


@dataclass(frozen=True)
class Staged(Running):
    """The same in space: the camera, and what each event occupies over the clip, in the world."""

    camera: CameraPlan
    occupancies: Mapping[str, Occupancy]


def check_seen(window: InterruptionPlan, staged: Staged, margin: float = 1.0) -> None:
    """Raises Problem unless the carriers of the paused and the true state are plainly seen around the window.

    margin: how many times the least number of pixels they must cover.
    """
    event, plan = staged.events[window.target], staged.plans[window.target]
    times = np.array([window.out_s, window.back_s])
    seen = occupancy(event, standing_pose(plan), times - plan.start_s)
    for instant, shown in ((0, window.out_s), (0, window.back_s), (1, window.back_s)):
        hulls = [part.points_m for part in seen.carriers(instant)]
        camera = inverse(base_pose(staged.camera, shown, duration_s(staged.clip)))
        pixels = covered_px(hulls, camera, staged.camera, staged.clip)
        if pixels < margin * event.info.min_visible_px:
            raise Problem(
                f"what shows the state of {window.target!r} covers about {pixels} px (of 64 x 64) at {shown:.3g} s, "
                f"less than the {event.info.min_visible_px} it needs; move the camera nearer or leave distance_m out",
                ("target",),
            )


def check_framed(target: str, staged: Staged) -> None:
    """Raises Problem when the target's carriers ever leave the picture of the base camera path."""
    occupied = staged.occupancies[target]
    points = [part.points_m for i in range(len(occupied.instants)) for part in occupied.carriers(i)]
    if points and reach(np.vstack(points), staged.camera, staged.clip) > EDGE:
        raise Problem(
            f"{target!r} does not stay in the picture; move the camera back, widen fov_deg, or leave distance_m out",
            ("camera", "distance_m"),
        )
