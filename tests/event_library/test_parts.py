"""Part builders and measured readouts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_library import parts, readouts
from event_library.channels import Move, Rotate, Scale, pose_matrix, quaternion_about, rotation_matrix


@pytest.mark.parametrize(
    "mesh",
    [
        parts.cylinder(0.1, 0.3),
        parts.bevelled_box((0.1, 0.2, 0.3), 0.01),
        parts.ring(0.02, 0.1, 0.05, 0.01),
        parts.disc_prism(0.01, 0.2),
        parts.torus(0.1, 0.02),
        parts.sphere(0.1),
        parts.block((0.1, 0.2, 0.3), (0, 0, 1)),
    ],
    ids=["cylinder", "bevelled_box", "ring", "disc_prism", "torus", "sphere", "block"],
)
def test_solids_are_closed_and_face_outwards(mesh: object) -> None:
    assert mesh.is_volume and mesh.volume > 0  # type: ignore[attr-defined]


@given(area_m2=st.floats(1e-4, 1.0), height_m=st.floats(0.01, 2.0))
def test_disc_prism_has_the_volume_of_the_round_one(area_m2: float, height_m: float) -> None:
    assert parts.disc_prism(area_m2, height_m).volume == pytest.approx(area_m2 * height_m, rel=1e-9)


def test_bevelled_box_keeps_its_extents() -> None:
    mesh = parts.bevelled_box((0.1, 0.2, 0.3), 0.01)
    np.testing.assert_allclose(mesh.extents, (0.1, 0.2, 0.3))
    assert len(mesh.vertices) == 24


@given(angle=st.floats(-3, 3), factor=st.floats(0.1, 3), x=st.floats(-2, 2))
def test_channels_scale_then_rotate_then_move(angle: float, factor: float, x: float) -> None:
    turn = quaternion_about((0.0, 0.0, 1.0), angle)
    matrix = pose_matrix((Scale(np.array([factor, 1, 1])), Rotate(turn), Move(np.array([x, 0, 0]))))
    moved = matrix @ [1, 0, 0, 1]
    np.testing.assert_allclose(moved, [factor * np.cos(angle) + x, factor * np.sin(angle), 0, 1], atol=1e-12)
    np.testing.assert_allclose(rotation_matrix(turn) @ rotation_matrix(turn).T, np.eye(3), atol=1e-12)


@given(x=st.floats(-2, 2), y=st.floats(-2, 2), z=st.floats(-2, 2), radius=st.floats(0.05, 0.5))
def test_sphere_centre_from_the_cap_that_is_seen(x: float, y: float, z: float, radius: float) -> None:
    directions = np.random.default_rng(0).normal(size=(60, 3))
    directions[:, 1] = -np.abs(directions[:, 1])  # the half towards the camera
    points = np.array([x, y, z]) + radius * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    np.testing.assert_allclose(readouts.sphere_centre_m(points), [x, y, z], atol=1e-9)


def test_nothing_seen_is_not_a_number() -> None:
    assert np.isnan(readouts.sphere_centre_m(np.empty((0, 3)))).all()
    assert np.isnan(readouts.top_height_m(np.empty((0, 3)), np.empty(0))).all()


def test_top_seen_from_above_is_exact_and_from_the_side_half_a_pixel_up() -> None:
    flat = np.array([(0, 0.0, 0.2), (0.01, 0.02, 0.2), (0.0, -0.03, 0.15)])
    assert readouts.top_height_m(flat, np.full(3, 1e-4)) == (0.2, 0.0)
    side = np.array([(0, -0.03, 0.19), (0, -0.03, 0.18), (0.0, -0.03, 0.17)])
    assert readouts.top_height_m(side, np.full(3, 1e-4)) == pytest.approx((0.195, 0.005))
