"""Packs that are broken or made to do harm: one line that says what is wrong, and nothing outside the pack is read."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simulator.clip import Clip, list_clips
from simulator.clip_files import INDEX, FolderFiles, PackedFiles, wrong_files

SHARD = "clips-000000.tar"


def small_pack(root: Path, *, clip_id: str = "a", shard: str = SHARD, name: str = "plan.json", size: int = 5) -> Path:
    """A shard with one file, and an index that says of it what it is told to."""
    root.mkdir()
    with tarfile.open(root / SHARD, "w") as tar:
        info = tarfile.TarInfo("a.plan.json")
        info.size = 5
        tar.addfile(info, io.BytesIO(b"hello"))
    row = {"clip_id": clip_id, "shard": shard, "members": [{"name": name, "offset": 512, "size": size}]}
    pq.write_table(pa.Table.from_pylist([row]), root / INDEX)
    return root


def test_windows_read_seek_and_end_like_files(tmp_path):
    data = bytes(range(256)) * 40
    (tmp_path / "shard").write_bytes(b"before" + data + b"after")
    files = PackedFiles(tmp_path / "clips" / "a", tmp_path / "shard", {"x": (6, len(data))})
    with files.open("x") as window:
        assert window.read() == data and window.read() == b""
        for at, whence in ((100, 0), (-7, os.SEEK_END), (len(data) + 5, 0)):
            place = window.seek(at, whence)
            assert window.tell() == place and window.read(9) == data[place : place + 9]
    assert files.names == ("x",) and files.size("x") == len(data)
    for missing in (files, FolderFiles(tmp_path)):
        with pytest.raises(OSError):
            missing.open("y")
    assert list(wrong_files(files, {"x": "0", "y": "0"})) == [
        "x is not the file that was written (sha256 differs)",
        "y is missing",
    ]


def test_a_clip_that_is_not_there_is_named(tmp_path):
    pack = small_pack(tmp_path / "pack")
    assert list_clips(pack) == [pack / "clips" / "a"]
    with pytest.raises(ValueError, match="clips/b: this pack has no such clip"):
        Clip.open(pack / "clips" / "b")
    with pytest.raises(ValueError, match=r"clips/a/manifest.json: not a readable clip"):
        Clip.open(pack / "clips" / "a")


@pytest.mark.parametrize(
    "lie",
    [
        {"shard": "../secret.tar"},
        {"shard": "/etc/passwd"},
        {"name": "../../etc/passwd"},
        {"name": ".hidden"},
        {"size": -1},
        {"clip_id": "../a"},
        {"clip_id": "a.b"},
    ],
)
def test_an_index_that_leads_elsewhere_is_refused(tmp_path, lie):
    pack = small_pack(tmp_path / "pack", **lie)
    with pytest.raises(ValueError, match=r"index\.parquet: "):
        Clip.open(pack / "clips" / "a")


def test_a_shard_that_ends_too_early_is_named(tmp_path):
    pack = small_pack(tmp_path / "pack", name="manifest.json", size=50_000)
    with pytest.raises(ValueError, match=rf"{SHARD}: ends before .* copy the pack again"):
        Clip.open(pack / "clips" / "a")
    (pack / SHARD).unlink()
    with pytest.raises(ValueError, match="No such file"):
        Clip.open(pack / "clips" / "a")


def test_an_index_that_is_none_is_refused(tmp_path):
    pack = small_pack(tmp_path / "pack")
    (pack / INDEX).write_bytes(b"PAR1 and then something else")
    with pytest.raises(ValueError, match="not the index of a pack"):
        list_clips(pack)
    pq.write_table(pa.table({"clip_id": ["a"]}), pack / INDEX)
    with pytest.raises(ValueError, match=r"index\.parquet: "):
        list_clips(pack)
    pq.write_table(pa.table({"clip_id": [1], "shard": [2], "members": [3]}), pack / INDEX)
    with pytest.raises(ValueError, match=r"index\.parquet: "):
        list_clips(pack)


def test_an_index_that_changes_is_read_again(tmp_path):
    pack = small_pack(tmp_path / "pack")
    list_clips(pack)
    table = pq.read_table(pack / INDEX)
    renamed = table.set_column(0, "clip_id", pa.array(["another"]))
    pq.write_table(renamed, pack / INDEX)
    assert [path.name for path in list_clips(pack)] == ["another"]
