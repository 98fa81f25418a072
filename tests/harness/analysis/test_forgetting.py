"""Forgetting is positive when something was lost, keeps perplexities apart, and is nothing where nothing changed."""

import numpy as np
import pytest

from harness.analysis.forgetting import by_task, kept_and_lost, mean_forgetting, negated, perplexity_ratio
from harness.analysis.uncertainty import Interval
from tests.factory import ARMS


def arm(section, label):
    return section.arms.set_index("label").loc[label, "arm_id"]


def test_full_sft_has_lost_what_was_planted_and_the_interval_says_so(section):
    found = mean_forgetting(section, arm(section, "full_sft"), arm(section, "base"))
    planted = ARMS["base"].general - ARMS["full_sft"].general
    assert found.low < planted < found.high
    assert found.low > 0


def test_a_base_with_examples_in_its_prompt_has_forgotten_nothing(section):
    found = mean_forgetting(section, arm(section, "prompted"), arm(section, "base"))
    assert found.estimate == 0
    assert found.low < 0 < found.high


def test_the_mean_is_over_accuracies_alone(section):
    found = mean_forgetting(section, arm(section, "lora"), arm(section, "base"))
    tasks = by_task(section).query(f"arm_id == '{arm(section, 'lora')}' and role == 'general' and kind == 'points'")
    assert len(tasks) == 2
    assert found.estimate == pytest.approx(tasks["forgetting"].mean())


def test_a_perplexity_is_a_ratio_above_1_where_it_got_worse(section):
    found = perplexity_ratio(section, arm(section, "full_sft"), arm(section, "base"))
    assert found.estimate == pytest.approx(np.exp(ARMS["full_sft"].log_perplexity), rel=0.01)
    assert found.low > 1


def test_every_task_is_listed_with_the_base_beside_it(section):
    tasks = by_task(section).query(f"arm_id == '{arm(section, 'lora')}'").set_index("task")
    assert set(tasks.index) >= {"pocket_target", "pocket_facts", "pocket_perplexity", "pocket_refusals"}
    assert "pocket_target_validation" not in tasks.index
    facts = tasks.loc["pocket_facts"]
    assert facts["forgetting"] == pytest.approx(facts["base"] - facts["score"])


def test_the_base_itself_has_nothing_to_forget(section):
    assert by_task(section).query(f"arm_id == '{arm(section, 'base')}'")["forgetting"].isna().all()


def test_the_other_way_round_swaps_the_ends():
    found = negated(Interval(0.1, -0.05, 0.25))
    assert (found.estimate, found.low, found.high) == (-0.1, -0.25, 0.05)


class TestKeptAndLost:
    def test_a_row_a_tuned_arm_and_task_whose_shares_make_up_the_whole(self, section):
        found = kept_and_lost(section, "safety")
        assert set(found["arm_id"]) == set(section.arms.loc[section.arms["method"] != "base", "arm_id"])
        assert found[["kept", "lost", "won", "never"]].sum(axis=1).tolist() == pytest.approx([1.0] * len(found))

    def test_kept_and_won_are_the_score_and_kept_and_lost_the_bases(self, section):
        tasks = by_task(section).query("task == 'pocket_refusals'").set_index("arm_id")
        for row in kept_and_lost(section, "safety").to_dict("records"):
            assert row["kept"] + row["won"] == pytest.approx(tasks.loc[row["arm_id"], "score"])
            assert row["kept"] + row["lost"] == pytest.approx(tasks.loc[row["arm_id"], "base"])

    def test_perplexities_are_neither_right_nor_wrong(self, section):
        assert set(kept_and_lost(section, "general")["task"]) == {"pocket_facts", "pocket_arithmetic"}

    def test_without_items_nothing_is_known(self, make_section):
        assert kept_and_lost(make_section(with_items=False), "safety").empty
