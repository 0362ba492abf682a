"""The scene in BlenderProc 2.8 on Blender's Python module: `python run_blenderproc.py SCENE.npz OUT THREADS DENOISE`.

BlenderProc wants to be run by its own launcher inside a Blender that it downloads. Here its set-up (which installs
packages into that Blender) is replaced by nothing; all else is its own code.
"""

import importlib.util
import os
import sys
import tempfile

import bpy  # noqa: TID251
import meter
import numpy as np

scene_file, out, threads, denoise = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "1"
os.environ["INSIDE_OF_THE_INTERNAL_BLENDER_PYTHON_ENVIRONMENT"] = "1"
paths = list(sys.path)
specification = importlib.util.find_spec("blenderproc")
bproc = sys.modules["blenderproc"] = importlib.util.module_from_spec(specification)
from blenderproc.python.utility.SetupUtility import SetupUtility  # noqa: E402


def setup(*args, **kwargs):
    sys.path[:] = paths
    SetupUtility.setup_utility_paths(tempfile.mkdtemp())
    return sys.argv


SetupUtility.setup = setup
specification.loader.exec_module(bproc)
from blenderproc.python.utility.GlobalStorage import GlobalStorage  # noqa: E402
from blenderproc.python.utility.Initializer import _Initializer  # noqa: E402

given = np.load(scene_file)
started = meter.cpu_s()

# bproc.init() without its choice of a language, which Blender's Python module does not have
bproc.clean_up(clean_up_camera=True)
bpy.context.scene.render.engine = "CYCLES"
bproc.renderer.set_render_devices()
_Initializer.set_default_parameters()
GlobalStorage.add("bproc_init_complete", True)
bproc.camera.set_resolution(int(given["side_px"]), int(given["side_px"]))
bproc.camera.set_intrinsics_from_blender_params(float(given["fov_rad"]), lens_unit="FOV")
bproc.renderer.set_world_background([float(given["ambient"])] * 3)
bproc.renderer.set_cpu_threads(threads)
bproc.renderer.set_max_amount_of_samples(int(given["samples"]))
bproc.renderer.set_noise_threshold(0)
bproc.renderer.toggle_light_tree(False)
bproc.renderer.set_denoiser("INTEL" if denoise else None)
bproc.renderer.set_light_bounces(3, 4, 0, 8, 8, 16, 0)
bproc.renderer.enable_depth_output(activate_antialiasing=False)
num_frames = len(given["cameras"])
for i, rgb in enumerate(given["colours"]):
    mesh = bpy.data.meshes.new(f"body{i}")
    mesh.from_pydata(given[f"v{i}"].tolist(), [], given[f"f{i}"].tolist())
    mesh.shade_flat()
    body = bproc.object.create_from_blender_mesh(mesh, f"body{i}")
    material = bproc.material.create(f"body{i}")
    material.set_principled_shader_value("Base Color", (*rgb.tolist(), 1.0))
    body.add_material(material)
    body.set_cp("category_id", i + 1)
    if i == int(given["moving"]):
        for frame in range(num_frames):
            body.set_location(given["poses"][frame, i, :3, 3], frame)
    else:
        body.set_location(given["poses"][0, i, :3, 3])
bproc.renderer.enable_segmentation_output(map_by=["instance"])
lamp = bproc.types.Light("AREA")
lamp.set_location(given["lamp_m"])
lamp.set_rotation_mat(bproc.camera.rotation_from_forward_vec(-given["lamp_m"]))
lamp.set_energy(float(given["lamp_w"]))
lamp.blender_obj.data.size = float(given["lamp_size_m"])
for pose in given["cameras"]:
    bproc.camera.add_camera_pose(pose @ np.diag([1.0, -1.0, -1.0, 1.0]))
built = meter.cpu_s()

bproc.writer.write_hdf5(out, bproc.renderer.render())
meter.report(started, built - started, meter.cpu_s() - built, num_frames, bpy.app.version_string)
