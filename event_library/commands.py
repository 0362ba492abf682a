"""The verbs of `remind events`: plain functions that return what to print."""

from __future__ import annotations

import functools
import json
import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from typing import Any

from tqdm import tqdm

from event_library.base import Event
from event_library.check import CheckReport, check_event
from event_library.registry import EVENT_TYPES, get_type


def list_types(as_json: bool = False) -> str:
    """One line per type: id, STEVO category, law kind, summary."""
    if as_json:
        return json.dumps([type_facts(kind) for kind in EVENT_TYPES.values()], indent=1)
    rows = [(k.info.id, k.info.stevo_category, k.info.law_kind, k.info.summary) for k in EVENT_TYPES.values()]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join("  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[3]]) for row in rows)


def show_type(type_id: str, as_json: bool = False) -> str:
    """Law, parameters and variables of one type; raises ValueError for an unknown id."""
    kind = get_type(type_id)
    facts = type_facts(kind)
    if as_json:
        return json.dumps(facts, indent=1)
    lines = [
        f"{facts['id']}  ({facts['family']}, {facts['stevo_category']}, difficulty {facts['difficulty']})",
        f"  {facts['summary']}",
        f"  prompt: {facts['prompt']}",
        f"  law ({facts['law_kind']}): {facts['law']}",
        f"  flags: {', '.join(facts['flags'])}",
        "parameters (name in a spec, range, default)",
        *(
            f"  {p['name']:26} {p['low']:g} .. {p['high']:g} {p['unit']}, {p['default']:g}  ({p['symbol']})"
            for p in facts["params"]
        ),
        *(f"  only where {reason}" for reason in facts["accepted_where"]),
        "variables",
        *(_variable_line(v) for v in facts["variables"]),
    ]
    return "\n".join(lines)


def check_types(
    type_ids: Sequence[str] = (), num_samples: int = 4, num_workers: int | None = None
) -> list[CheckReport]:
    """Reports of the named types (of all when none is named), checked in parallel; a bar tells how far it is.

    Raises ValueError for an unknown type or fewer than one sample.
    """
    if num_samples < 1:
        raise ValueError(f"--samples: {num_samples} is too few; give 1 or more")
    names = [get_type(name).info.id for name in type_ids] or list(EVENT_TYPES)
    one = functools.partial(_check, num_samples=num_samples)
    if len(names) == 1:
        return [one(names[0])]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(num_workers or os.cpu_count(), mp_context=context) as pool:
        return list(tqdm(pool.map(one, names), desc="check", unit="types", total=len(names)))


def _check(type_id: str, num_samples: int) -> CheckReport:
    return check_event(get_type(type_id), num_samples=num_samples)


def report_text(reports: Sequence[CheckReport]) -> str:
    """One report in full; several as one line each, in full only where a promise is broken."""
    if len(reports) == 1:
        return reports[0].table()
    width = max(len(r.type_id) for r in reports)
    lines = [f"{r.type_id.ljust(width)}  {r.summary()}" for r in reports]
    broken = [r for r in reports if not r.sound]
    count = f"{len(reports) - len(broken)} of {len(reports)} types are sound"
    return "\n".join([*lines, "", *(r.table() for r in broken), count])


def _variable_line(variable: dict[str, Any]) -> str:
    probed = f", moved from {variable['min_delta']:.3g}" if variable["min_delta"] is not None else ""
    about = f"{variable['role']}, {variable['domain']}, {variable['unit']}, within {variable['tolerance']:.3g}{probed}"
    return f"  {variable['name']:10} {about}  {variable['label']}".rstrip()


def type_facts(kind: type[Event]) -> dict[str, Any]:
    """All that is known about a type without drawing parameters, as plain data."""
    defaults = kind().params()
    return {
        **asdict(kind.info),
        "params": [
            {
                "name": spec.yaml_name,
                "symbol": spec.symbol,
                "unit": spec.yaml_unit,
                "low": spec.to_yaml(spec.low),
                "high": spec.to_yaml(spec.high),
                "default": spec.to_yaml(defaults[spec.name]),
                "integer": spec.integer,
            }
            for spec in kind.param_specs()
        ],
        "accepted_where": [reason for reason, _ in kind.accept_rules],
        "variables": [asdict(v) for v in kind.variables],
    }
