"""Rays against geometry that can be written down."""

import dataclasses

import numpy as np

from scenes.plan import EventPlan
from simulator.rays import RayCaster
from simulator.stage import Stage, world_vertices
from simulator.timeline import truth_shots
from simulator.view import unproject
from tests.simulator.support import tank_plan


def _cast(frame: int = 0):
    plan = tank_plan()
    stage = Stage.from_plan(plan)
    shot = truth_shots(plan)[frame]
    return stage, shot, RayCaster(stage).cast(shot)


def test_floor_depth_is_the_plane_s_depth():
    stage, shot, hits = _cast()
    floor = next(b.instance for b in stage.bodies if b.event is None)
    v, u = np.nonzero(hits.segmentation == floor)
    k, pose = stage.intrinsics, shot.world_from_camera
    rays = np.stack([(u + 0.5 - k[0, 2]) / k[0, 0], (v + 0.5 - k[1, 2]) / k[1, 1], np.ones(len(u))], axis=1)
    directions = rays @ pose[:3, :3].T
    on_plane = -pose[2, 3] / directions[:, 2]  # where z = 0; the floor's upper face
    assert len(u) > 500
    np.testing.assert_allclose(hits.depth_m[v, u], on_plane, rtol=2e-6)


def test_water_is_seen_through_the_glass_and_the_glass_where_it_is_empty():
    stage, _, hits = _cast(frame=8)
    ids = {b.part.name: b.instance for b in stage.bodies if b.event == "glass"}
    carriers = [b.instance for b in stage.bodies if b.part.carries]
    shells = [b.instance for b in stage.bodies if b.part.see_through]
    assert shells, ids
    assert np.isin(hits.segmentation, carriers).sum() > 40
    assert np.isin(hits.segmentation, shells).sum() > 40
    blind = Stage(stage.plan, stage.events, tuple(_opaque(b) for b in stage.bodies), stage.lamps)  # the control
    opaque = RayCaster(blind).cast(truth_shots(stage.plan)[8])
    assert np.isin(opaque.segmentation, carriers).sum() < np.isin(hits.segmentation, carriers).sum() / 4


def _opaque(body):
    material = dataclasses.replace(body.part.material, kind="principled")
    return dataclasses.replace(body, part=dataclasses.replace(body.part, material=material))


def test_unprojected_pixels_lie_on_the_mesh():
    stage, shot, hits = _cast(frame=8)
    event: EventPlan = stage.plan.events[0]
    names = {b.instance: b.part.name for b in stage.event_bodies(event.id)}
    camera_from_world = np.linalg.inv(shot.world_from_camera)
    rgb = np.zeros((*hits.segmentation.shape, 3), dtype=np.uint8)
    view = unproject(hits.segmentation, hits.depth_m, rgb, stage.intrinsics, camera_from_world, event, names)
    channels = stage.channels(shot)
    for body in stage.event_bodies(event.id):
        if not body.part.carries:
            continue
        vertices = world_vertices(body, channels)
        world = view.points_m[body.part.name] @ body.world_from_rest[:3, :3].T + body.world_from_rest[:3, 3]
        assert (world > vertices.min(axis=0) - 1e-5).all() and (world < vertices.max(axis=0) + 1e-5).all()
