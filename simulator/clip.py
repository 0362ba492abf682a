"""Reading a clip. Imports numpy, h5py, pyarrow and the standard library only, so that a GPU machine can read clips.

A clip lies in a directory of its own or in a shard of a pack (`simulator.clip_files`); it reads the same.
Layout of a clip directory (DESIGN section 6); `simulator.clip_writer` writes it:

    plan.json  manifest.json  cameras.json  states.parquet  boxes.parquet  twins.parquet  video.mp4  arrays.h5
    arrays.h5: rgb depth_m segmentation normals flow_px amodal/<event>, tracks/<field of Tracks>,
               twins/<name>/{rgb,segmentation}, calibration/{rgb,event_time_s},
               sweeps/<n>/{rgb,segmentation,event_time_s,states/<variable>} of window n, fields/<event>/<variable>

Instance ids (`segmentation`, `tracks/instance`, `boxes.parquet`) are those of the manifest's `instances`: the same
part has the same id in every frame of the clip, its twins and its sweep. Truth arrays say what is in the world before
the camera, whatever fog, darkness or a broken signal does to the picture.

boxes.parquet: one row per frame and event (kind `event`, entity = event, instance 0) and per frame and part that
carries its state (kind `part`, entity = name of the part). Columns: frame event entity kind instance visible_px,
    visible_{u0,v0,u1,v1}_px   pixels of `segmentation` that it has, [u0, u1) x [v0, v1); nan: none
    amodal_{u0,v0,u1,v1}_px    bounds of its projected surface as if nothing hid it, sub-pixel, beyond the picture
                               where it goes on there; nan: it is not there, or not wholly before the camera
    {min,max}_{x,y,z}_m        box along the world's axes
    centre_{x,y,z}_m size_{x,y,z}_m rotation_{w,x,y,z}   oriented box: along the part's own axes as they are turned, or
                               the event's; the unit quaternion is its rotation in the world; nan: it is not there
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from simulator.clip_arrays import ArrayGroup, LazyArray, read_together
from simulator.clip_checks import check_contents, opened_arrays, plain_array, read_object, read_table
from simulator.clip_files import CLIPS, MANIFEST, ClipFiles, PackIndex, clip_files
from simulator.prompts import INTERRUPTION_CLAUSES, event_prompt
from untrusted import one_line

__all__ = [  # all that readers of clips need to know: of this package the trainer may import this module only
    "INTERRUPTION_CLAUSES",
    "SCHEMA_VERSION",
    "ArrayGroup",
    "Cameras",
    "Clip",
    "LazyArray",
    "Sweep",
    "Tracks",
    "Window",
    "event_prompt",
    "list_clips",
    "read_together",
]

SCHEMA_VERSION = 1
_STATES = ("frame", "event", "variable", "value")  # columns without which there is nothing to read
_SEEN = ("frame", "event", "visible_fraction")


@dataclass(frozen=True)
class Cameras:
    """Cameras of every frame, OpenCV axes, pixels with centres at +.5."""

    intrinsics: NDArray[np.float64]  # [T, 3, 3]
    camera_from_world: NDArray[np.float64]  # [T, 4, 4]
    scene_scale_m: float  # first camera to its look-at point


@dataclass(frozen=True)
class Window:
    """One hidden window, in frame indices. Interruptions that hide one target together are one window."""

    target: str
    kind: str  # kinds of interruption, joined by "+"
    t_h: int  # last frame with visible_fraction >= 0.9
    t_r: int  # first such frame afterwards
    hidden_frames: tuple[int, ...]  # fully hidden, between them


@dataclass(frozen=True)
class Sweep:
    """The frame of return at K known event times, rendered with low noise and seeds of its own."""

    rgb: NDArray[np.uint8]  # [K, H, W, 3]
    segmentation: NDArray[np.uint16]  # [K, H, W]
    event_time_s: NDArray[np.float64]  # [K] on the event's own clock
    states: dict[str, NDArray[np.float64]]  # variable -> [K], scalars only
    frame: int  # t_r
    target: str


@dataclass(frozen=True)
class Tracks:
    """Points fixed on objects, followed over the clip. N is 256, half of them on events (carriers first), half on the
    world.

    A point keeps its place in its triangle, however the part moves or deforms. nan: its part is not there, or (uv_px)
    it is not before the camera. visible: nothing solid lies before it and it is inside the picture; shells
    (glass) hide nothing; darkness, fog and broken signals do not count.
    """

    uv_px: NDArray[np.float32]  # [T, N, 2] pixel coordinates, centres at +.5
    depth_m: NDArray[np.float32]  # [T, N] along the camera axis
    visible: NDArray[np.bool_]  # [T, N]
    world_m: NDArray[np.float32]  # [T, N, 3]
    instance: NDArray[np.uint16]  # [N] key of Clip.instances
    object_m: NDArray[np.float64]  # [N, 3] in the part's own frame, at rest
    triangle: NDArray[np.int32]  # [N] of the part's mesh
    barycentric: NDArray[np.float64]  # [N, 3] in that triangle


class Clip(ArrayGroup):
    """A published clip, opened for reading.

    `Clip.open` takes its directory, or `PACK/clips/<id>` for one in a pack. It raises ValueError, naming the file, when
    that is not a complete clip of this schema.
    """

    def __init__(
        self, files: ClipFiles, manifest: dict[str, Any], plan: dict[str, Any], cameras: dict[str, Any]
    ) -> None:
        super().__init__(files, "")
        self.path = files.path
        self.manifest, self.plan = manifest, plan
        self.cameras = Cameras(
            np.asarray(cameras["intrinsics"], dtype=np.float64),
            np.asarray(cameras["camera_from_world"], dtype=np.float64),
            float(cameras["scene_scale_m"]),
        )
        self.windows = tuple(
            Window(w["target"], w["kind"], w["t_h"], w["t_r"], tuple(w["hidden_frames"])) for w in cameras["windows"]
        )
        # frames that a frame_drop took: the world went on, video.mp4 lacks them, and their `rgb` is zero
        self.dropped_frames: tuple[int, ...] = tuple(cameras.get("dropped_frames", ()))

    @classmethod
    def open(cls, path: Path | str) -> Self:
        return cls.read(clip_files(Path(path)))

    @classmethod
    def read(cls, files: ClipFiles) -> Self:
        """As `open`, wherever the files lie."""
        loaded = []
        for name in (MANIFEST, "plan.json", "cameras.json"):
            try:
                loaded.append(read_object(files, name))
            except (OSError, ValueError) as error:
                reason = f"{files.path / name}: not a readable clip ({error}); render it again"
                raise ValueError(one_line(reason)) from None
        manifest, plan, cameras = loaded
        if manifest.get("schema_version") != SCHEMA_VERSION:
            found = manifest.get("schema_version")
            reason = f"{files.path}/{MANIFEST}: schema_version {found!r}, this reader knows {SCHEMA_VERSION}"
            raise ValueError(one_line(reason))
        try:
            check_contents(manifest, plan, cameras)
        except ValueError as error:
            raise ValueError(one_line(f"{files.path}/{error}; render the clip again")) from None
        return cls(files, manifest, plan, cameras)

    # ---- facts
    @property
    def stateless(self) -> bool:
        """An imported video: pictures and perhaps cameras, no events, no states, no plan that could be rendered."""
        return bool(self.manifest.get("stateless", False))

    @property
    def cameras_known(self) -> bool:
        """False for an imported video without cameras: `cameras` then holds one camera that stands still."""
        return bool(self.manifest.get("cameras_known", True))

    @property
    def clip_id(self) -> str:
        return str(self.manifest["clip_id"])

    @property
    def num_frames(self) -> int:
        return int(self.plan["clip"]["num_frames"])

    @property
    def fps(self) -> float:
        return float(self.plan["clip"]["fps"])

    @property
    def scene_id(self) -> str:
        """Clips of one scene (same world and events) never lie on both sides of a split."""
        return str(self.manifest["scene_id"])

    @property
    def prompt(self) -> str:
        """What a text-conditioned model is told: set-up, process and interruption, never the outcome."""
        return str(self.manifest["prompt"])

    @property
    def instances(self) -> dict[int, dict[str, Any]]:
        """Segmentation id -> {"name", "event" (id or null), "carries", "occluder" (name or null)}, for the whole
        clip."""
        return {int(k): v for k, v in self.manifest["instances"].items()}

    @property
    def variables(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Event id -> variable -> {"unit", "domain", "tolerance", "min_delta", "flags", "role", "cycle"}."""
        return dict(self.manifest["variables"])

    @property
    def event_facts(self) -> dict[str, dict[str, Any]]:
        """Event id -> {"family", "stevo_category", "held_out" (type kept from training)}; older clips lack them."""
        return dict(self.manifest.get("event_facts", {}))

    def carrier_ids(self, event: str) -> list[int]:
        """Segmentation ids of the parts that show the event's state."""
        return [i for i, v in self.instances.items() if v["event"] == event and v["carries"]]

    # ---- tables
    @cached_property
    def states(self) -> dict[str, NDArray[Any]]:
        """Columns of states.parquet: frame t_s event entity variable role value unit visible_px visible_fraction hidden
        hidden_by."""
        return read_table(self.files, "states.parquet", _STATES)

    @cached_property
    def visible_fraction(self) -> dict[str, NDArray[np.float64]]:
        """Event -> [T] share of it that is seen; of its entities the one that is seen best."""
        columns = read_table(self.files, "states.parquet", _SEEN, only=_SEEN)
        frames = columns["frame"]
        if len(frames) and not (frames.min() >= 0 and frames.max() < self.num_frames):
            raise ValueError(f"{self.path}/states.parquet: a frame is outside [0, {self.num_frames}); render it again")
        seen = {}
        for event in sorted(set(columns["event"])):
            rows = columns["event"] == event
            seen[str(event)] = np.zeros(self.num_frames)
            np.maximum.at(seen[str(event)], frames[rows], columns["visible_fraction"][rows])
        return seen

    def series(self, event: str, variable: str, twin: str | None = None) -> NDArray[np.float64]:
        """[T] values of one scalar variable, of the clip or of one of its twins."""
        columns = self.states if twin is None else read_table(self.files, "twins.parquet", ("twin", *_STATES))
        rows = (columns["event"] == event) & (columns["variable"] == variable)
        if twin is not None:
            rows &= columns["twin"] == twin
        if not rows.any():
            raise ValueError(f"{self.path}: event {event!r} has no variable {variable!r}")
        return columns["value"][rows][np.argsort(columns["frame"][rows])]

    def field(self, event: str, variable: str) -> LazyArray:
        """[T, ...] values of a vector or field of the clip (twins and sweeps keep numbers only)."""
        return LazyArray(self.files, f"fields/{event}/{variable}")

    @cached_property
    def boxes(self) -> dict[str, NDArray[Any]]:
        """Columns of boxes.parquet, described at the top of this module."""
        if "boxes.parquet" not in self.files.names:
            raise ValueError(f"{self.path}: no boxes; render the clip with `boxes` among its outputs")
        return read_table(self.files, "boxes.parquet", ("frame", "event", "entity", "kind"))

    @property
    def amodal(self) -> dict[str, LazyArray]:
        """Event -> [T, H, W] bool, its silhouette (all its parts but flames and haze) as if nothing hid it."""
        names = [name for name in self.manifest["arrays"] if name.startswith("amodal/")]
        return {name.removeprefix("amodal/"): LazyArray(self.files, name) for name in names}

    @cached_property
    def tracks(self) -> Tracks:
        if "tracks/uv_px" not in self.manifest["arrays"]:
            raise ValueError(f"{self.path}: no tracks; render the clip with `tracks` among its outputs")
        with opened_arrays(self.files) as file:
            return Tracks(**{field.name: plain_array(file, f"tracks/{field.name}")[()] for field in fields(Tracks)})

    # ---- other pictures
    def twin(self, name: str) -> ArrayGroup:
        """`observed` (no interruption) or `paused` (the event's clock stands still while hidden)."""
        if name not in self.manifest["twins"]:
            raise ValueError(f"{self.path}: no twin {name!r}; it has {self.manifest['twins'] or 'none'}")
        return ArrayGroup(self.files, f"twins/{name}")

    @property
    def event_log(self) -> list[dict[str, Any]]:
        """What happens at an instant, in order of time: event, kind, name, t_s, frame (the last one not after it),
        hidden.

        kind: trigger (something sets another thing off, or ends it), contact (bodies begin to touch), phase (a
        variable of whole numbers changes). At most the first 200 of one variable, or of one event's contacts.
        """
        return [
            {"kind": "trigger", **entry} for entry in self.manifest.get("event_log", [])
        ]  # old clips: triggers only

    @property
    def twins(self) -> tuple[str, ...]:
        return tuple(self.manifest["twins"])

    @property
    def sweep(self) -> Sweep | None:
        """The sweep of the first window."""
        return self.sweeps[0] if self.sweeps else None

    @cached_property
    def sweeps(self) -> tuple[Sweep, ...]:
        """One sweep for each window, in the order of `windows`; none when the clip was rendered without."""
        with opened_arrays(self.files) as file:
            return tuple(_sweep(file, f"sweeps/{n}") for n in range(len(file.get("sweeps", {}))))

    @cached_property
    def calibration(self) -> dict[str, tuple[NDArray[np.uint8], float]]:
        """Frame of return at clip quality with the event's clock elsewhere: name -> (rgb [H, W, 3], event_time_s)."""
        with opened_arrays(self.files) as file:
            if "calibration" not in file:
                return {}
            rgb, times = plain_array(file, "calibration/rgb"), plain_array(file, "calibration/event_time_s")[:]
            names = json.loads(file["calibration"].attrs["names"])
            return {name: (rgb[i], float(times[i])) for i, name in enumerate(names)}

    def event_time_s(self, frame: int, event: str | None = None) -> float:
        """An event's own clock at a frame (clip time minus the event's start); of the first window's target if None."""
        target = event or (self.windows[0].target if self.windows else self.plan["events"][0]["id"])
        start_s = next(e["start_s"] for e in self.plan["events"] if e["id"] == target)
        return frame / self.fps - float(start_s)


def list_clips(dataset: Path | str) -> list[Path]:
    """Published clips of a data set or a pack, in the order of their ids; each can be given to `Clip.open`."""
    root = Path(dataset)
    if (index := PackIndex.of(root)) is not None:
        return [root / CLIPS / clip_id for clip_id in index.clip_ids]
    found = root.glob(f"{CLIPS}/*/{MANIFEST}")
    return sorted(p.parent for p in found if not p.parent.name.startswith("."))


def _sweep(file: h5py.File, group: str) -> Sweep:
    rgb = plain_array(file, f"{group}/rgb")
    return Sweep(
        rgb[:],
        plain_array(file, f"{group}/segmentation")[:],
        plain_array(file, f"{group}/event_time_s")[:],
        {name: plain_array(file, f"{group}/states/{name}")[:] for name in file[f"{group}/states"]},
        int(file[group].attrs["frame"]),
        str(file[group].attrs["target"]),
    )
