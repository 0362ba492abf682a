from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trainer.bench.fake_suite import SUITE, write_truth
from trainer.bench import baselines
from trainer.bench.tasks import Truth, find_truth
from trainer.probe.subject import Subject


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    """Two pictures after a return and videos of 128 px say enough here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baselines, "VIDEO_SIDE_PX", 128)
        patch.setattr(Subject, "frames_like_return", lambda self: [self.t_r, self.t_r + 1])
        yield


@pytest.fixture(scope="session")
def truth_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_truth(tmp_path_factory.mktemp("bench") / "truth")


@pytest.fixture(scope="session")
def truths(truth_data: Path) -> list[Truth]:
    return find_truth(SUITE, truth_data)
