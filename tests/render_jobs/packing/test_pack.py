"""A pack holds the very clips, reads like the data set, and is the same whatever happened while it was made."""

from __future__ import annotations

import gc
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
import webdataset

from render_jobs.packing import tables
from render_jobs.packing.pack import PackRequest, pack_into
from render_jobs.packing.thinning import parse_outputs
from simulator.clip import Clip, list_clips
from simulator.verify import verify_clip
from tests.render_jobs.packing.support import contents, copy_of
from trainer.data.clips import read_clip
from trainer.probe.subject import load_subjects


def request(source: Path, out: Path, **changes) -> PackRequest:
    """Shards so small that most clips have one of their own."""
    return PackRequest(**{"source": source, "out": out, "shard_bytes": 100_000} | changes)


@pytest.fixture(scope="module")
def packed(dataset, tmp_path_factory):
    out = tmp_path_factory.mktemp("packed") / "pack"
    pack_into(request(dataset, out))
    return out


def shards(pack: Path) -> list[Path]:
    return sorted(pack.glob("clips-*.tar"))


def every_array(clip: Clip) -> dict[str, bytes]:
    with clip.files.arrays() as file:
        return {name: np.asarray(file[name][()]).tobytes() for name in clip.manifest["arrays"]}


# ---- the same clips
def test_a_clip_in_a_pack_reads_as_in_its_folder(dataset, packed):
    assert [path.name for path in list_clips(packed)] == [path.name for path in list_clips(dataset)]
    for folder, inside in zip(map(Clip.open, list_clips(dataset)), map(Clip.open, list_clips(packed)), strict=True):
        assert not inside.path.exists(), "nothing is unpacked"
        assert inside.manifest == folder.manifest and inside.plan == folder.plan and inside.windows == folder.windows
        assert every_array(inside) == every_array(folder)
        assert np.array_equal(inside.rgb[1:2], folder.rgb[1:2]) and inside.rgb.shape == folder.rgb.shape
        for name in folder.states:
            assert np.array_equal(inside.states[name], folder.states[name])
        assert verify_clip(inside.path) == []


def test_twins_sweeps_boxes_and_tracks_read_from_a_pack(dataset, packed):
    full = next(path.name for path in list_clips(dataset) if Clip.open(path).windows)
    folder, inside = Clip.open(dataset / "clips" / full), Clip.open(str(packed / "clips" / full))
    assert np.array_equal(inside.twin("paused").rgb[20], folder.twin("paused").rgb[20])
    assert np.array_equal(inside.sweep.segmentation, folder.sweep.segmentation)
    assert np.array_equal(inside.series("glass", "level", twin="paused"), folder.series("glass", "level", "paused"))
    assert np.array_equal(inside.boxes["amodal_u0_px"], folder.boxes["amodal_u0_px"], equal_nan=True)
    assert np.array_equal(inside.tracks.triangle, folder.tracks.triangle)
    assert np.array_equal(inside.amodal["glass"][5], folder.amodal["glass"][5])
    assert inside.calibration.keys() == folder.calibration.keys()
    with pytest.raises(ValueError, match="no boxes"):
        _ = next(c for c in map(Clip.open, list_clips(packed)) if not c.windows).boxes


def test_trainer_and_probe_read_packs(dataset, packed):
    for folder, inside in zip(list_clips(dataset), list_clips(packed), strict=True):
        one, other = read_clip(Clip.open(folder), 1), read_clip(Clip.open(inside), 1)
        assert np.array_equal(one.rgb, other.rgb) and np.array_equal(one.cameras, other.cameras)
    (one,), (other,) = load_subjects(dataset), load_subjects(packed)
    assert one.variable == other.variable and np.array_equal(one.values, other.values)


def test_a_shard_unpacked_by_tar_is_the_clip_directories(dataset, packed, tmp_path):
    for shard in shards(packed):
        with tarfile.open(shard) as tar:
            for member in tar.getmembers():
                assert member.isreg() and (member.uid, member.mtime, member.uname) == (0, 0, "")
                clip_id, name = member.name.split(".", 1)
                target = tmp_path / "clips" / clip_id / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(tar.extractfile(member).read())
    assert contents(tmp_path / "clips") == contents(dataset / "clips")


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # webdataset leaves that to the collector
def test_webdataset_reads_the_shards(dataset, packed):
    urls = [f"file:{shard}" for shard in shards(packed)]
    samples = {s["__key__"]: s for s in webdataset.WebDataset(urls, shardshuffle=False)}
    gc.collect()
    assert sorted(samples) == [path.name for path in list_clips(dataset)]
    for clip_id, sample in samples.items():
        folder = dataset / "clips" / clip_id
        members = {name: value for name, value in sample.items() if not name.startswith("__")}
        assert members == {path.name: path.read_bytes() for path in folder.iterdir()}
        with h5py.File(io.BytesIO(sample["arrays.h5"]), "r") as file:
            assert len(file["rgb"]) == json.loads(sample["plan.json"])["clip"]["num_frames"]


