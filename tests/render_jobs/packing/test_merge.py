"""Merging and unpacking: every clip arrives once and whole, what disagrees is named, the sources are only read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from render_jobs.dataset import Dataset
from render_jobs.packing import summary
from render_jobs.packing.merge import merge_into
from render_jobs.packing.pack import PackRequest, pack_into
from simulator.clip import list_clips
from simulator.clip_writer import array_sha256, file_sha256
from simulator.verify import verify_clip
from tests.render_jobs.packing.support import contents, copy_of


def half(dataset: Path, to: Path, which: slice) -> Path:
    """A copy with some of the clips; plans, quarantine and specs stay."""
    copy_of(dataset, to)
    for path in set(list_clips(to)) - set(list_clips(to)[which]):
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
    return to


def test_halves_merge_into_the_whole(dataset, tmp_path):
    a, b = half(dataset, tmp_path / "a", slice(0, 3)), half(dataset, tmp_path / "b", slice(2, None))
    before = contents(a), contents(b)
    merged = merge_into([a, b], tmp_path / "all", name="data")
    assert (merged.fresh, merged.present, merged.left_out) == (4, 0, ())
    found = contents(tmp_path / "all")
    described = json.loads((tmp_path / "all" / "dataset.json").read_text())
    assert {name: sha for name, sha in found.items() if name != "dataset.json"} == contents(dataset)
    assert described["totals"]["failed"] == described["totals"]["left"] == 1
    assert (contents(a), contents(b)) == before
    shared = list_clips(tmp_path / "all")[0] / "arrays.h5"
    assert os.stat(shared).st_nlink == 2, "no second copy on one disk"
    again = merge_into([a, b], tmp_path / "all")
    assert (again.fresh, again.present) == (0, 4) and contents(tmp_path / "all") == found


def test_a_pack_unpacks_to_the_data_set(dataset, tmp_path):
    pack_into(PackRequest(source=dataset, out=tmp_path / "pack", shard_bytes=1 << 20, name="mine", licence="CC0-1.0"))
    merge_into([tmp_path / "pack"], tmp_path / "all")
    assert contents(tmp_path / "all" / "clips") == contents(dataset / "clips")
    assert contents(tmp_path / "all" / "specs") == contents(dataset / "specs")
    assert {p.name for p in list_clips(dataset)} == set(Dataset(tmp_path / "all").queued_ids())
    for clip_id in Dataset(tmp_path / "all").queued_ids():
        assert Dataset(tmp_path / "all").plan(clip_id).read_text() == Dataset(dataset).plan(clip_id).read_text()
    described = json.loads((tmp_path / "all" / "dataset.json").read_text())
    assert (described["name"], described["licence"]) == ("mine", "CC0-1.0")


KILLED = """
import os, signal, sys
from pathlib import Path
from render_jobs.dataset import Dataset
from render_jobs.packing.merge import merge_into
calls, publish = 0, Dataset.publish
def killed(*args, **kwargs):
    global calls
    calls += 1
    if calls == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return publish(*args, **kwargs)
