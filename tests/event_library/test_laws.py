"""Laws against what can be known about them by other means."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.special import ellipk

from event_library import laws, rigid
from event_library.base import placed_meshes
from event_library.families.collisions_collapse.dominoes import DominoChain
from event_library.families.flow.filling import TankFilling
from event_library.families.logic_digital.hanoi import TowerOfHanoi, arrangements, shortest_solution
from event_library.families.oscillators.pendulums import PendulumSwing


@pytest.mark.parametrize("length_m", [0.8, 2.2])
def test_pendulum_against_scipy(length_m: float) -> None:
    event = PendulumSwing(length_m=length_m, release_angle_rad=np.deg2rad(25), damping_per_s=0.01)
    t_s = np.linspace(0, 60, 301)
    run = solve_ivp(
        lambda t, y: event.rates(tuple(y)), (0, 60), event.start_values(),
        method="DOP853", rtol=1e-10, atol=1e-12, t_eval=t_s,
    )  # fmt: skip
    span = 2 * event.release_angle_rad
    assert np.abs(event.states(t_s)["angle"] - run.y[0]).max() < 1e-7 * span


def test_pendulum_period_is_the_elliptic_one() -> None:
    event = PendulumSwing(length_m=1.0, release_angle_rad=np.deg2rad(25), damping_per_s=0.01)
    first = np.linspace(0.4, 0.7, 30001)
    quarter_s = first[np.argmin(np.abs(event.states(first)["angle"]))]
    exact_s = np.sqrt(1.0 / laws.GRAVITY_M_PER_S2) * ellipk(np.sin(event.release_angle_rad / 2) ** 2)
    small_angle_s = np.pi / 2 * np.sqrt(1.0 / laws.GRAVITY_M_PER_S2)
    assert abs(quarter_s / exact_s - 1) < 4e-3  # damping shifts a zero by about gamma / omega
    assert abs(quarter_s / exact_s - 1) < abs(quarter_s / small_angle_s - 1) / 3


def test_fixed_ticks_converge_at_fourth_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Harmonic motion has an analytic answer: halving the tick divides the error by 16."""

    class Spring:
        def start_values(self) -> tuple[float, ...]:
            return 1.0, 0.0

        def rates(self, values: tuple[float, ...]) -> tuple[float, ...]:
            return values[1], -400.0 * values[0]

    errors = []
    for tick_s in (1 / 120, 1 / 240, 1 / 480):
        monkeypatch.setattr(laws, "TICK_S", tick_s)
        t_s = np.arange(0, 480) * (1 / 120)
        errors.append(np.abs(laws.ode_values(Spring(), t_s)[:, 0] - np.cos(20 * t_s)).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(np.abs(orders - 4) < 0.2), errors


def test_a_long_run_begins_like_a_short_one() -> None:
    event = PendulumSwing()
    late = event.states(np.array([1.0, 15.99, 16.01, 50.0]))["angle"]
    laws._chunk.cache_clear()
    np.testing.assert_array_equal(event.states(np.array([1.0, 15.99]))["angle"], late[:2])


@pytest.mark.parametrize("num_discs", [3, 4])
def test_hanoi_is_legal_shortest_and_solved(num_discs: int) -> None:
    pegs = [list(range(num_discs))[::-1], [], []]  # largest at the bottom
    for disc, source, target in shortest_solution(num_discs):
        assert pegs[source].pop() == disc
        assert not pegs[target] or pegs[target][-1] > disc
        pegs[target].append(disc)
    assert pegs[2] == list(range(num_discs))[::-1]
    assert len(shortest_solution(num_discs)) == 2**num_discs - 1
    assert len(set(arrangements(num_discs))) == 2**num_discs


@settings(max_examples=150, deadline=None)
@given(num=st.sampled_from([3, 4]), move_s=st.floats(0.6, 0.95), t_s=st.floats(0, 16))
def test_hanoi_moves_are_told_from_the_discs(num: int, move_s: float, t_s: float) -> None:
    event = TowerOfHanoi(num_discs=num, move_s=move_s)
    state = event.state_at(t_s)
    landing = (t_s / move_s) % 1 > 1 - 1e-6
    if not landing:
        assert event.count_moves(state["discs"], np.full(num, 1e-6)) == state["moves"]


@settings(max_examples=60, deadline=None)
@given(num=st.sampled_from([3, 4]), t_s=st.floats(0, 15))
def test_hanoi_discs_move_without_jumps(num: int, t_s: float) -> None:
    event = TowerOfHanoi(num_discs=num)
    states = event.states(np.array([t_s, t_s + 1e-5]))
    assert np.abs(np.diff(states["discs"], axis=0)).max() < 5e-5  # below 5 m/s
    assert np.abs(np.diff(states["grip"], axis=0)).max() < 5e-5


def test_hanoi_solids_never_cross() -> None:
    """Fingers pass beside the discs, the palm above the pegs."""
    event = TowerOfHanoi(num_discs=4)
    assembly = event.assembly()
    solid = [f"disc_{d + 1}" for d in range(4)] + ["left_finger", "right_finger", "palm"]
    for t_s in np.linspace(0, 12, 97):
        boxes = {n: m.bounds for n, m in placed_meshes(assembly, event.channels(event.state_at(t_s))).items()}
        for index, first in enumerate(solid):
            for second in solid[index + 1 :]:
                gap = np.maximum(boxes[first][0] - boxes[second][1], boxes[second][0] - boxes[first][1]).max()
                assert gap > -0.0015, (t_s, first, second)
        palm, pegs = boxes["palm"], boxes["pegs"]
        assert palm[0, 2] > pegs[1, 2] - 1e-9


def test_water_mesh_holds_the_water() -> None:
    event = TankFilling()
    for t_s in (0.0, 2.0, 7.0, 40.0):
        state = event.state_at(t_s)
        water = placed_meshes(event.assembly(), event.channels(state))["water"]
        assert water.is_volume
        poured = event.area_m2 * event.start_level_m + event.inflow_m3_per_s * t_s
        assert abs(water.volume - min(poured, event.area_m2 * event.fill_height_m)) < 1e-12


def test_jet_ends_on_the_water_and_stops_with_it() -> None:
    event = TankFilling()
    running = placed_meshes(event.assembly(), event.channels(event.state_at(3.0)))
    assert running["jet"].bounds[0, 2] == pytest.approx(running["water"].bounds[1, 2], abs=1e-12)
    full = placed_meshes(event.assembly(), event.channels(event.state_at(40.0)))
    assert "jet" not in full and "splash" not in full


@pytest.fixture(scope="module")
def dominoes() -> DominoChain:
    return DominoChain(num_dominoes=36)


def test_dominoes_fall_in_order_and_all(dominoes: DominoChain) -> None:
    bake = rigid.baked(dominoes)
    lying = 1 - 2 * (bake.poses[..., 4] ** 2 + bake.poses[..., 5] ** 2) < np.cos(np.pi / 4)
    assert lying[-1].all() and not lying[0].any()
    first_s = lying.argmax(axis=0) * 0.002
    assert np.all(np.diff(first_s) > 0)
    assert np.ptp(bake.poses[0][:, 2]) == 0
    speed = 25 * dominoes.spacing_m / (first_s[30] - first_s[5])
    assert 0.5 < speed < 1.2  # the taxonomy's trial bake gave 0.6 to 0.9 m/s


def test_domino_contacts_hold_up(dominoes: DominoChain) -> None:
    """Nothing sinks into the table, slides off or spins: every body stays within a domino's height of its start."""
    poses = rigid.baked(dominoes).poses
    assert poses[..., 2].min() > 0.001  # half the thickness is 3.75 mm: the last, flat slam gives way by up to 2 mm
    assert np.linalg.norm(poses[-1, :, :2] - poses[0, :, :2], axis=1).max() < 0.06
    np.testing.assert_allclose(np.linalg.norm(poses[..., 3:], axis=-1), 1.0, atol=1e-9)


def test_bake_is_read_between_ticks(dominoes: DominoChain) -> None:
    bake = rigid.baked(dominoes)
    tau_s = np.array([0.400, 0.401, 0.402])
    poses = bake.at(tau_s)
    np.testing.assert_allclose(poses[1, :, :3], (poses[0] + poses[2])[:, :3] / 2, atol=1e-12)
    np.testing.assert_array_equal(bake.at(np.array([99.0]))[0], bake.at(np.array([3.0]))[0])


def test_a_bake_tells_when_bodies_are_set_going_and_leaves_out_what_never_is() -> None:
    poses = np.zeros((5, 2, 7))
    poses[3:, 1, 0] = 0.1
    bake = rigid.Bake(poses, np.zeros(5), 0.0)
    assert bake.set_going("hit", [1], 0.5) == {"hit": 2 * rigid.STEP_S / 0.5}
    assert bake.set_going("hit", [0], 0.5) == {}
