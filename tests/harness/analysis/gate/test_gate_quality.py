"""Scores, forgetting and losses: by arm where it shows, over the matrix where it hides."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.analysis.gate import Side
from tests.harness.analysis.gate.gate_sides import ITEMS, findings, make_side, rules, verdicts, with_frame

CELLS = 63


def worse(points: float, arm: str = "", task: str = "", seed: int = 1, noise: float = 0.02) -> Side:
    """A side whose arms give wrong answers to a share of what they should get right."""
    side, rng = make_side(seed=seed, noise=noise), np.random.default_rng(seed + 10)
    items, scores = side.items.copy(), side.scores.copy()
    for n, row in items.iterrows():
        if row["run_id"].startswith(arm) and row["eval_id"].startswith(task):
            right = row["correct"].copy()
            able = np.flatnonzero(right == 1)
            right[rng.choice(able, round(points * ITEMS), replace=False)] = 0
            items.at[n, "correct"] = right
            scores.loc[n, "value"] = right.mean()
    return replace(side, items=items, scores=scores)


def without_items(side: Side) -> Side:
    return with_frame(side, "items", lambda frame: frame.head(0))


def cells(shift: float, noise: float = 0.0) -> Side:
    """One score for each of many cells of one seed, no items: what a published table holds."""
    rng = np.random.default_rng(3)
    names = [f"arm{n}" for n in range(CELLS)]
    values = np.linspace(0.2, 0.6, CELLS) + shift + noise * rng.standard_normal(CELLS)
    side = make_side(rounds=0, arms=())
    runs = pd.DataFrame(
        {"run_id": names, "recipe_id": names, "execution_id": "e", "arm": names, "method": "lora", "seed": 0}
        | {
            "compute": None,
            "stages": 1,
            "purpose": "quality",
            "exclusive": False,
            "status": "ok",
            "reason": None,
            "started_at": "0",
        }
    )
    scores = pd.DataFrame(
        {"run_id": names, "moment": "tuned", "eval_id": "gsm8k", "metric": "acc", "task": "gsm8k", "role": "target"}
        | {"n_items": 1319, "higher_is_better": True, "value": values}
    )
    items = make_side().items.head(0)
    return with_frame(
        with_frame(with_frame(side, "runs", lambda _: runs), "scores", lambda _: scores), "items", lambda _: items
    )


class TestScores:
    def test_the_same_answers_pass(self):
        assert set(verdicts(make_side(), make_side(), "score")) == {"pass"}
        assert verdicts(make_side(), make_side(), "matrix_score") == ["pass"]

    def test_answers_that_differ_by_chance_pass(self):
        for quantity in ("score", "matrix_score", "forgetting"):
            assert set(verdicts(make_side(), make_side(seed=1, noise=0.02), quantity)) == {"pass"}

    def test_a_task_that_is_lost_is_found_by_name(self):
        found = findings(make_side(), worse(0.2, "lora", "target"), "score")
        assert [(one.where, one.detail) for one in found if one.verdict == "regressed"] == [("lora", "target")]

    def test_two_points_in_every_cell_are_found_over_the_matrix(self):
        found = findings(make_side(), worse(0.02), "matrix_score")[0]
        assert found.verdict == "regressed"
        assert found.change == pytest.approx(-0.02, abs=0.01)

    def test_a_gain_is_an_improvement(self):
        assert verdicts(worse(0.02), make_side(), "matrix_score") == ["improved"]

    def test_without_items_the_scores_are_compared_over_seeds(self):
        found = findings(without_items(make_side()), without_items(worse(0.2, "lora", "target")), "score")
        assert [(one.where, one.detail) for one in found if one.verdict == "regressed"] == [("lora", "target")]

    def test_a_task_that_one_side_has_not_scored_is_not_compared(self):
        fewer = with_frame(make_side(), "scores", lambda frame: frame[frame["eval_id"] == "target"])
        assert {one.detail for one in findings(make_side(), fewer, "score")} == {"target"}

    def test_no_score_in_common_is_not_measured(self):
        none = with_frame(make_side(), "scores", lambda frame: frame.head(0))
        for quantity in ("score", "matrix_score", "forgetting"):
            assert set(verdicts(make_side(), none, quantity)) == {"not measured"}


class TestOneScoreACell:
    """As in a published table: one seed, no items, many cells."""

    def test_a_shift_of_1_7_points_that_hides_in_each_cell_is_found_over_the_matrix(self):
        before, after = cells(0.0), cells(-0.017, noise=0.014)
        assert verdicts(before, after, "score").count("regressed") <= 1
        assert verdicts(before, after, "matrix_score") == ["regressed"]

    def test_a_shift_that_is_the_same_everywhere_is_found_too(self):
        assert verdicts(cells(0.0), cells(-0.017), "matrix_score") == ["regressed"]

    def test_noise_of_1_4_points_passes(self):
        before, after = cells(0.0), cells(0.0, noise=0.014)
        assert set(verdicts(before, after, "score")) == {"pass"}
        assert verdicts(before, after, "matrix_score") == ["pass"]

    def test_one_cell_that_stands_out_is_found(self):
        def drop(frame: pd.DataFrame) -> None:
            frame.loc[5, "value"] -= 0.1

        found = findings(cells(0.0), with_frame(cells(0.0, noise=0.014), "scores", drop), "score")
        assert [one.where for one in found if one.verdict == "regressed"] == ["arm5"]


class TestForgetting:
    def test_general_knowledge_that_is_lost_is_forgetting(self):
        found = findings(make_side(), worse(0.15, "lora", "facts"), "forgetting")
        assert [one.where for one in found if one.verdict == "regressed"] == ["lora"]
        assert max(one.change for one in found) == pytest.approx(0.15, abs=0.03)

    def test_the_target_is_no_part_of_it(self):
        assert set(verdicts(make_side(), worse(0.15, "lora", "target"), "forgetting")) == {"pass"}


class TestFinalLoss:
    def higher(self, share: float, arm: str = "") -> Side:
        def change(frame: pd.DataFrame) -> None:
            last = (frame["step"] == 20) & frame["run_id"].str.startswith(arm)
            jitter = 1 + 0.002 * np.random.default_rng(4).standard_normal(len(frame))
            frame.loc[last, "loss"] *= (1 + share) * jitter[last]

        return with_frame(make_side(), "losses", change)

    def test_a_little_noise_passes(self):
        assert set(verdicts(make_side(), self.higher(0.0), "final_loss")) == {"pass"}
        assert verdicts(make_side(), self.higher(0.0), "matrix_final_loss") == ["pass"]

    def test_a_higher_loss_is_worse_and_a_lower_better(self):
        assert verdicts(make_side(), self.higher(0.05), "matrix_final_loss") == ["regressed"]
        assert verdicts(make_side(), self.higher(-0.05), "matrix_final_loss") == ["improved"]

    def test_one_arm_is_found_by_name(self):
        found = findings(make_side(), self.higher(0.1, "dpo"), "final_loss")
        assert [one.where for one in found if one.verdict == "regressed"] == ["dpo"]


def test_the_limits_are_the_rules():
    assert verdicts(make_side(), worse(0.02), "matrix_score", rules(matrix_score={"minimum": 0.05})) == ["pass"]
