"""History: a figure over stacks and results, with the steps marked and named."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from leaderboard import results
from tests.factory import ARMS, CPU, Truth, make_database

VIEW = Path(results.__file__).with_name("views") / "history.py"
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def stepped(tmp_path_factory):
    """Eight days in two files, the last three on a newer torch that is slower."""
    folder = tmp_path_factory.mktemp("stepped")
    for day in range(8):
        facts = {**CPU, "torch": "2.12.0" if day < 5 else "2.13.0", "day": day}
        speed = 11_000 + 40 * (day % 3) - (1_500 if day >= 5 else 0)
        lora = Truth(**{**vars(ARMS["lora"]), "tokens_per_second": speed})
        make_database(
            folder / f"{day % 2}.db", seed=day, arms={"base": ARMS["base"], "lora": lora}, bases=["pocket-1m"],
            facts=facts, started=START + timedelta(days=day),
        )  # fmt: skip
    return [folder / "0.db", folder / "1.db"]


@pytest.fixture
def speed(open_board, stepped):
    return open_board(*stepped, page="history", figure="speed")


def test_it_opens_on_the_target_score_of_the_best_arms(open_board, stepped):
    page = open_board(*stepped, page="history")
    assert page.selectbox(key="figure").value == "target score"
    assert page.multiselect(key="arms").value == ["lora r=8 · pocket-1m"]


def test_every_source_has_its_points_in_order_of_time(speed):
    rows = speed.dataframe[0].value
    assert list(rows["source"]) == ["0", "1"] * 4
    assert list(rows["when"]) == sorted(rows["when"])


def test_a_step_is_marked_where_it_is_and_named_by_what_changed(speed):
    rows = speed.dataframe[0].value
    (step,) = rows[rows["step"] != ""].to_dict("records")
    assert (step["step"], step["when"][:10]) == ("down", "2026-01-06")
    assert step["changes"] == "day 4 -> 5; torch 2.12.0 -> 2.13.0"
    assert speed.text[0].value == "lora r=8 · pocket-1m: 1 step in 8 points"


def test_a_score_has_its_intervals(open_board, stepped):
    rows = open_board(*stepped, page="history").dataframe[0].value
    assert ((rows["low"] < rows["value"]) & (rows["value"] < rows["high"])).all()


def test_several_arms_are_one_under_the_other(open_board, stepped):
    page = open_board(*stepped, page="history", arms=["lora r=8 · pocket-1m", "base · pocket-1m"])
    assert set(page.dataframe[0].value["arm"]) == {"lora r=8 · pocket-1m", "base · pocket-1m"}


def test_a_single_point_is_too_few_to_tell_a_step(open_board, tmp_path):
    page = open_board(make_database(tmp_path / "one.db", arms={"base": ARMS["base"], "lora": ARMS["lora"]},
                                    bases=["pocket-1m"]), page="history")  # fmt: skip
    assert "1 of the 4 points" in page.text[0].value


def test_what_was_not_measured_is_said(open_board, stepped):
    page = open_board(*stepped, page="history", figure="speed", arms="base · pocket-1m")
    assert "speed was not measured" in page.info[0].value


def test_results_that_never_had_the_arm_have_no_point_of_it(open_board, stepped, tmp_path):
    other = make_database(tmp_path / "other.db", arms={"qlora": ARMS["qlora"]}, bases=["pocket-1m"])
    page = open_board(*stepped, other, page="history")
    assert len(page.dataframe[0].value) == 8


def test_a_link_that_names_its_arms_reads_no_others(monkeypatch, tmp_path):
    path = make_database(tmp_path / "few.db", arms={n: ARMS[n] for n in ("base", "lora", "qlora")}, bases=["pocket-1m"])
    monkeypatch.setattr(sys, "argv", ["app.py", str(path)])
    monkeypatch.setattr(results, "read_part", lambda key: pytest.fail("the whole section was read"))
    page = AppTest.from_file(str(VIEW), default_timeout=60)
    page.query_params["arms"] = "qlora r=8 · pocket-1m"
    page.run()
    assert not page.exception
    assert set(page.dataframe[0].value["arm"]) == {"qlora r=8 · pocket-1m"}
