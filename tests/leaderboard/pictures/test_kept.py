"""Kept, lost, won and never right are parts of one bar, in one order, with their shares written in."""

import pandas as pd
import pytest

from leaderboard.pictures.kept import KINDS, kept, parts_of

ABOUT = {"row": "lora", "name": "lora", "base": "b", "title": "refusals"}
ROWS = pd.DataFrame([{**ABOUT, "kept": 70.0, "lost": 20.0, "won": 0.0, "never": 10.0}])


def test_the_parts_lie_one_behind_the_other():
    parts = parts_of(ROWS).set_index("kind")
    assert parts.loc["lost", ["start", "middle", "end"]].tolist() == pytest.approx([70.0, 80.0, 90.0])
    assert parts["end"].max() == pytest.approx(100.0)


def test_an_empty_part_is_left_out():
    assert set(parts_of(ROWS)["kind"]) == {"kept", "lost", "never"}


def test_the_legend_has_every_kind_in_the_order_of_the_bar():
    spec = kept(parts_of(ROWS)).to_dict()
    assert spec["layer"][0]["encoding"]["color"]["scale"]["domain"] == list(KINDS)


def test_shares_are_written_in_where_there_is_room():
    label = kept(parts_of(ROWS)).to_dict()["layer"][1]
    assert label["encoding"]["text"]["field"] == "share"
    assert "datum.share >=" in label["transform"][0]["filter"]


def test_nothing_is_no_picture():
    assert kept(parts_of(ROWS.iloc[:0])) is None
