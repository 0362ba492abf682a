"""Any video becomes a clip that everything reads: pictures, cameras, verification, training; bad files are one line."""

from __future__ import annotations

import json
import shutil

import imageio.v2 as imageio
import numpy as np
import pytest
from PIL import Image

from remind import main
from render_jobs.commands import import_video
from scenes.cameras import camera_from_world, intrinsics, project
from scenes.plan import ClipPlan
from simulator.camera_files import read_cameras, still_camera
from simulator.clip import Clip, list_clips
from simulator.export import EXPORTERS
from tests.simulator.support import sketch_clip, tank_plan
from trainer.config import override
from trainer.data.clips import read_clip
from trainer.data.sources import open_dataset
from trainer.recipes import recipe
from trainer.train import train

NUM_FRAMES, WIDTH, HEIGHT, FPS = 48, 48, 32, 8


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """A grey ramp in time: frame f is as bright as 4 f, its left third darker by 30."""
    rgb = np.repeat(40 + 4 * np.arange(NUM_FRAMES, dtype=np.uint8), HEIGHT * WIDTH * 3)
    rgb = rgb.reshape(NUM_FRAMES, HEIGHT, WIDTH, 3)
    rgb[:, :, : WIDTH // 3] -= 30
    path = tmp_path_factory.mktemp("video") / "ramp.mp4"
    imageio.mimwrite(path, list(rgb), fps=FPS, macro_block_size=1, output_params=["-crf", "1"])
    return path


@pytest.fixture(scope="module")
def cameras(tmp_path_factory):
    """cameras.json of an orbiting clip as long as the video."""
    plan = tank_plan(clip=ClipPlan(num_frames=NUM_FRAMES, fps=FPS, width_px=WIDTH, height_px=HEIGHT))
    path = tmp_path_factory.mktemp("cameras") / "cameras.json"
    poses = [camera_from_world(plan, f / FPS).tolist() for f in range(NUM_FRAMES)]
    k = intrinsics(plan.camera, plan.clip).tolist()
    path.write_text(
        json.dumps({"intrinsics": [k] * NUM_FRAMES, "camera_from_world": poses, "scene_scale_m": 0.42, "windows": []})
    )
    return path


def brightness(clip):
    return np.asarray(clip.rgb[:])[:, :, clip.rgb.shape[2] // 2 :].mean(axis=(1, 2, 3))


def test_a_video_becomes_a_clip_that_every_verb_reads(video, tmp_path, capsys):
    data = tmp_path / "data"
    assert main(["clip", "import", str(video), "--prompt", "It grows lighter.", "--out", str(data)]) == 0
    (path,) = list_clips(data)
    clip = Clip.open(path)
    assert clip.stateless and not clip.cameras_known and path.name == clip.clip_id
    assert clip.rgb.shape == (NUM_FRAMES, HEIGHT, WIDTH, 3) and (clip.num_frames, clip.fps) == (NUM_FRAMES, FPS)
    np.testing.assert_allclose(brightness(clip), 40 + 4 * np.arange(NUM_FRAMES), atol=3)
    assert clip.windows == () and clip.twins == () and clip.sweep is None and clip.event_log == []
    assert len(clip.states["frame"]) == 0 and clip.prompt == "It grows lighter."
    assert (path / "video.mp4").is_file()
    capsys.readouterr()
    for verb, said in (("info", "cameras unknown"), ("states", "no states"), ("verify", "sound (an imported video")):
        assert main(["clip", verb, str(data)]) == 0
        assert said in capsys.readouterr().out
    assert main(["clip", "import", str(video), "--prompt", "It grows lighter.", "--out", str(data)]) == 0
    assert "was there already" in capsys.readouterr().out and len(list_clips(data)) == 1
    copy = shutil.copytree(path, tmp_path / "copy")
    (copy / "cameras.json").write_text((copy / "cameras.json").read_text().replace("1.0", "2.0"))
    assert main(["clip", "verify", str(copy)]) == 1
    assert "cameras.json" in capsys.readouterr().out


def test_rate_length_and_shape(video, tmp_path):
    import_video(video, tmp_path, fps=4, size="20x20", max_frames=9)
    clip = Clip.open(list_clips(tmp_path)[0])
    assert clip.rgb.shape == (9, 20, 20, 3) and clip.fps == 4
    np.testing.assert_allclose(brightness(clip), 40 + 8 * np.arange(9), atol=3)
    # the middle 32 of 48 columns are kept: the dark third ends at column 8 of 32, 5 of 20
    row = np.asarray(clip.rgb[4])[10, :, 0].astype(int)
    assert row[6:].min() - row[:4].max() > 20


def test_cameras_follow_the_crop_and_the_selection(video, cameras, tmp_path):
    import_video(video, tmp_path, cameras=cameras, fps=4, size="20x20", max_frames=9)
    clip = Clip.open(list_clips(tmp_path)[0])
    whole = read_cameras(cameras, WIDTH, HEIGHT)
    assert clip.cameras_known and clip.cameras.scene_scale_m == 0.42
    np.testing.assert_array_equal(clip.cameras.camera_from_world, whole.camera_from_world[0:18:2])
    points = np.array([[0.0, 0.0, 0.0], [0.05, 0.02, 0.1]])
    before, _ = project(points, whole.camera_from_world[4], whole.intrinsics[4])
    after, _ = project(points, clip.cameras.camera_from_world[2], clip.cameras.intrinsics[2])
    np.testing.assert_allclose(after, (before - [8.0, 0.0]) * 20 / 32, rtol=0, atol=1e-9)


def test_our_own_nerfstudio_export_comes_back(video, tmp_path):
    small = ClipPlan(num_frames=24, fps=4, width_px=WIDTH, height_px=HEIGHT)
    plan = tank_plan(clip=small, outputs=("rgb", "depth"))
    clip = Clip.open(sketch_clip(plan, tmp_path / "clip"))
    (transforms,) = EXPORTERS["nerfstudio"]([clip], tmp_path / "nerfstudio")
    import_video(clip.path / "video.mp4", tmp_path / "data", cameras=transforms)
    again = Clip.open(list_clips(tmp_path / "data")[0]).cameras
    np.testing.assert_allclose(again.camera_from_world, clip.cameras.camera_from_world, rtol=0, atol=1e-12)
    np.testing.assert_allclose(again.intrinsics, clip.cameras.intrinsics, rtol=0, atol=1e-12)
    assert again.scene_scale_m == clip.cameras.scene_scale_m


def test_the_scale_of_a_foreign_file_is_the_distance_to_what_all_cameras_look_at(tmp_path):
    plan = tank_plan()
    orbit = plan.camera.__class__(**{**vars(plan.camera), "path": "orbit", "sweep_rad": 1.0})
    small = ClipPlan(num_frames=6, fps=1, width_px=64, height_px=64)
    plan = tank_plan(clip=small, camera=orbit, interruptions=(), outputs=("rgb",))
    clip = Clip.open(sketch_clip(plan, tmp_path / "clip"))
    (path,) = EXPORTERS["nerfstudio"]([clip], tmp_path / "nerfstudio")
    document = json.loads(path.read_text())
    del document["scene_scale_m"]
    path.write_text(json.dumps(document))
    assert read_cameras(path, 64, 64).scene_scale_m == pytest.approx(0.42, rel=1e-6)
    still = still_camera(3, 8, 8)
    assert still.scene_scale_m == 1.0


def test_numbered_pictures_are_in_order_of_their_numbers(tmp_path):
    """As text, frame_10 comes before frame_2: every camera but two would go to another frame of the video."""
    names, shuffled = [f"images/frame_{n}.png" for n in range(12)], np.random.default_rng(0).permutation(12)
    poses = [np.eye(4) for _ in names]
    for n, pose in enumerate(poses):
        pose[0, 3] = float(n)
    frames = [{"file_path": names[n], "transform_matrix": poses[n].tolist()} for n in shuffled]
    path = tmp_path / "transforms.json"
    path.write_text(json.dumps({"fl_x": 50, "cx": 24, "cy": 16, "frames": frames}))
    track = read_cameras(path, WIDTH, HEIGHT)
    np.testing.assert_array_equal(track.camera_from_world[:, 0, 3], -np.arange(12.0))


def test_names_that_do_not_print_are_cleaned(video, tmp_path):
    """macOS names its screen recordings with a narrow no-break space, which readers of clips refuse."""
    odd = shutil.copy(video, tmp_path / "Recording 10.15.02\u202fPM.mp4")
    import_video(odd, tmp_path / "data", max_frames=2)
    clip = Clip.open(list_clips(tmp_path / "data")[0])
    assert clip.plan["name"] == "Recording 10.15.02 PM" and clip.manifest["source"]["file"].endswith("02 PM.mp4")


def test_what_no_reader_takes_is_not_published(video, tmp_path, monkeypatch):
    monkeypatch.setattr("simulator.importing._plain", lambda name: "\x1b")
    with pytest.raises(ValueError, match="does not print"):
        import_video(video, tmp_path / "data", max_frames=2)
    assert list_clips(tmp_path / "data") == []


def test_a_pack_is_not_imported_into(video, tmp_path):
    (tmp_path / "index.parquet").write_bytes(b"")
    with pytest.raises(ValueError, match="is a pack, and packs do not change"):
        import_video(video, tmp_path)
    assert not (tmp_path / "clips").exists()


def test_a_video_that_is_too_long_is_refused_with_the_options_that_shorten_it(video, tmp_path, monkeypatch):
    monkeypatch.setattr("simulator.importing.MAX_CLIP_BYTES", 5 * HEIGHT * WIDTH * 3)
    with pytest.raises(ValueError, match=r"first 6 frames at 48x32 px .* --max-frames, a smaller --size"):
        import_video(video, tmp_path / "data")
    assert not (tmp_path / "data").exists()
    import_video(video, tmp_path / "data", max_frames=5)


def test_the_trainer_mixes_it_in(video, tmp_path):
    plan = tank_plan(clip=ClipPlan(num_frames=24, fps=4, width_px=32, height_px=32), outputs=("rgb", "segmentation"))
    sketch_clip(plan, tmp_path / "data" / "clips" / "rendered")
    import_video(video, tmp_path / "data", fps=4, size="32x32")
    imported = next(c for c in map(Clip.open, list_clips(tmp_path / "data")) if c.stateless)
    record = read_clip(imported, 2)
    assert record.return_index is None and not record.hidden.any() and not record.region.any()
    assert record.uninterrupted is not None and record.visibility == {}
    assert np.isfinite(record.cameras).all()
    assert len(open_dataset(tmp_path / "data", 2)) == 2
    config = override(
        recipe("tiny"),
        {"model.dim": 48, "model.num_heads": 2, "model.num_layers": 1, "data.frame_stride": 2, "batch_size": 2}
        | {"data.heldout_share": 0.0, "model.mode": "none"},
    )
    with pytest.raises(ValueError, match="are unknown; import it with --cameras"):
        train(override(config, {"model.mode": "phase"}), tmp_path / "data", tmp_path / "refused", steps=1)
    result = train(config, tmp_path / "data", tmp_path / "run", steps=1, progress=False)
    assert result.step == 1 and np.isfinite(result.loss)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"intrinsics": 3}, "intrinsics"),
        ({"scene_scale_m": 0.0}, "scene_scale_m"),
        ({"camera_from_world": [[[1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]] * 48}, "not a rotation"),
        ({"drop": 1}, "47 cameras"),
        ({"drop": 48}, "expected [T, 3, 3]"),
        ({"intrinsics": [[[1.0]], [[1.0, 2.0]]]}, "not lists of numbers"),
        ({"camera_from_world": [[[float("nan")] * 4] * 4] * 48}, "all finite"),
        ({"camera_from_world": [[[10**400] * 4] * 4] * 48}, "not lists of numbers"),
        ({"scene_scale_m": "far"}, "scene_scale_m is 'far'; give a finite number"),
    ],
)
def test_bad_cameras_are_one_line(change, said, video, cameras, tmp_path, capsys):
    document = json.loads(cameras.read_text())
    drop = change.get("drop", 0)
    document |= {name: value for name, value in change.items() if name != "drop"}
    for name in ("intrinsics", "camera_from_world"):
        if drop:
            document[name] = document[name][drop:]
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(document))
    assert main(["clip", "import", str(video), "--cameras", str(path), "--out", str(tmp_path / "data")]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and "bad.json" in lines[0] and said in lines[0]
    assert not (tmp_path / "data").exists()
    if drop == 1:
        assert "48 frames" in lines[0]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("not json", "not JSON"),
        ('{"a": 1}', "neither `frames`"),
        ('{"frames": [{"file_path": "a"}]}', "'fl_x' is missing"),
        ('{"w": 9, "h": 9, "frames": [{"file_path": "a"}]}', "cameras of 9x9 pictures, the video is 48x32"),
        ('{"k1": 0.1, "frames": [{"file_path": "a"}]}', "k1 is 0.1: undistort"),
        ('{"fl_x": "abc", "frames": [{"file_path": "a"}]}', "transforms.json: a: fl_x is 'abc'; give a finite number"),
        (f'{{"fl_x": 1{"0" * 400}, "frames": [{{"file_path": "a"}}]}}', "a: fl_x is '1000"),
        (f'{{"fl_x": 1{"0" * 5000}, "frames": [{{"file_path": "a"}}]}}', "not JSON"),
        ('{"fl_x": 9, "fl_y": null, "cx": 1, "cy": 1, "frames": [{"file_path": "a"}]}', "a: fl_y is 'None'"),
    ],
)
def test_bad_transforms_are_one_line(document, said, tmp_path):
    path = tmp_path / "transforms.json"
    path.write_text(document)
    with pytest.raises(ValueError, match=r"transforms\.json") as caught:
        read_cameras(path, WIDTH, HEIGHT)
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("nowhere.mp4", "nowhere.mp4: no such file"),
        ("text.mp4", "text.mp4: not a video"),
        ("dot.gif", "dot.gif: pictures of 1x1 px are too small"),
        ("VIDEO --cameras nowhere.json", "nowhere.json: no such file"),
        ("VIDEO --fps 9", "give at most 8"),
        ("VIDEO --fps 0", "--fps"),
        ("VIDEO --size 20", "for example 256x256"),
        ("VIDEO --size ²x9", "for example 256x256"),
        ("VIDEO --size 1x1", "from 2 to 4096"),
        ("VIDEO --size 9x9x9", "for example 256x256"),
        ("VIDEO --prompt a\u202fb", r"--prompt: it holds '\u202f', which does not print"),
        ("VIDEO --max-frames 0", "--max-frames"),
    ],
)
def test_bad_videos_and_options_are_one_line(arguments, said, video, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.mp4").write_text("no video at all\n" * 50)
    Image.new("RGB", (1, 1)).save("dot.gif")
    words = [str(video) if word == "VIDEO" else word for word in arguments.split(" ")]
    assert main(["clip", "import", *words, "--out", "data"]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and said in lines[0]
    assert not (tmp_path / "data").exists()
