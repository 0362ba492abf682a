"""Phase change: laws once more, by other means (see event_library.references)."""

from __future__ import annotations

from collections.abc import Mapping

from event_library.references.base import Reference

REFERENCES: Mapping[str, Reference] = {}
