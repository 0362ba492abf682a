"""Everything that geometry says about the frames of a clip, in one walk over them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulator.boxes import Boxes
from simulator.rays import Hits, RayCaster
from simulator.surface import camera_normals, forward_flow
from simulator.timeline import truth_shots
from simulator.tracks import PointTracks
from simulator.visibility import Visibility, see

PASSES = ("depth", "segmentation", "normals", "flow", "amodal", "boxes", "tracks")  # names in a spec's outputs


@dataclass(frozen=True)
class Truth:
    """arrays: data set name in arrays.h5 -> values, as the plan's outputs ask for them."""

    hits: tuple[Hits, ...]
    visibility: dict[str, Visibility]
    arrays: dict[str, NDArray[Any]]
    boxes: pa.Table | None


def trace(caster: RayCaster) -> Truth:
    """Casts every frame of the clip and derives the passes that the plan's outputs name."""
    walk = _Walk(caster)
    hits, visibility = see(caster.stage, caster, walk.add)
    arrays = walk.arrays
    outputs = caster.stage.plan.outputs
    if "depth" in outputs:
        arrays["depth_m"] = np.stack([h.depth_m for h in hits])
        hits = [replace(h, depth_m=depth_m) for h, depth_m in zip(hits, arrays["depth_m"], strict=True)]
    if "segmentation" in outputs:
        arrays["segmentation"] = np.stack([h.segmentation for h in hits])
        hits = [replace(h, segmentation=ids) for h, ids in zip(hits, arrays["segmentation"], strict=True)]
    if "amodal" in outputs:
        arrays |= {f"amodal/{e}": np.stack([h.alone[e] > 0 for h in hits]) for e in caster.stage.events}
    if walk.tracks is not None:
        arrays |= {f"tracks/{name}": values for name, values in vars(walk.tracks.tracks()).items()}
    return Truth(tuple(hits), visibility, arrays, walk.boxes.table() if walk.boxes else None)


class _Walk:
    """Collects the passes that need the geometry of a frame and of the next."""

    def __init__(self, caster: RayCaster) -> None:
        plan = caster.stage.plan
        self._caster, self._shots, self._outputs = caster, truth_shots(plan), plan.outputs
        shape = (plan.clip.num_frames, plan.clip.height_px, plan.clip.width_px)
        self.arrays: dict[str, NDArray[Any]] = {}
        if "normals" in plan.outputs:
            self.arrays["normals"] = np.zeros((*shape, 3), dtype=np.float16)
        if "flow" in plan.outputs:
            self.arrays["flow_px"] = np.full((*shape, 2), np.nan, dtype=np.float32)  # the last frame has no next one
        self.boxes = Boxes(caster) if "boxes" in plan.outputs else None
        self.tracks = PointTracks(caster) if "tracks" in plan.outputs else None

    def add(self, frame: int, hits: Hits) -> None:
        caster, shot, following = self._caster, self._shots[frame], self._shots[frame + 1 : frame + 2]
        vertices_m = caster.vertices(shot)
        if "normals" in self.arrays:
            self.arrays["normals"][frame] = camera_normals(
                hits, caster.meshes, vertices_m, caster.rays, shot.world_from_camera
            )
        if self.boxes is not None:
            self.boxes.add(frame, shot, hits, vertices_m)
        if self.tracks is not None:
            self.tracks.add(frame, shot, vertices_m)
        if "flow_px" in self.arrays and following:
            self.arrays["flow_px"][frame] = forward_flow(
                hits, caster.meshes, vertices_m, caster.vertices(following[0]), caster.rays, caster.stage.intrinsics,
                shot.world_from_camera, following[0].world_from_camera,
            )  # fmt: skip
