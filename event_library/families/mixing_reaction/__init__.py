"""Mixing and reaction: diffusion, colour reactions, patterns, foams."""

from __future__ import annotations

from event_library.base import Event

TYPES: tuple[type[Event], ...] = ()
