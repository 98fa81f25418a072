"""Trade-offs: any two quantities, and who is supported to be beaten in both."""

from dataclasses import replace

import pandas as pd
import pytest
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df

from tests.factory import ARMS, make_database

WORLD = {name: ARMS[name] for name in ("base", "lora", "qlora")}
WORLD["full_sft"] = replace(ARMS["full_sft"], target=0.60, general=0.70)
RECIPE = {
    **{"told_rank": "32", "alpha": "16", "targets": "all-linear", "steps": "90", "batch": "16"},
    "precision": "adapter float32, compute float32, weights float32",
}


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    return make_database(tmp_path_factory.mktemp("db") / "mine.db", arms=WORLD, bases=["pocket-1m"])


def standing(page):
    return page.dataframe[0].value.set_index("name")["standing"]


def test_it_opens_on_gain_against_memory(open_board, db):
    assert {"gain", "memory_bytes"} <= set(open_board(db, page="tradeoffs").dataframe[0].value.columns)


def test_a_beaten_arm_is_said_to_be_beaten_and_by_whom(open_board, db):
    page = open_board(db, page="tradeoffs")
    page.selectbox(key="preset").set_value("gain against forgetting").run()
    assert standing(page)["full_sft"].startswith("beaten by lora")


def test_what_a_dot_tells_is_the_recipe_as_it_is_stored(open_board, snapshot):
    (chart,) = open_board(snapshot, page="tradeoffs").get("vega_lite_chart")
    rows = pd.concat([convert_arrow_bytes_to_pandas_df(one.data.data) for one in chart.proto.datasets])
    told = rows[rows["name"] == "lora r=32"][list(RECIPE)].to_dict("records")
    assert RECIPE in told


def test_any_two_quantities_can_be_set_against_each_other(open_board, db):
    page = open_board(db, page="tradeoffs")
    page.selectbox(key="preset").set_value("two of my own").run()
    page.selectbox(key="up").set_value("perplexity").run()
    page.toggle(key="logx").set_value(True).run()
    assert not page.exception
    assert "perplexity_ratio" in page.dataframe[0].value.columns


def test_without_a_trained_arm_it_says_so(open_board, tmp_path):
    page = open_board(make_database(tmp_path / "b.db", arms={"base": ARMS["base"]}), page="tradeoffs")
    assert "No trained arm" in page.info[0].value
