"""Clips without Blender, through the same pool."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from render_jobs.commands import RenderOptions, render_plans
from render_jobs.dataset import Dataset
from render_jobs.jobs import Job
from scenes.commands import example_specs
from scenes.loading import load_spec
from scenes.sampling import sample_plans
from simulator.clip import Clip
from simulator.preview import require_preview
from simulator.verify import verify_clip

try:
    require_preview()
except ValueError as missing:
    pytest.skip(str(missing), allow_module_level=True)


def _plan():
    spec = next(path for path in example_specs() if path.stem == "tank_filling")
    plan = sample_plans(load_spec(spec), 1)[0]
    clip = dataclasses.replace(plan.clip, width_px=32, height_px=32)
    return dataclasses.replace(plan, clip=clip, outputs=("rgb", "depth", "segmentation"))


def test_a_preview_clip_is_a_clip_with_an_id_of_its_own(tmp_path):
    plan = _plan()
    (result,) = render_plans([plan], tmp_path, RenderOptions(num_workers=1, renderer="preview"))
    assert result.state == "done", result.message
    assert result.job_id != Job(plan).id  # it can't be taken for the Cycles clip of the same plan
    clip = Clip.open(result.path)
    assert clip.plan["render"]["engine"] == "preview"
    assert clip.manifest["device"].startswith("preview")
    assert {f.check for f in verify_clip(result.path)} == set()
    assert (np.asarray(clip.rgb[0]) != np.asarray(clip.rgb[-1])).any()
    (again,) = render_plans([plan], tmp_path, RenderOptions(num_workers=1, renderer="preview"))
    assert again.state == "present"


def test_a_worker_refuses_a_plan_for_another_engine(tmp_path):
    dataset = Dataset(tmp_path)
    job = Job(_plan())
    dataset.queue(job)
    line = f'{{"id": "x", "plan": "{dataset.plan(job.id)}", "out": "{tmp_path}"}}\n'
    said = subprocess.run(
        [sys.executable, "-m", "simulator.preview"], input=line, capture_output=True, text=True, check=True
    ).stdout
    assert '"retry": false' in said and "the plan asks for 'cycles', not 'preview'" in said
