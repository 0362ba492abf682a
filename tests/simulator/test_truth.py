"""Flow, normals, silhouettes, boxes and tracks against geometry that can be written down, or done the slow way."""

import dataclasses
from functools import cache

import numpy as np
import pytest
from scipy.ndimage import maximum_filter, minimum_filter
from scipy.spatial.transform import Rotation

from scenes.cameras import project
from scenes.plan import EventPlan, InterruptionPlan, OccluderPlan
from simulator import reprojection
from simulator.clip import Tracks
from simulator.rays import RayCaster
from simulator.stage import Stage, world_vertices
from simulator.timeline import truth_shots
from simulator.truth import trace
from tests.simulator.support import tank_plan

PASSES = ("rgb", "depth", "segmentation", "normals", "flow", "amodal", "boxes", "tracks")
CENTRE_M = (0.03, -0.02, 0.0)
SPIN_RAD_PER_S = np.deg2rad(50)


def _plan(kind="turntable", num_frames=8, distance_m=0.75, path="orbit", **params):
    plan = tank_plan()
    event = EventPlan(id="thing", type=kind, params=params, location_m=CENTRE_M, yaw_rad=0.3, start_s=0.0)
    camera = dataclasses.replace(
        plan.camera, path=path, sweep_rad=0.5 if path == "orbit" else 0.0, distance_m=distance_m, elevation_rad=0.5
    )
    clip = dataclasses.replace(plan.clip, num_frames=num_frames)
    return dataclasses.replace(plan, clip=clip, events=(event,), camera=camera, interruptions=(), outputs=PASSES)


@cache
def _traced(kind="turntable", path="orbit"):
    turntable = kind == "turntable"
    params = {"rate_rad_per_s": SPIN_RAD_PER_S, "start_rad": 1.0} if turntable else {}
    plan = _plan(kind, path=path, distance_m=0.75 if turntable else 0.45, **params)
    caster = RayCaster(Stage.from_plan(plan))
    return caster, truth_shots(plan), trace(caster)


def _tracks(truth):
    return Tracks(**{name[7:]: values for name, values in truth.arrays.items() if name.startswith("tracks/")})


def _camera_from_world(shot):
    return np.linalg.inv(shot.world_from_camera)


def _seen_points(caster, shot, hits):
    """[H, W, 3] world points at pixel centres (nan for nothing), by unprojecting depth."""
    k, (height, width) = caster.stage.intrinsics, hits.depth_m.shape
    u, v = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    rays = np.stack([(u - k[0, 2]) / k[0, 0], (v - k[1, 2]) / k[1, 1], np.ones_like(u)], axis=-1)
    depth = np.where(np.isfinite(hits.depth_m), hits.depth_m, np.nan)[..., None]
    return (rays * depth) @ shot.world_from_camera[:3, :3].T + shot.world_from_camera[:3, 3]


def _spun(points, seconds):
    """Points of the turntable `seconds` later: a turn about the vertical through its middle."""
    turn = Rotation.from_rotvec([0, 0, SPIN_RAD_PER_S * seconds]).as_matrix()
    return (points - CENTRE_M) @ turn.T + CENTRE_M


def _next_points(caster, shot, hits):
    """World points of every pixel one frame later, analytically, and which of them turn."""
    turning = {b.instance for b in caster.stage.event_bodies("thing") if b.part.name != "stand"}
    points, turns = _seen_points(caster, shot, hits), np.isin(hits.segmentation, list(turning))
    return np.where(turns[..., None], _spun(points, 1 / caster.stage.plan.clip.fps), points), turns


