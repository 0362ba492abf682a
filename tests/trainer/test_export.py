"""What `remind export` writes is all of the run: read back bit for bit, and read by diffusers itself."""

from __future__ import annotations

import copy
import json
import shutil

import pytest
import torch
from diffusers import UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel

from tests.trainer.support import NUM_CHANNELS, random_inputs, with_camera_phases
from tests.trainer.test_model import MODES
from tests.trainer.test_training import CLIPS, SMALL, run
from trainer.build import build_model, transformer_config
from trainer.checkpoint import load_trained
from trainer.commands import export
from trainer.config import override
from trainer.export import CONFIG, FACTS, read_export, write_export
from trainer.model.camera_weights import CAMERA_FILE
from trainer.model.lora import LORA_FILE
from trainer.model.pretrained import PART
from trainer.rollout import RolloutConfig, rollout
from trainer.seen import read_seen

FAST = override(SMALL, {"optim.lr": 0.1, "optim.warmup_steps": 0, "optim.decay_steps": 0, "model.mode": "full"})


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A pipeline's folder with the transformer that `FAST` is of, random weights that are not those of its seed."""
    folder = tmp_path_factory.mktemp("base") / "wan"
    torch.manual_seed(5)
    WanTransformer3DModel(**transformer_config(FAST)).save_pretrained(folder / PART)
    return folder


@pytest.fixture(scope="module", params=["lora", "whole"])
def exported(request, base, tmp_path_factory):
    """Of either kind: the run as trained, and its export, the run's folder gone."""
    folder = tmp_path_factory.mktemp(request.param)
    changes = {"model.pretrained": str(base)} | ({"model.lora_rank": 2} if request.param == "lora" else {})
    run(folder / "run", [2], config=override(FAST, changes))
    trained, seen = load_trained(folder / "run"), read_seen(folder / "run")
    assert export(folder / "run", folder / "out") == folder / "out"
    last = load_trained(folder / "run", weights="model")
    shutil.rmtree(folder / "run")
    assert read_seen(folder / "out") == seen
    return trained, last, folder / "out"


def inputs_of(trained):
    channels = trained.codec.channels
    inputs = random_inputs(3)
    inputs["latents_BFCYX"] = inputs["latents_BFCYX"].repeat(1, 1, channels // NUM_CHANNELS, 1, 1)
    return inputs


def test_an_export_gives_the_runs_output_bit_for_bit(exported):
    trained, last, out = exported
    again = load_trained(out)
    assert again.step == trained.step == 2 and again.config == trained.config
    expected = trained.model(**inputs_of(trained))
    assert torch.equal(again.model(**inputs_of(trained)), expected)
    assert not torch.equal(last.model(**inputs_of(trained)), expected), "averaged weights are not the last ones"
    made, remade = (rollout(t, CLIPS[0], RolloutConfig(steps=1), num_frames=2) for t in (trained, again))
    assert made.generated.sum() == 2 and (made.rgb == remade.rgb).all()
    again.model.zero_camera_modules()
    assert not torch.equal(again.model(**inputs_of(trained)), expected), "the camera modules are part of it"


def test_diffusers_reads_an_export(exported, base):
    trained, _, out = exported
    source = base if trained.config.model.lora_rank else out
    stock = WanTransformer3DModel.from_pretrained(source / PART).eval()
    if trained.config.model.lora_rank:
        pipeline = WanPipeline(
            tokenizer=None, text_encoder=None, vae=None, transformer=stock, scheduler=UniPCMultistepScheduler()
        )
        pipeline.load_lora_weights(out, weight_name=LORA_FILE)
    inputs = inputs_of(trained)
    latents, level = inputs["latents_BFCYX"], torch.tensor([0.25, 0.9])
    times = torch.arange(3).double().expand(2, -1)
    model = copy.deepcopy(trained.model)
    model.zero_camera_modules()  # which the stock transformer does not have
    with torch.no_grad():
        ours = model(**inputs | {"times_BF": times, "noise_BF": level})
        theirs = stock(latents.transpose(1, 2), level * 1000.0, inputs["text_BSD"]).sample.transpose(1, 2)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_says_what_its_camera_modules_are(mode, tmp_path):
    config = override(SMALL, {"model.mode": mode})
    model = with_camera_phases(build_model(config)).eval()
    write_export(tmp_path / "out", model, config, step=3, weights="model")
    facts = json.loads((tmp_path / "out" / FACTS).read_text())
    assert (facts["step"], facts["weights"], facts["base"]) == (3, "model", None)
    said = facts["camera_modules"]
    assert said["mode"] == mode and (said["shapes"] == {}) == (mode == "none")
    found, loaded, step = read_export(tmp_path / "out")
    assert step == 3 and loaded == config
    assert all(torch.equal(p, found.get_parameter(name)) for name, p in model.named_parameters())
    assert not list(tmp_path.glob(".out*"))


def test_training_begins_with_the_camera_modules_of_an_export(tmp_path):
    config = override(SMALL, {"model.mode": "phase"})
    model = with_camera_phases(build_model(config))
    write_export(tmp_path / "out", model, config, step=3, weights="ema")
    later = {"model.pretrained": str(tmp_path / "out"), "seed": 1}
    begun = build_model(override(config, later))
    assert all(torch.equal(p, begun.get_parameter(name)) for name, p in model.named_parameters())
    joined, fresh = (build_model(override(SMALL, {"model.mode": "full"} | more)) for more in (later, {"seed": 1}))
    for name, parameter in joined.named_parameters():
        expected = dict(model.named_parameters()).get(name)
        assert torch.equal(parameter, fresh.get_parameter(name) if expected is None else expected), name
    with pytest.raises(ValueError, match=r"camera_modules\.safetensors: does not fit the model"):
        build_model(override(SMALL, {"model.mode": "none"} | later))


def test_exports_that_are_not_whole_are_refused(tmp_path):
    config = override(SMALL, {"model.mode": "phase"})
    out = tmp_path / "out"
    write_export(out, build_model(config), config, step=3, weights="ema")
    with pytest.raises(ValueError, match="exists already; choose another folder"):
        write_export(out, build_model(config), config, step=3, weights="ema")
    for file, text, reason in (
        (FACTS, '{"schema_version": 9, "step": 3}', "schema_version 9, this version reads 1"),
        (FACTS, "{", "json"),
        (CONFIG, override(config, {"model.mode": "full"}).to_json(), "does not fit the model"),
        (CONFIG, override(config, {"model.num_layers": 1}).to_json(), "has num_layers 2, the run says 1"),
        (CAMERA_FILE, "torn", "cannot be read as safetensors"),
    ):
        kept = (out / file).read_bytes()
        (out / file).write_text(text)
        with pytest.raises(ValueError, match=reason) as caught:
            load_trained(out)
        assert "\n" not in str(caught.value)
        (out / file).write_bytes(kept)
    assert load_trained(out).step == 3
    with pytest.raises(ValueError, match="holds no finished checkpoint"):
        export(tmp_path / "nothing", tmp_path / "other")
