"""Items become tables of seeds by items, and two arms' tables are laid side by side, item by item."""

import numpy as np
import pandas as pd
import pytest

from harness.analysis.outcomes import Outcomes, collect, common_seeds, paired
from harness.store.packing import FloatLists, pack_floats


def score_row(run, value, metric="acc", seed=1, moment="tuned", higher=True):
    return {
        **{"arm_id": "arm", "run_id": run, "moment": moment, "eval_id": "e", "metric": metric, "value": value},
        **{"seed": seed, "higher_is_better": higher, "n_items": 40},
    }


def item_row(run, correct=None, values=None, moment="tuned"):
    correct = None if correct is None else np.array(correct, dtype=float)
    values = None if values is None else FloatLists(pack_floats(values))
    return {"run_id": run, "moment": moment, "eval_id": "e", "correct": correct, "values": values}


def collected(scores, items):
    columns = ["run_id", "moment", "eval_id", "correct", "values"]
    return collect(pd.DataFrame(scores), pd.DataFrame(items, columns=columns))["arm", scores[0]["moment"], "e"]


def test_seeds_are_rows_in_their_order():
    found = collected(
        [score_row("b", 1.0, seed=2), score_row("a", 0.5, seed=1)], [item_row("a", [1, 0]), item_row("b", [1, 1])]
    )
    assert found.seeds == (1, 2)
    assert found.table.tolist() == [[1, 0], [1, 1]]


def test_items_that_are_not_what_the_metric_averages_are_not_used():
    assert collected([score_row("a", 0.9)], [item_row("a", [1, 0])]).table.tolist() == [[0.9]]


def test_scores_without_items_are_one_column():
    assert collected([score_row("a", 0.5), score_row("b", 0.7, seed=2)], []).table.tolist() == [[0.5], [0.7]]


@pytest.mark.parametrize(
    ("row", "n_items"),
    [
        (score_row("a", 0.5), 40),
        (score_row("a", 1.5), 0),
        (score_row("a", 0.5, "word_perplexity", higher=False), 0),
    ],
)
def test_a_share_without_items_knows_of_how_many_it_is_one(row, n_items):
    assert collected([row], []).n_items == n_items


def test_an_untrained_model_has_one_row_and_no_seed():
    found = collected([score_row("a", 0.5, moment="base")], [item_row("a", [1, 0], moment="base")])
    assert found.seeds == ()


def test_log_likelihoods_of_texts_become_parts_of_the_log_perplexity():
    likelihoods = [[-20.0], [-40.0]]
    perplexity = float(np.exp(60 / 50))  # 50 words in all
    found = collected(
        [score_row("a", perplexity, "word_perplexity", higher=False)], [item_row("a", values=likelihoods)]
    )
    assert found.table.tolist() == [pytest.approx([0.8, 1.6])]


def test_a_metric_that_is_a_logarithm_already_is_taken_as_it_is():
    found = collected([score_row("a", 1.2, "nats_per_word", higher=False)], [])
    assert found.table.tolist() == [[1.2]]


def test_equal_seeds_are_paired():
    first = Outcomes((1, 2), np.array([[1.0, 1.0], [0.0, 0.0]]))
    second = Outcomes((2, 3), np.array([[0.0, 1.0], [1.0, 1.0]]))
    assert paired(first, second).tolist() == [[0, -1]]


def test_log_likelihoods_that_differ_by_rounding_are_one_number():
    first = Outcomes((1,), np.array([[20.0, 20.0, 0.0, 0.0]]))
    second = Outcomes((1,), np.array([[20.0001, 20.001, 1e-6, 1e-4]]))
    assert paired(first, second).tolist() == [[0.0, pytest.approx(-0.001), 0.0, -1e-4]]


def test_arms_without_a_common_seed_are_paired_in_order():
    first, second = Outcomes((1, 2), np.ones((2, 3))), Outcomes((7, 8, 9), np.zeros((3, 3)))
    assert paired(first, second).shape == (2, 3)


def test_an_untrained_model_stands_beside_every_seed():
    assert paired(Outcomes((1, 2), np.ones((2, 3))), Outcomes((), np.zeros((1, 3)))).tolist() == [[1] * 3] * 2


def test_an_item_that_either_does_not_know_is_left_out():
    first = Outcomes((1,), np.array([[1.0, np.nan, 0.0]]))
    assert paired(first, Outcomes((1,), np.array([[0.0, 0.0, np.nan]]))).tolist() == [[1.0]]


def test_where_one_has_no_items_the_scores_are_compared():
    first = Outcomes((1, 2), np.array([[1.0, 0.0], [1.0, 1.0]]))
    assert paired(first, Outcomes((1, 2), np.array([[0.4], [0.5]]))).tolist() == [[pytest.approx(0.1)], [0.5]]


def test_only_seeds_scored_on_every_eval_are_kept():
    kept = common_seeds([Outcomes((1, 2), np.array([[1.0], [2.0]])), Outcomes((2, 3), np.array([[5.0], [6.0]]))])
    assert [outcomes.table.tolist() for outcomes in kept] == [[[2.0]], [[5.0]]]
