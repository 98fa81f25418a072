"""An arm's curve has the validation score that chose and, beside it, the test score of the same kind."""

from dataclasses import replace

import pandas as pd
import pytest

from harness.analysis.rates import rate_curves
from harness.analysis.summary import summarise
from tests.factory import ARMS


@pytest.fixture(scope="module")
def curves(section):
    labels = section.arms.set_index("arm_id")["label"]
    found = rate_curves(section)
    return found.assign(label=found["arm_id"].map(labels))


def test_a_row_a_rate_from_the_lowest_up(curves):
    assert curves.query("label == 'full_sft'")["learning_rate"].tolist() == [1e-4, 3e-4, 1e-3]


def test_the_test_score_at_the_chosen_rate_is_the_tables(curves, section):
    chosen = curves[curves["chosen"]].set_index("label")["test"]
    target = summarise(section).set_index("label")["target"]
    assert chosen["full_sft"] == pytest.approx(target["full_sft"])


def test_the_mean_lies_within_the_seeds(curves):
    scored = curves.dropna(subset=["test"])
    assert (scored["test_lowest"] <= scored["test"]).all() and (scored["test"] <= scored["test_highest"]).all()


def test_a_rate_that_failed_is_there_without_a_score(curves):
    failed = curves.query("label == 'lora' and learning_rate == 1e-2").iloc[0]
    assert (failed["failed_runs"], failed["failures"]) == (3, "nan")
    assert failed[["validation", "test"]].isna().all()


def test_a_choice_at_an_edge_is_flagged(curves):
    assert curves[curves["chosen"]].set_index("label")["edge"]["qlora"] == "highest"


def test_what_an_arm_was_not_chosen_for_is_not_shown_beside_its_validation(section):
    scores = section.scores
    swapped = scores["role"].replace({"target": "preference", "preference": "target"})
    found = rate_curves(replace(section, scores=scores.assign(role=swapped)))
    assert set(found["role"]) == {"preference"}


def test_an_arm_without_validation_was_chosen_for_the_target(section):
    unvalidated = section.scores[section.scores["split"] == "test"]
    assert set(rate_curves(replace(section, scores=unvalidated))["role"]) == {"target"}


def test_without_a_trained_arm_there_is_no_curve(make_section):
    assert rate_curves(make_section(arms={"base": ARMS["base"]})).empty


def test_the_matrix_says_what_a_rate_was_chosen_for_even_where_another_task_scored_alike(section):
    scores = section.scores
    alike = scores[scores["split"] == "validation"].assign(role="preference", task="pairs", eval_id="pairs")
    found = rate_curves(replace(section, scores=pd.concat([scores, alike], ignore_index=True)))
    assert set(found["role"]) == {"target"}
