"""The large world, made once for all its tests."""

from typing import Any

import pytest

from suites.pocket.corpus import Corpus
from suites.pocket.world import World
from suites.pocket_large.bases import REAL
from suites.pocket_large.make import data_of, make_suite

Rows = list[dict[str, Any]]


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """Its pretraining corpus."""
    return Corpus(REAL.spec)


@pytest.fixture(scope="session")
def world(corpus: Corpus) -> World:
    """The world itself."""
    return corpus.world


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rows]:
    """File name without its ending -> rows, for every data file that is made."""
    folder = tmp_path_factory.mktemp("large")
    make_suite(REAL, folder)
    return data_of(folder)
