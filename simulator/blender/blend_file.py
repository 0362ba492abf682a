"""A .blend of a plan's clip: what the player sets on every frame, as keys on every frame, held until the next.

Nothing here knows channels or lamps: whatever can be keyed is read after each shot is set, and what ever changes gets
curves. Deforming meshes become shape keys, one for each distinct shape; colours of vertices become one attribute for
each distinct colouring, picked by a node group. The renderer's seed is keyed too, so that a frame rendered from the
file has the noise of the clip's frame; a seed of 2^24 and above does not fit into a curve, and the noise is another.

Not in the file: effects on the finished picture (fog, black-outs, dropped frames, corruption), twins, sweeps, and the
truth that is cast by rays. What lies between frames is not told: curves are constant there. Nothing is simulated by
Blender: liquids and falling bodies are meshes and poses, frame by frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import bpy
import numpy as np
from numpy.typing import NDArray

from scenes.plan import ScenePlan
from simulator.blender.materials import VERTEX_COLOURS
from simulator.export.blend import SCENE_FILE
from simulator.produce import Progress
from simulator.stage import Shot, Stage
from simulator.timeline import truth_shots

_CONSTANT = 0  # of keyframe interpolation
_OBJECT_PATHS = ("location", "rotation_quaternion", "scale", "hide_render")
_LIGHT_PATHS = ("energy", "color")
_CAMERA_PATHS = ("lens", "shift_x", "shift_y")
_SCENE_PATHS = ("cycles.samples", "cycles.seed")
_EXACT_UP_TO = 2**24  # whole numbers in a curve, which holds 32-bit floats
_KEYED_SOCKETS = ("VALUE", "RGBA", "VECTOR")


class Player(Protocol):
    """Builds a stage's scene in Blender and sets it to a shot."""

    def set_shot(self, shot: Shot) -> None: ...


def produce_blend(
    plan: ScenePlan, out: Path, open_player: Callable[[Stage], Any], progress: Progress
) -> dict[str, float]:
    """Write SCENE_FILE into the directory `out`. Raises ValueError when the plan cannot be staged."""
    player: Player = open_player(Stage.from_plan(plan))
    shots = truth_shots(plan)
    for thing in bpy.context.scene.objects:
        thing.rotation_mode = "QUATERNION"
    same_noise = all(shot.seed <= _EXACT_UP_TO for shot in shots)
    bpy.context.scene.cycles.use_animated_seed = not same_noise
    keyable = _keyable(bpy.context.scene, _SCENE_PATHS if same_noise else _SCENE_PATHS[:1])
    curves = [_Curve(block, path) for block, path in keyable]
    shapes = [_Variants(mesh, _read_shape) for mesh in bpy.data.meshes]
    colours = [_Variants(mesh, _read_colours) for mesh in bpy.data.meshes if VERTEX_COLOURS in mesh.color_attributes]
    for frame, shot in enumerate(shots):
        player.set_shot(shot)
        for curve in curves:
            curve.record()
        for variants in (*shapes, *colours):
            variants.record()
        progress(frame + 1, len(shots))
    num_keyed = sum(curve.write() for curve in curves)
    for variants in shapes:
        _write_shapes(variants)
    for variants in colours:
        _write_colours(variants)
    _settle_file(plan)
    bpy.ops.wm.save_as_mainfile(filepath=str(out / SCENE_FILE), compress=True, check_existing=False)
    return {"frames": float(len(shots)), "keyed": float(num_keyed)}


def _keyable(scene: bpy.types.Scene, scene_paths: tuple[str, ...]) -> Iterator[tuple[Any, str]]:
    """Data-blocks and paths of everything that a player may set, `scene_paths` of the scene itself."""
    for thing in scene.objects:
        yield from ((thing, path) for path in _OBJECT_PATHS)
    for light in bpy.data.lights:
        yield from ((light, path) for path in _LIGHT_PATHS)
    yield from ((scene.camera.data, path) for path in _CAMERA_PATHS)
    yield from ((scene, path) for path in scene_paths)
    for owner in (*bpy.data.materials, *bpy.data.worlds):
        if owner.node_tree is not None:
            yield from ((owner.node_tree, path) for path in _socket_paths(owner.node_tree))


def _socket_paths(tree: bpy.types.NodeTree) -> Iterator[str]:
    for node in tree.nodes:
        place = f'nodes["{bpy.utils.escape_identifier(node.name)}"]'
        for i, socket in enumerate(node.inputs):
            if socket.type in _KEYED_SOCKETS and not socket.is_linked:
                yield f"{place}.inputs[{i}].default_value"
        if node.bl_idname in ("ShaderNodeRGB", "ShaderNodeValue"):
            yield f"{place}.outputs[0].default_value"


@dataclass
class _Curve:
    """One property over the clip."""

    block: Any
    path: str
    values: list[NDArray[np.float64]] = field(default_factory=list)  # one a frame, [n]

    def record(self) -> None:
        self.values.append(np.atleast_1d(np.array(self.block.path_resolve(self.path), dtype=np.float64)))

    def write(self) -> bool:
        """Key it on every frame if it ever changes; says whether it did."""
        values = np.stack(self.values)
        if (values == values[0]).all():
            return False
        frames = np.arange(len(values))
        indices = range(values.shape[1]) if values.shape[1] > 1 else (-1,)
        for i in indices:
            _key(self.block, self.path, i, frames, values[:, max(i, 0)])
        if self.path == "hide_render":  # the viewport shows what the picture shows
            _key(self.block, "hide_viewport", -1, frames, values[:, 0])
        return True


