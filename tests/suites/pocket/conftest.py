"""What the tests of the pocket suite share: its data as committed, and its corpus."""

import json
from pathlib import Path
from typing import Any

import pytest

from suites.pocket.build import DATA_FOLDER
from suites.pocket.corpus import Corpus
from suites.pocket.world import World

Rows = list[dict[str, Any]]


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """The pretraining corpus of the committed seed."""
    return Corpus()


@pytest.fixture(scope="session")
def world(corpus: Corpus) -> World:
    """The world of the committed seed."""
    return corpus.world


@pytest.fixture(scope="session")
def data() -> dict[str, Rows]:
    """File name without its ending -> rows, for every committed data file."""
    return {path.stem: read_rows(path) for path in sorted(DATA_FOLDER.glob("*.jsonl"))}


def read_rows(path: Path) -> Rows:
    """The rows of a JSON-lines file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
