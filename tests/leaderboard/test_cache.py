"""What is kept for all visitors is worked out once, and anew when what it comes from has changed."""

import pytest

from harness.analysis import frontier
from leaderboard import cache, results
from tests.factory import ARMS, make_database


@pytest.fixture
def db(tmp_path):
    arms = {name: ARMS[name] for name in ("base", "full_sft", "lora")}
    return make_database(tmp_path / "mine.db", arms=arms, bases=["pocket-1m"], seeds=(1, 2))


def test_who_is_beaten_is_worked_out_once(db, monkeypatch):
    (key,) = results.list_source(db).sections
    asked = []
    monkeypatch.setattr(frontier, "pareto_set", lambda *of, whole=frontier.pareto_set: asked.append(of) or whole(*of))
    first = cache.standing(key, ("gain", "memory_bytes"))
    assert cache.standing(key, ("gain", "memory_bytes")) is first
    assert len(asked) == 1
