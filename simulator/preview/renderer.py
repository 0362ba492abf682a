"""Takes the shots of one stage with OpenGL: the same requests as Blender's player, in milliseconds.

No shadows, no bounces: pictures to judge a spec by and to test with, not to train on.
"""

from __future__ import annotations

import time
import weakref
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
import pyrender
from numpy.typing import NDArray
from OpenGL import GL

from simulator.preview.buffers import Buffers
from simulator.preview.context import Target, device_name, open_context, program
from simulator.preview.lamps import event_lamp, sun_lamp, world_lamp
from simulator.preview.shapes import Shape
from simulator.preview.table import DEFINES, ROW_TEXELS, Look, fill_row, look_of
from simulator.stage import Body, Shot, Stage

Array = NDArray[np.float64]
_GL_FROM_CV = np.diag([1.0, -1.0, -1.0, 1.0])
_CLEAR_KINDS = ("shell", "liquid", "flame", "haze")
NEAREST, FURTHEST_M = 0.01, 1e4  # of the camera's distance; metres
AMBIENT = {"AMBIENT_BELOW": 0.1, "AMBIENT_ABOVE": 0.4, "AMBIENT_MIRROR": 0.3}  # matched to Cycles: docs/RESULTS.md


@dataclass
class _Placed:
    """A body and what of it lies on the device."""

    body: Body
    look: Look
    middle_m: Array  # [3] of its vertices, in its own frame
    radius_m: float

    @property
    def clear(self) -> bool:
        return self.body.part.material.kind in _CLEAR_KINDS or self.look.opacity < 1.0

    @property
    def solid_to_rays(self) -> bool:
        part = self.body.part
        return part.in_rays and not part.see_through and self.look.visible and self.look.opacity >= 0.5


