"""A quantity is shown in the unit that people read, and the same figure everywhere."""

import pandas as pd

from leaderboard.quantities import ALL, FORGETTING, MEMORY, TARGET, TUNING, fitted, in_units, measured, names_of


def test_shares_are_shown_in_points_with_their_intervals():
    frame = pd.DataFrame({"target": [0.5], "target_low": [0.4], "target_high": [None]})
    shown = in_units(frame, [TARGET])
    assert shown["target"].tolist() == [50.0]
    assert shown["target_low"].tolist() == [40.0]
    assert shown["target_high"].isna().all()


def test_memory_is_in_mib_below_a_gib_and_in_gib_from_there_on():
    small, large = pd.DataFrame({"memory_bytes": [2.0**29]}), pd.DataFrame({"memory_bytes": [2.0**31]})
    assert (fitted(MEMORY, small).unit, fitted(MEMORY, large).unit) == ("MiB", "GiB")
    assert in_units(large, [fitted(MEMORY, large)])["memory_bytes"].tolist() == [2.0]


def test_time_is_in_hours_from_two_hours_on():
    assert fitted(TUNING, pd.DataFrame({"whole_tuning_seconds": [7200.0]})).title == "tuning time (h)"


def test_what_no_arm_has_is_not_shown():
    frame = pd.DataFrame({"target": [0.5], "forgetting": [None], "memory_bytes": [None]})
    assert measured(frame, ALL) == [TARGET]


def test_an_interval_has_two_ends():
    assert names_of(FORGETTING) == ("forgetting", "forgetting_low", "forgetting_high")


def test_every_quantity_says_what_it_means():
    assert all(one.meaning.endswith(".") for one in ALL)
    assert len({one.label for one in ALL}) == len(ALL)
