"""One row an arm says what was planted, with ties where nothing was."""

from dataclasses import replace

import pytest

from harness.analysis.summary import COLUMNS, SCORES, summarise, summarise_merged
from tests.factory import ARMS


@pytest.fixture(scope="module")
def summary(section):
    return summarise(section).set_index("label")


def test_every_arm_has_one_row_and_the_columns_are_fixed(section, summary):
    assert sorted(summary.index) == sorted(ARMS)
    assert list(summarise(section).columns) == COLUMNS


def test_every_score_lies_within_its_interval(summary):
    for score in SCORES:
        known = summary[summary[f"{score}_low"].notna()]
        assert len(known)
        assert (known[f"{score}_low"] <= known[score]).all()
        assert (known[score] <= known[f"{score}_high"]).all()


def test_untrained_rows_are_scored_at_their_own_moments(summary):
    assert summary["moment"].to_dict() == {
        **dict.fromkeys(ARMS, "tuned"),
        **{"base": "base", "base-4bit": "base", "prompted": "prompted"},
    }


def test_the_base_has_no_gain_and_every_other_arm_has_one(summary):
    assert summary.index[summary["gain"].isna()].tolist() == ["base"]
    assert summary.loc["lora", "gain"] == pytest.approx(summary.loc["lora", "target"] - summary.loc["base", "target"])


def test_a_planted_order_gets_different_letters_and_places(summary):
    assert not set(summary.loc["lora", "letters"]) & set(summary.loc["base", "letters"])
    assert summary.loc["prompted", "place"] < summary.loc["base", "place"]


def test_arms_that_are_truly_equal_share_a_letter(make_section):
    equal = {name: replace(ARMS["lora"], fails={}) for name in ("one", "two", "three")}
    table = summarise(make_section(arms={"base": ARMS["base"], **equal}, seed=3)).set_index("label")
    assert table.loc[["one", "two", "three"], "letters"].nunique() == 1
    assert (table.loc[["one", "two", "three"], "place"] == 1).all()


def test_preference_gain_is_against_the_arms_own_sft_stage(summary):
    assert summary.index[summary["preference_gain"].notna()].tolist() == ["dpo-lora"]
    difference = summary.loc["dpo-lora", "preference"] - summary.loc["lora", "preference"]
    assert summary.loc["dpo-lora", "preference_gain"] == pytest.approx(difference)


def test_a_dpo_row_shows_its_own_cost_and_that_with_its_sft_stage(summary):
    both = summary.loc["dpo-lora", "tuning_seconds"] + summary.loc["lora", "tuning_seconds"]
    assert summary.loc["dpo-lora", "tuning_seconds_with_sft"] == both
    assert summary["tuning_seconds_with_sft"].notna().sum() == 1


def test_a_chosen_rate_at_the_edge_of_its_grid_is_marked(summary):
    assert summary.loc["qlora", "edge"] == "highest"
    assert summary["edge"].isna()["lora"]


def test_parameters_are_counted_and_the_bases_size_leaves_adapters_out(summary):
    assert summary.loc["full_sft", "trainable_share"] == 1
    assert summary.loc["lora", "trainable_share"] == pytest.approx(0.035, abs=0.001)
    assert set(summary["base_parameters"]) == {900_000}


def test_an_arm_that_only_failed_is_a_row_without_scores(make_section):
    arms = {"base": ARMS["base"], "lora": replace(ARMS["lora"], rates=(3e-3,), fails={3e-3: "oom"})}
    table = summarise(make_section(arms=arms)).set_index("label")
    assert table.loc["lora", "status"] == "oom"
    assert table.loc["lora", "target":"letters"].isna().all()


def test_one_seed_is_flagged_for_trained_arms_alone(make_section):
    table = summarise(make_section(seeds=(1,))).set_index("label")
    assert table.loc["lora", "flag"] == "one seed"
    assert table["flag"].isna()["base"]


def test_without_items_scores_keep_intervals_over_seeds_and_a_bases_over_their_number(make_section):
    table = summarise(make_section(with_items=False)).set_index("label")
    assert (table.loc[["lora", "base"], "target_low"] < table.loc[["lora", "base"], "target"]).all()
    assert table.loc["base", "target_low"] > 0


def test_names_say_what_an_arm_starts_from_and_its_rank(summary):
    assert summary.loc["dpo-lora", "name"] == "dpo-lora on lora r=8"
    assert summary.loc["full_sft", "name"] == "full_sft"


def test_merging_is_compared_with_the_adapter_as_trained(section):
    merged = summarise_merged(section).set_index(["name", "moment"])
    assert sorted(merged.index) == [
        ("lora r=8", "merged"),
        ("qlora r=8", "merged"),
        ("qlora r=8", "merged_requantised"),
    ]
    assert merged.loc[("lora r=8", "merged"), "difference"] == 0
    assert merged.loc[("qlora r=8", "merged_requantised"), "difference_high"] < 0.02
    assert merged.loc[("qlora r=8", "merged_requantised"), "difference"] < -0.02
