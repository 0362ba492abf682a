"""What one clip is, in a row: the unit of `dataset.json` and of the index of a pack."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from event_library.registry import get_type
from simulator.clip import Clip, Window, list_clips
from simulator.clip_files import MANIFEST, ClipFiles, clip_files, is_clip_id, is_file_name

SPLITS = ("train", "heldout")
# output of a spec -> what of a clip is there for it: data sets (a prefix where it ends in /) and files of its own
OUTPUT_PLACES: dict[str, tuple[str, ...]] = {
    "rgb": ("rgb",),
    "depth": ("depth_m",),
    "segmentation": ("segmentation",),
    "normals": ("normals",),
    "flow": ("flow_px",),
    "amodal": ("amodal/",),
    "boxes": ("boxes.parquet",),
    "tracks": ("tracks/",),
    "twins": ("twins/", "twins.parquet"),
    "sweep": ("sweeps/", "calibration/"),
}


def output_of(place: str) -> str | None:
    """The output that a data set of arrays.h5, or a file, was written for; None: it belongs to every clip."""
    for output, places in OUTPUT_PLACES.items():
        if any(place.startswith(p) if p.endswith("/") else place == p for p in places):
            return output
    return None


@dataclass(frozen=True, kw_only=True)
class ClipFacts:
    """One clip. `split` is heldout as soon as one of its events is of a type that is tagged so."""

    clip_id: str
    scene_id: str
    spec: str  # the spec's name; of an imported video, its file's
    spec_seed: int | None
    spec_index: int
    events: tuple[tuple[str, str], ...]  # id and type of each
    event_types: tuple[str, ...]  # of each event, as the plan has them
    families: tuple[str, ...]
    stevo_categories: tuple[str, ...]
    interruptions: tuple[str, ...]  # kinds, as the plan has them
    split: str
    stateless: bool
    num_frames: int
    fps: float
    width_px: int
    height_px: int
    prompt: str
    hidden_s: float  # fully hidden, all windows together
    windows: tuple[Window, ...]
    outputs: tuple[str, ...]
    num_bytes: int  # of its files
    device: str
    versions: dict[str, str]
    created_unix_s: int
    arrays_sha256: str
    manifest_sha256: str

    @classmethod
    def of(cls, clip: Clip) -> ClipFacts:
        """Raises ValueError for an event type that is not known here; KeyError, TypeError or AttributeError where a
        manifest or plan is not what it should be."""
        manifest, plan = clip.manifest, clip.plan
        files = _file_names(manifest)
        with clip.files.open(MANIFEST) as file:
            manifest_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        infos = [get_type(event["type"]).info for event in plan["events"]]
        present = {output_of(place) for place in (*manifest["arrays"], *files)}
        return cls(
            clip_id=clip.clip_id,
            scene_id=clip.scene_id,
            spec=str(plan["name"]),
            spec_seed=plan.get("spec_seed"),
            spec_index=int(plan["index"]),
            events=tuple((event["id"], event["type"]) for event in plan["events"]),
            event_types=tuple(info.id for info in infos),
            families=tuple(sorted({info.family for info in infos})),
            stevo_categories=tuple(sorted({info.stevo_category for info in infos})),
            interruptions=tuple(i["kind"] for i in plan["interruptions"]),
            split="heldout" if any(info.held_out for info in infos) else "train",
            stateless=clip.stateless,
            num_frames=clip.num_frames,
            fps=clip.fps,
            width_px=int(plan["clip"]["width_px"]),
            height_px=int(plan["clip"]["height_px"]),
            prompt=clip.prompt,
            hidden_s=round(sum(len(w.hidden_frames) for w in clip.windows) / clip.fps, 9),
            windows=clip.windows,
            outputs=tuple(output for output in OUTPUT_PLACES if output in present),
            num_bytes=sum(clip.files.size(name) for name in (*files, MANIFEST)),
            device=str(manifest["device"]),
            versions={str(k): str(v) for k, v in manifest["versions"].items()},
            created_unix_s=int(manifest["created_unix_s"]),
            arrays_sha256=str(manifest["arrays_sha256"]),
            manifest_sha256=manifest_sha256,
        )


def _file_names(manifest: dict[str, Any]) -> list[str]:
    """The files beside the manifest. Raises ValueError where one is no plain name: it could lie anywhere."""
    names = sorted(manifest["files"])
    if odd := [name for name in names if not is_file_name(name) or name == MANIFEST]:
        raise ValueError(f"{odd[0]!r} in its manifest is no name of a file of a clip; render it again")
    return names


def open_clip(path: Path) -> tuple[Clip, ClipFacts]:
    """A clip and its facts. Raises ValueError that names a clip that cannot be read, or is not what it is called."""
    files = clip_files(path)
    clip, facts = read_clip(files)
    if facts.clip_id != path.name or not is_clip_id(path.name):
        raise ValueError(f"{path}: the manifest in it says {facts.clip_id!r}; a clip's folder is named by its id")
    return clip, facts


def read_clip(files: ClipFiles) -> tuple[Clip, ClipFacts]:
    """As `open_clip`, wherever the files lie."""
    clip = None
    try:
        clip = Clip.read(files)
        return clip, ClipFacts.of(clip)
    except (KeyError, TypeError, AttributeError) as error:
        problem = f"its manifest, plan or cameras are broken ({type(error).__name__}: {error})"
        raise ValueError(f"{files.path}: {problem}; render it again") from None
    except (ValueError, OSError) as error:
        if clip is None:  # the reader has named the file
            raise
        raise ValueError(f"{files.path}: {error}") from None


def read_all(dataset: Path) -> tuple[list[ClipFacts], list[str]]:
    """Facts of every clip of a data set or pack, in the order of their ids; and what is wrong with those left out.

    Raises ValueError where there is no clip at all.
    """
    paths = list_clips(dataset)
    if not paths:
        raise ValueError(f"{dataset}: no published clips here; give a data set (with clips/ in it) or a pack")
    facts, problems = [], []
    for path in tqdm(paths, desc="read", unit="clips", disable=None, leave=False):
        try:
            facts.append(open_clip(path)[1])
        except ValueError as error:
            problems.append(str(error))
    return facts, problems


def in_split(facts: Iterable[ClipFacts], split: str) -> list[ClipFacts]:
    """Those of one split; `all`: every one."""
    return [each for each in facts if split in ("all", each.split)]


def refuse_nested(out: Path, source: Path) -> None:
    """Raises ValueError when one lies in the other: writing would change what is read."""
    here, there = out.resolve(), source.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise ValueError(f"--out: {out} and {source} lie in one another; name a folder beside it")


class Problems(ValueError):
    """Several things wrong at once: one line each."""

    def __init__(self, problems: Sequence[str], fix: str) -> None:
        """fix: the last line, what to do about them."""
        shown = list(problems[:20])
        more = [f"... and {len(problems) - 20} more"] if len(problems) > 20 else []
        self.problems = [*shown, *more, fix]
        super().__init__("\n".join(self.problems))
