"""A results file and its snapshot, made once for all tests of snapshots: copy it before you change it."""

from pathlib import Path

import pytest

from tests.harness.snapshot.published import publish, small_database


@pytest.fixture(scope="session")
def db_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results file."""
    return small_database(tmp_path_factory.mktemp("runs") / "results.db")


@pytest.fixture(scope="session")
def snapshot(db_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its snapshot's folder."""
    return publish(db_path, tmp_path_factory.mktemp("published") / "results")
