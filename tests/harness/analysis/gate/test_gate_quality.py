"""Scores, forgetting and losses: by arm where it shows, over the matrix where it hides."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.analysis.gate import Side
from tests.harness.analysis.gate.gate_sides import ARMS, ITEMS, findings, make_side, rules, verdicts, with_frame

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
        | {"chain": names, "base_digest": "b", "bare": False, "source": "foreign", "order_digest": ""}
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

    def test_a_task_that_the_candidate_has_not_scored_is_missing_and_the_reverse_is_new(self):
        fewer = with_frame(make_side(), "scores", lambda frame: frame[frame["eval_id"] == "target"])
        lost = [one for one in findings(make_side(), fewer, "score") if one.verdict == "missing"]
        assert {(one.where, one.detail) for one in lost} == {(arm, "facts") for arm in (*ARMS, "base")}
        assert verdicts(fewer, make_side(), "score").count("new") == len(ARMS) + 1
        assert verdicts(make_side(), fewer, "forgetting") == ["missing"] * len(ARMS)
        assert verdicts(make_side(), fewer, "matrix_score") == ["pass", "missing"]

    def test_scores_on_other_items_are_said_to_be(self):
        def others(frame: pd.DataFrame) -> None:
            frame["eval_id"] = frame["eval_id"].replace("facts", "facts of another digest")

        found = findings(make_side(), with_frame(make_side(), "scores", others), "score")
        told = {(one.verdict, one.why) for one in found if one.where == "lora" and one.detail == "facts"}
        why = "scored on other items or in another way (3 runs)"
        assert told == {("missing", why), ("new", why)}

    def test_a_score_that_is_no_number_is_not_measured_and_its_seeds_fellows_are_compared(self):
        def no_number(frame: pd.DataFrame) -> None:
            frame.loc[(frame["run_id"] == "lora-quality-2") & (frame["eval_id"] == "facts"), "value"] = None

        side = with_frame(make_side(), "scores", no_number)
        for quantity, verdict in (("score", "pass"), ("forgetting", "pass")):
            found = [one for one in findings(make_side(), side, quantity) if one.where == "lora"]
            assert [one.verdict for one in found if one.detail != "target"] == [verdict, "not measured"]
        assert verdicts(make_side(), side, "matrix_score") == ["pass", "not measured"]

    def test_no_score_at_all_is_missing_and_none_on_either_side_not_measured(self):
        none = with_frame(make_side(), "scores", lambda frame: frame.head(0))
        for quantity in ("score", "matrix_score", "forgetting"):
            assert set(verdicts(make_side(), none, quantity)) == {"missing"}
            assert set(verdicts(none, none, quantity)) == {"not measured"}

    def test_a_task_scored_in_a_later_run_of_its_own_is_found(self):
        def later(side: Side) -> Side:
            runs = side.runs.assign(run_id=side.runs["run_id"] + "-again", started_at="9999")
            both = pd.concat([side.runs, runs[runs["purpose"] == "quality"]], ignore_index=True)
            renamed = side.scores["run_id"].where(side.scores["eval_id"] != "facts", side.scores["run_id"] + "-again")
            return replace(side, runs=both, scores=side.scores.assign(run_id=renamed))

        assert set(verdicts(make_side(), later(make_side()), "score")) == {"pass"}


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

    def test_cells_that_did_not_change_at_all_do_not_make_a_small_change_certain(self):
        def drop(frame: pd.DataFrame) -> None:
            frame.loc[5, "value"] -= 0.011

        assert set(verdicts(cells(0.0), with_frame(cells(0.0), "scores", drop), "score")) == {"pass"}

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

    def of_base(self, points: float, **changes) -> Side:
        """A side with its base's facts so much worse, in runs that say something else of themselves."""

        def lower(frame: pd.DataFrame) -> None:
            frame.loc[(frame["moment"] == "base") & (frame["eval_id"] == "facts"), "value"] -= points

        def other(frame: pd.DataFrame) -> None:
            for name, value in changes.items():
                frame.loc[frame["method"] == "base", name] = value

        side = with_frame(with_frame(without_items(make_side()), "scores", lower), "runs", other)
        return side

    def test_runs_at_several_rates_share_a_seed_and_are_told_apart(self):
        """An arm's grid: the second rate's runs have a task less."""

        def two_rates(side: Side) -> Side:
            other = {"run_id": "other-" + side.runs["run_id"], "recipe_id": "other-" + side.runs["recipe_id"]}
            runs = pd.concat([side.runs, side.runs.assign(**other)[side.runs["purpose"] == "quality"]])
            again = side.scores[side.scores["eval_id"] == "facts"]
            scores = pd.concat([side.scores, again.assign(run_id="other-" + again["run_id"])], ignore_index=True)
            return replace(without_items(side), runs=runs, scores=scores)

        def shifted(frame: pd.DataFrame) -> None:
            frame.loc[frame["run_id"].str.startswith("other-lora"), "value"] -= 0.3

        after = with_frame(two_rates(make_side()), "scores", shifted)
        found = findings(two_rates(make_side()), after, "forgetting")
        assert {one.where: one.change for one in found}["lora"] == pytest.approx(0.15)

    def test_what_the_base_itself_lost_is_none(self):
        found = findings(without_items(make_side()), self.of_base(0.2), "forgetting")
        assert [one.change for one in found] == pytest.approx([-0.2] * len(ARMS))

    def test_the_base_is_the_arms_own_and_bare(self):
        """A 4-bit base is scored at the same moment, and another base on the same tasks."""
        for changes in ({"base_digest": "another"}, {"bare": False}):
            with_other = [with_frame(self.of_base(points, **changes), "runs", _both_bases) for points in (0.0, 0.2)]
            with_other = [with_frame(side, "scores", _scores_of_both) for side in with_other]
            assert [one.change for one in findings(*with_other, "forgetting")] == [0.0] * len(ARMS)

    def test_without_the_base_it_is_not_measured(self):
        none = with_frame(make_side(), "runs", lambda frame: frame[frame["method"] != "base"])
        assert verdicts(none, none, "forgetting") == ["not measured"] * len(ARMS)

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

    def test_a_loss_that_the_candidate_did_not_log_is_missing(self):
        side = with_frame(make_side(), "losses", lambda frame: frame[~frame["run_id"].str.startswith("dpo-quality-2")])
        found = findings(make_side(), side, "final_loss")
        assert [(one.where, one.detail) for one in found if one.verdict == "missing"] == [("dpo", "1 runs")]
        assert verdicts(make_side(), side, "matrix_final_loss") == ["pass", "missing"]
        assert "new" in verdicts(side, make_side(), "final_loss")

    def test_losses_that_differ_by_rounding_pass_in_one_seed_as_in_three(self):
        def rounded(frame: pd.DataFrame) -> None:
            frame["loss"] *= 1 + 5e-8 * np.random.default_rng(6).standard_normal(len(frame))

        def one_seed(side: Side) -> Side:
            return with_frame(side, "runs", lambda runs: runs[runs["seed"] == 1])

        side = with_frame(make_side(), "losses", rounded)
        assert set(verdicts(make_side(), side, "final_loss")) == {"pass"}
        assert set(verdicts(one_seed(make_side()), one_seed(side), "final_loss")) == {"pass"}
        higher = one_seed(self.higher(0.01))
        assert set(verdicts(one_seed(make_side()), higher, "final_loss")) == {"inconclusive"}

    def test_a_loss_without_a_logarithm_is_not_measured(self):
        zero = with_frame(make_side(), "losses", lambda frame: frame.assign(loss=0.0))
        assert set(verdicts(make_side(), zero, "final_loss")) == {"not measured"}

    def test_one_arm_is_found_by_name(self):
        found = findings(make_side(), self.higher(0.1, "dpo"), "final_loss")
        assert [one.where for one in found if one.verdict == "regressed"] == ["dpo"]


