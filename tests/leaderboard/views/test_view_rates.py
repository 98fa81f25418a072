"""Learning rates: every arm's curve, the choice, the edges of its grid, and the rates at which runs failed."""

from dataclasses import replace

import pytest

from harness.foreign import import_foreign
from tests.factory import ARMS, make_database
from tests.harness.foreign.peft_results import a_result, write_results
from tests.leaderboard.views.on_the_page import tables_with, text_of

ALL_FAIL = replace(ARMS["lora"], fails=dict.fromkeys(ARMS["lora"].rates, "oom"))


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    return make_database(tmp_path_factory.mktemp("db") / "mine.db", bases=["pocket-1m"])


def table(page):
    (found,) = tables_with(page, "learning_rate")
    return found


def test_a_picture_an_arm_and_a_row_a_rate(open_board, db):
    page = open_board(db, page="rates")
    assert len(page.get("vega_lite_chart")) == 4
    assert list(table(page).query("name == 'full_sft'")["learning_rate"]) == [1e-4, 3e-4, 1e-3]


def test_validation_and_test_are_shown_at_every_rate_in_points(open_board, db):
    rows = table(open_board(db, page="rates")).query("name == 'full_sft'")
    assert rows[["validation", "test"]].notna().all(axis=None)
    assert rows["test"].between(60, 100).all()


def test_the_chosen_rate_is_marked_and_a_choice_at_an_edge_flagged(open_board, db):
    page = open_board(db, page="rates")
    chosen = table(page).query("verdict != ''").set_index("name")["verdict"]
    assert chosen["full_sft"] == "chosen"
    assert chosen["qlora r=8"] == "chosen, highest tried"
    assert "4 arms chose a rate, 2 of them at an edge of the grid (2 highest tried)" in text_of(page)


def test_only_those_at_an_edge_can_be_shown(open_board, db):
    page = open_board(db, page="rates")
    page.toggle(key="edges").set_value(True).run()
    assert set(table(page)["name"]) == {"qlora r=8", "dpo-lora on lora r=8"}


def test_a_rate_that_failed_has_a_row_without_scores_that_says_how(open_board, db):
    (row,) = table(open_board(db, page="rates")).query("failed != ''").to_dict("records")
    assert (row["name"], row["learning_rate"], row["failed"]) == ("lora r=8", 1e-2, "3 nan")
    assert row["test"] != row["test"]


def test_an_arm_of_which_every_run_failed_has_chosen_nothing(open_board, tmp_path):
    arms = {"base": ARMS["base"], "lora": ALL_FAIL}
    page = open_board(make_database(tmp_path / "f.db", arms=arms, bases=["pocket-1m"], seeds=(1,)), page="rates")
    assert "No rate was chosen" in text_of(page)
    assert list(table(page)["failed"]) == ["1 oom"] * 3


def test_one_rate_only_is_an_edge_of_its_own(open_board, tmp_path):
    arms = {"base": ARMS["base"], "lora": replace(ARMS["lora"], rates=(3e-3,))}
    page = open_board(make_database(tmp_path / "o.db", arms=arms, bases=["pocket-1m"], seeds=(1,)), page="rates")
    assert list(table(page)["verdict"]) == ["chosen, only rate tried"]


def test_results_of_others_without_items_are_shown(open_board, tmp_path):
    folder = write_results(tmp_path / "peft", a_result())
    import_foreign("peft-method-comparison", folder, tmp_path / "peft.db")
    (row,) = table(open_board(tmp_path / "peft.db", page="rates")).to_dict("records")
    assert (row["validation"], round(row["test"], 2)) == (50.0, 47.84)


def test_without_a_trained_arm_it_says_so(open_board, tmp_path):
    page = open_board(make_database(tmp_path / "b.db", arms={"base": ARMS["base"]}, bases=["pocket-1m"]), page="rates")
    assert "No arm here has a grid of learning rates" in text_of(page)
