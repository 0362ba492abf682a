"""What a text-conditioned model is told of the interruptions of a clip. Imports the standard library alone, as whoever
reads clips may have nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

INTERRUPTION_CLAUSES: Mapping[str, str] = MappingProxyType(  # after the taxonomy's interruption_clauses
    {
        "look_away": "The camera moves smoothly away until the subject has left the frame, stays there, then comes "
        "back to the same view.",
        "occluder": "Something opaque comes before the subject, stays there for a few seconds, then leaves.",
        "lights_off": "The lights go out for a few seconds, then come back on.",
        "fog": "A thick white fog closes in until nothing can be seen, and then clears.",
        "blackout": "The picture is black for a few seconds and then resumes with the clock still running.",
        "frame_drop": "The video stops for a few seconds and then resumes with the clock still running.",
        "corrupt": "The signal breaks up for a few seconds, and then comes back clean.",
    }
)


def event_prompt(prompt: str) -> str:
    """Of a clip's prompt what it says of the events: without the clauses of interruptions at its end."""
    while clause := next((c for c in INTERRUPTION_CLAUSES.values() if prompt.endswith(c)), None):
        prompt = prompt.removesuffix(clause).rstrip()
    return prompt
