"""Training: train -> fit -> Learner.step."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from trainer.build import build_text
from trainer.checkpoint import load_checkpoint, newest_checkpoint, save_checkpoint, start_from
from trainer.config import TrainConfig, config_from_json, differences, validate
from trainer.data.clips import ClipRecord, is_heldout
from trainer.data.mixture import Source, check_sources, clips_digest, prompts_of, seen_by, sources_of
from trainer.data.sources import ClipRecords, check_headers, headers_of, joined, open_dataset, scene_ids
from trainer.data.stream import BatchStream
from trainer.evaluate import HeldoutSet, write_grid
from trainer.latents.text import TextEncoder
from trainer.recipes import recipe
from trainer.seen import SEEN, Seen, read_seen, seen_file
from trainer.training.devices import Devices
from trainer.training.learner import Learner, learning_rate
from trainer.training.metrics import MetricsLog, Speed
from trainer.training.stopping import Stop, Stopped
from trainer.training.support import check_supported
from untrusted import MAX_JSON_BYTES, read_json

SKIPPED = "skipped_clips.json"  # of a run: path -> reason
DATA = "data.json"  # of a run: which clips it is trained on
TRAINED_ON = "was trained on, by this run or by the one that it starts from"
CHANGEABLE = ("loader.", "store.", "model.attention:")  # where and how fast, not what: a run may go on with others


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    run_dir: Path
    step: int
    loss: float  # mean over the last steps that were logged together
    heldout: dict[str, float]  # see `return_error`; empty without held-out clips


def train(
    config: TrainConfig | str,
    data: Path | Sequence[Path],
    out_dir: Path,
    *,
    heldout_dir: Path | None = None,
    steps: int | None = None,
    minutes: float | None = None,
    resume: bool = False,
    progress: bool = True,
) -> TrainResult:
    """Train a configuration (or the recipe of that name) on one or more data set folders; fills the run folder.

    Several folders are mixed by the weights that `config.mixture` gives to their names. Scenes are split by their ids;
    with `heldout_dir`, a data set of other scenes, all of `data` is trained on.

    Stops at the configuration's last step, or after `steps` or `minutes`, always on a checkpoint; called again with
    `resume` it goes on to the very parameters that an undisturbed run with as many threads gives. The clips must then
    be the same, and of the configuration all but `loader`, `store` and `model.attention` (which rounds otherwise).
    SIGINT and SIGTERM let the step finish, save, and raise `Stopped`.
    """
    config = recipe(config) if isinstance(config, str) else config
    if steps is not None and not 1 <= steps <= config.steps:
        raise ValueError(
            f"--steps: {steps} is outside 1 to {config.steps}, the last step of the configuration's schedules; "
            f"give one of these, or more steps to the configuration (--set steps=N)"
        )
    if minutes is not None and not minutes >= 0.0:
        raise ValueError(f"--minutes: {minutes} is no time; give 0 or more")
    folders = [Path(data)] if isinstance(data, str | Path) else [Path(folder) for folder in data]
    training, heldout = split(config, folders, heldout_dir)
    return fit(
        config,
        training,
        heldout,
        Path(out_dir),
        stop_at=config.steps if steps is None else steps,
        deadline=time.monotonic() + 60.0 * minutes if minutes is not None else float("inf"),
        resume=resume,
        progress=progress,
    )


def fit(
    config: TrainConfig,
    training: Sequence[Source],
    heldout: Sequence[ClipRecord],
    run_dir: Path,
    *,
    stop_at: int,
    deadline: float = float("inf"),
    resume: bool = False,
    progress: bool = True,
) -> TrainResult:
    """The training loop, on this device or together with the other processes of the run.

    deadline: on the monotonic clock, s.
    """
    validate(config)
    devices = Devices.find()
    check_supported(config, devices)
    if devices.is_main:
        seen = _seen(run_dir, config, training)
        if both := seen.scenes & set(scene_ids(heldout)):
            raise ValueError(f"held-out clips: scene {min(both)} {TRAINED_ON}; hold out other scenes (--heldout)")
        _claim(run_dir, config, training, resume)
        seen.write(run_dir)
    devices.wait()
    learner = Learner(config, devices)
    found = newest_checkpoint(run_dir)
    step = load_checkpoint(found, learner) if found else 0
    if found is None and config.model.init_from:
        start_from(Path(config.model.init_from), learner)
    if step >= stop_at and devices.is_main:
        print(f"{run_dir}: already at step {step}, nothing is left to train up to {stop_at}")
    rows = devices.rows(config.batch_size)
    text = _text(config, devices, training, heldout)
    batches = BatchStream(training, learner.codec, text, config, rows=rows, start=step, stop=stop_at)
    log = MetricsLog(run_dir, config, step, writes=devices.is_main)
    heldout_set, speed = HeldoutSet(heldout, config, text), Speed(learner)
    scores: dict[str, float] = {}
    bar = tqdm(initial=step, total=stop_at, desc="train", unit="step", disable=not (progress and devices.is_main))
    with Stop(deadline, devices) as stop, log, bar, closing(batches):
        upcoming = iter(batches)
        ended = step >= stop_at or stop.asked()
        while not ended:
            batch = next(upcoming)
            report = learner.step(batch, step)
            log.add(**report._asdict())
            speed.add(batch)
            step += 1
            ended = step == stop_at or stop.asked()
            asked = step % config.eval_every == 0 or ended
            if asked:
                scores = _evaluate(learner, heldout_set, log, run_dir, step)
            if asked or step % config.log_every == 0:
                log.write(step, {"lr": learning_rate(config, step - 1)} | (scores if asked else {}))
                bar.set_postfix(log.brief() | speed.brief(), refresh=False)
            if step % config.checkpoint_every == 0 or ended:
                save_checkpoint(run_dir, step=step, learner=learner, keep=config.keep_checkpoints)
            bar.update()
    if devices.is_main:
        _list_skipped(batches.unreadable, run_dir)
    if stop.signum:
        raise Stopped(stop.signum, f"stopped by {signal.Signals(stop.signum).name} after step {step}, which is saved")
    return TrainResult(run_dir=run_dir, step=step, loss=log.last.get("loss", float("nan")), heldout=scores)


def _evaluate(learner: Learner, heldout: HeldoutSet, log: MetricsLog, run_dir: Path, step: int) -> dict[str, float]:
    """Scores of the averaged weights on the held-out clips; the sample grid goes to samples/ and to the log."""
    with learner.averaged():
        scores = heldout.scores(learner)
        more, grid = heldout.samples(learner)
    if grid is not None and learner.devices.is_main:
        write_grid(run_dir / "samples" / f"step_{step:08d}.png", grid)
        log.picture(step, "samples", grid)
    return scores | more


def split(
    config: TrainConfig, folders: Sequence[Path], heldout_dir: Path | None
) -> tuple[tuple[Source, ...], Sequence[ClipRecord]]:
    """Sources to train on, and clips of other scenes."""
    share = config.data.heldout_share if heldout_dir is None else 0.0
    training, heldout = [], []
    for folder in folders:
        records = _opened(config, folder, len(folders))
        held = [is_heldout(header.scene_id, share) for header in records.headers]
        if all(held):
            raise ValueError(f"{folder}: all {len(records)} clips are held out; render more scenes")
        training.append((folder.resolve().name, records.select(i for i, out in enumerate(held) if not out)))
        heldout.append(records.select(i for i, out in enumerate(held) if out))
    sources = sources_of(config.mixture, config.data, training)
    check_sources(sources, needs_cameras=config.model.mode != "none")
    if heldout_dir is None:
        return sources, joined(heldout)
    others = _opened(config, heldout_dir, 1)
    check_headers([training[0][1].headers[0], *others.headers], str(heldout_dir))
    return sources, others


def _opened(config: TrainConfig, folder: Path, num_folders: int) -> ClipRecords:
    return open_dataset(
        folder,
        config.data.frame_stride,
        memory_mb=config.loader.memory_mb / (max(config.loader.num_workers, 1) * num_folders),
        skip_bad=config.loader.skip_bad,
    )


def _text(
    config: TrainConfig, devices: Devices, training: Sequence[Source], heldout: Sequence[ClipRecord]
) -> TextEncoder:
    """The text encoder, with all prompts embedded: by one process, whose embeddings the others find in the store."""
    text = build_text(config, devices.device)
    prompts = sorted(prompts_of(training) | {header.prompt for header in headers_of(heldout)})
    if devices.is_main:
        text.prepare(prompts)
    devices.wait()
    text.prepare(prompts)
    return text


def _seen(run_dir: Path, config: TrainConfig, training: Sequence[Source]) -> Seen:
    """What the run is trained on, with what it was before and what the run that it starts from was."""
    seen, init_from, pretrained = seen_by(training), config.model.init_from, config.model.pretrained
    if (run_dir / SEEN).exists():
        return seen | read_seen(run_dir)
    if init_from:
        return seen | read_seen(Path(init_from))
    return seen | read_seen(Path(pretrained)) if pretrained and seen_file(Path(pretrained)).exists() else seen


def _list_skipped(unreadable: Mapping[str, str], run_dir: Path) -> None:
    """Name the clips that were left out, here and in the run folder."""
    if unreadable:
        (run_dir / SKIPPED).write_text(json.dumps(dict(sorted(unreadable.items())), indent=1) + "\n")
        tqdm.write(f"{len(unreadable)} clips could not be read and were left out; they are in {run_dir / SKIPPED}:")
        for path, reason in sorted(unreadable.items())[:10]:
            tqdm.write(f"  {path}: {reason}")


def _claim(run_dir: Path, config: TrainConfig, training: Sequence[Source], resume: bool) -> None:
    """A run folder belongs to one configuration, whose latest values of what is `CHANGEABLE` are the saved ones, and to
    one sequence of clips (of an older run, to those that it goes on with)."""
    saved, data, digest = run_dir / "config.json", run_dir / DATA, clips_digest(training)
    if saved.exists():
        if not resume:
            raise ValueError(f"{run_dir}: already holds a run; go on with resume, or choose another folder")
        differing = differences(config_from_json(saved), config)
        if odd := [line for line in differing if not line.startswith(CHANGEABLE)]:
            more = f" and {len(odd) - 4} more" if len(odd) > 4 else ""
            raise ValueError(
                f"{saved}: the run was started with another configuration (there and now: {'; '.join(odd[:4])}{more}); "
                f"resume with that one, or choose another folder"
            )
        if data.exists() and read_json(data, MAX_JSON_BYTES).get("clips_digest") != digest:
            raise ValueError(
                f"{data}: the run was started with other clips than --data holds now; resume with those, or begin "
                f"another run from it with --init-from"
            )
    run_dir.mkdir(parents=True, exist_ok=True)
    data.write_text(json.dumps({"clips_digest": digest}) + "\n")
    saved.write_text(config.to_json())
