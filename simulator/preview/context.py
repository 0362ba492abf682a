"""The OpenGL context of this process (pyrender's EGL platform: no display needed), programs and frame buffers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from OpenGL import GL
from pyrender.platforms.egl import EGLPlatform


@lru_cache(maxsize=1)
def open_context() -> EGLPlatform:
    """The one context of this process, made at the first call. Raises whatever EGL raises where there is none."""
    platform = EGLPlatform(1, 1)
    platform.init_context()
    return platform


def device_name() -> str:
    """What draws, e.g. "llvmpipe (LLVM 15.0.7, 256 bits)"."""
    return bytes(GL.glGetString(GL.GL_RENDERER)).decode(errors="replace")


class Program:
    """A linked pair of shaders of this package, with the places of its uniforms."""

    def __init__(self, vertex: str, fragment: str, defines: Mapping[str, float]) -> None:
        """Raises RuntimeError with the compiler's words."""
        self.id = GL.glCreateProgram()
        for kind, name in ((GL.GL_VERTEX_SHADER, vertex), (GL.GL_FRAGMENT_SHADER, fragment)):
            version, _, code = files(__package__).joinpath(name).read_text("utf-8").partition("\n")
            shader = GL.glCreateShader(kind)
            GL.glShaderSource(shader, "\n".join([version, *(f"#define {k} {v}" for k, v in defines.items()), code]))
            GL.glCompileShader(shader)
            if not GL.glGetShaderiv(shader, GL.GL_COMPILE_STATUS):
                raise RuntimeError(f"{name}: {GL.glGetShaderInfoLog(shader)!r}")
            GL.glAttachShader(self.id, shader)
            GL.glDeleteShader(shader)
        GL.glLinkProgram(self.id)
        if not GL.glGetProgramiv(self.id, GL.GL_LINK_STATUS):
            raise RuntimeError(f"{vertex} + {fragment}: {GL.glGetProgramInfoLog(self.id)!r}")
        count = GL.glGetProgramiv(self.id, GL.GL_ACTIVE_UNIFORMS)
        names = [bytes(GL.glGetActiveUniform(self.id, i)[0]).decode().removesuffix("[0]") for i in range(count)]
        self._at = {name: GL.glGetUniformLocation(self.id, name) for name in names}

    def use(self, uniforms: Mapping[str, NDArray[Any]]) -> None:
        """Draw with it. Matrices [4, 4], vectors [2..4], `lamps` [L, 3, 4]; what a shader has no use for is left out.

        Textures are read from unit 0, where uniforms without a value point.
        """
        GL.glUseProgram(self.id)
        for name, value in uniforms.items():
            if name not in self._at:
                continue
            sent = np.ascontiguousarray(value, dtype=np.float32)
            match sent.shape:
                case (4, 4):
                    GL.glUniformMatrix4fv(self._at[name], 1, True, sent)
                case (2 | 3 | 4 as size,):
                    _VECTORS[size](self._at[name], 1, sent)
                case (count, 3, 4):
                    GL.glUniform4fv(self._at[name], 3 * count, sent)
                    GL.glUniform1i(self._at[f"num_{name}"], count)


_VECTORS = {2: GL.glUniform2fv, 3: GL.glUniform3fv, 4: GL.glUniform4fv}


@lru_cache(maxsize=16)
def program(vertex: str, fragment: str, defines: tuple[tuple[str, float], ...]) -> Program:
    """Compiled once in a process."""
    return Program(vertex, fragment, dict(defines))


class Target:
    """A colour texture of one format that is drawn on, with a depth buffer if asked for."""

    def __init__(self, width_px: int, height_px: int, colour: Any, *, with_depth: bool) -> None:
        self.size = (width_px, height_px)
        self.frame = int(GL.glGenFramebuffers(1))
        self.colour = int(GL.glGenTextures(1))
        self._depth = int(GL.glGenRenderbuffers(1)) if with_depth else None
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self.frame)
        GL.glBindTexture(GL.GL_TEXTURE_2D, self.colour)
        GL.glTexStorage2D(GL.GL_TEXTURE_2D, 1, colour, *self.size)
        for what, value in (
            (GL.GL_TEXTURE_MIN_FILTER, GL.GL_LINEAR),
            (GL.GL_TEXTURE_MAG_FILTER, GL.GL_LINEAR),
            (GL.GL_TEXTURE_WRAP_S, GL.GL_CLAMP_TO_EDGE),
            (GL.GL_TEXTURE_WRAP_T, GL.GL_CLAMP_TO_EDGE),
        ):
            GL.glTexParameteri(GL.GL_TEXTURE_2D, what, value)
        GL.glFramebufferTexture2D(GL.GL_FRAMEBUFFER, GL.GL_COLOR_ATTACHMENT0, GL.GL_TEXTURE_2D, self.colour, 0)
        if self._depth is not None:
            GL.glBindRenderbuffer(GL.GL_RENDERBUFFER, self._depth)
            GL.glRenderbufferStorage(GL.GL_RENDERBUFFER, GL.GL_DEPTH_COMPONENT32F, *self.size)
            GL.glFramebufferRenderbuffer(GL.GL_FRAMEBUFFER, GL.GL_DEPTH_ATTACHMENT, GL.GL_RENDERBUFFER, self._depth)
        assert GL.glCheckFramebufferStatus(GL.GL_FRAMEBUFFER) == GL.GL_FRAMEBUFFER_COMPLETE

    def begin(self, background: tuple[float, ...]) -> None:
        """Make it what is drawn on, cleared to `background` RGBA."""
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self.frame)
        GL.glViewport(0, 0, *self.size)
        GL.glClearColor(*background)
        GL.glDepthMask(True)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT | GL.GL_DEPTH_BUFFER_BIT)

    def read(self, channels: Any, pixels: NDArray[Any]) -> NDArray[Any]:
        """What was drawn, read into `pixels` [H, W, C] (uint8 or float32) and turned top row first."""
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self.frame)
        GL.glPixelStorei(GL.GL_PACK_ALIGNMENT, 1)
        kind = GL.GL_UNSIGNED_BYTE if pixels.dtype == np.uint8 else GL.GL_FLOAT
        GL.glReadPixels(0, 0, *self.size, channels, kind, pixels)
        return pixels[::-1].copy()

    def delete(self) -> None:
        GL.glDeleteFramebuffers(1, [self.frame])
        GL.glDeleteTextures([self.colour])
        if self._depth is not None:
            GL.glDeleteRenderbuffers(1, [self._depth])
