"""What the model is told of a clip whose interruption is another one than it came with."""

from __future__ import annotations

from simulator.clip import INTERRUPTION_CLAUSES, event_prompt
from trainer.data.veils import CORRUPTIONS


def told(prompt: str, kind: str) -> str:
    """A clip's prompt when nothing interrupts it but one of `VEILS`; "": nothing at all."""
    clause = INTERRUPTION_CLAUSES["corrupt" if kind in CORRUPTIONS else kind] if kind else ""
    return f"{event_prompt(prompt)} {clause}".strip()
