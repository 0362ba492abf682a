"""Blender: OUT/<clip>.blend, the clip's scene with a key on every frame, made by Blender in a process of its own.

`simulator/blender/blend_file.py` says what such a file holds and what it cannot.
"""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scenes.plan import ScenePlan
from simulator.clip import Clip
from simulator.export.pictures import whole
from simulator.in_blender import ask_blender, blender_is_here

SCENE_FILE = "scene.blend"  # what the worker leaves in its folder


def export_blend(clips: Sequence[Clip], out: Path) -> list[Path]:
    """One .blend a clip. Raises ValueError where there is no Blender, or for an imported video."""
    if not blender_is_here():
        raise ValueError("--to blend: needs Blender's Python module bpy, which exists for Python 3.11 only")
    for clip in clips:
        if clip.stateless:
            raise ValueError(f"{clip.path}: an imported video has no scene that --to blend could write")
    return [_export_clip(clip, out / f"{clip.clip_id}.blend") for clip in clips]


def _export_clip(clip: Clip, path: Path) -> Path:
    with whole(path) as draft, tempfile.TemporaryDirectory(prefix="remind-blend-") as scratch:
        folder = Path(scratch)
        plan = ScenePlan.from_dict(clip.plan)
        plan = dataclasses.replace(plan, render=dataclasses.replace(plan.render, engine="cycles"))
        try:
            ask_blender(plan, "blend", folder)
        except ValueError as error:
            raise ValueError(f"{clip.path}: Blender wrote no file: {error}") from None
        shutil.move(folder / SCENE_FILE, draft)
    return path
