"""Shader graphs for the closed vocabulary of `event_library.parts.Material` (recipes: RENDER_NOTES, measured)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bpy

from event_library.parts import Material, Pattern, Rgb, check_patterns

Socket = Any  # bpy.types.NodeSocket
VERTEX_COLOURS = "vertex_colours"  # name of the mesh attribute that per-vertex materials read


@dataclass(frozen=True)
class Handles:
    """The sockets that channels drive; None where the kind has no such property."""

    colour: Socket | None = None
    emission: Socket | None = None
    roughness: Socket | None = None
    opacity: Socket | None = None


def build_material(name: str, material: Material) -> tuple[bpy.types.Material, Handles]:
    """A new Blender material and the sockets that Colour and Emission channels set."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    graph = _Graph(made.node_tree)
    surface, handles = _KINDS[material.kind](graph, material)
    graph.link(surface, graph.new("ShaderNodeOutputMaterial").inputs["Surface"])
    if material.kind == "flame":
        made.cycles.emission_sampling = "NONE"
    return made, handles


class _Graph:
    """Thin words for building node trees."""

    def __init__(self, tree: bpy.types.NodeTree) -> None:
        tree.nodes.clear()
        self._tree = tree

    def new(self, kind: str, **inputs: Any) -> bpy.types.Node:
        node = self._tree.nodes.new(kind)
        for name, value in inputs.items():
            socket = node.inputs[name.replace("_", " ")]
            if isinstance(value, bpy.types.NodeSocket):
                self.link(value, socket)
            else:
                socket.default_value = value
        return node

    def link(self, source: Socket, target: Socket) -> None:
        self._tree.links.new(source, target)

    def mix(self, factor: Socket | float, first: Socket, second: Socket) -> Socket:
        """Mix Shader: `first` where factor is 0, `second` where it is 1."""
        node = self.new("ShaderNodeMixShader", Fac=factor)
        self.link(first, node.inputs[1])
        self.link(second, node.inputs[2])
        return node.outputs[0]

    def math(self, operation: str, first: Socket | float, second: Socket | float) -> Socket:
        node = self.new("ShaderNodeMath")
        node.operation = operation
        for socket, value in zip(node.inputs, (first, second), strict=False):
            if isinstance(value, bpy.types.NodeSocket):
                self.link(value, socket)
            else:
                socket.default_value = value
        return node.outputs[0]

    def clamped(self, value: Socket) -> Socket:
        """Number in [0, 1]."""
        return self.math("MINIMUM", self.math("MAXIMUM", value, 0.0), 1.0)

    def between(self, factor: Socket, first: Socket, second: Socket) -> Socket:
        """Number: `first` where factor is 0, `second` where it is 1."""
        return self.math("ADD", first, self.math("MULTIPLY", factor, self.math("SUBTRACT", second, first)))

    def facing(self) -> Socket:
        """0 where the surface faces the viewer, 1 at grazing angles (front and back faces alike)."""
        return self.new("ShaderNodeLayerWeight", Blend=0.5).outputs["Facing"]

    def blend(self, factor: Socket | float, first: Rgb | Socket, second: Rgb | Socket) -> Socket:
        """Colour between two colours."""
        node = self.new("ShaderNodeMix")
        node.data_type = "RGBA"
        sockets = [s for s in node.inputs if s.type == "RGBA"]
        for socket, value in zip(sockets, (first, second), strict=True):
            if isinstance(value, bpy.types.NodeSocket):
                self.link(value, socket)
            else:
                socket.default_value = (*value, 1.0)
        if isinstance(factor, bpy.types.NodeSocket):
            self.link(factor, node.inputs[0])
        else:
            node.inputs[0].default_value = factor
        return next(s for s in node.outputs if s.type == "RGBA")


def _principled(graph: _Graph, material: Material) -> tuple[Socket, Handles]:
    node = graph.new("ShaderNodeBsdfPrincipled", Roughness=material.roughness, Metallic=material.metallic)
    node.inputs["Emission Color"].default_value = (*material.emission_rgb, 1.0)
    node.inputs["Emission Strength"].default_value = material.emission_strength
    emission, roughness, opacity = (node.inputs[name] for name in ("Emission Strength", "Roughness", "Alpha"))
    if material.per_vertex:
        attribute = graph.new("ShaderNodeAttribute")
        attribute.attribute_name = VERTEX_COLOURS
        graph.link(attribute.outputs["Color"], node.inputs["Base Color"])
        graph.link(attribute.outputs["Color"], node.inputs["Emission Color"])
        return node.outputs["BSDF"], Handles(None, emission, roughness, opacity)
    colour = graph.new("ShaderNodeRGB").outputs[0]
    colour.default_value = (*material.rgb, 1.0)
    base = colour if material.pattern is None else _PATTERNS[material.pattern.kind](graph, colour, material.pattern)
    graph.link(base, node.inputs["Base Color"])
    return node.outputs["BSDF"], Handles(colour, emission, roughness, opacity)


