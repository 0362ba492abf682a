"""The verbs of `remind events`: plain functions that return what to print."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from event_library.base import Event
from event_library.check import check_event
from event_library.registry import EVENT_TYPES, get_type


def list_types(as_json: bool = False) -> str:
    """One line per type: id, STEVO category, law kind, summary."""
    if as_json:
        return json.dumps([_facts(kind) for kind in EVENT_TYPES.values()], indent=1)
    rows = [(k.info.id, k.info.stevo_category, k.info.law_kind, k.info.summary) for k in EVENT_TYPES.values()]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join("  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[3]]) for row in rows)


def show_type(type_id: str, as_json: bool = False) -> str:
    """Law, parameters and variables of one type; raises ValueError for an unknown id."""
    kind = get_type(type_id)
    facts = _facts(kind)
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


def check_types(type_ids: Sequence[str] = ()) -> tuple[str, bool]:
    """Tables of every promise of the named types (of all when none is named), and whether all hold."""
    kinds = [get_type(name) for name in type_ids] or list(EVENT_TYPES.values())
    reports = [check_event(kind) for kind in kinds]
    return "\n\n".join(report.table() for report in reports), all(report.sound for report in reports)


def _variable_line(variable: dict[str, Any]) -> str:
    probed = f", moved from {variable['min_delta']:.3g}" if variable["min_delta"] is not None else ""
    about = f"{variable['role']}, {variable['domain']}, {variable['unit']}, within {variable['tolerance']:.3g}{probed}"
    return f"  {variable['name']:10} {about}  {variable['label']}".rstrip()


def _facts(kind: type[Event]) -> dict[str, Any]:
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
