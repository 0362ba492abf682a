"""Bodies: what stands does not slide, what rolls does not slip, hands reach, meshes keep their vertices."""

import numpy as np
import pytest

from event_library.channels import Vertices, pose_matrix
from event_library.figures import animals, buildings, craft, furniture, people, plants, robots, trees, vehicles
from event_library.figures.rig import baked

HERE = (0.1, -0.2, 0.0)
HIGH = (0.1, -0.2, 0.5)  # of what flies, swims or rolls over

# name -> (parts, channels of a share of its motion); parts named x_...
MOVING = {
    "person walking": (people.person("x", 0.3), lambda u: people.person_channels("x", 0.3, HERE, 0.7, u)),
    "person running": (people.person("x", 0.3), lambda u: people.person_channels("x", 0.3, HERE, 0.7, u, running=True)),
    "person sitting": (people.person("x", 0.3), lambda u: people.person_channels("x", 0.3, HERE, 0.7, sitting=True)),
    "cat": (animals.cat("x", 0.3), lambda u: animals.cat_channels("x", 0.3, HERE, 1, u)),
    "cat running": (animals.cat("x", 0.3), lambda u: animals.cat_channels("x", 0.3, HERE, 1, u, running=True)),
    "cat sitting": (animals.cat("x", 0.3), lambda u: animals.cat_channels("x", 0.3, HERE, 1, sitting=True)),
    "dog": (animals.dog("x", 0.3), lambda u: animals.dog_channels("x", 0.3, HERE, 1, u)),
    "dog running": (animals.dog("x", 0.3), lambda u: animals.dog_channels("x", 0.3, HERE, 1, u, running=True)),
    "dog sitting": (animals.dog("x", 0.3), lambda u: animals.dog_channels("x", 0.3, HERE, 1, sitting=True)),
    "mouse": (animals.mouse("x", 0.1), lambda u: animals.mouse_channels("x", 0.1, HERE, 2, u)),
    "ant": (animals.ant("x", 0.1), lambda u: animals.ant_channels("x", 0.1, HERE, 2, u)),
    "beetle": (animals.beetle("x", 0.1), lambda u: animals.beetle_channels("x", 0.1, HERE, 2, u, wing_open_rad=u)),
    "bee": (animals.bee("x", 0.1), lambda u: animals.bee_channels("x", 0.1, HIGH, 2, u)),
    "caterpillar": (animals.caterpillar("x", 0.1), lambda u: animals.caterpillar_channels("x", 0.1, HERE, 2, u)),
    "snail": (animals.snail("x", 0.1), lambda u: animals.snail_channels("x", 0.1, HERE, 2, u, hidden_share=u)),
    "bird": (animals.bird("x", 0.1), lambda u: animals.bird_channels("x", 0.1, HERE, 2, peck_rad=u)),
    "bird flying": (animals.bird("x", 0.1), lambda u: animals.bird_channels("x", 0.1, HIGH, 2, u)),
    "fish": (animals.fish("x", 0.1), lambda u: animals.fish_channels("x", 0.1, HIGH, 2, u)),
    "monkey": (animals.monkey("x", 0.3), lambda u: animals.monkey_channels("x", 0.3, HERE, 2, (0.4 + 2 * u, 0.5))),
    "car": (vehicles.car("x", 0.3), lambda u: vehicles.car_channels("x", 0.3, HERE, 2, u)),
    "van": (vehicles.van("x", 0.3), lambda u: vehicles.van_channels("x", 0.3, HERE, 2, u)),
    "wagon": (vehicles.wagon("x", 0.3), lambda u: vehicles.wagon_channels("x", 0.3, HERE, 2, u)),
    "locomotive": (vehicles.locomotive("x", 0.3), lambda u: vehicles.locomotive_channels("x", 0.3, HERE, 2, u)),
    "vacuum": (craft.vacuum("x", 0.1), lambda u: craft.vacuum_channels("x", 0.1, HERE, 2, u)),
    "rocket": (craft.rocket("x", 0.3), lambda u: craft.rocket_channels("x", 0.3, HIGH, 2, u)),
    "boat": (craft.boat("x", 0.3), lambda u: craft.boat_channels("x", 0.3, HIGH, 2, roll_rad=0.3 * u)),
    "aeroplane": (craft.aeroplane("x", 0.3), lambda u: craft.aeroplane_channels("x", 0.3, HIGH, 2, u)),
    "robot arm": (
        robots.robot_arm("x", 0.3),
        lambda u: robots.robot_arm_channels("x", 0.3, HERE, 2, (0.1 + 0.2 * u, 0, 0.05)),
    ),
    "gantry": (
        robots.gantry("x", 0.4, 0.3, 0.1, 0.05),
        lambda u: robots.gantry_channels("x", 0.3, 0.1, 0.05, (0.1 * u, 0.05), 0.02),
    ),
    "robot": (robots.robot("x", 0.3), lambda u: robots.robot_channels("x", 0.3, HERE, 2, u)),
    "plant": (plants.plant("x", 0.2), lambda u: plants.plant_channels("x", 0.2, HIGH, 2, u, wilt_rad=1.4 * u)),
    "flower": (plants.flower("x", 0.2), lambda u: plants.flower_channels("x", 0.2, HERE, 2, 1.4 * u, growth=u)),
    "sunflower": (plants.sunflower("x", 0.3), lambda u: plants.sunflower_channels("x", 0.3, HERE, 2, 1.2 * u)),
    "seedling": (plants.seedling("x", 0.1), lambda u: plants.seedling_channels("x", 0.1, HIGH, 2, u)),
    "tree": (trees.tree("x", 0.4, num_fruit=7), lambda u: trees.tree_channels("x", 0.4, HERE, 2, fruit=True, crown=u)),
    "conifer": (trees.conifer("x", 0.4), lambda u: trees.tree_channels("x", 0.4, HERE, 2)),
    "grass": (trees.grass("x", 0.1), lambda u: trees.grass_channels("x", 0.1, HERE, 2, u, sway_rad=0.3)),
    "mushroom": (trees.mushroom("x", 0.1), lambda u: trees.mushroom_channels("x", 0.1, HERE, 2, u)),
    "door": (buildings.door_in_wall("x", 0.3, 0.4), lambda u: buildings.door_channels("x", 0.3, u)),
    "barrier": (buildings.barrier("x", 0.3), lambda u: buildings.barrier_channels("x", 0.3, u)),
    "lighthouse": (buildings.lighthouse("x", 0.3), lambda u: buildings.lighthouse_channels("x", 0.3, u)),
    "traffic light": (buildings.traffic_light("x", 0.3), lambda u: buildings.traffic_light_channels("x", ["red"])),
}
STILL = {
    "house": buildings.house("x", 0.3),
    "block of flats": buildings.house("x", 0.3, 3, 4, flat_roof=True),
    "tower": buildings.tower("x", 0.3),
    "street lamp": buildings.street_lamp("x", 0.3),
    "fence": furniture.fence("x", 0.4, 0.1),
    "bench": furniture.bench("x", 0.3),
    "table": furniture.table("x", 0.2, 0.3, 0.2),
    "chair": furniture.chair("x", 0.3),
    "stool": furniture.stool("x", 0.1),
    "road": furniture.road("x", 0.5, 0.2),
    "railway": furniture.railway("x", 0.5, 0.1),
    "rock": furniture.rock("x", 0.1, 3),
    "pot": plants.pot("x", 0.1),
    "banana": trees.banana("x", 0.1),
}