def _shell(graph: _Graph, material: Material) -> tuple[Socket, Handles]:
    """Clear glass without refraction: Facing, not Fresnel (back faces of a single surface would go black)."""
    facing = graph.facing()
    tint = graph.blend(facing, tuple(0.95 * c for c in material.rgb), tuple(0.5 * c for c in material.rgb))
    clear = graph.new("ShaderNodeBsdfTransparent", Color=tint).outputs[0]
    gloss = graph.new("ShaderNodeBsdfGlossy", Roughness=0.0).outputs[0]
    share = graph.math("ADD", graph.math("MULTIPLY", graph.math("POWER", facing, 5.0), 0.75), 0.06)
    return graph.mix(share, clear, gloss), Handles()


def _liquid(graph: _Graph, material: Material) -> tuple[Socket, Handles]:
    """Half tinted-transparent, half diffuse, facing gloss; on shadow and diffuse rays tinted transparent only."""
    tint = graph.new("ShaderNodeRGB").outputs[0]
    tint.default_value = (*material.rgb, 1.0)
    clear = graph.new("ShaderNodeBsdfTransparent", Color=tint).outputs[0]
    body = graph.mix(0.45, clear, graph.new("ShaderNodeBsdfDiffuse", Color=tint).outputs[0])
    gloss = graph.new("ShaderNodeBsdfGlossy", Roughness=0.0).outputs[0]
    seen = graph.mix(graph.math("MULTIPLY", graph.math("POWER", graph.facing(), 5.0), 0.75), body, gloss)
    path = graph.new("ShaderNodeLightPath")
    indirect = graph.math("MAXIMUM", path.outputs["Is Shadow Ray"], path.outputs["Is Diffuse Ray"])
    return graph.mix(indirect, seen, clear), Handles(colour=tint)


def _flame(graph: _Graph, material: Material) -> tuple[Socket, Handles]:
    """Glows where it faces the viewer, dissolves at its rim."""
    glow = graph.new("ShaderNodeEmission", Color=(*material.emission_rgb, 1.0), Strength=material.emission_strength)
    clear = graph.new("ShaderNodeBsdfTransparent").outputs[0]
    rim = graph.math("POWER", graph.facing(), 2.0)
    return graph.mix(rim, glow.outputs[0], clear), Handles(emission=glow.inputs["Strength"])


def _haze(graph: _Graph, material: Material) -> tuple[Socket, Handles]:
    """A puff: thickest where it faces the viewer, nothing at its rim."""
    colour = graph.new("ShaderNodeRGB").outputs[0]
    colour.default_value = (*material.rgb, 1.0)
    opacity = graph.new("ShaderNodeValue").outputs[0]
    opacity.default_value = 1.0
    body = graph.new("ShaderNodeBsdfDiffuse", Color=colour).outputs[0]
    clear = graph.new("ShaderNodeBsdfTransparent").outputs[0]
    solid = graph.math("MULTIPLY", graph.math("SUBTRACT", 1.0, graph.math("POWER", graph.facing(), 0.7)), opacity)
    return graph.mix(solid, clear, body), Handles(colour=colour, opacity=opacity)


def _coordinates(graph: _Graph) -> Socket:
    return graph.new("ShaderNodeTexCoord").outputs["Object"]


def _checker(graph: _Graph, base: Socket, pattern: Pattern) -> Socket:
    # half a check off the origin, so that a face at z = 0 does not lie on a boundary of the lattice
    shifted = graph.new("ShaderNodeVectorMath")
    shifted.operation = "ADD"
    graph.link(_coordinates(graph), shifted.inputs[0])
    shifted.inputs[1].default_value = (0.0, 0.0, pattern.size_m / 2)
    node = graph.new("ShaderNodeTexChecker", Vector=shifted.outputs[0], Scale=1.0 / pattern.size_m)
    graph.link(base, node.inputs["Color1"])
    node.inputs["Color2"].default_value = (*pattern.rgb, 1.0)
    return node.outputs["Color"]


def _stripes(graph: _Graph, base: Socket, pattern: Pattern) -> Socket:
    return _banded(graph, base, pattern, distortion=0.0, sharpness=30.0, across="X")


def _wood(graph: _Graph, base: Socket, pattern: Pattern) -> Socket:
    return _banded(graph, base, pattern, distortion=3.0, sharpness=1.0, across="Y")


def _banded(
    graph: _Graph, base: Socket, pattern: Pattern, *, distortion: float, sharpness: float, across: str
) -> Socket:
    # the wave texture repeats every 2 pi / 20 units at scale 1
    node = graph.new("ShaderNodeTexWave", Vector=_coordinates(graph), Scale=0.314159 / (2 * pattern.size_m))
    node.bands_direction = across
    node.inputs["Distortion"].default_value = distortion
    centred = graph.math("MULTIPLY", graph.math("SUBTRACT", node.outputs["Fac"], 0.5), sharpness)
    return graph.blend(graph.clamped(graph.math("ADD", centred, 0.5)), base, pattern.rgb)


