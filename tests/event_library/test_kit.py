"""Shared builders: volumes, closed meshes, constant vertex counts, cells and digits that can be told apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_library.base import placed_meshes
from event_library.channels import Vertices
from event_library.kit import (
    boards,
    copies,
    dials,
    digits,
    fields,
    flames,
    furniture,
    heaps,
    machinery,
    shapes,
    sheets,
    streams,
    vessels,
)
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


def test_digits_differ_and_are_read_back() -> None:
    assert len({frozenset(s) for s in digits.LIT}) == 10
    for number in (0, 7, 42, 1836, 9999):
        channels = digits.seven_segments_channels("d", 4, number)
        seen = {name: np.tile(c[0].rgb ** (1 / 2.2), (5, 1)) for name, c in channels.items()}
        assert digits.read_display("d", 4, seen).strip() == str(number)
        assert set(channels) < {p.name for p in digits.seven_segments("d", 4, 0.1)}
    assert all(digits.read_digit(digits.lit_segments(c)) == c for c in "0123456789 -")


def test_a_hidden_segment_is_guessed_only_where_one_digit_fits() -> None:
    channels = digits.seven_segments_channels("d", 1, 8)
    seen = {name: np.tile(c[0].rgb ** (1 / 2.2), (5, 1)) for name, c in channels.items()}
    assert digits.read_display("d", 1, {**seen, "d_0_a": np.empty((0, 3))}) == "8"
    assert digits.read_display("d", 1, {**seen, "d_0_g": np.empty((0, 3))}) == "?"  # 0 or 8


def test_letters_are_distinct_and_light() -> None:
    assert len(set(digits.FONT.values())) == len(digits.FONT)
    mesh = digits.text_mesh("MOTOR 12", 0.1)
    assert mesh.extents[2] == pytest.approx(0.1) and len(mesh.vertices) < 1000


def test_hotter_is_brighter_and_bluer() -> None:
    kelvin = np.array([800.0, 1000.0, 1400.0, 3000.0, 6500.0])
    assert (np.diff(flames.blackbody_strength(kelvin)) > 0).all()
    rgb = flames.blackbody_rgb(kelvin)
    assert (rgb[:4, 0] == 1).all() and (np.diff(rgb[:, 2] / rgb[:, 0]) >= 0).all()
    np.testing.assert_allclose(rgb[-1], 1.0, atol=0.06)  # daylight is white


@pytest.mark.parametrize("ratio", [(12, 12), (12, 20), (9, 24)])
@pytest.mark.parametrize("direction", [np.pi / 2, 0.4, -1.2])
@pytest.mark.parametrize("turn", [0.0, 0.13, 2.0])
def test_teeth_of_meshing_gears_do_not_overlap(ratio: tuple[int, int], direction: float, turn: float) -> None:
    """Points of one gear's outline, taken into the other's frame, lie outside its teeth (but for a little)."""
    module = 0.01
    apart = module * sum(ratio) / 2
    centre = np.array([np.sin(direction), np.cos(direction)]) * apart
    angle = machinery.meshing_rad(turn, *ratio, direction_rad=direction)
    outlines = [machinery._gear_outline(n, module) for n in ratio]
    world = [_clockwise(outlines[0], turn), _clockwise(outlines[1], angle) + centre]
    for mine, other in ((0, 1), (1, 0)):
        origin = centre if other else np.zeros(2)
        local = _clockwise(world[mine] - origin, -(angle if other else turn))
        depth = _radius_at(outlines[other], local) - np.linalg.norm(local, axis=1)
        assert depth.max() < 0.3 * module


def _clockwise(points: np.ndarray, angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return points @ np.array([[c, -s], [s, c]])


def _radius_at(outline: np.ndarray, points: np.ndarray) -> np.ndarray:
    own = np.arctan2(outline[:, 1], outline[:, 0])
    order = np.argsort(own)
    there = np.arctan2(points[:, 1], points[:, 0])
    return np.interp(there, own[order], np.linalg.norm(outline[order], axis=1), period=2 * np.pi)


def test_springs_and_ropes_reach_between_their_ends() -> None:
    start, end = (0.0, 0.0, 0.5), (0.1, 0.02, 0.2)
    for part, channels in (
        (machinery.spring("s", 0.02, 12), machinery.spring_channels("s", start, end, 0.02, 12)),
        (machinery.rope("s", 0.002, 9), machinery.rope_channels("s", np.array([start, (0, 0, 0), end]), 0.002, 9)),
    ):
        mesh = placed(part, channels)["s"]
        assert mesh.is_watertight and len(mesh.vertices) == len(part.mesh.vertices) <= 2000
        np.testing.assert_allclose(mesh.vertices[-2:], [start, end], atol=1e-12)
    assert shapes.length_m(machinery.catenary_m(start, end, 0.4)) == pytest.approx(0.4)


def test_a_conveyor_comes_round_again() -> None:
    size = (0.5, 0.1, 0.12)
    around = 2 * 0.5 + 2 * np.pi * 0.03
    for travel in (0.0, 0.07, 0.3):
        first, again = (
            placed(furniture.conveyor("c", *size), furniture.conveyor_channels("c", t, *size))["c_slats"]
            for t in (travel, travel + around)
        )
        np.testing.assert_allclose(first.vertices, again.vertices, atol=1e-9)
        assert first.bounds[1, 2] == pytest.approx(0.12, abs=1e-3) and first.bounds[0, 2] > 0.05


def test_a_candle_keeps_its_rim() -> None:
    for height in (0.08, 0.01):
        mesh = placed(furniture.candle("c", 0.0125, 0.08), furniture.candle_channels("c", 0.0125, height))["c_wax"]
        assert mesh.is_volume and np.ptp(mesh.vertices[:, 2]) == pytest.approx(height)


def test_every_static_builder_stays_light_and_above_its_support() -> None:
    bulb, lamp = furniture.bulb("bulb", 0.02, (0, 0, 0.05))
    made = [
        *vessels.glass("a", 0.04, 0.2), *vessels.square_tank("b", (0.3, 0.2), 0.2), *vessels.dish("c", 0.08, 0.02),
        *vessels.turned_vessel("d", vessels.bottle_profile(0.04, 0.2), floor_m=0.006), *bulb,
        vessels.graduations("e", 0.04, np.linspace(0.02, 0.18, 9)), *streams.tap("f", (0, 0, 0.25)),
        *dials.dial("g", 0.05, (0, 0, 0.06)), *dials.clock_face("h", 0.05, (0, 0, 0.06)),
        *dials.thermometer("i", 0.2, (0, 0, 0.02)), *dials.bar_gauge("j", (0.02, 0.1), (0, 0, 0.01)),
        dials.protractor("k", 0.1, (0, 0, 0.15)), *dials.banded_staff("l", 0.3, 6), furniture.plate("m", 0.1),
        *digits.lamp_row("n", 4, 0.01, (0, 0, 0.03)), furniture.gantry("o", 0.3, 0.4),
        furniture.tray("p", (0.2, 0.1), 0.03), furniture.table("s", (1, 1), 0.7),
        furniture.retort_stand("q", 0.4, 0.3, 0.15), furniture.a_frame("r", 0.5, 0.4, 0.1),
        furniture.ramp("t", 0.5, 0.3, 0.1), furniture.steps("u", 5, (0.1, 0.2, 0.05)), furniture.post("v", 0.3),
        furniture.screw("w", 0.01, 0.03, (0, 0, 0.04)), furniture.board("x", (0.1, 0.1, 0.02)),
    ]  # fmt: skip
    meshes = placed_meshes(Assembly(tuple(made), (lamp,)), {})
    assert {n: m.bounds[0, 2] for n, m in meshes.items() if m.bounds[0, 2] < -1e-9} == {}
    assert {p.name: len(p.mesh.vertices) for p in made if len(p.mesh.vertices) > 2000} == {}


@pytest.mark.parametrize("num_teeth", [8, 17, 40])
def test_gears_are_closed(num_teeth: int) -> None:
    wheel, mark = machinery.gear("g", num_teeth, 0.01, 0.01)
    assert wheel.mesh.is_volume and len(wheel.mesh.vertices) <= 2000
    assert mark.mesh.bounds[1, 2] <= wheel.mesh.bounds[1, 2]


@given(a=st.floats(0.001, 0.2), slope=st.floats(0.05, 2.0))
def test_lumps_hold_their_volume(a: float, slope: float) -> None:
    at, height = (0.1, 0.0, 0.02), a * slope
    cases = {
        "cap": (heaps.cap("m"), heaps.cap_channels("m", a, height, at), heaps.cap_volume_m3(a, height)),
        "puddle": (heaps.puddle("m"), heaps.puddle_channels("m", a, 0.1 * a, at), np.pi * a**2 * 0.1 * a),
        "sand": (heaps.sand_cone("m"), heaps.sand_cone_channels("m", a**3, 0.6, at), a**3),
    }
    for name, (part, channels, volume) in cases.items():
        mesh = placed(part, channels)["m"]
        assert mesh.is_volume, name
        assert mesh.volume == pytest.approx(float(volume), rel=1e-9), name
        assert mesh.bounds[0, 2] == pytest.approx(0.02)
    radius, tall = heaps.cap_size_m(float(heaps.cap_volume_m3(a, height)), 2 * np.arctan(slope))
    assert (radius, tall) == pytest.approx((a, height))


@given(x=st.floats(0.01, 0.3), y=st.floats(0.01, 0.3), z=st.floats(0.01, 0.3), share=st.floats(0.0, 1.0))
def test_a_rounded_box_keeps_extents_and_vertices(x: float, y: float, z: float, share: float) -> None:
    rounding = share * min(x, y, z) / 2
    mesh = heaps.rounded_box((x, y, z), rounding)
    np.testing.assert_allclose(mesh.extents, (x, y, z))
    assert mesh.is_volume and len(mesh.vertices) == 296
    r = min(rounding, 0.4995 * min(x, y, z))
    inner = np.array([x, y, z]) - 2 * r
    ideal = inner.prod() + 2 * r * (inner[0] * inner[1] + inner[1] * inner[2] + inner[2] * inner[0])
    ideal += np.pi * r**2 * inner.sum() + 4 / 3 * np.pi * r**3
    assert mesh.volume == pytest.approx(ideal, rel=0.05)


def test_ground_is_closed_over_its_heights() -> None:
    grid = boards.Grid(12, 20, (2.0, 1.2), (1.0, 0.0, 0.5))
    part = heaps.ground("g", grid, np.full((12, 20), 0.1))
    mesh = placed(part, heaps.ground_channels("g", grid, np.full((12, 20), 0.3)))["g"]
    assert mesh.is_volume and mesh.volume == pytest.approx(1.9 * 1.1 * 0.3)


@given(bend=st.floats(-6, 6))
def test_a_bent_strip_keeps_its_length(bend: float) -> None:
    path = sheets.arc_path_m(0.2, bend, 41)
    assert shapes.length_m(path) == pytest.approx(0.2, rel=0.002)
    part = sheets.strip("p", sheets.arc_path_m(0.2, 0.0, 41), 0.05, 0.001)
    mesh = placed(part, sheets.strip_channels("p", path, 0.05, 0.001))["p"]
    assert mesh.is_volume and mesh.volume == pytest.approx(0.2 * 0.05 * 0.001, rel=0.02)


def test_noise_is_smooth_seeded_and_spread() -> None:
    points = np.random.default_rng(0).uniform(-5, 5, (4000, 2))
    values = fields.noise(points, 1.0, 3)
    np.testing.assert_array_equal(values, fields.noise(points, 1.0, 3))
    assert np.abs(values - fields.noise(points + 1e-6, 1.0, 3)).max() < 1e-4
    assert np.abs(np.corrcoef(values, fields.noise(points, 1.0, 4))[0, 1]) < 0.15
    assert values.std() > 0.25 and np.abs(values).max() < 1.5
    assert (values < fields.spread_over(values, 0.3)).mean() == pytest.approx(0.3, abs=0.001)
