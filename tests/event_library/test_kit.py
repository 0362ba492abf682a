"""Shared builders: volumes, closed meshes, constant vertex counts, cells and digits that can be told apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_library.base import placed_meshes
from event_library.channels import Vertices
from event_library.kit import boards, copies, dials, shapes, streams, vessels
from event_library.parts import Assembly, Part

PROFILES = {
    "flask": vessels.flask_profile(0.05, 0.16),
    "round_flask": vessels.round_flask_profile(0.05, 0.16),
    "bottle": vessels.bottle_profile(0.035, 0.2),
    "bowl": vessels.bowl_profile(0.08, 0.05),
    "cone": vessels.cone_profile(0.5, 0.12),
}


def placed(part: Part | tuple[Part, ...], channels: dict) -> dict:
    return placed_meshes(Assembly(part if isinstance(part, tuple) else (part,)), channels)


@given(radius=st.floats(0.01, 0.2), level=st.floats(0.001, 0.3))
def test_a_column_holds_the_volume_of_the_round_one(radius: float, level: float) -> None:
    part = vessels.liquid_column("water", radius, 0.3)
    mesh = placed(part, vessels.column_channels("water", level, 0.3, (0.1, 0.2, 0.01)))["water"]
    assert mesh.volume == pytest.approx(np.pi * radius**2 * level, rel=1e-9)
    assert mesh.bounds[:, 2] == pytest.approx((0.01, 0.01 + level))


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_liquid_in_a_turned_vessel_is_exact_and_closed(profile: np.ndarray) -> None:
    low, high = profile[0, 1], profile[-1, 1]
    part = vessels.liquid_in("water", profile)
    volumes = []
    for level in np.linspace(low, high, 9):
        channels = vessels.liquid_in_channels("water", profile, level, (0.0, 0.0, 0.0))
        mesh = placed(part, channels)["water"]
        assert mesh.is_volume and len(mesh.vertices) == len(part.mesh.vertices)
        volumes.append(mesh.volume)
    exact = vessels.profile_volume_m3(profile, np.linspace(low, high, 9))
    np.testing.assert_allclose(volumes, exact, rtol=1e-9, atol=1e-8)  # an empty one keeps a micrometre
    middle = exact[4]
    assert vessels.profile_level_m(profile, middle) == pytest.approx((low + high) / 2, abs=1e-9)


def test_a_cone_of_liquid_has_the_volume_of_a_cone() -> None:
    profile = vessels.cone_profile(0.5, 0.12, bore_m=1e-6)
    assert vessels.profile_volume_m3(profile, 0.1) == pytest.approx(np.pi / 3 * np.tan(0.5) ** 2 * 0.1**3, rel=1e-6)


def test_sloshing_water_keeps_the_volume_of_its_heights() -> None:
    heights = 0.1 + 0.03 * np.cos(np.linspace(0, np.pi, 24))
    mesh = placed(
        vessels.sloshing_box("water", (0.3, 0.1)), vessels.sloshing_channels("water", (0.3, 0.1), heights, (0, 0, 0.01))
    )["water"]
    assert mesh.is_volume
    assert mesh.volume == pytest.approx(0.1 * 0.3 / 23 * (heights[1:] + heights[:-1]).sum() / 2)


@pytest.mark.parametrize("drop_m", [0.0, 1e-5, 0.05, 2.0])
def test_jets_are_closed_and_keep_their_vertices(drop_m: float) -> None:
    part = streams.jet("jet")
    for channels in (
        streams.falling_jet_channels("jet", 5e-5, (0.1, 0.0, 0.3), 0.3 - drop_m),
        streams.parabolic_jet_channels("jet", 5e-5, (0.0, 0.0, 0.3), (0.7, 0.0, 0.0), 0.3 - drop_m),
    ):
        mesh = placed(part, channels)["jet"]
        assert len(mesh.vertices) == len(part.mesh.vertices) and np.isfinite(mesh.vertices).all()
        assert mesh.is_watertight
        assert mesh.volume > 0


def test_a_parabolic_jet_lands_where_torricelli_says() -> None:
    level, hole = 0.15, 0.05
    speed = np.sqrt(2 * 9.81 * level)
    (_, shape) = streams.parabolic_jet_channels("jet", 5e-5, (0, 0, hole), (speed, 0, 0), 0.0)["jet"]
    assert isinstance(shape, Vertices)
    assert shape.vertices_m[-1, 0] == pytest.approx(2 * np.sqrt(level * hole), rel=1e-3)


@given(seed=st.integers(0, 1000))
def test_copies_come_back_from_the_mesh(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one = shapes.parts.bevelled_box((0.01, 0.02, 0.03), 0.002)
    at, turns = rng.normal(size=(5, 3)), copies.random_quaternions(5, rng)
    part = copies.copies("bricks", one, np.zeros((5, 3)), vessels.GLASS_EDGE)
    mesh = placed(part, copies.copies_channels("bricks", one, at, turns, np.array([1, 1, 0, 1, 1])))["bricks"]
    np.testing.assert_allclose(copies.copy_centres(mesh, one), at, atol=1e-12)
    assert mesh.volume == pytest.approx(4 * one.volume)
    assert (copies.nearest_copies(at + 0.001, at) == np.arange(5)).all()


@pytest.mark.parametrize("facing", ["up", "front"])
@pytest.mark.parametrize("raised", [False, True])
def test_points_on_tiles_find_their_cells(facing: shapes.Facing, raised: bool) -> None:
    grid = boards.Grid(30, 40, (0.4, 0.3), (0.1, 0.2, 0.3), facing)
    rgb = np.random.default_rng(0).uniform(size=(30, 40, 3))
    made = boards.tiles("cells", grid, raised=raised)
    assert tuple(p.name for p in made) == boards.tile_names("cells", grid, raised=raised)
    assert max(len(p.mesh.vertices) for p in made) <= 2000
    channels = boards.tiles_channels("cells", grid, rgb, heights_m=np.full((30, 40), 0.004) if raised else None)
    points = np.vstack([m.vertices for m in placed(made, channels).values()])
    colours = np.vstack([c.rgb for p in made for c in channels[p.name] if hasattr(c, "rgb")])
    np.testing.assert_allclose(grid.cell_means(points, colours), rgb)
    normals = made[0].mesh.face_normals[1 if not raised else 0]
    np.testing.assert_allclose(normals, (0, 0, 1) if facing == "up" else (0, -1, 0), atol=1e-12)


def test_a_disc_samples_its_field() -> None:
    disc = boards.Disc(0.1)
    field = np.add.outer(np.arange(50.0), 2 * np.arange(50.0))
    values = boards.sampled(field, (0.22, 0.22), disc.nodes_m())
    nodes = (disc.nodes_m() / 0.22 + 0.5) * 50 - 0.5
    np.testing.assert_allclose(values, nodes[:, 1] + 2 * nodes[:, 0])
    part = boards.field_disc("dye", disc)
    assert len(part.mesh.vertices) == len(values) <= 2000
    assert part.mesh.area == pytest.approx(np.pi * 0.1**2, rel=0.01)


@given(angle=st.floats(-3, 3), facing=st.sampled_from(["front", "up"]))
def test_hands_turn_clockwise(angle: float, facing: shapes.Facing) -> None:
    place = (0.1, 0.2, 0.3)
    part = dials.hand("hand", 0.1, 0.01, facing=facing)
    mesh = placed(part, dials.hand_channels("hand", angle, place, facing=facing))["hand"]
    assert dials.hand_angle_rad(np.asarray(mesh.vertices), place, facing) == pytest.approx(angle, abs=1e-6)


@given(reading=st.floats(0.01, 1.0))
def test_a_thermometer_column_has_its_height(reading: float) -> None:
    made = dials.thermometer("t", 0.2, (0.0, 0.0, 0.02))
    mesh = placed(made, dials.thermometer_channels("t", reading, 0.2, (0.0, 0.0, 0.02)))["t_column"]
    assert np.ptp(mesh.vertices[:, 2]) == pytest.approx(0.2 * reading)


@pytest.mark.parametrize(
    "mesh",
    [
        shapes.extruded(np.array([(0, 0), (1, 0), (1, 1), (0.5, 0.2), (0, 1)]), 0.1),
        shapes.extruded(np.array([(0, 0), (0, 1), (1, 1), (1, 0)]), 0.1, flat=True),
        shapes.extruded_ring(shapes.circle(1.0, 20), shapes.circle(0.5, 20), 0.2),
        shapes.arrow(0.1, 0.03, 0.01),
        shapes.cone(0.1, 0.2),
        shapes.capsule(0.1, 0.5),
        shapes.swept(np.array([(0, 0, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1)]), np.array([0.1, 0.05, 0.1, 0.02])),
        streams.drop("drop", 0.01).mesh,
    ],
)
def test_solids_are_closed_and_face_outwards(mesh: object) -> None:
    assert mesh.is_volume and mesh.volume > 0  # type: ignore[attr-defined]
