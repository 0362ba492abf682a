"""One suite over all event types: `check_event`, and what it can't see."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys

import numpy as np
import pytest

from event_library.base import Event
from event_library.check import check_event
from event_library.registry import EVENT_TYPES

KINDS = [pytest.param(kind, id=name) for name, kind in EVENT_TYPES.items()]

DIGEST = """
import hashlib, numpy as np
from event_library.registry import EVENT_TYPES
digest = hashlib.sha256()
for name in sorted(EVENT_TYPES):
    states = EVENT_TYPES[name]().states(np.linspace(0, 9, 31))
    digest.update(b"".join(states[k].tobytes() for k in sorted(states)))
print(digest.hexdigest())
"""


@pytest.mark.parametrize("kind", KINDS)
def test_type_keeps_its_promises(kind: type[Event]) -> None:
    num_samples = 1 if kind.info.law_kind == "rigid_body" else 3
    report = check_event(kind, num_samples=num_samples, seed=1)
    assert report.sound, report.table()


@pytest.mark.parametrize("kind", KINDS)
def test_sampling_depends_on_the_generator_alone(kind: type[Event]) -> None:
    draws = [kind.sample(np.random.default_rng(5)) for _ in range(2)]
    assert draws[0] == draws[1]
    assert draws[0] != kind.sample(np.random.default_rng(6))
    assert kind(**draws[0].params()) == draws[0]


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_outside_their_range_are_named_in_yaml_words(kind: type[Event]) -> None:
    spec = kind.param_specs()[0]
    with pytest.raises(ValueError, match=rf"{spec.yaml_name}: .* nearest legal value"):
        kind(**{spec.name: spec.high * 2})


@pytest.mark.parametrize("kind", KINDS)
def test_asking_for_more_frames_changes_nothing(kind: type[Event]) -> None:
    event = kind()
    coarse, fine = (event.states(np.arange(0, 8 * rate) / rate) for rate in (8, 24))
    for name, values in coarse.items():
        np.testing.assert_array_equal(values, fine[name][::3], err_msg=name)


def test_another_process_gives_the_same_states() -> None:
    elsewhere = subprocess.run([sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True)
    here = io.StringIO()
    with contextlib.redirect_stdout(here):
        exec(DIGEST, {})
    assert here.getvalue() == elsewhere.stdout


def test_a_broken_law_is_caught() -> None:
    from event_library.families.flow.filling import TankFilling

    class Leaky(TankFilling):
        def states(self, t_s: np.ndarray) -> dict[str, np.ndarray]:
            states = super().states(t_s)
            leak = 1e-4 * np.maximum(np.sin(3 * np.asarray(t_s)), 0)
            return {**states, "level": states["level"] - leak}

    broken = {f.name for f in check_event(Leaky, num_samples=1).findings if not f.holds}
    assert "agrees with an independent reference" in broken
    assert "flag monotone: never reverses" in broken