def _speckle(graph: _Graph, base: Socket, pattern: Pattern) -> Socket:
    node = graph.new("ShaderNodeTexNoise", Vector=_coordinates(graph), Scale=1.0 / pattern.size_m)
    return graph.blend(node.outputs["Fac"], base, pattern.rgb)


def _flat(graph: _Graph) -> tuple[Socket, Socket]:
    """Two coordinates in a face that lies across x, y or z, in metres: (x, y) on floors, (x or y, z) on walls."""
    place = graph.new("ShaderNodeSeparateXYZ", Vector=_coordinates(graph)).outputs
    normal = graph.new("ShaderNodeSeparateXYZ", Vector=graph.new("ShaderNodeTexCoord").outputs["Normal"]).outputs
    across_x = graph.math("GREATER_THAN", graph.math("ABSOLUTE", normal["X"], 0.0), 0.75)
    across_z = graph.math("GREATER_THAN", graph.math("ABSOLUTE", normal["Z"], 0.0), 0.6)
    return (
        graph.between(across_x, place["X"], place["Y"]),
        graph.between(across_z, place["Z"], place["Y"]),
    )


def _laid(graph: _Graph, base: Socket, pattern: Pattern, *, height: float, offset: float, joint: float) -> Socket:
    """Courses of `height` times the pattern's size, every other one shifted by `offset`, with joints."""
    u, v = _flat(graph)
    size = pattern.size_m
    # a third of a piece off the origin, so that no joint runs under what stands in the middle
    where = graph.new("ShaderNodeCombineXYZ", X=graph.math("ADD", u, size / 3), Y=graph.math("ADD", v, size / 3))
    node = graph.new("ShaderNodeTexBrick", Vector=where.outputs[0], Scale=1.0)
    node.offset, node.squash = offset, 1.0
    node.inputs["Brick Width"].default_value, node.inputs["Row Height"].default_value = size, height * size
    node.inputs["Mortar Size"].default_value, node.inputs["Mortar Smooth"].default_value = joint * size, 0.2
    graph.link(base, node.inputs["Color1"])
    graph.link(graph.blend(0.24, base, (0.0, 0.0, 0.0)), node.inputs["Color2"])
    node.inputs["Mortar"].default_value = (*pattern.rgb, 1.0)
    return node.outputs["Color"]


def _tile(graph: _Graph, base: Socket, pattern: Pattern) -> Socket:
    return _laid(graph, base, pattern, height=1.0, offset=0.0, joint=0.028)


def _brick(graph: _Graph, base: Socket, pattern: Pattern) -> Socket:
    return _laid(graph, base, pattern, height=0.36, offset=0.5, joint=0.022)


def _fabric(graph: _Graph, base: Socket, pattern: Pattern) -> Socket:
    """Threads over and under each other, each darker at its edges."""
    u, v = (graph.math("SINE", graph.math("MULTIPLY", c, math.pi / pattern.size_m), 0.0) for c in _flat(graph))
    over = graph.math("MULTIPLY", u, v)
    steep = graph.clamped(graph.math("ADD", graph.math("MULTIPLY", over, 3.0), 0.5))
    edge = graph.math("SUBTRACT", 0.3, graph.math("MULTIPLY", graph.math("ABSOLUTE", over, 0.0), 0.3))
    return graph.blend(edge, graph.blend(steep, base, pattern.rgb), (0.0, 0.0, 0.0))


def _grass(graph: _Graph, base: Socket, pattern: Pattern) -> Socket:
    """Blades by a fine noise with contrast, lighter and darker patches by a coarse one."""
    where = _coordinates(graph)
    fine = graph.new("ShaderNodeTexNoise", Vector=where, Scale=1.0 / pattern.size_m, Detail=6.0, Roughness=0.72)
    coarse = graph.new("ShaderNodeTexNoise", Vector=where, Scale=0.07 / pattern.size_m, Detail=2.0).outputs["Fac"]
    mixed = graph.math("ADD", graph.math("MULTIPLY", fine.outputs["Fac"], 0.72), graph.math("MULTIPLY", coarse, 0.28))
    steep = graph.math("MULTIPLY", graph.math("SUBTRACT", mixed, 0.4), 5.0)
    return graph.blend(graph.clamped(steep), base, pattern.rgb)


_KINDS: dict[str, Callable[[_Graph, Material], tuple[Socket, Handles]]] = {
    "principled": _principled,
    "shell": _shell,
    "liquid": _liquid,
    "flame": _flame,
    "haze": _haze,
}
_PATTERNS: dict[str, Callable[[_Graph, Socket, Pattern], Socket]] = {
    "checker": _checker,
    "stripes": _stripes,
    "wood": _wood,
    "speckle": _speckle,
    "tile": _tile,
    "brick": _brick,
    "fabric": _fabric,
    "grass": _grass,
}
check_patterns("simulator.blender.materials", _PATTERNS)
