"""What an event type may declare of itself, in words alone: units in names, categories, flags, domains of variables."""

from __future__ import annotations

from typing import get_args

import numpy as np

from event_library.base import Domain, Event, EventInfo, LawKind

UNIT_SUFFIX = {
    "m": "_m", "s": "_s", "rad": "_rad", "kg": "_kg", "K": "_k", "W": "_w", "h": "_h", "min": "_min", "day": "_day",
    "degC": "_degc", "m^2": "_m2", "m^3": "_m3", "m/s": "_m_per_s", "m/s^2": "_m_per_s2", "m/h": "_m_per_h",
    "m^2/s": "_m2_per_s", "m^3/s": "_m3_per_s", "m^3/s^2": "_m3_per_s2", "mm/h": "_mm_per_h", "mm/day": "_mm_per_day",
    "kg/s": "_kg_per_s", "kg/m^3": "_kg_per_m3", "1/s": "_per_s", "1/h": "_per_h", "1/min": "_per_min",
    "1/day": "_per_day", "1/m": "_per_m", "rad/s": "_rad_per_s", "rad/h": "_rad_per_h", "min/s": "_min_per_s",
    "h/s": "_h_per_s", "day/s": "_day_per_s", "cells/s": "_cells_per_s", "N/m": "_n_per_m", "Pa s": "_pa_s",
    "W/m^2": "_w_per_m2", "W/(m^2 K)": "_w_per_m2_k", "s/s": "", "ratio": "", "frac": "", "index": "", "seed": "",
    "count": "",
}  # fmt: skip
CATEGORIES = (
    "continuous_process", "kinematics", "relational_change",
    "state_transformation", "causal_change", "expected_behaviour",
)  # fmt: skip
SCALARS = ("scalar", "angle", "count", "discrete")  # domains of one number per instant
FLAGS = ("monotone", "periodic", "reversible", "irreversible", "chaotic", "bounded", "conserved")


def declaration_problems(event: Event) -> list[str]:
    """What is wrong with the declared facts, parameters and variables of an event's type."""
    kind = type(event)
    info: EventInfo = kind.info
    found = [f"unknown flag {f!r}" for f in info.flags if f not in FLAGS]
    if info.law_kind not in get_args(LawKind):
        found.append(f"law_kind {info.law_kind!r}")
    if info.stevo_category not in CATEGORIES:
        found.append(f"stevo_category {info.stevo_category!r}")
    if {"reversible", "irreversible"} <= set(info.flags):
        found.append("both reversible and irreversible")
    for spec in kind.param_specs():
        suffix = UNIT_SUFFIX.get(spec.unit)
        if suffix is None:
            found.append(f"parameter {spec.name!r} has the unknown unit {spec.unit!r}")
        elif not spec.name.endswith(suffix) or (spec.unit == "count" and not spec.name.startswith("num_")):
            found.append(f"parameter {spec.name!r} doesn't carry its unit {spec.unit!r}")
        if not spec.low < spec.high:
            found.append(f"parameter {spec.name!r} has an empty range")
    if (broken := kind().rejection()) is not None:
        found.append(f"the defaults are rejected: {broken}")
    names = [v.name for v in kind.variables]
    if len(set(names)) != len(names):
        found.append("two variables share a name")
    probes = [v for v in kind.variables if v.min_delta is not None]
    if len(probes) != 1 or probes[0].role != "readout":
        found.append("exactly one readout needs min_delta")
    found += [f"{v.name}: tolerance above min_delta / 2" for v in probes if v.tolerance > (v.min_delta or 0) / 2]
    found += [f"{v.name}: domain {v.domain!r}" for v in kind.variables if v.domain not in get_args(Domain)]
    states = event.states(np.array([0.0, 1.0]))
    if set(states) != set(names):
        found.append(f"states and variables differ: {sorted(set(states) ^ set(names))}")
    scalar = {n for n, value in states.items() if np.ndim(value) == 1}
    found += [
        f"{v.name}: {v.domain} but not [T]" for v in kind.variables if (v.domain in SCALARS) != (v.name in scalar)
    ]
    return found
