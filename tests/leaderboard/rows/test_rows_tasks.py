"""Scores in single tasks: shares become points, perplexities stay as they are, each beside its arm."""

import pandas as pd

from leaderboard.rows.tasks import in_points, unit_of

ARMS = pd.DataFrame(
    [{"section": 0, "arm_id": arm, "row": arm, "name": arm, "method": "lora", "base": "m"} for arm in ("b", "a")]
)
FIGURES = {"score_low": None, "score_high": None, "forgetting_low": None, "forgetting_high": None}
TASKS = pd.DataFrame(
    [
        {"section": 0, "arm_id": "a", "kind": "points", "metric": "acc", "base": 0.9, "score": 0.8, "forgetting": 0.1},
        {"section": 0, "arm_id": "a", "kind": "ratio", "metric": "word_perplexity", "base": 2.0, "score": 3.0,
         "forgetting": 1.5},
        {"section": 0, "arm_id": "b", "kind": "points", "metric": "acc", "base": 0.9, "score": 0.9, "forgetting": 0.0},
        {"section": 1, "arm_id": "a", "kind": "points", "metric": "acc", "base": 0.9, "score": 0.1, "forgetting": 0.8},
    ]
).assign(**FIGURES)  # fmt: skip


def test_shares_are_points_and_perplexities_are_not():
    found = in_points(TASKS, ARMS).query("arm_id == 'a'").set_index("kind")
    assert found.loc["points", ["base", "score", "forgetting"]].tolist() == [90.0, 80.0, 10.0]
    assert found.loc["ratio", ["base", "score", "forgetting"]].tolist() == [2.0, 3.0, 1.5]


def test_rows_stand_in_the_order_of_the_arms_and_those_of_others_are_left_out():
    found = in_points(TASKS, ARMS)
    assert list(found["arm_id"]) == ["b", "a", "a"]
    assert set(found["base_model"]) == {"m"}


def test_each_row_knows_its_unit():
    assert list(unit_of(TASKS)[:2]) == ["score (points)", "word perplexity"]
