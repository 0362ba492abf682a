"""Plays shots of one stage in Cycles: every channel absolute on every frame, no keyframes, no interpolation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from event_library.channels import (
    Colour,
    Emission,
    Move,
    Opacity,
    Power,
    Rotate,
    Roughness,
    Scale,
    VertexColours,
    Vertices,
    Visible,
    check_setters,
    pose_matrix,
)
from simulator.blender.capture import Capture, srgb_from_linear
from simulator.blender.device import use_best_device
from simulator.blender.lights import WorldLights, add_event_lamp
from simulator.blender.materials import VERTEX_COLOURS, Handles, build_material
from simulator.stage import Body, EventLamp, Shot, Stage

_CAMERA_FLIP = np.diag([1.0, -1.0, -1.0, 1.0])  # Blender cameras look along -z with y up, ours along +z with y down

_LARGEST_SEED = 2**31 - 1  # that Cycles takes; a plan's may be near it, and frames and sweeps count on from there


@dataclass(frozen=True)
class _Placed:
    body: Body
    object: bpy.types.Object
    handles: Handles


class BlenderPlayer:
    """One stage, open in Blender. `seconds_in_renderer` counts the time spent inside the renderer itself."""

    def __init__(self, stage: Stage, threads: int) -> None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self._stage = stage
        self._scene = bpy.context.scene
        self._capture = Capture.install()
        self._last: dict[tuple[str, str], Any] = {}
        self.device = use_best_device(self._scene)
        _settle(self._scene, stage, threads)
        self._camera = _add_camera(self._scene, stage)
        self._lights = WorldLights.build(self._scene, stage.plan.world)
        self._placed = [_add_body(self._scene, body) for body in stage.bodies]
        self._lamps = [(lamp, add_event_lamp(self._scene, lamp)) for lamp in stage.lamps]

    @property
    def seconds_in_renderer(self) -> float:
        return self._capture.seconds

    def render(self, shot: Shot) -> NDArray[np.uint8]:
        """[H, W, 3] uint8 sRGB of one shot. The same shot gives the same bytes whatever was rendered before."""
        self.set_shot(shot)
        bpy.ops.render.render(write_still=False)
        return srgb_from_linear(self._capture.take())

    def set_shot(self, shot: Shot) -> None:
        """The whole scene as it is in one shot, whatever it was before."""
        self._set_sampling(shot)
        self._camera.matrix_world = Matrix((shot.world_from_camera @ _CAMERA_FLIP).tolist())
        self._set_light(shot.light_level)
        channels = self._stage.channels(shot)
        for placed in self._placed:
            if (event := placed.body.event) is not None:
                self._set_body(placed, channels[event].get(placed.body.part.name, ()), event in shot.muted)
            elif (occluder := placed.body.occluder) is not None:
                self._set_occluder(placed, shot.occluders.get(occluder))
        lit = self._stage.lamp_channels(shot) if self._lamps else {}
        for event_lamp, light in self._lamps:
            self._set_lamp(event_lamp, light, lit[event_lamp.event].get(event_lamp.lamp.name, ()))

    # ---- absolute state of one frame; unchanged values are not sent again (each update costs milliseconds)
    def _changed(self, key: str, what: str, value: Any) -> bool:
        stored = value.tobytes() if isinstance(value, np.ndarray) else value
        if self._last.get((key, what)) == stored:
            return False
        self._last[key, what] = stored
        return True

    def _set_sampling(self, shot: Shot) -> None:
        if self._changed("scene", "sampling", (shot.samples, shot.seed)):
            self._scene.cycles.samples, self._scene.cycles.seed = shot.samples, shot.seed & _LARGEST_SEED
            self._scene.update_tag()  # persistent data ignores changed seeds and samples without it (measured)

    def _set_light(self, level: float) -> None:
        if self._changed("world", "level", level):
            self._lights.set_level(level)

    def _set_body(self, placed: _Placed, own: tuple[Any, ...], mute: bool) -> None:
        body, rest = placed.body, placed.body.part.material
        wanted: dict[type, Any] = {
            Visible: not mute,
            Vertices: np.asarray(body.part.mesh.vertices),
            Colour: np.asarray(rest.rgb),
            VertexColours: np.asarray(rest.rgb),
            Roughness: rest.roughness,
            Opacity: 1.0,
            Emission: rest.emission_strength,
            Move: body.world_from_rest @ pose_matrix(own),
        }
        for channel in own:
            match channel:
                case Visible(visible):
                    wanted[Visible] = visible and not mute
                case Vertices(vertices):
                    wanted[Vertices] = vertices
                case Colour(rgb):
                    wanted[Colour] = np.asarray(rgb)
                case VertexColours(rgb):
                    wanted[VertexColours] = np.asarray(rgb)
                case Roughness(value):
                    wanted[Roughness] = float(value)
                case Opacity(value):
                    wanted[Opacity] = float(value)
                case Emission(strength):
                    wanted[Emission] = float(strength)
        for kind, value in wanted.items():
            if self._changed(body.key, kind.__name__, value):
                _SETTERS[kind](placed, value)

    def _set_occluder(self, placed: _Placed, world_from_occluder: NDArray[np.float64] | None) -> None:
        if self._changed(placed.body.key, "there", world_from_occluder is not None):
            _set_visible(placed, world_from_occluder is not None)
        if world_from_occluder is not None and self._changed(placed.body.key, "pose", world_from_occluder):
            _set_matrix(placed, world_from_occluder)

    def _set_lamp(self, lamp: EventLamp, light: bpy.types.Object, own: tuple[Any, ...]) -> None:
        power_w, location = lamp.shining(own)
        if self._changed(lamp.key, "power", power_w):
            light.data.energy = power_w
        if self._changed(lamp.key, "location", location):
            light.location = location.tolist()


# ---- one setter per channel; Scale, Rotate and Move share the body's matrix
def _set_matrix(placed: _Placed, world_from_part: NDArray[np.float64]) -> None:
    placed.object.matrix_world = Matrix(world_from_part.tolist())


def _set_vertices(placed: _Placed, vertices_m: NDArray[np.float64]) -> None:
    mesh = placed.object.data
    mesh.vertices.foreach_set("co", np.ascontiguousarray(vertices_m, dtype=np.float32).ravel())
    mesh.update()


def _set_colour(placed: _Placed, rgb: NDArray[np.float64]) -> None:
    if placed.handles.colour is not None:
        placed.handles.colour.default_value = (*map(float, rgb), 1.0)


def _set_vertex_colours(placed: _Placed, rgb: NDArray[np.float64]) -> None:
    """rgb: [V, 3], or [3] for all vertices alike."""
    mesh = placed.object.data
    if (layer := mesh.color_attributes.get(VERTEX_COLOURS)) is not None:
        rgba = np.ones((len(mesh.vertices), 4), dtype=np.float32)
        rgba[:, :3] = rgb
        layer.data.foreach_set("color", rgba.ravel())
        mesh.update()


def _set_roughness(placed: _Placed, roughness: float) -> None:
    if placed.handles.roughness is not None:
        placed.handles.roughness.default_value = roughness


def _set_opacity(placed: _Placed, opacity: float) -> None:
    if placed.handles.opacity is not None:
        placed.handles.opacity.default_value = opacity


def _set_emission(placed: _Placed, strength: float) -> None:
    if placed.handles.emission is not None:
        placed.handles.emission.default_value = strength


def _set_visible(placed: _Placed, visible: bool) -> None:
    placed.object.hide_render = not visible


def _lamp_only(placed: _Placed, value: Any) -> None:
    raise TypeError(f"{placed.body.key}: power belongs to lamps, not to parts")


_SETTERS: dict[type, Callable[[_Placed, Any], None]] = {
    Move: _set_matrix,
    Rotate: _set_matrix,
    Scale: _set_matrix,
    Vertices: _set_vertices,
    Colour: _set_colour,
    VertexColours: _set_vertex_colours,
    Roughness: _set_roughness,
    Opacity: _set_opacity,
    Emission: _set_emission,
    Visible: _set_visible,
    Power: _lamp_only,
}
check_setters("simulator.blender.player", _SETTERS)


# ---- building
def _settle(scene: bpy.types.Scene, stage: Stage, threads: int) -> None:
    plan, cycles = stage.plan, scene.cycles
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = plan.clip.width_px, plan.clip.height_px
    scene.render.resolution_percentage = 100
    scene.render.use_persistent_data = True
    scene.render.use_compositing = scene.render.use_sequencer = False
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    cycles.use_adaptive_sampling = False
    cycles.use_light_tree = False  # a handful of lamps: without it a picture costs a quarter less (docs/LOG.md)
    cycles.use_denoising = plan.render.denoise
    if plan.render.denoise:  # best PSNR for its CPU time at 8 samples: docs/RESULTS.md, benchmarks/denoiser.py
        cycles.denoiser, cycles.denoising_prefilter, cycles.denoising_quality = "OPENIMAGEDENOISE", "FAST", "HIGH"
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 8, 3, 4
    cycles.transmission_bounces, cycles.transparent_max_bounces = 8, 16
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_direct, cycles.sample_clamp_indirect, cycles.blur_glossy = 0.0, 4.0, 1.0


def _add_camera(scene: bpy.types.Scene, stage: Stage) -> bpy.types.Object:
    data = bpy.data.cameras.new("camera")
    k, width, height = stage.intrinsics, stage.plan.clip.width_px, stage.plan.clip.height_px
    data.sensor_fit, data.sensor_width = "HORIZONTAL", 36.0
    data.lens = k[0, 0] * 36.0 / width
    data.shift_x, data.shift_y = -(k[0, 2] - width / 2) / width, (k[1, 2] - height / 2) / width
    data.clip_start, data.clip_end = 0.01, 1e5  # ground reaches to the horizon
    camera = bpy.data.objects.new("camera", data)
    scene.collection.objects.link(camera)
    scene.camera = camera
    return camera


def _add_body(scene: bpy.types.Scene, body: Body) -> _Placed:
    part = body.part
    mesh = bpy.data.meshes.new(body.key)
    mesh.from_pydata(np.asarray(part.mesh.vertices).tolist(), [], np.asarray(part.mesh.faces).tolist())
    if part.smooth_angle_deg > 0:
        mesh.shade_smooth()
        mesh.set_sharp_from_angle(angle=np.deg2rad(part.smooth_angle_deg))
    else:
        mesh.shade_flat()
    material, handles = build_material(body.key, part.material)
    mesh.materials.append(material)
    if part.material.per_vertex:
        mesh.color_attributes.new(VERTEX_COLOURS, "FLOAT_COLOR", "POINT")
    made = bpy.data.objects.new(body.key, mesh)
    made.rotation_mode = "QUATERNION"
    made.matrix_world = Matrix(body.world_from_rest.tolist())
    if body.event is not None:
        # no indirect diffuse light from what moves: a bounce off a hidden object would give its state away
        made.visible_diffuse = False
    if part.material.kind in ("flame", "haze") or part.backdrop:
        made.visible_shadow = False
    if part.backdrop:
        made.visible_diffuse = False
    scene.collection.objects.link(made)
    return _Placed(body, made, handles)
