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
TWO_WINDOWS = ((16, 28), (34, 42))
CATEGORIES = {"glass": "continuous_process", "candle": "state_transformation", "bob": "kinematics"}


def state(kind: str, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """A scalar that says how far the event has come."""
    if kind == "bob":
        return np.asarray(0.9 * np.cos(2 * np.pi * t_s / 2.9 + 0.4))
    return np.asarray(4.0 * t_s)


def others(t_s: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """A variable of each other kind."""
    return {
        "hand_rad": (1.2 * t_s) % 6.0,
        "seconds": np.floor(t_s),
        "stage": np.floor(t_s / 1.5) % 3,
        "mass_kg": np.full(t_s.shape, 2.0),
        "ends_m": np.stack([t_s, -2 * t_s], axis=1),
        "heat": t_s[:, None, None] * np.linspace(0.5, 1.5, 12).reshape(3, 4),
    }


def variables(kind: str) -> dict[str, dict[str, object]]:
    """As in a manifest; `level_m` is the probed one."""
    flags = ["monotone"] if kind != "bob" else ["periodic"]
    described = {  # name: unit, domain, tolerance, flags, cycle
        "level_m": ("m", "scalar", 0.2, flags, None),
        "hand_rad": ("rad", "angle", 0.1, ["periodic"], 6.0),
        "seconds": ("count", "count", 0.0, ["monotone"], None),
        "stage": ("index", "discrete", 0.0, [], None),
        "mass_kg": ("kg", "scalar", 0.1, ["conserved"], None),
        "ends_m": ("m", "vector", 0.1, ["monotone"], None),
        "heat": ("K", "field", 0.1, ["bounded"], None),
    }
    keys = ("unit", "domain", "tolerance", "flags", "cycle")
    rest = {"min_delta": None, "role": "state", "label": "how far"}
    probed = {"min_delta": 0.3, "role": "readout"}
    return {
        name: {**dict(zip(keys, facts, strict=True)), **rest, **(probed if name == "level_m" else {})}
        for name, facts in described.items()
    }


def write_fake_clip(
    path: Path,
    kind: str,
    scene: int,
    prompt: str = "A thing happens.",
    windows: tuple[tuple[int, int], ...] = ((T_H, T_R),),
    speed: float = 1.0,
) -> Path:
    """One clip directory; twins, a sweep for each window (last seen, seen again) and calibration included.

    speed: of the event's law against its clock.
    """
    path.mkdir(parents=True)
    times, frames = np.arange(NUM_FRAMES) / FPS, np.arange(NUM_FRAMES)
    paused = times - sum(np.clip(frames, t_h, t_r) - t_h for t_h, t_r in windows) / FPS
    hidden = np.logical_or.reduce([(frames > t_h) & (frames < t_r) for t_h, t_r in windows])
    black = np.full((64, 64, 3), 3, dtype=np.uint8)
    seed = 10_000 * scene + 100 * KINDS.index(kind)
    drawn = [draw(kind, speed * t, scene) for t in times]
    truth = [rendered(picture, NOISE, seed + i) for i, (picture, _) in enumerate(drawn)]
    held = [rendered(draw(kind, speed * t, scene)[0], NOISE, seed + i) for i, t in enumerate(paused)]
    interrupted = [black if dark else picture for dark, picture in zip(hidden, truth, strict=True)]
    with h5py.File(path / "arrays.h5", "w") as file:
        file["rgb"] = np.stack(interrupted)
        file["twins/observed/rgb"], file["twins/paused/rgb"] = np.stack(truth), np.stack(held)
        file["segmentation"] = file["twins/observed/segmentation"] = np.stack([mask for _, mask in drawn])
        for name, values in others(times).items():
            if values.ndim > 1:
                file[f"fields/thing/{name}"] = values
        for n, window in enumerate(windows):
            _write_sweep(file, n, window, kind, scene, seed, speed)
        first_s = np.array(windows[0]) / FPS
        calibration = first_s[0] + np.array([0.5, -1.0]) * (first_s[1] - first_s[0])
        pictures = [rendered(draw(kind, speed * t, scene)[0], NOISE, seed + windows[0][1]) for t in calibration]
        file["calibration/rgb"], file["calibration/event_time_s"] = np.stack(pictures), calibration
        file["calibration"].attrs["names"] = json.dumps(["half_speed", "reversed"])
    _write_json(path, kind, scene, prompt, windows)
    _write_tables(path, kind, times, paused, hidden, speed)
    return path


def _write_sweep(
    file: h5py.File, n: int, window: tuple[int, int], kind: str, scene: int, seed: int, speed: float
) -> None:
    t_h_s, t_r_s = window[0] / FPS, window[1] / FPS
    moments = t_h_s + (SWEEP_TIMES_S - SWEEP_TIMES_S[16]) / 2 * (t_r_s - t_h_s)  # SWEEP_TIMES_S is for 2 s .. 4 s
    swept = [draw(kind, speed * float(t), scene) for t in moments]
    group = f"sweeps/{n}"
    pictures = [rendered(p, SWEEP_NOISE, seed + 50_000 + 100 * n + i) for i, (p, _) in enumerate(swept)]
    file[f"{group}/rgb"], file[f"{group}/segmentation"] = np.stack(pictures), np.stack([s for _, s in swept])
    file[f"{group}/event_time_s"] = moments
    for name, values in {"level_m": state(kind, speed * moments), **others(moments)}.items():
        if values.ndim == 1:
            file[f"{group}/states/{name}"] = values
    file[group].attrs["frame"], file[group].attrs["target"] = window[1], "thing"


def _write_json(path: Path, kind: str, scene: int, prompt: str, windows: tuple[tuple[int, int], ...]) -> None:
    cameras = {
        "intrinsics": [np.eye(3).tolist()] * NUM_FRAMES,
        "camera_from_world": [np.eye(4).tolist()] * NUM_FRAMES,
        "scene_scale_m": 1.0,
        "windows": [
            {
                "target": "thing",
                "kind": "lights_off",
                "t_h": t_h,
                "t_r": t_r,
                "hidden_frames": list(range(t_h + 1, t_r)),
            }
            for t_h, t_r in windows
        ],
    }
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "clip_id": f"{kind}{scene}" + "".join(f"-{t_h}" for t_h, _ in windows[1:]),
        "scene_id": f"scene-{kind}-{scene}",
        "prompt": prompt,
        "instances": {
            str(CARRIER_ID): {"name": "stuff", "event": "thing", "carries": True},
            str(SHELL_ID): {"name": "shell", "event": "thing", "carries": False},
        },
        "variables": {"thing": variables(kind)},
        "event_types": {"thing": kind},
        "event_facts": {
            "thing": {"family": "drawn", "stevo_category": CATEGORIES.get(kind, "causal_change"), "held_out": False}
        },
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


def _write_tables(
    path: Path,
    kind: str,
    times: NDArray[np.float64],
    paused: NDArray[np.float64],
    hidden: NDArray[np.bool_],
    speed: float,
) -> None:
    def numbers(at_s: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        return {"level_m": state(kind, speed * at_s)} | {n: v for n, v in others(at_s).items() if v.ndim == 1}

    def columns(at_s: NDArray[np.float64]) -> dict[str, NDArray[np.generic]]:
        series = numbers(at_s)
        repeat = len(series)
        return {
            "frame": np.tile(np.arange(NUM_FRAMES), repeat),
            "t_s": np.tile(times, repeat),
            "event": np.repeat(["thing"], NUM_FRAMES * repeat),
            "variable": np.repeat(list(series), NUM_FRAMES),
            "value": np.concatenate(list(series.values())),
            "visible_px": np.tile(np.where(hidden, 0, 400), repeat),
            "visible_fraction": np.tile(np.where(hidden, 0.0, 1.0), repeat),
            "hidden": np.tile(hidden, repeat),
        }

    pq.write_table(pa.table(columns(times)), path / "states.parquet")
    held = columns(paused)
    rows = len(held["frame"])
    twin = {"twin": ["paused"] * rows, **held, "event_time_s": np.tile(paused, rows // NUM_FRAMES)}
    pq.write_table(pa.table(twin), path / "twins.parquet")


def write_fake_dataset(root: Path, kinds: tuple[str, ...] = KINDS, scenes: int = 2) -> Path:
    for scene in range(scenes):
        for kind in kinds:
            write_fake_clip(root / "clips" / f"{kind}-{scene}", kind, scene + 1)
    return root
