"""Two arms are compared on the same items and seeds, and every figure is that of the report's."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from harness.analysis.comparison import COLUMNS, compare_arms
from harness.analysis.contender import Contender, Side
from harness.analysis.corrections import benjamini_hochberg, holm
from harness.analysis.quantities import ONE_RUN, OTHER_MACHINE
from harness.analysis.summary import summarise
from harness.analysis.uncertainty import ONE_SEED
from harness.analysis.verdicts import A_BETTER, ALIKE, B_BETTER, NOT_ENOUGH, SAME
from tests.factory import ARMS


def arm(side, label):
    ids = dict(zip(side.section.arms["label"], side.section.arms["arm_id"], strict=True))
    return Contender(side, ids[label])


def compared(side, first, second, **options):
    return compare_arms([(arm(side, first), arm(side, second))], **options).set_index("quantity")


@pytest.fixture(scope="module")
def side(section):
    return Side(section)


@pytest.fixture(scope="module")
def table(side):
    return compared(side, "lora", "qlora")


@pytest.fixture(scope="module")
def summary(section):
    return summarise(section).set_index("label")


def test_every_shared_task_and_every_cost_has_a_row(side):
    found = compare_arms([(arm(side, "lora"), arm(side, "qlora"))])
    assert list(found.columns) == COLUMNS
    assert found["quantity"].tolist() == [
        *("pocket_arithmetic", "pocket_facts", "pocket_perplexity", "pocket_preference", "pocket_refusals"),
        *("pocket_target", "gain", "forgetting", "forgetting at matched gain"),
        *("memory", "tokens/s", "tuning time", "trained parameters"),
    ]


def test_validation_tasks_take_no_part(table):
    assert not any("validation" in quantity for quantity in table.index)


def test_the_values_are_the_reports(table, summary):
    assert table.loc["pocket_target", "first"] == pytest.approx(summary.loc["lora", "target"])
    assert table.loc["gain", "first"] == pytest.approx(summary.loc["lora", "gain"])
    assert table.loc["forgetting", "second"] == pytest.approx(summary.loc["qlora", "forgetting"])
    assert table.loc["memory", "second"] == summary.loc["qlora", "memory_bytes"]
    assert table.loc["tuning time", "first"] == summary.loc["lora", "tuning_seconds"]


def test_a_dpo_arms_tuning_time_counts_its_sft_stage(side, summary):
    found = compared(side, "dpo-lora", "lora")
    assert found.loc["tuning time", "first"] == summary.loc["dpo-lora", "tuning_seconds_with_sft"]


def test_differences_are_first_minus_second_and_ratios_first_over_second(table):
    for quantity in ("pocket_target", "gain", "forgetting"):
        row = table.loc[quantity]
        assert row["difference"] == pytest.approx(row["first"] - row["second"])
    for quantity in ("memory", "tokens/s", "tuning time"):
        row = table.loc[quantity]
        assert row["difference"] == pytest.approx(row["first"] / row["second"])


def test_turned_round_everything_changes_sides(side, table):
    back = compared(side, "qlora", "lora")
    points = table["unit"] == "points"
    assert back.loc[points, "difference"].to_numpy() == pytest.approx(-table.loc[points, "difference"].to_numpy())
    assert back.loc["memory", "verdict"] != table.loc["memory", "verdict"]
    assert back["p_value"].to_numpy() == pytest.approx(table["p_value"].to_numpy(), nan_ok=True)


def test_a_planted_difference_is_supported_and_a_planted_tie_is_not(side, make_section):
    arms = {"base": ARMS["base"], "good": ARMS["lora"], "bad": replace(ARMS["lora"], target=0.5)}
    arms["twin"] = replace(ARMS["lora"], memory_mib=12.1)
    section = Side(make_section(arms=arms, seeds=(1, 2, 3, 4, 5)))
    assert compared(section, "good", "bad").loc["pocket_target", "verdict"] == A_BETTER
    assert compared(section, "bad", "good").loc["gain", "verdict"] == B_BETTER
    tie = compared(section, "good", "twin")
    assert tie.loc["pocket_target", "verdict"] == NOT_ENOUGH
    assert tie.loc["memory", "verdict"] == ALIKE


def test_p_values_are_corrected_over_all_pairs_of_the_call(side):
    pairs = [(arm(side, "lora"), arm(side, other)) for other in ("qlora", "full_sft", "base")]
    together = compare_arms(pairs)
    alone = compare_arms(pairs[:1])
    assert (together.loc[together["pair"] == 0, "p_value"].fillna(9) == alone["p_value"].fillna(9)).all()
    assert (together.loc[together["pair"] == 0, "p_corrected"].dropna() >= alone["p_corrected"].dropna()).all()


def test_quantities_that_test_the_same_answers_are_one_test(table):
    tests = table.drop(index="gain")["p_value"].dropna()  # one target task, one base: the gain is that task again
    assert table.loc["gain", "p_corrected"] == table.loc["pocket_target", "p_corrected"]
    assert table.loc[tests.index, "p_corrected"].to_numpy() == pytest.approx(holm(tests))


def test_screening_corrects_by_benjamini_and_hochberg(side, table):
    screened = compared(side, "lora", "qlora", correct=benjamini_hochberg)
    tests = table.drop(index="gain")["p_value"].dropna()
    assert screened.loc[tests.index, "p_corrected"].to_numpy() == pytest.approx(benjamini_hochberg(tests))


def test_seeds_and_items_are_counted(table):
    assert table.loc["pocket_target", ["seeds", "items"]].tolist() == [3, 240]


def test_with_one_seed_the_items_are_tested_exactly_and_it_says_so(make_section):
    side = Side(make_section(seeds=(1,)))
    lora, qlora = arm(side, "lora"), arm(side, "qlora")
    row = compared(side, "lora", "qlora").loc["pocket_target"]
    (eval_id,) = [one for one in lora.evals if side.section.test_evals[one].task == "pocket_target"]
    difference = lora.outcomes(eval_id).table - qlora.outcomes(eval_id).table
    wins, losses = int((difference > 0).sum()), int((difference < 0).sum())
    assert row["p_value"] == pytest.approx(binomtest(wins, wins + losses).pvalue)
    assert row["flag"] == ONE_SEED


def test_costs_of_one_run_have_no_interval_and_say_so(table):
    assert table.loc[["memory", "tokens/s"], "difference_low"].isna().all()
    assert table.loc["memory", "note"] == ONE_RUN


def test_costs_that_were_measured_again_have_an_interval(section):
    own, speed = section.phases[section.phases["purpose"] == "measure"], "tokens_per_second_median"
    again = [own.assign(latest=False, **{speed: factor * own[speed]}) for factor in (0.98, 1.01, 1.03)]
    side = Side(replace(section, phases=pd.concat([section.phases, *again])))
    row = compared(side, "lora", "qlora").loc["tokens/s"]
    assert row["difference_low"] < 11 / 7 < row["difference_high"]
    assert row["verdict"] == A_BETTER


def test_costs_of_different_machines_are_not_compared(section):
    first, second = Side(section, "this one"), Side(section, "that one")
    found = compare_arms([(arm(first, "lora"), arm(second, "qlora"))]).set_index("quantity")
    assert found.loc[["memory", "tokens/s", "tuning time"], "note"].tolist() == [OTHER_MACHINE] * 3
    assert found.loc["memory", "difference":"verdict"].isna().all()


def test_an_arm_against_itself_in_another_file_has_the_same_answers(section):
    first, second = Side(section), Side(section)
    found = compare_arms([(arm(first, "lora"), arm(second, "lora"))]).set_index("quantity")
    assert (found.loc[["pocket_target", "gain", "forgetting"], "verdict"] == SAME).all()


def test_an_untrained_arm_has_no_costs_and_a_base_no_gain(side):
    assert set(compared(side, "lora", "base")["kind"]) == {"task"}


def test_arms_without_a_common_eval_have_costs_alone(section):
    other = replace(section, scores=section.scores.assign(eval_id=section.scores["eval_id"] + "x"))
    found = compare_arms([(arm(Side(section), "lora"), arm(Side(other), "qlora"))])
    assert set(found["kind"]) == {"cost"}


def test_without_items_the_seeds_scores_are_compared(make_section):
    side = Side(make_section(with_items=False))
    row = compared(side, "lora", "qlora").loc["pocket_target"]
    assert (row["seeds"], row["items"]) == (3, 1)
    assert row["difference_low"] < row["difference"] < row["difference_high"]


def test_no_pair_makes_no_row():
    assert compare_arms([]).empty


def test_noise_is_called_a_difference_in_at_most_5_of_100_calls(make_section, tmp_path):
    claimed = 0
    lora = replace(ARMS["lora"], fails={}, rates=(ARMS["lora"].best_rate,))
    arms = {"base": ARMS["base"], "one": lora, "two": replace(lora, memory_mib=13.0)}
    for seed in range(12):
        (tmp_path / "r.db").unlink(missing_ok=True)
        found = compared(Side(make_section(arms=arms, seed=seed)), "one", "two")
        tested = found[found["kind"].isin(["task", "gain", "forgetting"])]
        claimed += tested["verdict"].isin([A_BETTER, B_BETTER]).any()
    assert claimed <= 2
    assert np.isfinite(tested["p_corrected"]).all()
