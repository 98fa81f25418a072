"""Texts of the data are cut to what can be read."""

from leaderboard.texts import short


def test_ten_thousand_characters_are_cut():
    assert short("x" * 10_000, 20) == "x" * 19 + "…"


def test_what_is_short_stays_as_it_is():
    assert short("lora r=8", 8) == "lora r=8"