# ---- the tables
def test_the_index_locates_every_file(dataset, packed):
    index = pq.read_table(packed / "index.parquet").to_pylist()
    assert [row["clip_id"] for row in index] == [path.name for path in list_clips(dataset)]
    for row in index:
        recorded = json.loads((dataset / "clips" / row["clip_id"] / "manifest.json").read_text())["files"]
        with open(packed / row["shard"], "rb") as shard:
            for member in row["members"]:
                shard.seek(member["offset"])
                data = shard.read(member["size"])
                if member["name"] != "manifest.json":
                    assert hashlib.sha256(data).hexdigest() == recorded.pop(member["name"])
        assert recorded == {}
    by_type = {kind: row for row in index for kind in row["event_types"]}
    assert by_type["torsion_disc"]["split"] == "heldout" and by_type["tank_filling"]["split"] == "train"
    (hidden,) = [row for row in index if row["interruptions"]]
    assert hidden["interruptions"] == ["look_away"] and hidden["stevo_categories"] == ["continuous_process"]
    window = hidden["windows"][0]
    assert hidden["hidden_s"] == window["num_hidden"] / hidden["fps"] and hidden["prompt"].startswith("A tap")
    assert set(hidden["outputs"]) == {
        "rgb", "depth", "segmentation", "normals", "flow", "amodal", "boxes", "tracks", "twins", "sweep"
    }  # fmt: skip


def test_states_of_all_clips_are_one_table(dataset, packed, tmp_path, monkeypatch):
    for path in list_clips(dataset):
        clip = Clip.open(path)
        rows = pq.read_table(packed / "states.parquet", filters=[("clip_id", "==", path.name)])
        assert rows["value"].to_numpy().tolist() == clip.states["value"].tolist()
        assert set(rows["event_type"].to_pylist()) == set(clip.manifest["event_types"].values())
    monkeypatch.setattr(tables, "ROWS_PER_GROUP", 10)
    pack_into(request(dataset, tmp_path / "fine"))
    groups = pq.ParquetFile(tmp_path / "fine" / "states.parquet").metadata
    ranges = [groups.row_group(i).column(0).statistics for i in range(groups.num_row_groups)]
    assert len(ranges) >= 3 and all(a.max <= b.min for a, b in pairwise(ranges))
    assert pq.read_table(tmp_path / "fine" / "states.parquet") == pq.read_table(packed / "states.parquet")


# ---- the same bytes
def test_the_same_clips_give_the_same_bytes(dataset, packed, tmp_path):
    elsewhere = copy_of(dataset, tmp_path / "elsewhere" / "data")
    os.utime(list_clips(elsewhere)[0] / "plan.json", (0, 0))
    pack_into(request(elsewhere, tmp_path / "pack"))
    assert contents(tmp_path / "pack") == contents(packed)
    pack_into(request(dataset, tmp_path / "pack"))  # complete: nothing to do
    pack_into(request(packed, tmp_path / "repacked"))  # a pack of a pack
    assert contents(tmp_path / "repacked") == contents(packed)


KILLS = {
    "_write:30": "in the middle of a clip of a later shard",
    "publish:2": "a shard is whole and has no name yet",
    "write_atomically:3": "a shard has its name, and nothing says so",
    "write_index:1": "everything is there but the index",
}


