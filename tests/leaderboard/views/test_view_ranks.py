"""Ranks and sizes: a line where there is one to draw, and a sentence where there is none."""

from tests.factory import ARMS, BASES, make_database
from tests.leaderboard.views.on_the_page import tables_with, text_of


def pictures(page):
    return page.get("vega_lite_chart")


def test_it_opens_on_score_forgetting_memory_and_speed_of_each_base(open_board, snapshot):
    page = open_board(snapshot, page="ranks")
    said = text_of(page)
    assert len(pictures(page)) == 8
    assert all(f"{figure} · pocket-1m" in said for figure in ("target score", "forgetting", "memory", "speed"))
    assert not page.info


def test_the_base_and_the_method_are_filtered_as_on_the_leaderboard(open_board, snapshot):
    page = open_board(snapshot, page="ranks")
    page.multiselect(key="base").set_value(["pocket-1m"])
    page.multiselect(key="method").set_value(["lora"]).run()
    (table,) = tables_with(page, "rank")
    assert set(table["rank"]) == {2, 8, 32}
    assert len(pictures(page)) == 4


def test_against_the_size_of_the_base_a_picture_has_all_bases(open_board, snapshot):
    page = open_board(snapshot, page="ranks")
    page.selectbox(key="against").set_value("size").run()
    assert len(pictures(page)) == 4
    assert sorted(set(tables_with(page, "base_parameters")[0]["base"])) == ["pocket-0.2m", "pocket-1m"]


def test_the_figures_can_be_chosen(open_board, snapshot):
    page = open_board(snapshot, page="ranks")
    page.multiselect(key="base").set_value(["pocket-1m"])
    page.multiselect(key="figures").set_value(["perplexity"]).run()
    assert len(pictures(page)) == 1
    assert "perplexity_ratio" in page.dataframe[0].value.columns


def test_with_one_rank_only_it_says_that_there_are_no_lines(open_board, tmp_path):
    arms = {name: ARMS[name] for name in ("base", "full_sft", "lora")}
    page = open_board(make_database(tmp_path / "one.db", arms=arms, bases=["pocket-1m"], seeds=(1,)), page="ranks")
    assert "Each method was trained at one rank only" in text_of(page)
    assert len(pictures(page)) == 4


def test_one_base_has_no_line_from_size_to_size(open_board, tmp_path):
    arms = {name: ARMS[name] for name in ("base", "lora")}
    path = make_database(tmp_path / "one.db", arms=arms, bases=["pocket-1m"], seeds=(1,))
    page = open_board(path, page="ranks", against="the size of the base")
    assert "on bases of one size only" in text_of(page)


def test_where_all_weights_are_trained_nothing_has_a_rank(open_board, tmp_path):
    arms = {name: ARMS[name] for name in ("base", "full_sft")}
    page = open_board(make_database(tmp_path / "full.db", arms=arms, bases=list(BASES), seeds=(1,)), page="ranks")
    assert "None of these arms has a rank" in text_of(page)


def test_without_a_trained_arm_it_says_so(open_board, tmp_path):
    page = open_board(make_database(tmp_path / "b.db", arms={"base": ARMS["base"]}, bases=["pocket-1m"]), page="ranks")
    assert "No trained arm" in text_of(page)