def test_flow_of_a_turning_body_and_of_the_world_before_a_moving_camera():
    caster, shots, truth = _traced()
    for frame in (0, 3, 6):
        hits = truth.hits[frame]
        points, turns = _next_points(caster, shots[frame], hits)
        uv, _ = project(points.reshape(-1, 3), _camera_from_world(shots[frame + 1]), caster.stage.intrinsics)
        v, u = np.indices(hits.depth_m.shape) + 0.5
        expected = uv.reshape(*turns.shape, 2) - np.stack([u, v], axis=-1)
        there = hits.segmentation > 0
        assert turns.sum() > 300 and (there & ~turns).sum() > 1000
        flow = truth.arrays["flow_px"][frame]
        assert np.linalg.norm(flow[turns], axis=-1).max() > 0.5
        np.testing.assert_allclose(flow[there], expected[there], atol=2e-3)
    assert np.isnan(truth.arrays["flow_px"][-1]).all()


def test_warped_ids_are_the_next_frame_s_where_both_are_seen():
    caster, shots, truth = _traced()
    for frame in (0, 3, 6):
        hits, following = truth.hits[frame], truth.hits[frame + 1]
        points, _ = _next_points(caster, shots[frame], hits)
        inside = hits.segmentation > 0
        uv, depth = project(points[inside], _camera_from_world(shots[frame + 1]), caster.stage.intrinsics)
        column, row = np.floor(uv).astype(int).T
        fits = (column >= 0) & (column < 64) & (row >= 0) & (row < 64)
        seen = np.zeros(len(fits), dtype=bool)
        seen[fits] = depth[fits] < 1.01 * following.depth_m[row[fits], column[fits]]
        co_visible = inside.copy()
        co_visible[inside] = seen
        assert co_visible.sum() > 0.85 * fits.sum() > 1500
        arguments = hits.segmentation, following.segmentation, co_visible
        assert reprojection.warped_ids_kept(truth.arrays["flow_px"][frame], *arguments) >= 0.99
        wrong = truth.arrays["flow_px"][frame] + np.array([6.0, 0.0], dtype=np.float32)  # the control
        safe = co_visible & (np.indices(inside.shape)[1] < 50)
        assert reprojection.warped_ids_kept(wrong, *arguments[:2], safe) < 0.97


def _residual(caster, shots, truth, frame, flow):
    hits, following = truth.hits[frame], truth.hits[frame + 1]
    still = np.isin(hits.segmentation, [0] + [b.instance for b in caster.stage.bodies if b.event is None])
    return reprojection.flow_residual(
        flow, hits.depth_m, following.depth_m, hits.segmentation, following.segmentation, still,
        caster.stage.intrinsics, _camera_from_world(shots[frame]), _camera_from_world(shots[frame + 1]),
    )  # fmt: skip


def test_reprojection_finds_true_flow_sound_and_false_flow_not():
    caster, shots, truth = _traced()
    flow = truth.arrays["flow_px"][2]
    sound = _residual(caster, shots, truth, 2, flow)
    assert sound.still_px < 1e-3 and sound.num_still > 1000
    assert sound.lost_share < 0.002 and sound.num_landed > 2000
    assert _residual(caster, shots, truth, 2, flow + np.float32(0.01)).still_px > 5e-3
    shifted = _residual(caster, shots, truth, 2, flow + np.array([0, -9], dtype=np.float32))
    assert shifted.lost_share > 10 * max(sound.lost_share, 0.002)


def test_the_sky_flows_by_the_camera_s_turn_alone():
    plan = _plan(path="pan")
    plan = dataclasses.replace(plan, camera=dataclasses.replace(plan.camera, sweep_rad=0.6, elevation_rad=0.1))
    caster, shots = RayCaster(Stage.from_plan(plan)), truth_shots(plan)
    truth = trace(caster)
    sky = truth.hits[0].segmentation == 0
    assert sky.sum() > 200
    turn = _camera_from_world(shots[1])[:3, :3] @ shots[0].world_from_camera[:3, :3]
    k, (rows, columns) = caster.stage.intrinsics, np.nonzero(sky)
    landed = (k @ turn @ np.linalg.inv(k) @ np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))])).T
    expected = landed[:, :2] / landed[:, 2:] - np.stack([columns + 0.5, rows + 0.5], axis=1)
    np.testing.assert_allclose(truth.arrays["flow_px"][0][sky], expected, atol=1e-4)


