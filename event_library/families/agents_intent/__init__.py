"""Agents intent: procedural characters, vehicles and robots with goals."""

from __future__ import annotations

from event_library.base import Event

TYPES: tuple[type[Event], ...] = ()
