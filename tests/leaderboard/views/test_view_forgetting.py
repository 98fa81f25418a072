"""Forgetting: gain against it for all runs, the general tasks before and after, and what became of refusals."""

from dataclasses import replace

import pytest

from harness.foreign import import_foreign
from tests.factory import ARMS, make_database
from tests.harness.foreign.peft_results import a_result, write_results
from tests.leaderboard.views.on_the_page import tables_with, text_of

WORLD = {name: ARMS[name] for name in ("base", "full_sft", "lora")}


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    return make_database(tmp_path_factory.mktemp("db") / "mine.db", arms=WORLD, bases=["pocket-1m"])


def test_every_arm_stands_with_its_gain_and_its_forgetting(open_board, db):
    page = open_board(db, page="forgetting")
    assert {"gain", "forgetting"} <= set(page.dataframe[0].value.columns)
    assert list(page.dataframe[0].value["name"]) == ["full_sft", "lora r=8"]


def test_each_general_task_is_there_before_and_after(open_board, db):
    page = open_board(db, page="forgetting")
    (tasks,) = tables_with(page, "score")
    facts = tasks.query("name == 'full_sft' and task == 'pocket_facts'").iloc[0]
    assert facts["forgetting"] == pytest.approx(facts["base"] - facts["score"])
    assert set(tasks["task"]) == {"pocket_facts", "pocket_arithmetic", "pocket_perplexity"}
    assert all(f"**{task}**" in text_of(page) for task in ("pocket_facts", "pocket_arithmetic"))


def test_refusals_kept_and_lost_make_up_the_whole(open_board, db):
    (kept,) = tables_with(open_board(db, page="forgetting"), "lost")
    parts = kept[["kept", "lost", "won", "never"]]
    assert parts.sum(axis=1).tolist() == pytest.approx([100.0] * len(kept))
    assert set(kept["task"]) == {"pocket_refusals"}


def test_runs_far_off_are_left_out_of_the_picture_until_asked_for(open_board, snapshot):
    page = open_board(snapshot, page="forgetting")
    assert "(7 lie outside the picture)" in text_of(page)
    page.toggle(key="whole").set_value(True).run()
    assert "lie outside the picture" not in text_of(page)


def test_without_items_the_scores_alone_are_compared(open_board, tmp_path):
    path = make_database(tmp_path / "n.db", arms=WORLD, bases=["pocket-1m"], with_items=False)
    page = open_board(path, page="forgetting")
    assert "Single answers were not kept" in text_of(page)


def test_results_of_others_show_by_how_much_the_loss_rose(open_board, tmp_path):
    import_foreign("peft-method-comparison", write_results(tmp_path / "peft", a_result()), tmp_path / "peft.db")
    page = open_board(tmp_path / "peft.db", page="forgetting")
    assert "perplexity_ratio" in page.dataframe[0].value.columns
    assert "No arm here was scored on a safety task" in text_of(page)


def test_without_a_trained_arm_it_says_so(open_board, tmp_path):
    path = make_database(tmp_path / "b.db", arms={"base": ARMS["base"]}, bases=["pocket-1m"])
    assert "No trained arm" in text_of(open_board(path, page="forgetting"))


def test_where_every_run_failed_it_says_so(open_board, tmp_path):
    failing = replace(ARMS["lora"], fails=dict.fromkeys(ARMS["lora"].rates, "oom"))
    path = make_database(tmp_path / "f.db", arms={"base": ARMS["base"], "lora": failing}, bases=["pocket-1m"])
    assert "No trained arm" in text_of(open_board(path, page="forgetting"))
