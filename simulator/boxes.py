"""Boxes of every event and of each of its carrying parts, frame by frame, in the picture and in the world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.ndimage import find_objects
from scipy.spatial.transform import Rotation

from event_library.channels import Rotate, rotation_matrix
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


NEAR_M = 1e-6  # what comes nearer to the camera's plane has no bounds in the picture


@dataclass(frozen=True)
class _Entity:
    """A row of every frame: a whole event (`body` None) or one of its carrying parts."""

    event: str
    body: Body | None
    columns: NDArray[np.int64]  # numbers of its bodies among those of all events


class Boxes:
    """Filled frame by frame with `add`; `table` gives boxes.parquet, whose columns simulator.clip describes."""

    def __init__(self, caster: RayCaster) -> None:
        self._caster, self._stage = caster, caster.stage
        first = caster.meshes.first_vertices
        numbered = [(i, b) for i, b in enumerate(self._stage.bodies) if b.event and first[i] < first[i + 1]]
        self._bodies = [body for _, body in numbered]
        self._vertices = np.concatenate([np.arange(first[i], first[i + 1]) for i, _ in numbered])
        counts = np.array([first[i + 1] - first[i] for i, _ in numbered])
        self._starts, self._body_of = np.cumsum(counts) - counts, np.repeat(np.arange(len(numbered)), counts)
        self._instances = np.array([body.instance for body in self._bodies])
        self._entities = []
        for event in self._stage.events:
            own = np.array([i for i, body in enumerate(self._bodies) if body.event == event], dtype=np.int64)
            self._entities.append(_Entity(event, None, own))
            self._entities += [
                _Entity(event, self._bodies[i], np.array([i])) for i in own if self._bodies[i].part.carries
            ]
        self._part_rows = [row for row, entity in enumerate(self._entities) if entity.body]
        self._part_bodies = [i for i, body in enumerate(self._bodies) if body.part.carries]
        shape = (self._stage.plan.clip.num_frames, len(self._entities))
        self._values = np.full((*shape, len(_COLUMNS)), np.nan)
        self._visible_px = np.zeros(shape, dtype=np.int32)

    def add(self, frame: int, shot: Shot, hits: Hits, vertices_m: Array) -> None:
        """Boxes of one frame; vertices_m [V, 3] in the world, nan for what is not there."""
        points, values = vertices_m[self._vertices], self._values[frame]
        counts = np.bincount(hits.segmentation.ravel(), minlength=len(self._stage.bodies) + 1)[self._instances]
        seen = self._seen(hits)
        amodal, (low, high) = self._projected(points, shot.world_from_camera), self._bounds(points)
        axes = np.stack([self._axes(body, shot) for body in self._bodies])
        turned_low, turned_high = self._bounds(np.einsum("vi,vij->vj", points, axes[self._body_of]))
        rows, own = self._part_rows, self._part_bodies
        self._visible_px[frame, rows] = counts[own]
        values[rows, :4], values[rows, 4:8] = seen[own], amodal[own]
        values[rows, 8:] = _placed(low[own], high[own], axes[own], turned_low[own], turned_high[own])
        for row, entity in enumerate(self._entities):
            if entity.body is None:
                self._visible_px[frame, row] = counts[entity.columns].sum()
                values[row, :4] = _around(seen[entity.columns])
                there = entity.columns[~np.isnan(low[entity.columns, 0])]
                if len(there):
                    values[row, 4:8] = _around(amodal[there]) if not np.isnan(amodal[there]).any() else np.nan
                    turn = self._bodies[there[0]].world_from_rest[:3, :3]
                    turned = points[np.isin(self._body_of, there)] @ turn
                    world = low[there].min(axis=0), high[there].max(axis=0)
                    bounds = (*world, turn, turned.min(axis=0), turned.max(axis=0))
                    values[row, 8:] = _placed(*(bound[None] for bound in bounds))[0]

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

    def _bounds(self, points: Array) -> tuple[Array, Array]:
        """Least and greatest coordinates of every body."""
        return np.minimum.reduceat(points, self._starts), np.maximum.reduceat(points, self._starts)

    def _axes(self, body: Body, shot: Shot) -> Array:
        """[3, 3] the part's axes in the world, as its channels turn it."""
        assert body.event is not None
        own = self._caster.channels(body.event, shot).get(body.part.name, ())
        axes = body.world_from_rest[:3, :3]
        for turn in reversed([channel for channel in own if isinstance(channel, Rotate)]):
            axes = axes @ rotation_matrix(turn.rotation_wxyz)
        return axes

    def _projected(self, points_m: Array, world_from_camera: Array) -> Array:
        """[B, 4] bounds in the picture, which they may leave; nan for what is not, or not wholly, before the camera."""
        inside = (points_m - world_from_camera[:3, 3]) @ world_from_camera[:3, :3]
        depth, k = np.where(inside[:, 2:] > NEAR_M, inside[:, 2:], np.nan), self._stage.intrinsics
        return np.concatenate(self._bounds(inside[:, :2] / depth * (k[0, 0], k[1, 1]) + k[:2, 2]), axis=1)

    def _seen(self, hits: Hits) -> Array:
        """[B, 4] bounds of what is seen of every body; nan for nothing."""
        found = np.full((len(self._stage.bodies) + 1, 4), np.nan)
        for i, place in enumerate(find_objects(hits.segmentation), start=1):
            if place is not None:
                rows, columns = place
                found[i] = columns.start, rows.start, columns.stop, rows.stop
        return found[self._instances]


def _around(boxes: Array) -> Array:
    """[4] the box around boxes [N, 4], nan ones left out."""
    return np.concatenate([np.fmin.reduce(boxes[:, :2]), np.fmax.reduce(boxes[:, 2:])])


def _placed(low_m: Array, high_m: Array, axes: Array, turned_low_m: Array, turned_high_m: Array) -> Array:
    """[N, 16] world box, oriented box, quaternion: from bounds [N, 3] in the world and along `axes` [N, 3, 3]."""
    centre = np.einsum("nij,nj->ni", axes, (turned_low_m + turned_high_m) / 2)
    rotation = Rotation.from_matrix(axes).as_quat()[:, [3, 0, 1, 2]]
    rotation = np.where(np.isnan(low_m[:, :1]), np.nan, rotation)
    return np.concatenate([low_m, high_m, centre, turned_high_m - turned_low_m, rotation], axis=1)