def points(part, channels):
    """[V, 3] vertices of one part in the event's frame."""
    return np.asarray(baked([part], channels)[0].mesh.vertices)


def part_of(parts, suffix):
    return next(p for p in parts if p.name == f"x_{suffix}")


@pytest.mark.parametrize("what", MOVING)
def test_moving_figure(what):
    """All its parts are posed, with the vertices that they have, finite and above the ground."""
    parts, channels = MOVING[what]
    assert sum(len(p.mesh.vertices) for p in parts) <= 2500
    names = {p.name for p in parts}
    for share in (0.0, 0.13, 0.5, 0.77, 1.0):
        own = channels(share)
        assert set(own) <= names
        for part in parts:
            for channel in own.get(part.name, ()):
                if isinstance(channel, Vertices):
                    assert channel.vertices_m.shape == part.mesh.vertices.shape, part.name
            placed = points(part, own)
            assert np.isfinite(placed).all()
            assert placed[:, 2].min() >= -1e-4, (part.name, share)
    still = {"door", "barrier", "lighthouse", "traffic light"}
    assert what in still or set(own) == names


@pytest.mark.parametrize("what", MOVING)
def test_rest_mesh_is_closed_form_of_its_channels(what):
    """The same instant gives the same channels, bit for bit: no hidden state."""
    _, channels = MOVING[what]
    first, again = channels(0.37), channels(0.37)
    for name, own in first.items():
        for a, b in zip(own, again[name], strict=True):
            assert repr(a) == repr(b)


@pytest.mark.parametrize("what", STILL)
def test_still_figure(what):
    parts = STILL[what]
    assert len({p.name for p in parts}) == len(parts)
    assert sum(len(p.mesh.vertices) for p in parts) <= 2500
    for part in parts:
        assert np.asarray(part.mesh.vertices)[:, 2].min() >= -1e-6, part.name


@pytest.mark.parametrize("running", [False, True])
def test_shoes_stand_still_on_the_ground(running):
    """Over a stride, each shoe that touches the ground stays where it is in the world, and one or none swings."""
    height, parts = 0.3, people.person("x", 0.3)
    stride = people.stride_length_m(height, running)
    for side in ("left", "right"):
        shoe, previous, still = part_of(parts, f"{side}_shoe"), None, 0
        for phase in np.linspace(0, 2, 201):
            own = people.person_channels("x", height, (phase * stride, 0, 0), 0.0, phase, running=running)
            low = points(shoe, own)
            low = low if low[:, 2].min() < 1e-9 else None
            if low is not None and previous is not None:
                assert np.abs(low - previous).max() < 1e-9
                still += 1
            previous = low
        assert still > 50