@pytest.fixture(scope="module")
def ended(dataset, tmp_path_factory):
    """Folder of packs that met their fates, and the exit statuses."""
    folder = tmp_path_factory.mktemp("fated")
    command = [sys.executable, "-m", "tests.render_jobs.packing.fated", str(dataset), str(folder), *KILLS, "disk_full"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


@pytest.mark.parametrize("fate", KILLS, ids=KILLS.get)
def test_after_a_kill_the_pack_is_the_undisturbed_one(dataset, packed, ended, fate):
    out = ended[0] / fate
    assert ended[1][fate] == -signal.SIGKILL
    assert not (out / "index.parquet").exists() and list_clips(out) == []
    finished = {shard: shard.stat().st_mtime_ns for shard in shards(out)}
    assert len(finished) == {"publish:2": 1, "write_index:1": len(shards(packed))}.get(fate, len(finished))
    pack_into(request(dataset, out))
    assert contents(out) == contents(packed)
    if fate in ("publish:2", "write_index:1"):
        assert all(shard.stat().st_mtime_ns == then for shard, then in finished.items()), "finished shards stay"


def test_a_full_disk_is_one_line_and_the_next_run_goes_on(dataset, packed, ended):
    out = ended[0] / "disk_full"
    said = [line for line in out.with_suffix(".said").read_text().splitlines() if line.startswith("remind: ")]
    assert ended[1]["disk_full"] == 2 and len(said) == 1
    assert "clips-" in said[0] and "File too large" in said[0]
    assert not (out / "index.parquet").exists()
    pack_into(request(dataset, out))
    assert contents(out) == contents(packed)


# ---- what is left out, what is refused
def test_splits_and_outputs(dataset, tmp_path):
    made = pack_into(request(dataset, tmp_path / "heldout", split="heldout"))
    (only,) = list_clips(tmp_path / "heldout")
    assert made["splits"]["heldout"] == {"event_types": ["torsion_disc"], "clips": [only.name]}
    assert made["splits"]["train"]["clips"] == []
    for out in ("thin", "again"):
        made = pack_into(request(dataset, tmp_path / out, outputs=parse_outputs("depth, rgb,segmentation")))
    assert contents(tmp_path / "thin") == contents(tmp_path / "again")
    assert made["counts"]["outputs"] == {"depth": 3, "rgb": 4, "segmentation": 4}
    for path in list_clips(tmp_path / "thin"):
        thin, whole = Clip.open(path), Clip.open(dataset / "clips" / path.name)
        kept = {name: data for name, data in every_array(whole).items() if name in ("rgb", "depth_m", "segmentation")}
        assert every_array(thin) == kept and thin.twins == () and thin.sweeps == ()
        assert verify_clip(path) == []
        if thin.windows:
            assert thin.manifest["thinned_from"] == whole.manifest["arrays_sha256"]
            assert thin.manifest["file_bytes"] == {
                n: thin.files.size(n) for n in thin.files.names if n != "manifest.json"
            }
            assert "twins.parquet" not in thin.files.names and "boxes.parquet" not in thin.files.names
        else:
            assert thin.manifest == whole.manifest, "it has nothing else: the very files"


@pytest.mark.parametrize("name", ["arrays.h5", "cameras.json", "video.mp4"])
@pytest.mark.parametrize("thin", [False, True])
def test_a_torn_clip_is_named_and_can_be_left_out(dataset, tmp_path, name, thin):
    source = copy_of(dataset, tmp_path / "data")
    torn = list_clips(source)[1]
    data = bytearray((torn / name).read_bytes())
    data[len(data) // 2] ^= 1
    (torn / name).write_bytes(data)
    options = {"outputs": ("rgb",) if thin else None}
    with pytest.raises(ValueError, match=rf"(?s){torn.name}.*{name}.*--skip-bad"):
        pack_into(request(source, tmp_path / "pack", **options))
    assert not (tmp_path / "pack" / "index.parquet").exists()
    made = pack_into(request(source, tmp_path / "pack", skip_bad=True, **options))
    assert len(made["pack"]["left_out"]) == 1 and torn.name in made["pack"]["left_out"][0]
    assert [p.name for p in list_clips(tmp_path / "pack")] == [p.name for p in list_clips(source) if p != torn]
    assert all(verify_clip(path) == [] for path in list_clips(tmp_path / "pack"))
    for shard in shards(tmp_path / "pack"):
        with tarfile.open(shard) as tar:
            assert not [member for member in tar.getnames() if member.startswith(torn.name)]


def test_clips_that_cannot_be_read_are_named_together(dataset, tmp_path):
    source = copy_of(dataset, tmp_path / "data")
    first, second, third, _ = list_clips(source)
    (first / "plan.json").write_text("{")
    manifest = json.loads((second / "manifest.json").read_text())
    (second / "manifest.json").write_text(json.dumps(manifest | {"files": {"../../../etc/passwd": "0"}}))
    third.rename(third.with_name("renamed"))
    with pytest.raises(ValueError) as refused:
        pack_into(request(source, tmp_path / "pack"))
    lines = refused.value.problems
    assert len(lines) == 4 and "plan.json" in lines[0] and "etc/passwd" in lines[1] and "renamed" in lines[2]
    made = pack_into(request(source, tmp_path / "pack", skip_bad=True))
    assert made["totals"]["clips"] == 1 and len(made["pack"]["left_out"]) == 3


def test_what_cannot_be_packed_is_refused(dataset, packed, tmp_path):
    for out in (dataset, dataset / "pack", dataset.parent):
        with pytest.raises(ValueError, match="lie in one another"):
            pack_into(request(dataset, out))
    with pytest.raises(ValueError, match="other clips or with other options"):
        pack_into(request(dataset, packed, shard_bytes=5_000_000))
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"not empty \(notes.txt"):
        pack_into(request(dataset, tmp_path))
    with pytest.raises(ValueError, match="no published clips here"):
        pack_into(request(tmp_path / "nowhere", tmp_path / "pack"))
    with pytest.raises(ValueError, match="no output 'dpeth'"):
        parse_outputs("rgb,dpeth")
    with pytest.raises(ValueError, match="a clip needs its pictures"):
        parse_outputs("depth")
    train = tmp_path / "train"
    pack_into(request(dataset, train, split="train"))
    with pytest.raises(ValueError, match="--split heldout: no clip"):
        pack_into(request(train, tmp_path / "none", split="heldout"))
    with pytest.raises(ValueError, match="no clip has normals"):
        pack_into(request(dataset, tmp_path / "none", split="heldout", outputs=("rgb", "normals")))
