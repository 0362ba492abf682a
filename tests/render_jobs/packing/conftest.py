"""One data set for the tests of this folder; they don't write to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.render_jobs.packing.support import small_dataset


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_dataset(tmp_path_factory.mktemp("packing") / "data")
