"""A file is cut by suite and stack; what is another model is called another name."""

import sqlite3

import pytest

from harness.analysis.summary import summarise
from harness.sections import Contents
from harness.store.database import open_for_reading
from tests.factory import ARMS, make_database


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    """Of a file in which the weights behind a base's name were changed between two runs of a suite."""
    arms = {name: ARMS[name] for name in ("base", "lora")}
    path = make_database(tmp_path_factory.mktemp("db") / "r.db", arms=arms, seeds=(1, 2))
    with sqlite3.connect(path) as db:
        db.execute("UPDATE cells SET base = 'mine'")
    db.close()
    (part,) = Contents(open_for_reading(path)).parts()
    return part


class TestTwoBasesOfOneName:
    def test_each_is_named_with_the_start_of_its_digest(self, part):
        arms = part.frames.arms
        assert set(arms["base"]) == {f"mine #{digest[:6]}" for digest in arms["base_digest"]}
        assert arms["base"].nunique() == 2

    def test_every_frame_calls_them_the_same(self, part):
        frames = part.frames
        names = set(frames.arms["base"])
        assert all(set(frame["base"]) == names for frame in (frames.runs, frames.rates, frames.scores))

    def test_the_table_ranks_them_apart(self, part):
        assert summarise(part.frames).groupby("base")["place"].min().to_list() == [1, 1]


def test_bases_of_different_names_keep_them(tmp_path):
    path = make_database(tmp_path / "r.db", arms={"base": ARMS["base"]})
    (part,) = Contents(open_for_reading(path)).parts()
    assert set(part.frames.arms["base"]) == {"pocket-1m", "pocket-0.2m"}
