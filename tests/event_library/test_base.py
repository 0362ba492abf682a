"""Parameters that are refused say what would do; differences wrap; colours and opacity reach the picture."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from event_library.base import ParamSpec, angle_param, nearest_accepted, param, placed_meshes, readout, seed_param
from event_library.channels import Colour, Emission, Move, Opacity, Visible, present
from event_library.families.flow.filling import TankFilling
from event_library.preview import look


def test_a_rejected_combination_names_the_nearest_legal_value() -> None:
    fixed = {"inflow_m3_per_s": 1.0e-4, "radius_m": 0.03, "fill_height_m": 0.14, "start_level_m": 0.02}
    with pytest.raises(ValueError, match=r"filling takes 5 to 22 s: .*nearest legal value of one of them") as caught:
        TankFilling.sample(np.random.default_rng(0), fixed)
    name, value = str(caught.value).rsplit("them: ", 1)[1].split(":")
    assert TankFilling(**{**fixed, name: float(value.split()[0])}).rejection() is None
    with pytest.raises(ValueError, match="filling takes"):  # it is the nearest: half as far is still refused
        halfway = (fixed[name] + float(value.split()[0])) / 2
        TankFilling.sample(np.random.default_rng(0), {**fixed, name: halfway})


def test_where_no_single_change_helps_that_is_said() -> None:
    class Never(TankFilling):
        accept_rules = (("it never holds", lambda e: False),)

    assert nearest_accepted(Never, {"radius_m": 0.03}).startswith("no single change of radius_m")
    with pytest.raises(ValueError, match="it never holds"):
        Never.sample(np.random.default_rng(0))


def test_samples_hold_their_rules_and_keep_what_is_fixed() -> None:
    for seed in range(20):
        event = TankFilling.sample(np.random.default_rng(seed), {"radius_m": 0.031})
        assert event.rejection() is None and event.radius_m == 0.031


@dataclasses.dataclass(frozen=True)
class Turning:
    angle_rad: float = angle_param("a", 10, 30)
    spin_rad_per_s: float = angle_param("w", -90, 90, unit="rad/s")
    num_steps: int = param("n", "count", 3, 8)
    seed: int = seed_param()

    @classmethod
    def specs(cls) -> dict[str, ParamSpec]:
        return {f.name: ParamSpec(name=f.name, **f.metadata["param"]) for f in dataclasses.fields(cls)}


def test_angles_and_rates_are_degrees_in_yaml() -> None:
    specs = Turning.specs()
    assert (specs["angle_rad"].yaml_name, specs["angle_rad"].yaml_unit) == ("angle_deg", "deg")
    assert (specs["spin_rad_per_s"].yaml_name, specs["spin_rad_per_s"].yaml_unit) == ("spin_deg_per_s", "deg/s")
    assert specs["angle_rad"].to_yaml(Turning().angle_rad) == pytest.approx(20)
    assert specs["spin_rad_per_s"].from_yaml(90) == pytest.approx(np.pi / 2)
    assert specs["num_steps"].integer and specs["seed"].integer and isinstance(Turning().num_steps, int)


def test_differences_take_the_shorter_way_round() -> None:
    hand = readout("hand", "rad", 0.1, min_delta=0.3, cycle=2 * np.pi)
    assert hand.difference(np.array(6.2), np.array(0.1)) == pytest.approx(0.1 + 2 * np.pi - 6.2)
    assert readout("x", "m", 0.1).difference(np.array(6.2), np.array(0.1)) == pytest.approx(-6.1)


def test_what_is_half_clear_or_invisible_is_not_there() -> None:
    assert present((Opacity(0.5), Visible(True))) and present(())
    assert not present((Opacity(0.49),)) and not present((Visible(False),))
    event = TankFilling()
    meshes = placed_meshes(event.assembly(), {"tap": (Opacity(0.2),), "rim": (Move(np.zeros(3)),)})
    assert "tap" not in meshes and "water" in meshes


def test_colour_and_glow_show_in_the_preview() -> None:
    event = TankFilling()
    plain = event.channels(event.state_at(3.0))

    class Painted(TankFilling):
        def channels(self, state):  # type: ignore[no-untyped-def]
            return {**plain, "water": (*plain["water"], Colour(np.array([1.0, 0.0, 0.0])), Emission(0.5))}

    red = look(Painted(), event.state_at(3.0)).view.rgb["water"].mean(axis=0)
    assert red[0] > 0.9 and red[1] > look(event, event.state_at(3.0)).view.rgb["water"].mean(axis=0)[1]