class TestChains:
    """Runs that start from the same trained stage are one value over the matrix."""

    def test_dpo_counts_with_the_lora_that_it_starts_from(self):
        for quantity in ("matrix_score", "matrix_final_loss"):
            (found,) = findings(make_side(), worse(0.02), quantity)
            assert found.detail.startswith("12 runs in 9 chains")

    def test_runs_are_told_apart_by_their_seeds(self):
        """A task without its first seed leaves the others' means where they belong."""

        def lost(frame: pd.DataFrame) -> pd.DataFrame:
            return frame[(frame["eval_id"] != "facts") | ~frame["run_id"].str.endswith("-quality-1")]

        def shifted(frame: pd.DataFrame) -> None:
            frame.loc[frame["run_id"].str.endswith("-quality-1"), "value"] -= 0.1

        before = with_frame(without_items(make_side()), "scores", lost)
        found = findings(before, with_frame(before, "scores", shifted), "matrix_score")[0]
        assert found.detail == "12 runs in 9 chains, 3 worse, 0 better"
        assert found.change == pytest.approx(-0.1 / 3)


def test_the_limits_are_the_rules():
    assert verdicts(make_side(), worse(0.02), "matrix_score", rules(matrix_score={"minimum": 0.05})) == ["pass"]


def _both_bases(frame: pd.DataFrame) -> pd.DataFrame:
    """The side's base, changed by the test, beside one that is the arms' own and bare."""
    other = frame[frame["method"] == "base"]
    own = other.assign(run_id="own-base", recipe_id="own-base", arm="own base", base_digest="b", bare=True)
    return pd.concat([frame, own], ignore_index=True)


def _scores_of_both(frame: pd.DataFrame) -> pd.DataFrame:
    own = frame[frame["moment"] == "base"].assign(run_id="own-base", value=0.5)
    return pd.concat([frame, own], ignore_index=True)