def test_legs_do_not_stretch():
    """Hip to knee and knee to ankle keep their lengths: the hips stay low enough for the stride."""
    for running in (False, True):
        for phase in np.linspace(0, 1, 41):
            lines = people._limbs(1.0, phase, running, False, (0.0, 0.0), (None, None))
            for side in ("left", "right"):
                reach = np.linalg.norm(lines[f"{side}_leg"][-1] - lines[f"{side}_leg"][0])
                assert reach <= people.THIGH + people.SHIN + 1e-9, (running, phase)


@pytest.mark.parametrize("kind", ["cat", "mouse", "caterpillar"])
def test_what_touches_the_ground_stands(kind):
    """No vertex that rests on the ground in two successive instants has moved along it."""
    build = {"cat": "paws", "mouse": "feet", "caterpillar": "light"}[kind]
    stride = getattr(animals, f"{kind}_stride_m")(0.2)
    part = part_of(getattr(animals, kind)("x", 0.2), build)
    before = None
    for phase in np.linspace(0, 1, 101):
        own = getattr(animals, f"{kind}_channels")("x", 0.2, (phase * stride, 0, 0), 0.0, phase)
        now = points(part, own)
        if before is not None:
            lowest = part.mesh.vertices[:, 2].min() + 1e-9
            both = (now[:, 2] <= lowest) & (before[:, 2] <= lowest)
            if both.any():
                assert np.abs((now - before)[both]).max() < 1e-9
        before = now


@pytest.mark.parametrize("kind", ["car", "van", "wagon", "locomotive"])
def test_wheels_roll_without_slip(kind):
    """The point of a tyre at the ground has no speed: to second order, a small way moves it by nothing."""
    tyres = part_of(getattr(vehicles, kind)("x", 0.3), "front_tyres")
    channels = getattr(vehicles, f"{kind}_channels")
    step = 1e-6
    for way in (0.0, 0.03, 0.2):
        at, after = (points(tyres, channels("x", 0.3, (s, 0, 0), 0.0, s)) for s in (way, way + step))
        radius = (at[:, 2].max() - at[:, 2].min()) / 2
        matrix = pose_matrix(channels("x", 0.3, (way, 0, 0), 0.0, way)["x_front_tyres"])
        assert matrix[2, 3] == pytest.approx(radius, rel=0.02)
        speed = (after - at) / step
        wanted = at[:, 2] / matrix[2, 3]  # rolling: speed grows with the height above the contact point
        assert np.abs(speed[:, 0] - wanted).max() < 1e-3


def test_robot_arm_reaches_its_target():
    rng = np.random.default_rng(3)
    reach, base, heading = 0.4, (0.1, 0.05, 0.02), 0.8
    fingers = [part_of(robots.robot_arm("x", reach), f"{side}_finger") for side in ("left", "right")]
    tried = 0
    for target in rng.uniform((-0.3, -0.3, 0.0), (0.3, 0.3, 0.3), (40, 3)):
        c, s = np.cos(-heading), np.sin(-heading)
        own = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ (target - base)
        if not robots.arm_reaches(reach, own):
            continue
        tried += 1
        channels = robots.robot_arm_channels("x", reach, base, heading, target, half_gap_m=0.01)
        ends = [points(finger, channels) for finger in fingers]
        tips = [end[end[:, 2] < end[:, 2].min() + 1e-9].mean(axis=0) for end in ends]
        assert np.mean(tips, axis=0) == pytest.approx(target, abs=1e-9)
        upper, fore = (pose_matrix(channels[f"x_{part}"]) for part in ("upper", "fore"))
        assert np.linalg.norm(fore[:3, 3] - upper[:3, 3]) == pytest.approx(robots.LINK * reach)
    assert tried > 15


def test_hands_reach_what_they_are_told():
    goal = (0.09, 0.03, 0.2)
    channels = people.person_channels("x", 0.3, (0, 0, 0), 0.0, hands_m=(goal, None))
    assert people.hand_m(channels, "x", "left") == pytest.approx(goal, abs=1e-9)


def test_monkey_hand_is_where_it_says():
    parts, angle = animals.monkey("x", 0.3), 1.1
    channels = animals.monkey_channels("x", 0.3, HERE, 0.4, (angle, 0.2))
    hand = animals.monkey_hand_m(0.3, HERE, 0.4, "left", angle)
    assert np.linalg.norm(points(part_of(parts, "left_arm"), channels) - hand, axis=1).min() < 0.08 * 0.3


def test_gantry_grips_where_it_is_told():
    parts = robots.gantry("x", 0.4, 0.3, 0.1, 0.05)
    channels = robots.gantry_channels("x", 0.3, 0.1, 0.05, (0.07, 0.06), 0.02)
    left, right = (points(part_of(parts, f"{side}_finger"), channels) for side in ("left", "right"))
    assert left[:, 0].max() == pytest.approx(0.05) and right[:, 0].min() == pytest.approx(0.09)
    rod = points(part_of(parts, "rod"), channels)
    palm = points(part_of(parts, "palm"), channels)
    assert rod[:, 2].max() == pytest.approx(0.3) and rod[:, 2].min() == pytest.approx(palm[:, 2].max())
