"""The JSON schema of a scene spec, event types and their parameters included, so that editors complete and check."""

from __future__ import annotations

from typing import Any

from event_library.base import Event
from scenes.fields import quantity_schema
from scenes.loading import EventTypes, registered_types
from scenes.spec import SceneSpec


def spec_schema(event_types: EventTypes | None = None) -> dict[str, Any]:
    """JSON schema (draft 2020-12). Point an editor at it: `# yaml-language-server: $schema=scene.schema.json`."""
    types = registered_types() if event_types is None else event_types
    schema = SceneSpec.model_json_schema()
    event = schema["$defs"]["EventSpec"]
    event["properties"]["type"] = {"oneOf": [_named(name, kind) for name, kind in sorted(types.items())]}
    event["allOf"] = [_params_rule(name, kind) for name, kind in sorted(types.items())]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _named(name: str, kind: type[Event]) -> dict[str, Any]:
    return {"const": name, "description": kind.info.summary}


def _params_rule(name: str, kind: type[Event]) -> dict[str, Any]:
    """If the type is this one, params are its parameters in YAML units."""
    properties = {}
    for spec in kind.param_specs():
        low, high = spec.to_yaml(spec.low), spec.to_yaml(spec.high)
        unit = "deg" if spec.is_angle else spec.unit
        properties[spec.yaml_name] = quantity_schema(low, high, unit, spec.integer)
    params = {"type": "object", "properties": properties, "additionalProperties": False}
    return {
        "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
        "then": {"properties": {"params": params}},
    }
