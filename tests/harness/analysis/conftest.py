"""One realistic section, read once for all tests of the analysis."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.analysis.section import Section
from harness.store import reader
from harness.store.database import open_for_reading
from tests.factory import make_database


def read_section(path: Path) -> Section:
    """Everything in a file of one suite and one stack."""
    db = open_for_reading(path)
    scores = reader.scores(db)
    items = reader.items(db, scores.loc[scores["chosen"], "run_id"])
    return Section(reader.arms(db), reader.runs(db), reader.rates(db), scores, items, reader.phases(db))


@pytest.fixture(scope="session")
def section(tmp_path_factory: pytest.TempPathFactory) -> Section:
    """The factory's arms on one base."""
    path = tmp_path_factory.mktemp("section") / "results.db"
    return read_section(make_database(path, bases=["pocket-1m"]))


@pytest.fixture
def make_section(tmp_path: Path) -> Callable[..., Section]:
    """A section of one base made with other arguments to the factory."""
    return lambda **options: read_section(make_database(tmp_path / "r.db", **{"bases": ["pocket-1m"], **options}))
