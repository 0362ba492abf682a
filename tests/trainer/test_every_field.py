"""No setting is ever silently ignored: every field of a configuration is changed, and something must change with it.

PROBES names, for every field, another value and what to look at. A field that is not in it fails: give the new field a
line. BASES are configurations in which a field has anything to say at all.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import re
import sys
import types

import pytest
import torch

from tests.trainer.test_training import CLIPS, SMALL
from trainer.build import build_model
from trainer.config import override, validate
from trainer.data.batches import TrainingBatches
from trainer.data.loader import Loader
from trainer.data.mixture import single_source, sources_of
from trainer.latents.build import load_codec
from trainer.latents.codec import SpaceToDepthCodec
from trainer.train import fit, split
from trainer.training.devices import Devices
from trainer.training.learner import Learner, learning_rate
from trainer.training.metrics import MetricsLog
from trainer.training.support import check_supported

ONE = Devices(device=torch.device("cpu"))
STEPS = (0, 1, 2, 40)


class Seen(Exception):
    """What a recorder was given."""


# ---- what to look at; each returns something that can be compared, a refusal included


def batches(config, _folder):
    """Every number of a few batches."""
    maker = TrainingBatches(
        sources=single_source(CLIPS, config.data), codec=SpaceToDepthCodec(patch=config.codec.patch), config=config
    )
    digest = hashlib.sha256()
    for step in STEPS:
        for name, tensor in sorted(vars(maker.make(step)).items()):
            digest.update(f"{name} {tuple(tensor.shape)}".encode() + tensor.numpy().tobytes())
    return digest.hexdigest()


def model(config, _folder):
    """Parameters by name and shape, what of them is learnt, and the settings of the modules."""
    with torch.device("meta"):
        built = build_model(config)
    settings = [
        (name, value)
        for module in built.modules()
        for name, value in sorted(vars(module).items())
        if isinstance(value, bool | int | float | str) and not name.startswith("_") and name != "training"
    ]
    settings += [repr(getattr(module, "scaling", None)) for module in built.modules()]
    processors = [sorted(vars(block.attn1.processor).items()) for block in built.transformer.blocks]
    return repr([(n, tuple(p.shape), p.requires_grad) for n, p in built.named_parameters()]) + repr(
        [settings, re.sub(r" at 0x[0-9a-f]+", "", repr(processors))]
    )


def weights(config, _folder):
    """Model and average after two steps at full learning rate."""
    learner = Learner(config, ONE)
    maker = TrainingBatches(sources=single_source(CLIPS, config.data), codec=learner.codec, config=config)
    for step in (60, 61):
        learner.step(maker.make(step), step)
    tensors = [p.detach() for p in learner.model.parameters()] + list(learner.ema.values())
    return torch.cat([tensor.flatten() for tensor in tensors]).numpy().tobytes()


def forwards(config, _folder):
    """How often the model is called in a step."""
    learner, calls = Learner(config, ONE), []
    learner.model.register_forward_hook(lambda *_: calls.append(1))
    maker = TrainingBatches(sources=single_source(CLIPS, config.data), codec=learner.codec, config=config)
    learner.step(maker.make(0), 0)
    return len(calls)


def schedule(config, _folder):
    return [learning_rate(config, step) for step in range(400)]


def files(config, folder):
    """Names of the files of a short run, its metrics, its pictures."""
    fit(config, single_source(CLIPS[2:], config.data), CLIPS[:1], folder, stop_at=4, progress=False)
    names = sorted(re.sub(r"tfevents\..*", "tfevents", str(path.relative_to(folder))) for path in folder.rglob("*"))
    pictures = [path.read_bytes() for path in sorted(folder.rglob("*.png"))]
    return names, (folder / "metrics.jsonl").read_text(), pictures, json.loads((folder / "config.json").read_text())


def support(config, _folder):
    """What this machine refuses."""
    validate(config)
    check_supported(config, ONE)
    build_model(config)


def wandb(config, folder):
    """What the package is told."""
    fake = types.ModuleType("wandb")
    told = []
    fake.init = lambda **said: told.append(said) or types.SimpleNamespace(finish=lambda: None)
    sys.modules["wandb"] = fake
    folder.mkdir(exist_ok=True)
    try:
        with MetricsLog(folder, config, 0):
            return [said["project"] for said in told]
    finally:
        del sys.modules["wandb"]


def sources(config, _folder):
    """The sources that a mixture makes of two folders."""
    made = sources_of(config.mixture, config.data, [("a", CLIPS[:3]), ("b", CLIPS[3:])])
    return [(source.name, source.data, source.weight) for source in made]


def opened(config, folder):
    """How a data set is opened."""

    def record(*arguments, **named):
        raise Seen(*arguments[1:], *sorted(named.items()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainer.train.open_dataset", record)
        split(config, [folder], None)


def heldout(config, folder):
    """The share of scenes that is held out."""
    header = types.SimpleNamespace(scene_id="a")
    records = types.SimpleNamespace(headers=[header])

    def record(_scene, share):
        raise Seen(share)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainer.train.open_dataset", lambda *_, **__: records)
        patch.setattr("trainer.train.is_heldout", record)
        split(config, [folder], None)


def workers(config, _folder):
    """How the loader starts its workers."""

    def record(*_, **named):
        raise Seen(named["num_workers"], named["prefetch_factor"])

    maker = types.SimpleNamespace(make=lambda step: step, unreadable=dict)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainer.data.loader.DataLoader", record)
        return list(Loader(maker, start=0, stop=2, config=config.loader))


def stores(config, _folder):
    """Where encoded latents are kept, and how many."""

    def record(*arguments, **named):
        raise Seen(*arguments, *sorted(named.items()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainer.latents.build.WanVaeCodec.from_pretrained", lambda *_, **__: None)
        patch.setattr("trainer.latents.build.TensorStore", record)
        load_codec(config.codec, config.store)


# ---- which of them sees what, under which other value

STAGE = {"share": (batches, 0.5), "from_step": (batches, 10), "ramp_steps": (batches, 10)}
FIELDS_OF_STAGES = {
    "frontier_continuation": {
        "chunk": (batches, 2),
        "min_prefix": (batches, 6),
        "max_chunks": (batches, 1),
        "at_return": (batches, 0.0),
    },
    "reference_cache": {
        "num_references": (batches, 1),
        "local_window": (batches, 1.0),
        "choice": (batches, "mirror"),
    },
    "node_drop": {"degraded": (batches, 0.1), "frontier": (batches, 0.5)},
    "drop_after_return": {},
    "noisy_memory": {"max_level": (batches, 0.9), "anchor_max_level": (batches, 0.2)},
}
PROBES = {
    "recipe": (files, "other"),
    "seed": (batches, 1),
    "steps": (schedule, 300),
    "batch_size": (batches, 3),
    "log_every": (files, 1),
    "eval_every": (files, 2),
    "checkpoint_every": (files, 2),
    "keep_checkpoints": (files, 1),
    "precision": (weights, "bf16"),
    "accumulation": (forwards, 2),
    "sharding": (support, "fsdp"),
    "compile": (support, True),
    "model.mode": (model, "none"),
    "model.pretrained": (support, "no/where/at/all"),
    "model.init_from": (files, "no/where/at/all"),  # which weights: test_init_from.py
    "model.patch": (model, 2),
    "model.dim": (model, 96),
    "model.num_heads": (model, 4),
    "model.num_layers": (model, 1),
    "model.ffn_dim": (model, 64),
    "model.freq_dim": (model, 16),
    "model.attention": (support, "flex"),
    "model.gradient_checkpointing": (model, True),
    "model.lora_rank": (model, 3),
    "model.lora_alpha": (model, 8),
    "model.lora_targets": (model, ("to_q",)),
    "codec.kind": (support, "wan_vae"),
    "codec.patch": (batches, 8),
    "codec.pretrained": (support, "somewhere"),
    "codec.dtype": (support, "bf16"),
    "codec.latent_variants": (support, 2),
    "text.kind": (support, "umt5"),
    "text.pretrained": (support, "somewhere"),
    "text.dtype": (support, "bf16"),
    "store.folder": (stores, "elsewhere"),
    "store.latents_gb": (stores, 1.0),
    "data.frame_stride": (opened, 7),
    "data.heldout_share": (heldout, 0.5),
    "data.interrupted_share": (batches, 0.5),
    "data.own_window_share": (batches, 0.9),
    "data.interruptions": (batches, {"fog": 1.0}),
    "data.occluder_covers": (batches, "event"),
    "data.hidden_min_s": (batches, 1.0),
    "data.hidden_max_s": (batches, 1.0),
    "data.ramp_max_s": (batches, 0.0),
    "data.min_seen_s": (batches, 0.25),
    "data.num_return_targets": (batches, 2),
    "data.num_other_targets": (batches, 1),
    "data.mirror_share": (batches, 0.5),
    "data.gain_sigma": (batches, 0.1),
    "data.prompt_dropout": (batches, 0.5),
    "mixture.sources": (sources, ({"name": "b", "weight": 2.0},)),
    "mixture.sources.0.name": (sources, "c"),
    "mixture.sources.0.weight": (sources, 3.0),
    "mixture.sources.0.interrupted_share": (sources, 0.5),
    "mixture.sources.0.own_window_share": (sources, 0.9),
    "mixture.sources.0.interruptions": (sources, {"fog": 1.0}),
    "mixture.sources.0.mirror_share": (sources, 0.5),
    "mixture.sources.0.gain_sigma": (sources, 0.1),
    "flow.prediction": (weights, "v"),
    "flow.high_share": (batches, 0.1),
    "flow.high_from": (batches, 0.5),
    "flow.return_weight": (batches, 3.0),
    "flow.region_weight": (batches, 1.0),
    "optim.lr": (schedule, 1e-3),
    "optim.weight_decay": (weights, 0.5),
    "optim.beta2": (weights, 0.5),
    "optim.warmup_steps": (schedule, 10),
    "optim.decay_steps": (schedule, 10),
    "optim.grad_clip": (weights, 1e-4),
    "optim.ema_decay": (weights, 0.2),
    "logging.tensorboard": (files, True),
    "logging.wandb": (support, True),
    "logging.wandb_project": (wandb, "other"),
    "logging.grid_clips": (files, 1),
    "logging.grid_steps": (files, 2),
    "loader.num_workers": (workers, 3),
    "loader.prefetch": (workers, 5),
    "loader.memory_mb": (opened, 64.0),
    "loader.skip_bad": (opened, True),
} | {
    f"curriculum.{stage}.{name}": probe
    for stage, fields in FIELDS_OF_STAGES.items()
    for name, probe in (STAGE | fields).items()
}

SHORT = override(
    SMALL, {"log_every": 4, "eval_every": 4, "checkpoint_every": 1, "mixture.sources": '[{"name": "a"}, {"name": "b"}]'}
)
STORING = {"codec.kind": "wan_vae", "codec.pretrained": "x", "codec.patch": 8, "codec.latent_variants": 1}
BASES = {
    "steps": {"steps": 400},
    "model.lora_alpha": {"model.lora_rank": 4},
    "model.lora_targets": {"model.lora_rank": 4},
    "data.occluder_covers": {"data.interruptions": {"occluder": 1.0}},
    "optim.lr": {"steps": 400},
    "optim.warmup_steps": {"steps": 400},
    "optim.decay_steps": {"steps": 400},
    "logging.wandb_project": {"logging.wandb": True},
    "logging.grid_steps": {"logging.grid_clips": 1},
    "loader.prefetch": {"loader.num_workers": 1},
    "store.folder": STORING,
    "store.latents_gb": STORING,
} | {
    f"curriculum.{stage}.{name}": {
        f"curriculum.{other}.share": 1.0 if other == stage else 0.0 for other in FIELDS_OF_STAGES
    }
    for stage, fields in FIELDS_OF_STAGES.items()
    for name in (STAGE | fields)
}


def every_field(group, prefix=""):
    for field in dataclasses.fields(group):
        value, name = getattr(group, field.name), prefix + field.name
        if dataclasses.is_dataclass(value):
            yield from every_field(value, f"{name}.")
            continue
        yield name
        if isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
            yield from every_field(value[0], f"{name}.0.")


def observed(probe, config, folder):
    try:
        return probe(config, folder)
    except (ValueError, Seen) as refusal:
        return repr(refusal)


@functools.cache
def observed_base(name, changes, folder):
    """Of the probe of that name; once for all fields whose base it is."""
    return observed(globals()[name], override(SHORT, json.loads(changes)), folder)


@pytest.mark.parametrize("name", list(every_field(SHORT)))
def test_a_changed_field_changes_something(name, tmp_path_factory):
    assert name in PROBES, f"{name}: add to PROBES another value of it, and what changes with it"
    probe, value = PROBES[name]
    changes = BASES.get(name, {})
    base = override(SHORT, changes)
    folder = tmp_path_factory.getbasetemp()
    before = observed_base(probe.__name__, json.dumps(changes), folder / f"base_{probe.__name__}_{len(changes)}")
    try:
        changed = override(base, {name: value})
    except ValueError:  # refused by itself, in one line: seen as well
        return
    assert changed != base
    after = observed(probe, changed, folder / f"changed_{name}")
    if probe is files and name != "recipe":  # the saved configuration alone must not be what differs
        before, after = before[:3], after[:3]
    assert before != after


@pytest.mark.parametrize("probe", [batches, model, weights, files])
def test_a_probe_sees_no_difference_where_there_is_none(probe, tmp_path):
    left, right = (observed(probe, SHORT, tmp_path / part) for part in ("left", "right"))
    assert left == right


def test_every_probe_is_of_a_field():
    assert PROBES.keys() == set(every_field(SHORT)) and BASES.keys() <= PROBES.keys()