class PreviewRenderer:
    """One stage, open in OpenGL. `seconds_in_renderer` counts the time spent in here."""

    def __init__(self, stage: Stage) -> None:
        open_context().make_current()
        self._stage = stage
        self.device = f"preview: {device_name()}"
        self.seconds_in_renderer = 0.0
        self._posed: Shot | None = None
        clip, k = stage.plan.clip, stage.intrinsics
        near_m = NEAREST * stage.plan.camera.distance_m
        lens = pyrender.IntrinsicsCamera(k[0, 0], k[1, 1], k[0, 2], k[1, 2], znear=near_m, zfar=FURTHEST_M)
        self._clip_from_camera = lens.get_projection_matrix(clip.width_px, clip.height_px) @ _GL_FROM_CV
        self._placed = _place(stage.bodies)
        self._table = np.zeros((len(self._placed), ROW_TEXELS, 4), dtype=np.float32)
        for row, placed in zip(self._table, self._placed, strict=True):
            fill_row(row, placed.body, placed.look)
        self._buffers = Buffers(
            [Shape.of(p.body.part) for p in self._placed], [p.look.vertices_m for p in self._placed], self._table
        )
        for number, placed in enumerate(self._placed):
            if placed.look.vertex_rgb is not None:
                self._buffers.send_colours(number, placed.look.vertex_rgb)
        self._shape = (clip.height_px, clip.width_px)
        size = (clip.width_px, clip.height_px)
        self._picture = Target(*size, GL.GL_SRGB8_ALPHA8, with_depth=True)
        self._smoothed = Target(*size, GL.GL_SRGB8_ALPHA8, with_depth=False)
        self._masks = Target(*size, GL.GL_RG32F, with_depth=True)
        num_lamps = 1 + len(stage.plan.world.lights) + len(stage.lamps)  # one for the sun
        defines = {**DEFINES, **AMBIENT, "MAX_LAMPS": num_lamps}
        self._solid, self._clear = (
            program("body.vert", "lit.frag", (*defines.items(), ("CLEAR", clear))) for clear in (0, 1)
        )
        self._ids = program("body.vert", "ids.frag", tuple(DEFINES.items()))
        self._sky = program("screen.vert", "sky.frag", ())
        self._smooth = program("screen.vert", "smooth.frag", ())
        held = (self._buffers, self._picture, self._smoothed, self._masks)
        weakref.finalize(self, _free, *held).atexit = False

    def render(self, shot: Shot) -> NDArray[np.uint8]:
        """[H, W, 3] uint8 sRGB of one shot. The same shot gives the same bytes whatever was rendered before."""
        began = time.perf_counter()
        self._pose(shot)
        seen = [i for i, p in enumerate(self._placed) if p.look.visible and p.body.event not in shot.muted]
        ambient = np.asarray(self._stage.plan.world.ambient_rgb) * shot.light_level
        uniforms = {**self._view(shot), "ambient": ambient, "lamps": self._lamps(shot)}
        self._picture.begin((*ambient, 1.0))
        GL.glEnable(GL.GL_FRAMEBUFFER_SRGB)
        GL.glEnable(GL.GL_DEPTH_TEST)
        GL.glDepthFunc(GL.GL_LEQUAL)  # the sky lies at the very back
        self._solid.use(uniforms)
        self._buffers.draw([i for i in seen if not self._placed[i].clear])
        GL.glDepthMask(False)
        if (sky := self._stage.plan.world.sky) is not None:
            towards_sun = np.asarray(sky.towards_sun) * (sky.kind == "clear")
            from_clip = np.linalg.inv(uniforms["clip_from_world"])
            self._sky.use({**uniforms, "world_from_clip": from_clip, "towards_sun": towards_sun})
            GL.glDrawArrays(GL.GL_TRIANGLES, 0, 3)
        self._clear.use(uniforms)
        self._draw_clear([i for i in seen if self._placed[i].clear], shot)
        GL.glDisable(GL.GL_DEPTH_TEST)
        self._smoothed.begin((0.0, 0.0, 0.0, 1.0))
        self._smooth.use({"pixel": 1.0 / np.asarray(self._picture.size)})
        GL.glBindTexture(GL.GL_TEXTURE_2D, self._picture.colour)
        GL.glDrawArrays(GL.GL_TRIANGLES, 0, 3)
        GL.glDisable(GL.GL_FRAMEBUFFER_SRGB)
        picture = self._smoothed.read(GL.GL_RGB, np.empty((*self._shape, 3), dtype=np.uint8))
        self.seconds_in_renderer += time.perf_counter() - began
        return picture

    def silhouettes(self, shot: Shot) -> tuple[NDArray[np.uint16], NDArray[np.float32]]:
        """Instance ids [H, W] and depth_m [H, W] along the camera axis (inf: nothing) of all that hides what is behind.

        The second opinion on `simulator.rays`, by other means: shells, flames and haze are left out.
        """
        began = time.perf_counter()
        self._pose(shot)
        self._masks.begin((0.0, np.inf, 0.0, 0.0))
        GL.glEnable(GL.GL_DEPTH_TEST)
        self._ids.use(self._view(shot))
        self._buffers.draw([i for i, p in enumerate(self._placed) if p.solid_to_rays])
        found = self._masks.read(GL.GL_RG, np.empty((*self._shape, 2), dtype=np.float32))
        self.seconds_in_renderer += time.perf_counter() - began
        return found[..., 0].astype(np.uint16), found[..., 1]

    def _view(self, shot: Shot) -> dict[str, Array]:
        camera_from_world = np.linalg.inv(shot.world_from_camera)
        return {
            "clip_from_world": self._clip_from_camera @ camera_from_world,
            "axis_from_world": camera_from_world[2],
            "eye": shot.world_from_camera[:3, 3],
        }

    def _pose(self, shot: Shot) -> None:
        """Everything on the device as it is in the shot; what did not change is not sent again."""
        open_context().make_current()
        if shot is self._posed:  # picture and masks of one shot
            self._buffers.bind()
            return
        self._posed = shot
        channels = self._stage.channels(shot)
        for number, (placed, row) in enumerate(zip(self._placed, self._table, strict=True)):
            body = placed.body
            if body.event is not None:
                look = look_of(body, channels[body.event].get(body.part.name, ()))
                if _differ(look.vertices_m, placed.look.vertices_m):
                    self._buffers.send_vertices(number, look.vertices_m)
                if _differ(look.vertex_rgb, placed.look.vertex_rgb):
                    self._buffers.send_colours(number, look.vertex_rgb)
            elif body.occluder is not None:
                look = look_of(body, ())
                look.visible = body.occluder in shot.occluders
                look.world_from_part = shot.occluders.get(body.occluder, body.world_from_rest)
            else:
                continue
            placed.look = look
            fill_row(row, body, look)
        self._buffers.send_table(self._table)
        self._buffers.bind()

    def _lamps(self, shot: Shot) -> NDArray[np.float32]:
        """[L, 3, 4] of those that are on."""
        world = self._stage.plan.world
        lamps = [world_lamp(light, shot.light_level) for light in world.lights]
        if world.sky is not None:
            lamps.append(sun_lamp(world.sky, shot.light_level))
        if self._stage.lamps:
            lit = self._stage.lamp_channels(shot)
            found = [event_lamp(lamp, lit[lamp.event].get(lamp.lamp.name, ())) for lamp in self._stage.lamps]
            lamps += [lamp for lamp in found if lamp is not None]
        return np.stack(lamps) if lamps else np.zeros((0, 3, 4), dtype=np.float32)

    def _draw_clear(self, numbers: list[int], shot: Shot) -> None:
        """What shows what is behind it, from back to front; shells after what they hold; in each the far side first."""
        if not numbers:
            return
        eye = shot.world_from_camera[:3, 3]

        def nearness(number: int) -> tuple[float, int]:
            placed = self._placed[number]
            matrix = placed.look.world_from_part
            away_m = float(np.linalg.norm(matrix[:3, :3] @ placed.middle_m + matrix[:3, 3] - eye))
            outside_m = placed.radius_m if placed.body.part.see_through else 0.0
            return outside_m - away_m, placed.body.instance

        GL.glEnable(GL.GL_BLEND)
        GL.glEnable(GL.GL_CULL_FACE)
        GL.glBlendFuncSeparate(GL.GL_ONE, GL.GL_SRC1_COLOR, GL.GL_ONE, GL.GL_ZERO)
        for number in sorted(numbers, key=nearness):
            for side in (GL.GL_FRONT, GL.GL_BACK):
                GL.glCullFace(side)
                self._buffers.draw([number])
        GL.glDisable(GL.GL_BLEND)
        GL.glDisable(GL.GL_CULL_FACE)


def _place(bodies: tuple[Body, ...]) -> list[_Placed]:
    """Bodies that have faces, small before large: what stands on a floor is drawn before the floor, which then is lit
    only where it is seen.
    """
    placed = []
    for body in bodies:
        if len(body.part.mesh.faces) > 0:
            low, high = np.asarray(body.part.mesh.bounds)
            placed.append(_Placed(body, look_of(body, ()), (low + high) / 2, float(np.linalg.norm(high - low)) / 2))
    return sorted(placed, key=lambda p: (p.radius_m, p.body.instance))


def _differ(new: Array | None, old: Array | None) -> TypeGuard[Array]:
    return new is not None and (old is None or not np.array_equal(new, old))


def _free(*held: Any) -> None:
    open_context().make_current()
    for thing in held:
        thing.delete()