def _key(block: Any, path: str, index: int, frames: NDArray[np.int64], values: NDArray[np.float64]) -> None:
    """A curve with these keys, constant between them."""
    block.keyframe_insert(path, index=index, frame=int(frames[0]))
    animation = block.animation_data  # related blocks share one action, each in a slot of its own
    bag = animation.action.layers[0].strips[0].channelbag(animation.action_slot)
    curve = bag.fcurves.find(path, index=max(index, 0))
    curve.keyframe_points.add(len(frames) - 1)
    curve.keyframe_points.foreach_set("co", np.column_stack([frames, values]).astype(np.float32).ravel())
    curve.keyframe_points.foreach_set("interpolation", np.full(len(frames), _CONSTANT, dtype=np.int32))
    curve.update()


@dataclass
class _Variants:
    """Distinct arrays that a mesh holds over the clip, and which of them in which frame."""

    mesh: bpy.types.Mesh
    read: Callable[[bpy.types.Mesh], NDArray[np.float32]]
    distinct: list[NDArray[np.float32]] = field(default_factory=list)
    at_frame: list[int] = field(default_factory=list)
    known: dict[bytes, int] = field(default_factory=dict)

    def record(self) -> None:
        array = self.read(self.mesh)
        number = self.known.setdefault(array.tobytes(), len(self.distinct))
        if number == len(self.distinct):
            self.distinct.append(array)
        self.at_frame.append(number)


def _read_shape(mesh: bpy.types.Mesh) -> NDArray[np.float32]:
    flat = np.empty(3 * len(mesh.vertices), dtype=np.float32)
    mesh.vertices.foreach_get("co", flat)
    return flat


def _read_colours(mesh: bpy.types.Mesh) -> NDArray[np.float32]:
    flat = np.empty(4 * len(mesh.vertices), dtype=np.float32)
    mesh.color_attributes[VERTEX_COLOURS].data.foreach_get("color", flat)
    return flat


def _write_shapes(variants: _Variants) -> None:
    """Shape keys, each at 1 in its own frames and at 0 in all others."""
    if len(variants.distinct) == 1:
        return
    mesh, at_frame = variants.mesh, np.array(variants.at_frame)
    thing = _object_of(mesh)
    mesh.vertices.foreach_set("co", variants.distinct[0])
    thing.shape_key_add(name="shape 0", from_mix=False)
    for number, shape in enumerate(variants.distinct[1:], start=1):
        key = thing.shape_key_add(name=f"shape {number}", from_mix=False)
        key.data.foreach_set("co", shape)
        shown = (at_frame == number).astype(np.float64)
        turns = np.flatnonzero(np.diff(shown, prepend=-1.0))  # where it comes or goes, and frame 0
        _key(mesh.shape_keys, f'key_blocks["{key.name}"].value', -1, turns, shown[turns])


def _write_colours(variants: _Variants) -> None:
    """One attribute a colouring; a node group stores the one of the frame under the name that the material reads."""
    if len(variants.distinct) == 1:
        return
    mesh = variants.mesh
    tree = bpy.data.node_groups.new(f"{mesh.name} colours", "GeometryNodeTree")
    for direction in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=direction, socket_type="NodeSocketGeometry")
    number = tree.nodes.new("FunctionNodeInputInt")
    switch = tree.nodes.new("GeometryNodeIndexSwitch")
    switch.data_type = "RGBA"
    for _ in variants.distinct[2:]:  # it is born with two
        switch.index_switch_items.new()
    tree.links.new(number.outputs[0], switch.inputs["Index"])
    for i, colours in enumerate(variants.distinct):
        name = f"{VERTEX_COLOURS} {i}"
        mesh.color_attributes.new(name, "FLOAT_COLOR", "POINT").data.foreach_set("color", colours)
        read = tree.nodes.new("GeometryNodeInputNamedAttribute")
        read.data_type = "FLOAT_COLOR"
        read.inputs["Name"].default_value = name
        tree.links.new(read.outputs["Attribute"], switch.inputs[1 + i])
    store = tree.nodes.new("GeometryNodeStoreNamedAttribute")
    store.data_type, store.domain = "FLOAT_COLOR", "POINT"
    store.inputs["Name"].default_value = VERTEX_COLOURS
    tree.links.new(switch.outputs[0], store.inputs["Value"])
    tree.links.new(tree.nodes.new("NodeGroupInput").outputs[0], store.inputs["Geometry"])
    tree.links.new(store.outputs["Geometry"], tree.nodes.new("NodeGroupOutput").inputs[0])
    frames, picked = np.arange(len(variants.at_frame)), np.array(variants.at_frame, dtype=np.float64)
    _key(tree, f'nodes["{number.name}"].integer', -1, frames, picked)
    _object_of(mesh).modifiers.new("colours", "NODES").node_group = tree


def _object_of(mesh: bpy.types.Mesh) -> bpy.types.Object:
    return next(thing for thing in bpy.context.scene.objects if thing.data == mesh)


def _settle_file(plan: ScenePlan) -> None:
    """What a file needs beyond a scene that is played: frame range, rate, colours as in the clip, the plan itself."""
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 0, plan.clip.num_frames - 1
    scene.render.fps = max(1, round(plan.clip.fps))
    scene.render.fps_base = scene.render.fps / plan.clip.fps
    scene.render.use_persistent_data = False  # it would ignore the keyed seed (RENDER_NOTES)
    scene.view_settings.view_transform = "Standard"
    bpy.data.texts.new("plan.json").write(plan.to_json())
    scene.frame_set(0)
