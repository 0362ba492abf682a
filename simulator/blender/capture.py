"""Takes the float picture straight from Cycles: no file, no compositor, bit-equal to the 32-bit EXR (RENDER_NOTES)."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Capture:
    """Wraps Cycles' render callback; keeps the last Combined pass and the seconds spent inside the renderer."""

    _installed: Capture | None = None

    def __init__(self) -> None:
        self.seconds = 0.0
        self._picture: NDArray[np.float32] | None = None

    @classmethod
    def install(cls) -> Capture:
        """The process's one capture, with its clock at zero."""
        import cycles

        if cls._installed is None:
            cls._installed = capture = cls()
            original = cycles.CyclesRender.render

            def render(engine: Any, depsgraph: Any) -> None:
                began = time.perf_counter()
                original(engine, depsgraph)
                capture.seconds += time.perf_counter() - began
                capture._read(engine)

            cycles.CyclesRender.render = render
        cls._installed.seconds = 0.0
        return cls._installed

    def _read(self, engine: Any) -> None:
        result = engine.get_result()
        combined = next(p for p in result.layers[0].passes if p.name == "Combined")
        flat = np.empty(result.resolution_x * result.resolution_y * combined.channels, dtype=np.float32)
        combined.rect.foreach_get(flat)
        self._picture = flat.reshape(result.resolution_y, result.resolution_x, combined.channels)[::-1, :, :3]

    def take(self) -> NDArray[np.float32]:
        """[H, W, 3] scene-linear picture of the last render, top row first. Raises RuntimeError when there is none."""
        picture, self._picture = self._picture, None
        if picture is None:
            raise RuntimeError("Cycles returned no picture")
        return picture


def srgb_from_linear(linear: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Display-referred 8-bit sRGB (IEC 61966-2-1) of scene-linear values, clipped to [0, 1]."""
    clipped = np.clip(linear.astype(np.float64), 0.0, 1.0)
    encoded = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)
    return np.round(encoded * 255.0).astype(np.uint8)
