"""The table of what each kernel changed, from rows as a runner writes them."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.report.build import build_report
from harness.store.database import open_for_reading, open_for_writing
from tests.factory import ARMS, EXECUTION, make_database

ONE = {"bases": ("pocket-1m",), "seeds": (1,)}
LORA = replace(ARMS["lora"], fails={})
EAGER = replace(LORA, memory_mib=16.0, tokens_per_second=5500.0)


def shown(path: Path) -> list[dict[str, str]]:
    """The ladder's rows as people read them; none where there is no such table."""
    [section] = build_report(open_for_reading(path)).sections
    return [
        {column.header: column.show(row) for column in table.columns}
        for table in section.tables
        if table.name == "ladder"
        for row in table.rows()
    ]


@pytest.fixture
def two_ways(tmp_path: Path) -> Path:
    """LoRA by eager attention and by SDPA, whose windows' quartiles are a tenth off their medians."""
    path = tmp_path / "r.db"
    make_database(path, arms={"base": ARMS["base"], "lora": LORA}, execution={**EXECUTION, "attention": "sdpa"}, **ONE)
    make_database(path, arms={"lora": EAGER}, execution={**EXECUTION, "attention": "eager"}, seed=1, **ONE)
    db = open_for_writing(path)
    triggers = [row["name"] for row in db.query("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
    for trigger in triggers:
        db.execute(f"DROP TRIGGER {trigger}")
    speed = "tokens_per_second"
    db.execute(f"UPDATE phases SET {speed}_p25 = 0.9 * {speed}_median, {speed}_p75 = 1.1 * {speed}_median")
    db.close()
    return path


def test_the_second_row_says_what_changed_and_what_it_made_of_memory_and_speed(two_ways: Path) -> None:
    eager, sdpa = shown(two_ways)

    assert (eager["row"], eager["against"], eager["memory change"], eager["speed change"]) == ("1", "-", "-", "-")
    assert (sdpa["row"], sdpa["against"], sdpa["change"]) == ("2", "1", "attention eager -> sdpa")
    assert (sdpa["memory"], sdpa["memory change"]) == ("12.0 MiB", "-4.0 MiB (-25 %)")
    assert (sdpa["tokens/s [quartiles]"], sdpa["speed change"]) == ("11.0 K [9.9 K, 12.1 K]", "+5.5 K (+100 %)")


def test_where_nothing_is_computed_in_two_ways_there_is_no_such_table(tmp_path: Path) -> None:
    assert shown(make_database(tmp_path / "r.db", **ONE)) == []
