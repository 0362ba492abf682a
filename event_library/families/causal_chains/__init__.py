"""Causal chains: several events, one setting off the next."""

from __future__ import annotations

from event_library.base import Event

TYPES: tuple[type[Event], ...] = ()
