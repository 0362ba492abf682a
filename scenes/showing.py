"""A spec that shows one event type by itself, for the gallery and the checks by rendering: nobody has to write it."""

from __future__ import annotations

from scenes.fields import Vocabulary
from scenes.loading import EventTypes, parse_spec, registered_types
from scenes.plan import ScenePlan
from scenes.sampling import sample_plans
from scenes.spec import InterruptionSpec, SceneSpec

FPS = 8
SPEC = """
version: 1
name: {name}
seed: 0
clip: {{duration_s: {duration_s}, fps: {fps}, resolution: [{size_px}, {size_px}]}}
world: {{kind: tabletop, clutter: {{uniform_int: [1, 3]}}, light: {{preset: {preset}, strength: {strength}}}}}
events:
  - {{id: shown, type: {name}}}
camera: {{path: static, look_at: shown}}
interruptions:
  - {{kind: {interruption}, target: shown, hidden_s: [2.0, 3.0]}}
render: {{engine: cycles, samples: 8, denoise: true}}
outputs: [rgb, depth, segmentation, twins]
"""


def showing_spec(type_id: str, size_px: int, interruption: str, event_types: EventTypes | None = None) -> SceneSpec:
    """The type with parameters of its own choice, hidden once in a clip of its usual length."""
    types = registered_types() if event_types is None else event_types
    info, glows = types[type_id].info, bool(types[type_id]().assembly().lamps)
    return parse_spec(
        SPEC.format(
            name=type_id,
            duration_s=round(info.typical_duration_s * FPS) / FPS,
            fps=FPS,
            size_px=size_px,
            preset="dim" if glows else "studio",
            strength=1.6 if glows else 1.25,
            interruption=interruption,
        ),
        f"showing {type_id}",
        types,
    )


def showing_plan(type_id: str, index: int, size_px: int, event_types: EventTypes | None = None) -> ScenePlan:
    """Plan `index` of a type: other parameters, another place, and in turn each interruption that can hide it.

    Raises SpecError when the type cannot be planned at all.
    """
    types = registered_types() if event_types is None else event_types
    kinds = [kind for kind in types[type_id].info.interruptions if kind in built_interruptions()] or ["look_away"]
    return sample_plans(showing_spec(type_id, size_px, kinds[index % len(kinds)], types), 1, index, types)[0]


def built_interruptions() -> tuple[str, ...]:
    """Kinds of interruption that plans can have today."""
    vocabulary = InterruptionSpec.model_fields["kind"].metadata[0]
    assert isinstance(vocabulary, Vocabulary)
    return tuple(vocabulary.available)
