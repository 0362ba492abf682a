from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from tests.trainer.probe.drawing import CARRIER_ID, SWEEP_TIMES_S, T_H_S, T_R_S, draw, rendered
from tests.trainer.probe.fake_clips import write_fake_clip, write_fake_dataset
from tests.trainer.probe.stand_ins import remembers, runs_at
from trainer.probe.readout import SweepModel, prepare
from trainer.probe.result import ProbeResult
from trainer.probe.run import probe


@lru_cache
def sweep_of(kind: str, scene: int = 1, noise: float = 0.004) -> SweepModel:
    drawn = [draw(kind, t, scene) for t in SWEEP_TIMES_S]
    rgb = np.stack([rendered(picture, noise, i) for i, (picture, _) in enumerate(drawn)])
    segmentation = np.stack([s for _, s in drawn])
    return prepare(rgb, segmentation, SWEEP_TIMES_S, [CARRIER_ID], (T_H_S, T_R_S))


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three synthetic clips: two scenes of a glass, one of a bob."""
    root = write_fake_dataset(tmp_path_factory.mktemp("probe") / "data", kinds=("glass",), scenes=2)
    write_fake_clip(root / "clips" / "bob-0", "bob", 1)
    return root


@pytest.fixture(scope="session")
def glass_data(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two glasses alone."""
    root = tmp_path_factory.mktemp("glasses") / "data"
    (root / "clips").mkdir(parents=True)
    for n in range(2):
        (root / "clips" / f"{n}").symlink_to(dataset / "clips" / f"glass-{n}")
    return root


@pytest.fixture(scope="session")
def remembered(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ProbeResult, Path]:
    """The probe of a model that remembers, and where its report lies."""
    out = tmp_path_factory.mktemp("report")
    return probe(None, dataset, out, rollout=remembers), out


@pytest.fixture(scope="session")
def sampled(glass_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ProbeResult:
    """Three samples of glasses: right, slow and between."""
    rollouts = [remembers, runs_at(0.5, 1), runs_at(0.75, 2)]
    out = tmp_path_factory.mktemp("sampled")
    return probe(None, glass_data, out, rollout=rollouts, second_opinion=False)
