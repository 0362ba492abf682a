"""COCO: OUT/annotations.json over all clips, and OUT/images/<clip>/%05d.png.

One category for each role that an event type's parts can have (`tank_filling/carrier` shows the state,
`tank_filling/surrounding` is what it sits in) and one, `world`, for everything else. One annotation for each instance
in each picture: its visible mask as compressed RLE. `track_id` is the instance, the same over the clip; `videos`,
`video_id` and `frame_id` follow CocoVID. A clip with amodal masks has one annotation more for each event that is seen
(`tank_filling/whole`): the union of its parts, and its silhouette as if nothing hid it (`amodal_segmentation`,
`amodal_area`); its `track_id` lies above those of the instances. Frames whose picture shows nothing (dark, fog, black,
dropped, corrupt) are left out and listed with their video.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.clip import Clip
from simulator.export.pictures import blank_frames, left_out, needs, require_arrays, whole, write_png

Entry = dict[str, Any]


def export_coco(clips: Sequence[Clip], out: Path) -> list[Path]:
    """One data set. Raises ValueError for a clip without segmentation."""
    needs("pycocotools.mask", "pycocotools", "coco")
    for clip in clips:
        require_arrays(clip, "coco", "segmentation")
    with whole(out) as draft:
        document = _Document()
        for clip in clips:
            document.add(clip, draft)
        (draft / "annotations.json").write_text(json.dumps(document.tables) + "\n")
    return [out / "annotations.json"]


class _Document:
    """The tables of one COCO file; ids count from 1 over all clips."""

    def __init__(self) -> None:
        self.tables: dict[str, Any] = {
            "info": {"description": "ReMind-Sim clips", "version": "1"},
            "licenses": [],
            "videos": [],
            "images": [],
            "categories": [],
            "annotations": [],
        }

    def add(self, clip: Clip, folder: Path) -> None:
        height, width = clip.rgb.shape[1:3]
        blank = blank_frames(clip)
        video = self._append(
            "videos",
            name=clip.clip_id,
            width=width,
            height=height,
            length=clip.num_frames,
            fps=clip.fps,
            left_out=left_out(blank),
        )
        for frame in range(clip.num_frames):
            if frame in blank:
                continue
            name = f"images/{clip.clip_id}/{frame:05d}.png"
            write_png(folder / name, clip.rgb[frame])
            image = self._append(
                "images", file_name=name, width=width, height=height, video_id=video["id"], frame_id=frame
            )
            self._annotate(clip, frame, image)

    def _annotate(self, clip: Clip, frame: int, image: Entry) -> None:
        segmentation = clip.segmentation[frame]
        for instance in np.unique(segmentation[segmentation > 0]):
            body = clip.instances[int(instance)]
            self._append(
                "annotations",
                image_id=image["id"],
                video_id=image["video_id"],
                category_id=self._category(clip, body["event"], "carrier" if body["carries"] else "surrounding")["id"],
                iscrowd=0,
                track_id=int(instance),
                name=body["name"],
                event=body["event"],
                **_shape(segmentation == instance),
            )

        for number, (event, amodal) in enumerate(clip.amodal.items(), start=1):
            parts = [instance for instance, body in clip.instances.items() if body["event"] == event]
            seen, silhouette = np.isin(segmentation, parts), amodal[frame]
            if seen.any():
                self._append(
                    "annotations",
                    image_id=image["id"],
                    video_id=image["video_id"],
                    category_id=self._category(clip, event, "whole")["id"],
                    iscrowd=0,
                    track_id=max(clip.instances) + number,
                    name=event,
                    event=event,
                    amodal_segmentation=rle_of(silhouette),
                    amodal_area=int(silhouette.sum()),
                    **_shape(seen),
                )

    def _category(self, clip: Clip, event: str | None, role: str) -> Entry:
        supercategory = "world" if event is None else clip.manifest["event_types"][event]
        name = "world" if event is None else f"{supercategory}/{role}"
        known = [c for c in self.tables["categories"] if c["name"] == name]
        return known[0] if known else self._append("categories", name=name, supercategory=supercategory)

    def _append(self, table: str, **entry: Any) -> Entry:
        numbered = {"id": len(self.tables[table]) + 1, **entry}
        self.tables[table].append(numbered)
        return numbered


def rle_of(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Compressed run-length code of a [H, W] mask, as pycocotools writes it, fit for JSON."""
    from pycocotools import mask as coco_mask

    code = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": [int(side) for side in code["size"]], "counts": code["counts"].decode("ascii")}


def _shape(mask: NDArray[np.bool_]) -> Entry:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    return {
        "segmentation": rle_of(mask),
        "area": int(mask.sum()),
        "bbox": [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1],
    }
