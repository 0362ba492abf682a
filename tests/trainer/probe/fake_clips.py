"""Synthetic clip directories in the layout of `simulator.clip`, drawn by `drawing`: 8 fps, 48 frames, hidden 17..31."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simulator.clip import SCHEMA_VERSION
from tests.trainer.probe.drawing import CARRIER_ID, KINDS, SHELL_ID, SWEEP_TIMES_S, draw, rendered

NUM_FRAMES, FPS, T_H, T_R = 48, 8.0, 16, 32
NOISE, SWEEP_NOISE = 0.012, 0.004
HIDDEN = range(T_H + 1, T_R)


def state(kind: str, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """A scalar that says how far the event has come."""
    if kind == "bob":
        return np.asarray(0.9 * np.cos(2 * np.pi * t_s / 2.9 + 0.4))
    return np.asarray(4.0 * t_s)


def write_fake_clip(path: Path, kind: str, scene: int, prompt: str = "A thing happens.") -> Path:
    """One clip directory; twins, sweep and calibration included."""
    path.mkdir(parents=True)
    times = np.arange(NUM_FRAMES) / FPS
    paused = np.where(times <= T_H / FPS, times, np.maximum(T_H / FPS, times - (T_R - T_H) / FPS))
    black = np.full((64, 64, 3), 3, dtype=np.uint8)
    seed = 10_000 * scene + 100 * KINDS.index(kind)
    truth = [rendered(draw(kind, t, scene)[0], NOISE, seed + i) for i, t in enumerate(times)]
    held = [rendered(draw(kind, t, scene)[0], NOISE, seed + i) for i, t in enumerate(paused)]
    swept = [draw(kind, t, scene) for t in SWEEP_TIMES_S]
    interrupted = [black if f in HIDDEN else picture for f, picture in enumerate(truth)]
    with h5py.File(path / "arrays.h5", "w") as file:
        file["rgb"] = np.stack(interrupted)
        file["twins/observed/rgb"], file["twins/paused/rgb"] = np.stack(truth), np.stack(held)
        file["sweeps/0/rgb"] = np.stack([rendered(p, SWEEP_NOISE, seed + 50_000 + i) for i, (p, _) in enumerate(swept)])
        file["sweeps/0/segmentation"] = np.stack([s for _, s in swept])
        file["sweeps/0/event_time_s"] = SWEEP_TIMES_S
        file["sweeps/0/states/level_m"] = state(kind, SWEEP_TIMES_S)
        file["sweeps/0"].attrs["frame"], file["sweeps/0"].attrs["target"] = T_R, "thing"
        calibration = np.array([3.0, 0.0])
        file["calibration/rgb"] = np.stack([rendered(draw(kind, t, scene)[0], NOISE, seed + T_R) for t in calibration])
        file["calibration/event_time_s"] = calibration
        file["calibration"].attrs["names"] = json.dumps(["half_speed", "reversed"])
    camera = np.eye(4)
    window = {"target": "thing", "kind": "lights_off", "t_h": T_H, "t_r": T_R, "hidden_frames": list(HIDDEN)}
    cameras = {
        "intrinsics": [np.eye(3).tolist()] * NUM_FRAMES,
        "camera_from_world": [camera.tolist()] * NUM_FRAMES,
        "scene_scale_m": 1.0,
        "windows": [window],
    }
    monotone = kind != "bob"
    variable = {
        "unit": "m",
        "domain": "scalar",
        "tolerance": 0.2,
        "min_delta": 0.3,
        "role": "readout",
        "flags": ["monotone"] if monotone else ["periodic"],
        "cycle": None,
        "label": "how far",
    }
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "clip_id": f"{kind}{scene}",
        "scene_id": f"scene-{kind}-{scene}",
        "prompt": prompt,
        "instances": {
            str(CARRIER_ID): {"name": "stuff", "event": "thing", "carries": True},
            str(SHELL_ID): {"name": "shell", "event": "thing", "carries": False},
        },
        "variables": {"thing": {"level_m": variable}},
        "event_types": {"thing": kind},
        "twins": ["observed", "paused"],
        "arrays": {},
        "files": {},
    }
    plan = {
        "clip": {"num_frames": NUM_FRAMES, "fps": FPS},
        "events": [{"id": "thing", "type": kind, "start_s": 0.0}],
    }
    for name, content in (("cameras", cameras), ("manifest", manifest), ("plan", plan)):
        (path / f"{name}.json").write_text(json.dumps(content))
    hidden = np.isin(np.arange(NUM_FRAMES), HIDDEN)
    columns = {
        "frame": np.arange(NUM_FRAMES),
        "t_s": times,
        "event": ["thing"] * NUM_FRAMES,
        "variable": ["level_m"] * NUM_FRAMES,
        "value": state(kind, times),
        "visible_px": np.where(hidden, 0, 400),
        "hidden": hidden,
    }
    pq.write_table(pa.table(columns), path / "states.parquet")
    twin = {"twin": ["paused"] * NUM_FRAMES, **columns, "event_time_s": paused, "value": state(kind, paused)}
    pq.write_table(pa.table(twin), path / "twins.parquet")
    return path


def write_fake_dataset(root: Path, kinds: tuple[str, ...] = KINDS, scenes: int = 2) -> Path:
    for scene in range(scenes):
        for kind in kinds:
            write_fake_clip(root / "clips" / f"{kind}-{scene}", kind, scene + 1)
    return root
