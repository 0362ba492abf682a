"""Cross-checks of a clip: what its own arrays, its states, another renderer and new renders say about one another.

Each check is a generator of Wrong and Note: what is amiss, and what was compared or why nothing was.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scenes.plan import ScenePlan
from simulator.clip import Clip
from simulator.hiding import FOUND, largest_mean_change, small
from simulator.in_blender import ask_blender, blender_is_here
from simulator.reprojection import flow_residual
from simulator.stage import Stage
from simulator.timeline import truth_shots
from simulator.view import view_of

HIDDEN_TOLERANCE = (
    1.0  # of 255: the most that a 3x3 mean of a hidden frame may change with the state (DESIGN section 5)
)
FLOW_TOLERANCE_PX = 0.01  # of the still world, against depth and cameras (float32 depth)
LOST_SHARE = 0.005  # of moving and still points whose flow contradicts the next depth
COMPARED_FRAMES = 8  # with the preview renderer's silhouettes


@dataclass(frozen=True)
class Wrong:
    """Something that is not as it should be."""

    text: str


@dataclass(frozen=True)
class Note:
    """What a check looked at, or why it could not."""

    text: str


def hidden_in_twins(clip: Clip, plan: ScenePlan) -> Iterator[Wrong | Note]:
    """Hidden frames of the clip and of its paused twin look the same.

    The twin pauses every target in its own windows: frames in which another one, seen again, lags are left out.
    """
    if "paused" not in clip.twins:
        return
    worst, paused = 0.0, clip.twin("paused")
    for window in clip.windows:
        frames = [frame for frame in window.hidden_frames if not _lagging(clip, frame)]
        if not frames:
            yield Note(f"{window.target} at frame {window.hidden_frames[0]} and on: not compared, another target lags")
            continue
        changes = {frame: largest_mean_change(clip.rgb[frame], paused.rgb[frame]) for frame in frames}
        frame = max(changes, key=lambda f: changes[f])
        worst = max(worst, changes[frame])
        if changes[frame] > HIDDEN_TOLERANCE:
            yield Wrong(f"hidden frame {frame} gives the state away: a 3x3 mean changes by {changes[frame]:.2f}/255")
    yield Note(f"paused and true state differ by {worst:.2f}/255 at most while hidden")


def _lagging(clip: Clip, frame: int) -> set[str]:
    """Targets that the paused twin shows behind the truth at this frame: paused before, and not hidden."""
    hidden = {window.target for window in clip.windows if frame in window.hidden_frames}
    return {window.target for window in clip.windows if window.t_h < frame} - hidden


def hidden_when_rendered(clip: Clip, plan: ScenePlan) -> Iterator[Wrong | Note]:
    """The same by new renders, in which the hidden event is fully present."""
    if not clip.windows or plan.render.engine != "cycles":
        return
    if not blender_is_here():
        yield Note("not rendered: there is no Blender here (it needs Python 3.11)")
        return
    with tempfile.TemporaryDirectory(prefix="remind-hiding-") as scratch:
        ask_blender(small(plan), "hiding", Path(scratch))
        found = json.loads((Path(scratch) / FOUND).read_text())
    for entry in found:
        if entry["change"] > HIDDEN_TOLERANCE:
            yield Wrong(
                f"{entry['kind']} does not hide {entry['target']} at frame {entry['frame']}: rendered with the state "
                f"of t_h, a 3x3 mean changes by {entry['change']:.2f}/255"
            )
    yield Note(f"rendered with the state of t_h: {max(e['change'] for e in found):.2f}/255 at most")


def states_in_pictures(clip: Clip, plan: ScenePlan) -> Iterator[Wrong | Note]:
    """The state read from the pixels is the state of states.parquet."""
    if not {"depth_m", "segmentation"} <= set(clip.manifest["arrays"]):
        return
    count = 0
    for event, frame, name, measured, truth, tolerance in readouts(clip, plan):
        count += 1
        if not abs(measured - truth) <= tolerance + 1e-9:
            yield Wrong(f"{event}.{name} reads {measured:.4g} at frame {frame}, truth {truth:.4g} +- {tolerance:g}")
    yield Note(f"{count} readings")


def readouts(clip: Clip, plan: ScenePlan) -> Iterator[tuple[str, int, str, float, float, float]]:
    """(event, frame, readout, measured, truth, tolerance) at every frame where the event is plainly seen."""
    laws = Stage.from_plan(plan).events
    for event in plan.events:
        rows = (clip.states["event"] == event.id) & (clip.states["visible_fraction"] >= 0.9)
        for frame in np.unique(clip.states["frame"][rows]):
            for name, measured in laws[event.id].measure(view_of(clip, event, int(frame))).items():
                truth, variable = float(clip.series(event.id, name)[frame]), laws[event.id].variable(name)
                off = float(variable.difference(np.asarray(truth), np.asarray(measured)))  # the shorter way round
                yield event.id, int(frame), name, truth + off, truth, variable.tolerance


def flow_against_depth(clip: Clip, plan: ScenePlan) -> Iterator[Wrong | Note]:
    """Depth and cameras reproject onto the next frame as the flow says."""
    if not {"depth_m", "segmentation", "flow_px"} <= set(clip.manifest["arrays"]):
        return
    bodies = Stage.from_plan(plan).bodies
    moving = [b.instance for b in bodies if b.event is not None or b.occluder is not None]
    worst_px, worst_share, cameras = 0.0, 0.0, clip.cameras
    depth_m, ids, flow_px = clip.depth_m[:], clip.segmentation[:], clip.flow_px[:]
    for frame in range(clip.num_frames - 1):
        found = flow_residual(
            flow_px[frame],
            depth_m[frame],
            depth_m[frame + 1],
            ids[frame],
            ids[frame + 1],
            ~np.isin(ids[frame], moving),
            cameras.intrinsics[frame],
            cameras.camera_from_world[frame],
            cameras.camera_from_world[frame + 1],
        )
        worst_px, worst_share = max(worst_px, found.still_px), max(worst_share, found.lost_share)
        if found.still_px > FLOW_TOLERANCE_PX:
            yield Wrong(f"flow at frame {frame} is {found.still_px:.3g} px off what depth and cameras say")
        if found.lost_share > LOST_SHARE:
            yield Wrong(f"flow at frame {frame} contradicts the next depth at {found.lost_share:.1%} of its points")
    yield Note(f"still world within {worst_px:.2g} px, {worst_share:.2%} of points contradict the next depth at most")


def silhouettes_of_preview(clip: Clip, plan: ScenePlan) -> Iterator[Wrong | Note]:
    """The segmentation is what another renderer draws, but within a pixel of edges (shells left out)."""
    if "segmentation" not in clip.manifest["arrays"]:
        return
    from simulator.preview import open_preview, require_preview

    try:
        require_preview()
    except ValueError as missing:
        yield Note(f"not compared: {missing}")
        return
    stage, shots = Stage.from_plan(plan), truth_shots(plan)
    preview = open_preview(stage)
    shells = [b.instance for b in stage.bodies if b.part.see_through]
    worst = 0.0
    for frame in np.unique(np.linspace(0, clip.num_frames - 1, COMPARED_FRAMES).astype(int)):
        drawn, cast = preview.silhouettes(shots[frame])[0], clip.segmentation[int(frame)]
        known = ~np.isin(cast, shells)
        differ = known & (drawn != cast)
        stray = differ & ~(among_neighbours(drawn, cast) | among_neighbours(cast, drawn))
        worst = max(worst, float(differ.mean()))
        if stray.any():
            yield Wrong(
                f"segmentation at frame {frame}: {int(stray.sum())} pixels are not what the preview draws there"
            )
    yield Note(f"preview silhouettes differ in {worst:.2%} of pixels at most, all within a pixel of edges")


def among_neighbours(ids: NDArray[np.uint16], others: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """[H, W] where some pixel of `others` within one pixel, itself included, has the id that `ids` has there."""
    padded = np.pad(others, 1, mode="edge")
    height, width = ids.shape
    return np.any([padded[y : y + height, x : x + width] == ids for y in range(3) for x in range(3)], axis=0)
