"""Arms of several results are told apart, and stand where the data support it."""

import pandas as pd

from leaderboard.rows.arms import named, trained


def summary(**columns):
    defaults = {
        "arm_id": ["a", "b"],
        "label": ["lora", "lora"],
        "method": ["lora", "lora"],
        "rank": [2.0, 8.0],
        "parent_arm_id": [None, None],
        "execution_id": ["one", "one"],
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


def families(**columns):
    return named(summary(**columns))["family"].nunique()


def test_the_ranks_of_a_method_are_one_family_whatever_their_names_say():
    assert families() == 1
    assert families(label=["x r=8 y", "x r=8 y"], name=["x r=8 y r=2", "x r=8 y r=8 #1a2b3c"]) == 1
    assert families(label=["x r=2", "x r=8"], name=["x r=2", "x r=8"]) == 2


def test_another_method_base_result_or_execution_is_another_family():
    others = {
        "method": ["lora", "qlora"],
        "base": ["small", "large"],
        "section": [0, 1],
        "execution_id": ["one", "two"],
    }
    for column, values in others.items():
        assert families(**{column: values}) == 2, column


def test_what_starts_from_another_entry_is_another_family():
    starts = {"arm_id": ["a", "b", "c", "d"], "label": ["lora", "qlora", "dpo", "dpo"]}
    same = {"method": "dpo", "name": "n", "base": "small", "section": 0, "execution_id": "one", "rank": 8.0}
    same |= {"chosen_rate": 1e-3, "tuning_seconds": 1.0, "tuning_seconds_with_sft": 1.0}
    found = named(pd.DataFrame({**starts, "parent_arm_id": [None, None, "a", "b"]}).assign(**same)).set_index("arm_id")
    assert found.loc["c", "family"] != found.loc["d", "family"]


def test_a_recipe_is_a_method_at_one_rank_on_every_base():
    assert named(summary(base=["small", "large"], rank=[8.0, 8.0]))["recipe"].nunique() == 1
    assert named(summary())["recipe"].nunique() == 2


def test_tuning_time_counts_the_sft_stage_where_there_is_one():
    assert list(named(summary())["whole_tuning_seconds"]) == [10.0, 50.0]


def test_trained_arms_have_a_chosen_rate():
    assert list(trained(named(summary()))["name"]) == ["lora r=2"]
