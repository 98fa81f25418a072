"""What is kept for all visitors is worked out once, and anew when what it comes from has changed."""

import os

import pytest

from harness.analysis import frontier
from harness.own.heldout import LOADER, write_folder
from leaderboard import cache, results
from tests.factory import ARMS, make_database

TASK = "task: own_choices\ndataset_kwargs: {file: own.jsonl}\ntest_split: test\ndoc_to_text: prompt\n"
TASK += "doc_to_choice: choices\ndoc_to_target: answer\n"
ROW = '{"prompt": "two and two", "choices": ["three", "four"], "answer": 1}\n'


@pytest.fixture
def db(tmp_path):
    arms = {name: ARMS[name] for name in ("base", "full_sft", "lora")}
    return make_database(tmp_path / "mine.db", arms=arms, bases=["pocket-1m"], seeds=(1, 2))


class TestTexts:
    @pytest.fixture
    def rows(self, db):
        """The file of rows of a task beside the results."""
        told = {"tasks/loader.py": LOADER, "tasks/own_choices.yaml": TASK, "tasks/own.jsonl": ROW}
        return write_folder(told, db.parent / ".tunematrix" / "own") / "tasks" / "own.jsonl"

    def prompts(self, db):
        return [one.prompt for known in cache.texts("own", db).known.values() for one in known.questions]

    def test_they_are_read_once(self, db, rows):
        assert cache.texts("own", db) is cache.texts("own", db)

    def test_they_are_read_anew_when_a_data_file_has_changed(self, db, rows):
        assert self.prompts(db) == ["two and two"]
        rows.write_text(ROW.replace("two and two", "one and three"))
        assert self.prompts(db) == ["one and three"]

    def test_a_change_that_leaves_the_size_alone_counts_too(self, db, rows):
        assert self.prompts(db) == ["two and two"]
        rows.write_text(ROW.replace("two and two", "two and six"))
        os.utime(rows, ns=(1, 1))
        assert self.prompts(db) == ["two and six"]


def test_who_is_beaten_is_worked_out_once(db, monkeypatch):
    (key,) = results.list_source(db).sections
    asked = []
    monkeypatch.setattr(frontier, "pareto_set", lambda *of, whole=frontier.pareto_set: asked.append(of) or whole(*of))
    first = cache.standing(key, ("gain", "memory_bytes"))
    assert cache.standing(key, ("gain", "memory_bytes")) is first
    assert len(asked) == 1
