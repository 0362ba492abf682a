from __future__ import annotations

from pathlib import Path

import pytest

from tests.trainer.bench.fake_suite import SUITE, write_truth
from trainer.bench.tasks import Truth, find_truth


@pytest.fixture(scope="session")
def truth_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_truth(tmp_path_factory.mktemp("bench") / "truth")


@pytest.fixture(scope="session")
def truths(truth_data: Path) -> list[Truth]:
    return find_truth(SUITE, truth_data)
