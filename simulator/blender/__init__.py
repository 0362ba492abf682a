"""Blender, in a process of its own. Only this package imports bpy; start it with `python -m simulator.blender`."""
