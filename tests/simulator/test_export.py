"""Exports, read back by the formats' own libraries (nerfstudio's dataparser where it is installed, its rule here)."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from remind import main
from scenes.cameras import project
from scenes.plan import ClipPlan
from simulator.clip import Clip
from simulator.export import EXPORTERS
from tests.simulator.support import sketch_clip, tank_plan

NUM_FRAMES = 24
POINTS_M = np.array([[0.0, 0.0, 0.0], [0.03, -0.02, 0.05], [-0.04, 0.01, 0.12], [0.1, 0.2, 0.02]])


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    small = ClipPlan(num_frames=NUM_FRAMES, fps=4.0, width_px=40, height_px=30)
    return [
        Clip.open(sketch_clip(tank_plan(kind, clip=small, outputs=outputs), folder / "clips" / kind))
        for kind, outputs in (
            ("look_away", ("rgb", "depth", "segmentation", "boxes", "amodal")),
            ("lights_off", ("rgb", "segmentation")),
        )
    ]


@pytest.fixture(scope="module")
def nerfstudio(clips, tmp_path_factory):
    out = tmp_path_factory.mktemp("nerfstudio")
    return [path.parent for path in EXPORTERS["nerfstudio"](clips, out)]


def nerfstudio_cameras(folder):
    """What nerfstudio's dataparser makes of a folder, written out (data/dataparsers/nerfstudio_dataparser.py, 1.1.5):
    frames in order of their file names, intrinsics at the top or in every frame, poses with OpenGL axes."""
    meta = json.loads((folder / "transforms.json").read_text())
    frames = sorted(meta["frames"], key=lambda frame: frame["file_path"])
    intrinsics = [[float(meta.get(n, frame.get(n))) for n in ("fl_x", "fl_y", "cx", "cy")] for frame in frames]
    return frames, np.array(intrinsics), np.array([frame["transform_matrix"] for frame in frames])


def opengl_pixels(intrinsics_4, world_from_camera, points_m):
    """nerfstudio's own rule of rays turned round: a ray through pixel (u, v) has the direction
    ((u - cx) / fl_x, -(v - cy) / fl_y, -1) in the camera (cameras.py, `_generate_rays_from_coords`)."""
    inside = (points_m - world_from_camera[:3, 3]) @ world_from_camera[:3, :3]
    ray = inside / -inside[:, 2:]
    fl_x, fl_y, cx, cy = intrinsics_4
    return np.column_stack([cx + fl_x * ray[:, 0], cy - fl_y * ray[:, 1]])


def test_a_point_lands_on_the_same_pixel_by_nerfstudios_convention(clips, nerfstudio):
    frames, intrinsics, poses = nerfstudio_cameras(nerfstudio[0])
    assert len(frames) == clips[0].num_frames
    for frame in range(0, NUM_FRAMES, 5):
        cameras = clips[0].cameras
        ours, _ = project(POINTS_M, cameras.camera_from_world[frame], cameras.intrinsics[frame])
        theirs = opengl_pixels(intrinsics[frame], poses[frame], POINTS_M)
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-9 * max(1.0, np.abs(ours).max()))
    assert np.linalg.det(poses[:, :3, :3]) == pytest.approx(1.0)


def test_nerfstudios_pictures_are_the_clips(clips, nerfstudio):
    frames, _, _ = nerfstudio_cameras(nerfstudio[0])
    for number, frame in list(enumerate(frames))[::9]:
        assert np.array_equal(np.asarray(Image.open(nerfstudio[0] / frame["file_path"])), clips[0].rgb[number])
        depth_mm = np.asarray(Image.open(nerfstudio[0] / frame["depth_file_path"]))
        truth_m = clips[0].depth_m[number]
        hit = np.isfinite(truth_m)
        assert np.array_equal(depth_mm > 0, hit) and depth_mm.dtype == np.uint16
        assert np.abs(depth_mm[hit] * 0.001 - truth_m[hit]).max() <= 0.0005 + 1e-6
        assert frame["time"] == pytest.approx(number / (NUM_FRAMES - 1))


def test_dark_frames_are_left_out_and_named(clips, nerfstudio):
    meta = json.loads((nerfstudio[1] / "transforms.json").read_text())
    dark = set(clips[1].windows[0].hidden_frames)
    assert {entry["frame"] for entry in meta["left_out"]} == dark
    assert {entry["hidden_by"] for entry in meta["left_out"]} == {"dark"}
    kept = {int(frame["file_path"][7:12]) for frame in meta["frames"]}
    assert kept == set(range(NUM_FRAMES)) - dark and "depth_file_path" not in meta["frames"][0]


def test_nerfstudio_itself_reads_the_folder(clips, nerfstudio):
    """Needs nerfstudio, which brings a CUDA torch: docs/LOG.md says how it was run without one."""
    pytest.importorskip("nerfstudio")
    from nerfstudio.data.dataparsers.nerfstudio_dataparser import NerfstudioDataParserConfig

    config = NerfstudioDataParserConfig(
        data=nerfstudio[0],
        orientation_method="none",
        center_method="none",
        auto_scale_poses=False,
        eval_mode="all",
    )
    outputs = config.setup().get_dataparser_outputs(split="train")
    cameras = outputs.cameras
    assert len(outputs.image_filenames) == NUM_FRAMES and len(outputs.metadata["depth_filenames"]) == NUM_FRAMES
    for frame in (0, 11, 23):
        own = clips[0].cameras
        pixels, depth_m = project(POINTS_M[:1], own.camera_from_world[frame], own.intrinsics[frame])
        import torch

        coords = torch.tensor(pixels[:, ::-1].copy(), dtype=torch.float32)  # (row, column)
        rays = cameras.generate_rays(camera_indices=frame, coords=coords, keep_shape=False)
        origin, direction = rays.origins[0].numpy(), rays.directions[0].numpy()
        off = np.cross(POINTS_M[0] - origin, direction)
        assert np.linalg.norm(off) < 1e-4 * abs(depth_m[0])


def test_pycocotools_gives_the_segmentation_back(clips, tmp_path):
    coco_tools = pytest.importorskip("pycocotools.coco")
    (path,) = EXPORTERS["coco"](clips, tmp_path / "coco")
    coco = coco_tools.COCO(str(path))
    assert {c["name"] for c in coco.loadCats(coco.getCatIds())} >= {"world", "tank_filling/carrier"}
    by_name = {video["name"]: video for video in coco.dataset["videos"]}
    for clip in clips:
        video = by_name[clip.clip_id]
        images = [i for i in coco.dataset["images"] if i["video_id"] == video["id"]]
        out = {entry["frame"] for entry in video["left_out"]}
        assert {i["frame_id"] for i in images} == set(range(NUM_FRAMES)) - out
        assert bool(out) == (clip is clips[1])
        for image in images[::7]:
            truth = clip.segmentation[image["frame_id"]]
            picture = np.asarray(Image.open(tmp_path / "coco" / image["file_name"]))
            assert np.array_equal(picture, clip.rgb[image["frame_id"]])
            decoded = np.zeros_like(truth)
            for annotation in coco.loadAnns(coco.getAnnIds(imgIds=image["id"])):
                mask = coco.annToMask(annotation).astype(bool)
                if "amodal_segmentation" in annotation:
                    amodal = coco_tools.maskUtils.decode(annotation["amodal_segmentation"]).astype(bool)
                    assert np.array_equal(amodal, clip.amodal["glass"][image["frame_id"]])
                    assert annotation["amodal_area"] == amodal.sum() >= mask.sum() > 0
                    assert annotation["track_id"] not in clip.instances
                    continue
                left, top, width, height = annotation["bbox"]
                assert mask[top : top + height, left : left + width].sum() == mask.sum() == annotation["area"]
                assert not (decoded[mask] > 0).any(), "instances do not overlap"
                decoded[mask] = annotation["track_id"]
                name = coco.loadCats(annotation["category_id"])[0]["name"]
                assert ("carrier" in name) == clip.instances[annotation["track_id"]]["carries"]
            assert np.array_equal(decoded, truth)
    assert any("amodal_area" in annotation for annotation in coco.dataset["annotations"])


def test_rerun_opens_the_recording(clips, tmp_path):
    dataframe = pytest.importorskip("rerun.dataframe")
    clip = clips[0]
    (path,) = EXPORTERS["rerun"]([clip], tmp_path)
    recording = dataframe.load_recording(str(path))
    assert (recording.application_id(), recording.recording_id()) == ("remind", clip.clip_id)

    def column(entity, component):
        table = recording.view(index="frame", contents=entity).select().read_all()
        rows = table.filter(table[f"{entity}:{component}"].is_valid())
        return rows["frame"].to_pylist(), [value[0] for value in rows[f"{entity}:{component}"].to_pylist()]

    frames, level = column("/states/glass/level", "Scalar")
    assert frames == list(range(NUM_FRAMES)) and level == clip.series("glass", "level").tolist()
    frames, texts = column("/log", "Text")
    window = clip.windows[0]
    assert frames == [window.t_h, window.hidden_frames[0], window.hidden_frames[-1], window.t_r]
    assert texts[0] == "glass: last seen before look_away"
    frames, blobs = column("/world/camera/rgb", "Blob")
    assert frames == list(range(NUM_FRAMES))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(bytes(blobs[7])))), clip.rgb[7])
    _, buffers = column("/world/camera/segmentation", "ImageBuffer")
    ids = np.frombuffer(bytes(buffers[7]), dtype=np.uint16).reshape(30, 40)
    assert np.array_equal(ids, clip.segmentation[7])
    _, buffers = column("/world/camera/depth", "ImageBuffer")
    depth_m = np.frombuffer(bytes(buffers[7]), dtype=np.float32).reshape(30, 40)
    assert np.array_equal(np.where(depth_m == 0, np.inf, depth_m), clip.depth_m[7])
    truth = clip.boxes
    rows = (truth["frame"] == 9) & np.isfinite(truth["centre_x_m"])
    table = recording.view(index="frame", contents="/world/boxes").select().read_all()
    (row,) = [i for i, frame in enumerate(table["frame"].to_pylist()) if frame == 9]
    centres = np.array(table["/world/boxes:PoseTranslation3D"].to_pylist()[row])
    np.testing.assert_allclose(centres, np.column_stack([truth[f"centre_{a}_m"][rows] for a in "xyz"]), atol=1e-6)
    assert "glass/glass" in table["/world/boxes:Text"].to_pylist()[row]
    _, centres = column("/world/camera", "Translation3D")
    _, columns = column("/world/camera", "TransformMat3x3")
    rotation = np.reshape(columns[20], (3, 3)).T  # column-major
    camera_from_world = clip.cameras.camera_from_world[20]
    np.testing.assert_allclose(rotation, camera_from_world[:3, :3].T, atol=1e-6)
    np.testing.assert_allclose(camera_from_world[:3, :3] @ centres[20] + camera_from_world[:3, 3], 0.0, atol=1e-6)


def test_an_export_never_overwrites_and_says_what_is_missing(clips, tmp_path, capsys):
    export = ["clip", "export", str(clips[1].path), "--out", str(tmp_path / "out"), "--to"]
    assert main([*export, "nerfstudio"]) == 0
    assert "transforms.json" in capsys.readouterr().out
    assert main([*export, "nerfstudio"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert not list((tmp_path / "out").glob(".tmp*"))
    bare = Clip.open(clips[1].path)
    del bare.manifest["arrays"]["segmentation"]
    with pytest.raises(ValueError, match="render with the output 'segmentation'"):
        EXPORTERS["coco"]([bare], tmp_path / "coco")