Dataset.publish = killed
merge_into([Path(sys.argv[1])], Path(sys.argv[2]))
"""


def test_after_a_kill_merging_goes_on(dataset, tmp_path):
    out = tmp_path / "all"
    command = [sys.executable, "-c", KILLED, str(dataset), str(out)]
    assert subprocess.run(command, capture_output=True).returncode == -signal.SIGKILL
    assert len(list_clips(out)) == 2 and all(verify_clip(path) == [] for path in list_clips(out))
    assert merge_into([dataset], out).fresh == 2
    assert contents(out / "clips") == contents(dataset / "clips")


def other_rendering(clip: Path) -> None:
    """The clip as another version would have drawn it: one pixel differs, all hashes are its own."""
    manifest = json.loads((clip / "manifest.json").read_text())
    with h5py.File(clip / "arrays.h5", "r+") as file:
        file["rgb"][0, 0, 0, 0] ^= 1
        manifest["arrays"]["rgb"]["sha256"] = array_sha256(file["rgb"][()])
    manifest["files"]["arrays.h5"] = file_sha256(clip / "arrays.h5")
    manifest["arrays_sha256"] = "other"
    manifest["versions"]["bpy"], manifest["device"] = "9.9", "CUDA"
    (clip / "manifest.json").write_text(json.dumps(manifest))


def test_different_arrays_under_one_id_are_refused_with_the_reason(dataset, tmp_path):
    other = copy_of(dataset, tmp_path / "other")
    clip = list_clips(other)[1]
    other_rendering(clip)
    with pytest.raises(ValueError) as refused:
        merge_into([dataset, other], tmp_path / "all")
    lines = refused.value.problems
    assert len(lines) == 2 and clip.name in lines[0] and str(dataset) in lines[0]
    assert "9.9 here" in lines[0] and "device sketch there, CUDA here" in lines[0]
    assert not (tmp_path / "all").exists(), "before anything is written"
    thin = tmp_path / "thin"
    pack_into(PackRequest(source=dataset, out=thin, shard_bytes=1 << 20, outputs=("rgb",)))
    with pytest.raises(ValueError, match=r"outputs rgb,depth.* there, rgb here"):
        merge_into([dataset, thin], tmp_path / "all")


def test_a_torn_clip_is_named_and_never_published(dataset, tmp_path):
    other = copy_of(dataset, tmp_path / "other")
    torn = list_clips(other)[0]
    os.truncate(torn / "arrays.h5", 1000)
    with pytest.raises(ValueError, match=rf"(?s){torn.name}: arrays.h5 .*--skip-bad"):
        merge_into([other], tmp_path / "all")
    merged = merge_into([other], tmp_path / "all", skip_bad=True)
    assert merged.fresh == 3 and len(merged.left_out) == 1 and torn.name in merged.left_out[0]
    assert torn.name not in {path.name for path in list_clips(tmp_path / "all")}
    assert merge_into([other, dataset], tmp_path / "all", skip_bad=True).left_out, "the first that has a clip gives it"
    assert merge_into([dataset], tmp_path / "all").fresh == 1


def test_places_that_cannot_be_are_refused(dataset, tmp_path):
    for out in (dataset, dataset / "inside", dataset.parent):
        with pytest.raises(ValueError, match="lie in one another"):
            merge_into([dataset], out)
    pack_into(PackRequest(source=dataset, out=tmp_path / "pack", shard_bytes=1 << 20))
    with pytest.raises(ValueError, match="is a pack"):
        merge_into([dataset], tmp_path / "pack")
    with pytest.raises(ValueError, match="no published clips here"):
        merge_into([dataset, tmp_path / "nowhere"], tmp_path / "all")
    with Dataset(tmp_path / "all").claims() as other:
        assert other.take(list_clips(dataset)[1].name)
        with pytest.raises(ValueError, match=f"a render is at clip {list_clips(dataset)[1].name}"):
            merge_into([dataset], tmp_path / "all")
    assert merge_into([dataset], tmp_path / "all").fresh == 3


def test_licences_that_differ_must_be_settled(dataset, tmp_path):
    a, b = half(dataset, tmp_path / "a", slice(0, 2)), half(dataset, tmp_path / "b", slice(2, None))
    for root, licence in ((a, "CC0-1.0"), (b, "CC-BY-4.0")):
        summary.write(root, summary.describe_folder(root, root.name, licence)[0])
    with pytest.raises(ValueError, match=r"--licence: .*CC-BY-4.0, CC0-1.0"):
        merge_into([a, b], tmp_path / "all")
    merge_into([a, b], tmp_path / "all", licence="CC-BY-4.0")
    assert summary.read(tmp_path / "all")["licence"] == "CC-BY-4.0"
    with pytest.raises(ValueError, match="no SPDX expression"):
        merge_into([a], tmp_path / "more", licence="free for all!")


def test_samples_that_were_asked_for_stay_asked_for(dataset, tmp_path):
    a, b = copy_of(dataset, tmp_path / "a"), copy_of(dataset, tmp_path / "b")
    for root, count in ((a, 5), (b, 3)):
        folder = root / "specs" / "test"
        (folder / "draws").mkdir(parents=True)
        (folder / "count.json").write_text(json.dumps({"count": count}))
        (folder / "draws" / f"{count:05d}").write_text(list_clips(root)[0].name)
    Dataset(b).quarantine("test-00004").mkdir()
    (Dataset(b).quarantine("test-00004") / "cause.json").write_text('{"message": "no place for it", "retry": false}')
    (Dataset(b).quarantine("test-00004") / "worker.log").symlink_to("/etc/passwd")
    merge_into([b, a], tmp_path / "all")
    merged = Dataset(tmp_path / "all")
    assert merged.asked(merged.specs / "test") == 5
    assert {path.name for path in (merged.specs / "test" / "draws").iterdir()} == {"00003", "00005"}
    assert merged.cause("test-00004") is not None and not (merged.quarantine("test-00004") / "worker.log").exists()


def test_specs_of_one_name_are_both_kept(dataset, tmp_path):
    other = copy_of(dataset, tmp_path / "other")
    (other / "specs" / "test.yaml").write_text("name: test\nseed: 2\n")
    for _ in range(2):
        merge_into([dataset, other], tmp_path / "all")
        names = sorted(path.name for path in (tmp_path / "all" / "specs").iterdir())
        assert len(names) == 2 and names[1] == "test.yaml" and names[0].startswith("test-")
