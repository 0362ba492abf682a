"""What lights the world in Cycles: the background (plain, or a sky), area lamps, the sun, and the events' own lamps."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Vector

from scenes.plan import LightPlan, SkyPlan, WorldPlan
from simulator.stage import EventLamp


@dataclass(frozen=True)
class WorldLights:
    """All light that belongs to the world; `set_level` dims it together."""

    background: bpy.types.Node
    strength: float  # of the background when all is lit
    lamps: tuple[tuple[float, bpy.types.Object], ...]  # energy when all is lit, lamp

    @classmethod
    def build(cls, scene: bpy.types.Scene, world: WorldPlan) -> WorldLights:
        lamps = [(light.power_w, _add_area(scene, light)) for light in world.lights]
        if world.sky is not None:
            lamps.append((world.sky.sun_w_per_m2, _add_sun(scene, world.sky)))
        background = _add_background(scene, world)
        clear = world.sky is not None and world.sky.kind == "clear"
        return cls(background, world.sky.strength if world.sky is not None and clear else 1.0, tuple(lamps))

    def set_level(self, level: float) -> None:
        self.background.inputs["Strength"].default_value = level * self.strength
        for energy, lamp in self.lamps:
            lamp.data.energy = energy * level


def add_event_lamp(scene: bpy.types.Scene, lamp: EventLamp) -> bpy.types.Object:
    """A small glowing sphere; the player sets its power and place on every frame."""
    data = bpy.data.lights.new(lamp.key, "POINT")
    data.energy, data.color, data.shadow_soft_size = lamp.lamp.power_w, lamp.lamp.rgb, lamp.lamp.radius_m
    return _link(scene, data)


def _add_background(scene: bpy.types.Scene, world: WorldPlan) -> bpy.types.Node:
    made = bpy.data.worlds.new("world")
    scene.world = made
    made.use_nodes = True
    node = made.node_tree.nodes["Background"]
    node.inputs["Color"].default_value = (*world.ambient_rgb, 1.0)
    if world.sky is not None:
        colour = (
            _clear_sky(made.node_tree, world.sky) if world.sky.kind == "clear" else _overcast(made.node_tree, world)
        )
        made.node_tree.links.new(colour, node.inputs["Color"])
    return node


def _clear_sky(tree: bpy.types.NodeTree, sky: SkyPlan) -> bpy.types.NodeSocket:
    """Blender's own sky without its disc: the sun is a lamp, whose strength can be told (RENDER_NOTES)."""
    node = tree.nodes.new("ShaderNodeTexSky")
    node.sky_type = "NISHITA"
    node.sun_disc = False
    node.sun_elevation = sky.sun_elevation_rad
    node.sun_rotation = np.pi - sky.sun_azimuth_rad  # Blender's runs clockwise from +y; ours from -y towards +x
    return node.outputs["Color"]


def _overcast(tree: bpy.types.NodeTree, world: WorldPlan) -> bpy.types.NodeSocket:
    """CIE overcast sky: three times as bright overhead as at the horizon; `ambient_rgb` is its mean over the dome."""
    direction = tree.nodes.new("ShaderNodeTexCoord").outputs["Generated"]
    up = tree.nodes.new("ShaderNodeSeparateXYZ")
    tree.links.new(direction, up.inputs[0])
    above = _math(tree, "MAXIMUM", up.outputs["Z"], 0.0)
    share = _math(tree, "ADD", _math(tree, "MULTIPLY", above, 6.0 / 7.0), 3.0 / 7.0)  # (1 + 2 sin) / 3 over 7 / 9
    scale = tree.nodes.new("ShaderNodeVectorMath")
    scale.operation = "SCALE"
    scale.inputs[0].default_value = world.ambient_rgb
    tree.links.new(share, scale.inputs["Scale"])
    return scale.outputs[0]


def _math(tree: bpy.types.NodeTree, operation: str, value: bpy.types.NodeSocket, by: float) -> bpy.types.NodeSocket:
    node = tree.nodes.new("ShaderNodeMath")
    node.operation = operation
    tree.links.new(value, node.inputs[0])
    node.inputs[1].default_value = by
    return node.outputs[0]


def _add_area(scene: bpy.types.Scene, plan: LightPlan) -> bpy.types.Object:
    data = bpy.data.lights.new(plan.name, "AREA")
    data.shape, data.size, data.energy, data.color = "SQUARE", plan.size_m, plan.power_w, plan.rgb
    light = _link(scene, data)
    light.location = plan.location_m
    light.rotation_mode = "QUATERNION"
    light.rotation_quaternion = (Vector(plan.target_m) - Vector(plan.location_m)).to_track_quat("-Z", "Y")
    return light


def _add_sun(scene: bpy.types.Scene, sky: SkyPlan) -> bpy.types.Object:
    data = bpy.data.lights.new("sun", "SUN")
    data.energy, data.color, data.angle = sky.sun_w_per_m2, sky.sun_rgb, sky.sun_angle_rad
    light = _link(scene, data)
    light.rotation_mode = "QUATERNION"
    light.rotation_quaternion = Vector(sky.towards_sun).to_track_quat("Z", "Y")
    return light


def _link(scene: bpy.types.Scene, data: bpy.types.Light) -> bpy.types.Object:
    light = bpy.data.objects.new(data.name, data)
    light.visible_camera = False
    scene.collection.objects.link(light)
    return light
