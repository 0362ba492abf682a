"""Pictures without Blender: OpenGL off screen, on a GPU or without one. Only this package imports pyrender and OpenGL.

Jobs run it as a process of its own, `python -m simulator.preview`; `open_preview` is the way in for everyone else.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.preview.renderer import PreviewRenderer
    from simulator.stage import Stage

MISSING = "preview needs pyrender and EGL: pip install 'remind-sim[preview]', apt install libegl1 libgl1-mesa-dri"


def require_preview() -> None:
    """Raises ValueError, with what to install, where pictures cannot be drawn."""
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")  # PyOpenGL chooses its platform at import
    try:
        from simulator.preview.context import open_context

        open_context()
    except Exception as error:  # ImportError, OSError, AssertionError, GLError: ways of not being there
        raise ValueError(f"{MISSING} ({type(error).__name__}: {error})") from None


def open_preview(stage: Stage) -> PreviewRenderer:
    """A renderer of one stage; it frees what it holds when it is dropped. Raises ValueError where none can be had."""
    require_preview()
    from simulator.preview.renderer import PreviewRenderer

    return PreviewRenderer(stage)
