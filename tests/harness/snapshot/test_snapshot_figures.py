"""The pictures show what the tables say, and come out alike whatever was drawn before."""

import re

import pandas as pd
import pytest

from harness.report import build_report
from harness.snapshot.figures import as_svg, figures
from harness.store import reader
from harness.store.database import open_for_reading
from tests.factory import ARMS, make_database
from tests.harness.snapshot.published import small_database


@pytest.fixture(scope="module")
def drawn(db_path):
    db = open_for_reading(db_path)
    return {name: chart for name, (_, chart) in figures(build_report(db).sections[0], reader.curves(db)).items()}


def labels(chart, holding="arm: ") -> list[str]:
    return [label for label in re.findall(r'aria-label="([^"]*)"', as_svg(chart)) if holding in label]


def test_every_trained_arm_is_a_point_of_gain_and_memory(drawn):
    points = [
        label for label in labels(drawn["gain-memory"]) if "memory in training (MiB): " in label and "base: " in label
    ]
    assert len(points) == 2
    assert any("memory in training (MiB): 12;" in label and "arm: lora r=8" in label for label in points)


def test_intervals_are_drawn_in_both_directions_of_gain_and_forgetting(drawn):
    shown = labels(drawn["gain-forgetting"])
    assert sum("gain_low" in label for label in shown) == 2
    assert sum("forgetting_low" in label for label in shown) == 2


def test_ranks_stand_in_their_order_with_all_weights_last(drawn):
    (axis,) = labels(drawn["score-rank"], "'rank'")
    assert axis.endswith("8, all weights")


def test_the_loss_is_that_of_the_chosen_rates_own_stage(tmp_path):
    arms = {name: ARMS[name] for name in ("base", "lora", "dpo-lora")}
    db = open_for_reading(make_database(tmp_path / "r.db", arms=arms, bases=["pocket-1m"]))
    curves = reader.curves(db)
    assert len(curves) == 6  # two arms at three seeds, a step each
    assert "loss" in figures(build_report(db).sections[0], curves)


def test_a_loss_of_one_step_is_a_dot_and_a_longer_one_a_line(tmp_path):
    db = open_for_reading(small_database(tmp_path / "r.db"))
    section, one = build_report(db).sections[0], reader.curves(db)
    two = pd.concat([one, one.assign(step=one["step"] + 1, tokens_seen=one["tokens_seen"] + 100)])
    marks = [figures(section, curves)["loss"][1].to_dict()["spec"]["mark"] for curves in (one, two)]
    assert [mark["point"] for mark in marks] == [True, False]


def test_a_picture_is_the_same_whatever_was_drawn_before(drawn):
    first = as_svg(drawn["gain-memory"])
    as_svg(drawn["loss"])
    assert as_svg(drawn["gain-memory"]) == first


def test_a_picture_needs_no_network(drawn):
    assert "http" not in as_svg(drawn["gain-memory"]).replace("http://www.w3.org/", "")


def test_without_figures_there_is_no_picture(tmp_path):
    db = open_for_reading(small_database(tmp_path / "r.db", arms={"base": ARMS["base"]}))
    assert figures(build_report(db).sections[0], reader.curves(db)) == {}


def test_a_name_is_shown_and_obeyed_nowhere(tmp_path):
    evil = "<script>alert(1)</script>"
    arms = {"base": ARMS["base"], evil: ARMS["lora"]}
    db = open_for_reading(small_database(tmp_path / "r.db", arms=arms))
    for _, chart in figures(build_report(db).sections[0], reader.curves(db)).values():
        assert "<script>" not in as_svg(chart)


def test_no_curves_no_picture_of_them(db_path):
    db = open_for_reading(db_path)
    none = pd.DataFrame(reader.curves(db).iloc[:0])
    assert "loss" not in figures(build_report(db).sections[0], none)
