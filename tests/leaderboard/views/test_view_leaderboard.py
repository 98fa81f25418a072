"""The leaderboard: one row an arm, filtered, sorted, paged, and taken away."""

import pytest

from tests.factory import ARMS, make_database

NAN = {name: ARMS[name] for name in ("base", "full_sft", "lora", "qlora", "dpo-lora")}


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    return make_database(tmp_path_factory.mktemp("db") / "mine.db", arms=NAN, seeds=(1, 2))


def names(page):
    return list(page.dataframe[0].value["name"])


def test_every_arm_has_a_row_the_best_first(open_board, db):
    page = open_board(db)
    assert len(names(page)) == 2 * len(NAN)
    assert page.dataframe[0].value["target"].iloc[0] > 80  # points


def test_a_filter_leaves_the_arms_that_were_asked_for(open_board, db):
    page = open_board(db)
    page.multiselect(key="method").set_value(["qlora"]).run()
    assert set(names(page)) == {"qlora r=8"}


def test_filters_come_from_the_address(open_board, db):
    assert set(names(open_board(db, method="qlora"))) == {"qlora r=8"}


def test_ranks_are_in_order_of_number(open_board, db):
    assert open_board(db).multiselect(key="rank").options == ["8", "none"]


def test_searching_looks_for_every_word(open_board, db):
    page = open_board(db)
    page.text_input(key="q").set_value("0.2m lora dpo").run()
    assert names(page) == ["dpo-lora on lora r=8"]


def test_sorting_puts_the_better_end_first(open_board, db):
    page = open_board(db)
    page.selectbox(key="sort").set_value("memory_bytes").run()
    figures = page.dataframe[0].value["memory_bytes"].dropna()
    assert figures.is_monotonic_increasing
    page.selectbox(key="sort").set_value("target").run()
    assert page.dataframe[0].value["target"].dropna().is_monotonic_decreasing


def test_when_nothing_matches_it_says_so(open_board, db):
    page = open_board(db)
    page.text_input(key="q").set_value("no such arm").run()
    assert "No arm matches" in page.info[0].value


def test_columns_can_be_chosen(open_board, db):
    page = open_board(db)
    page.multiselect(key="columns").set_value(["arm", "memory (MiB)"]).run()
    assert list(page.dataframe[0].value.columns) == ["name", "memory_bytes"]


def test_arms_that_only_failed_are_rows_too(open_board, tmp_path):
    from dataclasses import replace

    failed = replace(ARMS["lora"], fails=dict.fromkeys(ARMS["lora"].rates, "oom"))
    page = open_board(make_database(tmp_path / "f.db", arms={"base": ARMS["base"], "lora": failed}))
    page.multiselect(key="columns").set_value(["arm", "status"]).run()
    assert set(page.dataframe[0].value["status"]) == {"ok", "oom"}