def test_nothing_flows_where_camera_and_world_stand_still():
    caster, _, truth = _traced(path="static")
    world = np.isin(truth.hits[0].segmentation, [b.instance for b in caster.stage.bodies if b.event is None])
    assert (truth.arrays["flow_px"][0][world] == 0).all()


def test_flow_of_a_deforming_mesh_is_that_of_its_slow_twin():
    caster, shots, truth = _traced("flower_opening")
    stage, frame = caster.stage, 4
    hits, bodies = truth.hits[frame], {b.instance: b for b in stage.bodies}
    now, later = stage.channels(shots[frame]), stage.channels(shots[frame + 1])
    petals = [b.instance for b in stage.event_bodies("thing") if b.part.carries]
    rows, columns = np.nonzero(np.isin(hits.segmentation, petals))
    assert len(rows) > 100
    points = _seen_points(caster, shots[frame], hits)
    for row, column in list(zip(rows, columns, strict=True))[:: max(len(rows) // 40, 1)]:
        body = bodies[hits.segmentation[row, column]]
        before, after = world_vertices(body, now), world_vertices(body, later)
        best = (np.inf, None)  # of all triangles, the one the point lies in
        for triangle in body.part.mesh.faces:
            a, b, c = before[triangle]
            shares, *_ = np.linalg.lstsq(np.stack([b - a, c - a], axis=1), points[row, column] - a, rcond=None)
            if shares.min() > -1e-4 and shares.sum() < 1 + 1e-4:
                off = np.linalg.norm(a + shares @ [b - a, c - a] - points[row, column])
                best = min(best, (off, tuple(after[triangle[0]] + shares @ (after[triangle[1:]] - after[triangle[0]]))))
        (uv,), _ = project(np.array([best[1]]), _camera_from_world(shots[frame + 1]), stage.intrinsics)
        expected = uv - [column + 0.5, row + 0.5]
        np.testing.assert_allclose(truth.arrays["flow_px"][frame, row, column], expected, atol=5e-3)


def test_normals_are_unit_face_the_viewer_and_are_the_floor_s_on_the_floor():
    caster, shots, truth = _traced()
    normals, hits = truth.arrays["normals"][1].astype(np.float64), truth.hits[1]
    there = hits.segmentation > 0
    np.testing.assert_allclose(np.linalg.norm(normals[there], axis=-1), 1.0, atol=1e-3)
    assert (normals[~there] == 0).all()
    assert (np.einsum("hwi,hwi->hw", normals, caster.rays)[there] < 1e-3).all()
    up = _camera_from_world(shots[1])[:3, :3] @ [0, 0, 1]
    floor = hits.segmentation == next(b.instance for b in caster.stage.bodies if b.event is None)
    np.testing.assert_allclose(normals[floor], np.tile(up, (floor.sum(), 1)), atol=1e-3)
    ball = next(b for b in caster.stage.bodies if b.part.name == "ball")
    seen = hits.segmentation == ball.instance
    centre = world_vertices(ball, caster.stage.channels(shots[1])).mean(axis=0)
    outward = _seen_points(caster, shots[1], hits)[seen] - centre
    outward = outward / np.linalg.norm(outward, axis=1, keepdims=True) @ shots[1].world_from_camera[:3, :3]
    assert (np.einsum("ni,ni->n", normals[seen], outward) > np.cos(np.deg2rad(12))).all()  # an icosphere's facets


def test_amodal_silhouette_does_not_care_what_hides_the_event():
    _, _, truth = _traced()
    amodal = truth.arrays["amodal/thing"]
    assert amodal.dtype == np.bool_
    ids = [b.instance for b in Stage.from_plan(_hidden_behind_a_board()).event_bodies("thing")]
    visible = np.stack([np.isin(h.segmentation, ids) for h in truth.hits])
    assert not (visible & ~amodal).any()
    plan = _hidden_behind_a_board()
    hidden = trace(RayCaster(Stage.from_plan(plan)))
    own = [b.instance for b in Stage.from_plan(plan).event_bodies("thing")]
    assert not any(np.isin(h.segmentation, own).any() for h in hidden.hits[3:6])
    assert (hidden.arrays["amodal/thing"] == amodal).all()
    assert hidden.visibility["thing"].hidden_by[4] == "occluded"


def _hidden_behind_a_board():
    plan = _plan(rate_rad_per_s=SPIN_RAD_PER_S, start_rad=1.0)
    board = OccluderPlan(
        kind="board", size_m=(1.4, 0.02, 0.8), location_m=(0.12, -0.36, 0.0), yaw_rad=0.35, enter_m=(2.0, 0.0, 0.0),
        exit_m=(2.0, 0.0, 0.0), rgb=(0.3, 0.3, 0.3),
    )  # fmt: skip
    interruption = InterruptionPlan(
        kind="occluder", target="thing", out_s=0.2, hidden_from_s=0.3, hidden_to_s=0.7, back_s=0.9, occluder=board
    )
    return dataclasses.replace(plan, interruptions=(interruption,))


def test_boxes_hold_what_they_say():
    caster, shots, truth = _traced()
    table = {name: truth.boxes[name].to_numpy(zero_copy_only=False) for name in truth.boxes.column_names}
    frame = 5
    channels = caster.stage.channels(shots[frame])
    cube = next(b for b in caster.stage.bodies if b.part.name == "cube")
    (row,) = np.flatnonzero((table["frame"] == frame) & (table["entity"] == "cube"))
    value = {name: column[row] for name, column in table.items()}
    assert (value["kind"], value["instance"], value["event"]) == ("part", cube.instance, "thing")
    seen = truth.hits[frame].segmentation == cube.instance
    rows, columns = np.nonzero(seen)
    assert value["visible_px"] == seen.sum() > 20
    visible = [value[f"visible_{n}_px"] for n in ("u0", "v0", "u1", "v1")]
    assert visible == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    vertices = world_vertices(cube, channels)
    uv, _ = project(vertices, _camera_from_world(shots[frame]), caster.stage.intrinsics)
    amodal = np.array([value[f"amodal_{n}_px"] for n in ("u0", "v0", "u1", "v1")])
    np.testing.assert_allclose(amodal, [*uv.min(axis=0), *uv.max(axis=0)])
    box = np.array([[value[f"{end}_{axis}_m"] for axis in "xyz"] for end in ("min", "max")])
    np.testing.assert_allclose(box, [vertices.min(axis=0), vertices.max(axis=0)])
    size = np.array([value[f"size_{axis}_m"] for axis in "xyz"])
    np.testing.assert_allclose(size, 0.085, atol=1e-9)  # the cube's sides, whichever way it is turned
    turn = Rotation.from_quat([value[f"rotation_{axis}"] for axis in "xyzw"])
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * size / 2
    placed = turn.apply(corners) + [value[f"centre_{axis}_m"] for axis in "xyz"]
    distances = np.linalg.norm(placed[:, None] - vertices[None], axis=-1)
    assert distances.min(axis=0).max() < 1e-9
    assert truth.boxes.num_rows == 8 * (1 + sum(b.part.carries for b in caster.stage.event_bodies("thing")))


def test_amodal_box_is_that_of_the_silhouette():
    _, _, truth = _traced()
    table = {name: truth.boxes[name].to_numpy(zero_copy_only=False) for name in truth.boxes.column_names}
    for frame in range(8):
        rows, columns = np.nonzero(truth.arrays["amodal/thing"][frame])
        (row,) = np.flatnonzero((table["frame"] == frame) & (table["kind"] == "event"))
        box = np.array([table[f"amodal_{n}_px"][row] for n in ("u0", "v0", "u1", "v1")])
        silhouette = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(np.clip(box, 0, 64), silhouette, atol=1.0)


def test_tracked_points_follow_their_circles_and_are_seen_where_the_rays_see_them():
    caster, shots, truth = _traced()
    tracks = _tracks(truth)
    names = {b.instance: (b.event, b.part.name) for b in caster.stage.bodies}
    turning = [i for i, n in enumerate(tracks.instance) if names[n][0] and names[n][1] != "stand"]
    assert len(tracks.instance) == 256 and len(turning) > 90
    assert sum(names[n][0] is None for n in tracks.instance) == 128
    for frame, shot in enumerate(shots):
        expected = _spun(tracks.world_m[0, turning].astype(np.float64), frame / 8)
        np.testing.assert_allclose(tracks.world_m[frame, turning], expected, atol=1e-6)
        uv, depth = project(tracks.world_m[frame], _camera_from_world(shot), caster.stage.intrinsics)
        np.testing.assert_allclose(tracks.uv_px[frame], uv, atol=1e-3)
        seen = tracks.visible[frame]
        column, row = np.floor(tracks.uv_px[frame][seen]).astype(int).T
        shown = truth.hits[frame].segmentation[row, column] == tracks.instance[seen]
        assert shown.mean() > 0.93  # others lie within a pixel of an edge
        low, high = (
            bound(truth.hits[frame].depth_m, size=3)[row, column] for bound in (minimum_filter, maximum_filter)
        )
        fits = (depth[seen] > 0.995 * low) & (depth[seen] < 1.005 * high)
        assert fits[shown].mean() > 0.98 and seen.sum() > 120


def test_tracked_points_are_hidden_where_a_slow_twin_finds_something_before_them():
    caster, shots, truth = _traced()
    tracks, meshes = _tracks(truth), caster.meshes
    inside = (tracks.uv_px[2] >= 0).all(axis=1) & (tracks.uv_px[2] < 64).all(axis=1)
    chosen, eye = np.flatnonzero(inside)[::2], shots[2].world_from_camera[:3, 3]
    a, b, c = (caster.vertices(shots[2])[meshes.faces[meshes.solid, corner]] for corner in range(3))
    clear = []
    for point in tracks.world_m[2, chosen]:  # Moeller and Trumbore, every triangle
        ray = point - eye
        across = np.cross(ray, c - a)
        det = np.einsum("fi,fi->f", b - a, across)
        det = np.where(np.abs(det) < 1e-15, np.inf, det)
        u = np.einsum("fi,fi->f", eye - a, across) / det
        turned = np.cross(eye - a, b - a)
        v, reach = turned @ ray / det, np.einsum("fi,fi->f", c - a, turned) / det
        met = reach[(u >= 0) & (v >= 0) & (u + v <= 1) & (reach > 0)]
        clear.append(met.min() > 1 - 1e-4)
    assert 20 < np.sum(clear) < len(clear) - 20
    assert (np.array(clear) == tracks.visible[2, chosen]).mean() > 0.97  # touching faces may go either way


def test_object_coordinates_of_tracks_are_those_of_the_part_at_rest():
    caster, _, truth = _traced()
    tracks, bodies = _tracks(truth), {b.instance: b for b in caster.stage.bodies}
    for i in range(0, 256, 5):
        mesh = bodies[int(tracks.instance[i])].part.mesh
        corners = mesh.vertices[mesh.faces[tracks.triangle[i]]]
        np.testing.assert_allclose(tracks.barycentric[i] @ corners, tracks.object_m[i], atol=1e-9)
        assert tracks.barycentric[i].min() > -1e-3 and tracks.barycentric[i].sum() == pytest.approx(1)


def test_the_same_plan_has_the_same_truth():
    plan = _plan(rate_rad_per_s=SPIN_RAD_PER_S, start_rad=1.0)
    again, (_, _, truth) = trace(RayCaster(Stage.from_plan(plan))), _traced()
    for name, values in truth.arrays.items():
        np.testing.assert_array_equal(values, again.arrays[name])
    assert truth.boxes.equals(again.boxes)
