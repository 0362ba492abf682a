"""A small plan in a plain room, and a renderer without Blender whose pictures depend on everything a shot says."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.plan import (
    CameraPlan,
    ClipPlan,
    EventPlan,
    InterruptionPlan,
    LightPlan,
    PropPlan,
    RenderPlan,
    ScenePlan,
    WorldPlan,
)
from simulator.produce import produce_clip
from simulator.rays import RayCaster
from simulator.stage import Shot, Stage


def tank_plan(kind: str = "look_away", turn_rad: float = 2.2, **changes: Any) -> ScenePlan:
    """A filling glass on a floor between four walls; hidden from 2 to 4 s of 6 s."""
    floor = PropPlan(
        name="floor",
        kind="slab",
        location_m=(0.0, 0.0, -0.1),
        yaw_rad=0.0,
        params={"size_m": [4.0, 4.0, 0.1], "rgb": [0.4, 0.3, 0.2], "roughness": 0.6},
    )
    plan = ScenePlan(
        version=2,
        name="test",
        spec_seed=0,
        index=0,
        clip=ClipPlan(num_frames=48, fps=8.0, width_px=64, height_px=64),
        world=WorldPlan(
            kind="tabletop",
            props=(floor,),
            lights=(
                LightPlan(
                    name="key",
                    location_m=(0.6, -0.7, 1.1),
                    target_m=(0.0, 0.0, 0.1),
                    size_m=0.5,
                    power_w=18.0,
                    rgb=(1.0, 0.95, 0.9),
                ),
            ),
            ambient_rgb=(0.3, 0.32, 0.35),
        ),
        events=(
            EventPlan(
                id="glass",
                type="tank_filling",
                params={"inflow_m3_per_s": 6e-5},
                location_m=(0.0, 0.0, 0.0),
                yaw_rad=0.3,
                start_s=0.0,
            ),
        ),
        camera=CameraPlan(
            path="static",
            look_at_m=(0.0, 0.0, 0.09),
            distance_m=0.42,
            elevation_rad=0.4,
            azimuth_rad=0.1,
            sweep_rad=0.0,
            fov_rad=0.8,
        ),
        interruptions=(
            InterruptionPlan(
                kind=kind,  # type: ignore[arg-type]
                target="glass",
                out_s=1.5,
                hidden_from_s=2.0,
                hidden_to_s=4.0,
                back_s=4.5,
                motion="yaw" if kind == "look_away" else "none",
                turn_rad=turn_rad if kind == "look_away" else 0.0,
            ),
        ),
        render=RenderPlan(engine="cycles", samples=4, denoise=True, seed=7),
        outputs=("rgb", "depth", "segmentation", "twins", "sweep"),
    )
    return dataclasses.replace(plan, **changes)


class SketchRenderer:
    """Colours by instance id, light and noise seed; a muted event leaves no trace."""

    device = "sketch"
    seconds_in_renderer = 0.0

    def __init__(self, stage: Stage) -> None:
        self._stage, self._caster = stage, RayCaster(stage)

    def render(self, shot: Shot) -> NDArray[np.uint8]:
        hits = self._caster.cast(shot)
        colours = np.array([list(hashlib.sha256(bytes([i])).digest()[:3]) for i in range(256)], dtype=np.float64)
        noise = np.random.default_rng(shot.seed).normal(0.0, 20.0 / shot.samples, (*hits.segmentation.shape, 3))
        return np.clip((colours[hits.segmentation % 256] + noise) * shot.light_level, 0, 255).astype(np.uint8)


def sketch_clip(plan: ScenePlan, out: Path) -> Path:
    """Produce the clip of `plan` in the new directory `out` without Blender."""
    out.mkdir(parents=True)
    produce_clip(plan, out, SketchRenderer, lambda done, total: None)
    return out
