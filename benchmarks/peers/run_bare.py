"""The scene in bare Blender: `python run_bare.py SCENE.npz OUT THREADS DENOISE`. Any environment with bpy 4.5."""

import sys
from pathlib import Path

import bpy  # noqa: TID251
import meter
import numpy as np
from mathutils import Matrix, Vector  # noqa: TID251

scene_file, out, threads, denoise = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "1"
given = np.load(scene_file)
started = meter.cpu_s()

bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.engine = "CYCLES"
scene.render.resolution_x = scene.render.resolution_y = int(given["side_px"])
scene.render.use_persistent_data = True
scene.render.threads_mode, scene.render.threads = "FIXED", threads
scene.render.image_settings.file_format = "OPEN_EXR_MULTILAYER"
cycles = scene.cycles
cycles.samples, cycles.use_adaptive_sampling, cycles.use_light_tree = int(given["samples"]), False, False
cycles.use_denoising = denoise
cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces, cycles.transmission_bounces = 8, 3, 4, 8
cycles.transparent_max_bounces = 16
layer = bpy.context.view_layer
layer.use_pass_z = layer.use_pass_object_index = True
scene.world = bpy.data.worlds.new("world")
scene.world.use_nodes = True
scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (*[float(given["ambient"])] * 3, 1.0)

bodies = []
for i, rgb in enumerate(given["colours"]):
    mesh = bpy.data.meshes.new(f"body{i}")
    mesh.from_pydata(given[f"v{i}"].tolist(), [], given[f"f{i}"].tolist())
    mesh.shade_flat()
    material = bpy.data.materials.new(f"body{i}")
    material.use_nodes = True
    material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (*rgb.tolist(), 1.0)
    mesh.materials.append(material)
    body = bpy.data.objects.new(f"body{i}", mesh)
    body.pass_index = i + 1
    scene.collection.objects.link(body)
    bodies.append(body)
data = bpy.data.lights.new("lamp", "AREA")
data.energy, data.size = float(given["lamp_w"]), float(given["lamp_size_m"])
lamp = bpy.data.objects.new("lamp", data)
lamp.location = given["lamp_m"].tolist()
lamp.rotation_mode = "QUATERNION"
lamp.rotation_quaternion = (-Vector(given["lamp_m"].tolist())).to_track_quat("-Z", "Y")
scene.collection.objects.link(lamp)
lens = bpy.data.cameras.new("camera")
lens.angle = float(given["fov_rad"])
camera = bpy.data.objects.new("camera", lens)
scene.collection.objects.link(camera)
scene.camera = camera
built = meter.cpu_s()

for frame, pose in enumerate(given["cameras"]):
    camera.matrix_world = Matrix((pose @ np.diag([1.0, -1.0, -1.0, 1.0])).tolist())
    for body, matrix in zip(bodies, given["poses"][frame], strict=True):
        body.matrix_world = Matrix(matrix.tolist())
    scene.cycles.seed = frame
    scene.render.filepath = str(out / f"{frame:04}.exr")
    scene.update_tag()
    bpy.ops.render.render(write_still=True)
meter.report(started, built - started, meter.cpu_s() - built, len(given["cameras"]), bpy.app.version_string)
