"""A suite of three tasks over synthetic clips, one of them without truth."""

from __future__ import annotations

import json
from pathlib import Path

import h5py

from tests.trainer.probe.fake_clips import FPS, HIDDEN, T_H, T_R, write_fake_clip
from trainer.bench.tasks import BenchSuite, BenchTask

KINDS = {"glass-lights_off": "glass", "candle-lights_off": "candle"}
INTERRUPTION = {
    "kind": "lights_off",
    "target": "thing",
    "out_s": T_H / FPS,
    "hidden_from_s": (T_H + 1) / FPS,
    "hidden_to_s": (T_R - 1) / FPS,
    "back_s": T_R / FPS,
}


def task(task_id: str, category: str = "kinematics") -> BenchTask:
    return BenchTask(
        id=task_id,
        category=category,
        family="flow",
        event_type=task_id.partition("-")[0],
        held_out=task_id.startswith("candle"),
        kind="lights_off",
        option="",
    )


SUITE = BenchSuite(
    name="fake",
    digest="0123456789abcdef",
    tasks=(task("glass-lights_off", "continuous_process"), task("candle-lights_off"), task("absent-lights_off")),
    clip_ids={"glass-lights_off": "glass1", "candle-lights_off": "candle1", "absent-lights_off": "nowhere"},
)


def write_truth(root: Path) -> Path:
    for task_id, kind in KINDS.items():
        clip = write_fake_clip(root / "clips" / kind, kind, 1)
        name_plan(clip, SUITE.clip_name(task_id))
        with h5py.File(clip / "arrays.h5", "a") as file:  # as rendered ones, the paused twin is interrupted too
            file["twins/paused/rgb"][list(HIDDEN)] = file["rgb"][list(HIDDEN)]
    return root


def name_plan(clip: Path, name: str) -> None:
    """Give a synthetic clip the plan that the benchmark asks for."""
    plan = json.loads((clip / "plan.json").read_text())
    (clip / "plan.json").write_text(json.dumps(plan | {"name": name, "interruptions": [INTERRUPTION]}))
