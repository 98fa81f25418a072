"""Arms of several results are told apart, and stand where the data support it."""

import pandas as pd

from leaderboard.rows.arms import named, trained


def summary(**columns):
    defaults = {
        "label": ["lora", "lora"],
        "name": ["lora r=2", "lora r=8"],
        "base": ["small", "small"],
        "section": [0, 0],
        "chosen_rate": [1e-3, None],
        "tuning_seconds": [10.0, 20.0],
        "tuning_seconds_with_sft": [None, 50.0],
    }
    return pd.DataFrame({**defaults, **columns})


def test_arms_of_one_base_and_result_are_named_by_their_names():
    assert list(named(summary())["row"]) == ["lora r=2", "lora r=8"]


def test_several_bases_are_named_as_well():
    assert list(named(summary(base=["small", "large"]))["row"]) == ["lora r=2 · small", "lora r=8 · large"]


def test_rows_never_share_a_name():
    found = named(summary(name=["lora r=2", "lora r=2"]))
    assert found["row"].is_unique


def test_the_ranks_of_a_method_are_one_family_and_other_starts_another():
    found = named(summary(name=["dpo on lora r=8", "dpo on qlora r=8"]))
    assert found["family"].nunique() == 2
    assert named(summary())["family"].nunique() == 1


def test_tuning_time_counts_the_sft_stage_where_there_is_one():
    assert list(named(summary())["whole_tuning_seconds"]) == [10.0, 50.0]


def test_trained_arms_have_a_chosen_rate():
    assert list(trained(named(summary()))["name"]) == ["lora r=2"]
