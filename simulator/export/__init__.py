"""Clips in the formats of other tools: `EXPORTERS` maps a name to the function that writes it.

An exporter takes clips and a folder, and returns what it wrote there. What it writes appears whole, by a rename, or
not at all; what is there already is never overwritten (ValueError).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from simulator.clip import Clip
from simulator.export.blend import export_blend
from simulator.export.coco import export_coco
from simulator.export.nerfstudio import export_nerfstudio
from simulator.export.rerun import export_rerun

Exporter = Callable[[Sequence[Clip], Path], list[Path]]

EXPORTERS: Mapping[str, Exporter] = MappingProxyType(
    {"nerfstudio": export_nerfstudio, "coco": export_coco, "rerun": export_rerun, "blend": export_blend}
)
