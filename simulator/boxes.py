"""Boxes of every event and of each of its carrying parts, frame by frame, in the picture and in the world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.ndimage import find_objects
from scipy.spatial.transform import Rotation

from event_library.channels import Rotate, pose_matrix
from simulator.rays import Hits, RayCaster
from simulator.stage import Body, Shot

Array = NDArray[np.float64]
_PICTURE = ("u0_px", "v0_px", "u1_px", "v1_px")
_COLUMNS = (
    *(f"visible_{name}" for name in _PICTURE),
    *(f"amodal_{name}" for name in _PICTURE),
    "min_x_m", "min_y_m", "min_z_m", "max_x_m", "max_y_m", "max_z_m",
    "centre_x_m", "centre_y_m", "centre_z_m", "size_x_m", "size_y_m", "size_z_m",
    "rotation_w", "rotation_x", "rotation_y", "rotation_z",
)  # fmt: skip


@dataclass(frozen=True)
class _Entity:
    """A row of every frame: a whole event (`body` None) or one of its carrying parts."""

    event: str
    body: Body | None
    bodies: NDArray[np.int64]  # numbers of the bodies it consists of


class Boxes:
    """Filled frame by frame with `add`; `table` gives boxes.parquet, whose columns simulator.clip describes."""

    def __init__(self, caster: RayCaster) -> None:
        self._caster, self._stage = caster, caster.stage
        bodies = self._stage.bodies
        self._entities = []
        for event in self._stage.events:
            own = [i for i, b in enumerate(bodies) if b.event == event and len(b.part.mesh.vertices)]
            self._entities.append(_Entity(event, None, np.array(own, dtype=np.int64)))
            self._entities += [_Entity(event, bodies[i], np.array([i])) for i in own if bodies[i].part.carries]
        shape = (self._stage.plan.clip.num_frames, len(self._entities))
        self._values = np.full((*shape, len(_COLUMNS)), np.nan)
        self._visible_px = np.zeros(shape, dtype=np.int32)

    def add(self, frame: int, shot: Shot, hits: Hits, vertices_m: Array) -> None:
        """Boxes of one frame; vertices_m [V, 3] in the world, nan for what is not there."""
        counts = np.bincount(hits.segmentation.ravel(), minlength=len(self._stage.bodies) + 1)
        seen = find_objects(hits.segmentation, max_label=len(self._stage.bodies))
        rotations = np.tile(np.eye(3), (len(self._entities), 1, 1))
        for row, entity in enumerate(self._entities):
            numbers = [self._stage.bodies[i].instance for i in entity.bodies]
            self._visible_px[frame, row] = counts[numbers].sum()
            own = np.concatenate([vertices_m[self._span(i)] for i in entity.bodies] or [np.empty((0, 3))])
            own = own[~np.isnan(own[:, 0])]
            values = self._values[frame, row]
            values[:4] = _union([seen[number - 1] for number in numbers])
            if len(own) == 0:
                continue
            rotations[row] = axes = self._axes(entity, shot)
            turned = own @ axes
            low, high = turned.min(axis=0), turned.max(axis=0)
            values[4:8] = self._projected(own, shot.world_from_camera)
            values[8:20] = *own.min(axis=0), *own.max(axis=0), *(axes @ (low + high) / 2), *(high - low)
        there = ~np.isnan(self._values[frame, :, 8])
        self._values[frame, there, 20:] = Rotation.from_matrix(rotations[there]).as_quat()[:, [3, 0, 1, 2]]

    def table(self) -> pa.Table:
        num_frames, entities = len(self._values), self._entities
        names = [entity.event if entity.body is None else entity.body.part.name for entity in entities]
        columns: dict[str, pa.Array] = {
            "frame": pa.array(np.repeat(np.arange(num_frames, dtype=np.int32), len(entities))),
            "event": pa.array([entity.event for entity in entities] * num_frames, pa.string()),
            "entity": pa.array(names * num_frames, pa.string()),
            "kind": pa.array(["part" if entity.body else "event" for entity in entities] * num_frames, pa.string()),
            "instance": pa.array([e.body.instance if e.body else 0 for e in entities] * num_frames, pa.int32()),
            "visible_px": pa.array(self._visible_px.ravel()),
        }
        flat = self._values.reshape(-1, len(_COLUMNS))
        return pa.table(columns | {name: pa.array(flat[:, i]) for i, name in enumerate(_COLUMNS)})

    def _span(self, body: int) -> slice:
        return slice(*self._caster.meshes.first_vertices[body : body + 2])

    def _axes(self, entity: _Entity, shot: Shot) -> Array:
        """[3, 3] world_from_entity rotation: the event's own axes, or those of the part as its channels turn it."""
        body = entity.body or self._stage.bodies[entity.bodies[0]]
        if entity.body is None:
            return body.world_from_rest[:3, :3]
        own = self._caster.channels(entity.event, shot).get(body.part.name, ())
        turns = tuple(channel for channel in own if isinstance(channel, Rotate))
        return body.world_from_rest[:3, :3] @ pose_matrix(turns)[:3, :3] if turns else body.world_from_rest[:3, :3]

    def _projected(self, points_m: Array, world_from_camera: Array) -> Array:
        """[4] bounds of points in the picture, which they may leave; nan when one of them is not before the camera."""
        inside = (points_m - world_from_camera[:3, 3]) @ world_from_camera[:3, :3]
        if inside[:, 2].min() <= 1e-6:
            return np.full(4, np.nan)
        k = self._stage.intrinsics
        uv = inside[:, :2] / inside[:, 2:] * (k[0, 0], k[1, 1]) + k[:2, 2]
        return np.concatenate([uv.min(axis=0), uv.max(axis=0)])


def _union(found: list[tuple[slice, slice] | None]) -> Array:
    """[4] u0, v0, u1, v1 around (rows, columns) slices; nan when there are none."""
    there = [(columns.start, rows.start, -columns.stop, -rows.stop) for rows, columns in filter(None, found)]
    return np.abs(np.min(np.array(there, dtype=np.float64), axis=0)) if there else np.full(4, np.nan)
