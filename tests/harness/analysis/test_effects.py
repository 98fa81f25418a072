"""Scores and changes are means over tasks, paired where items were kept and honest where they were not."""

import numpy as np
import pytest

from harness.analysis.effects import change, ratio, score
from harness.analysis.outcomes import Outcomes


def seeds(*rows):
    return Outcomes(tuple(range(len(rows))), np.array(rows, dtype=float))


def test_tasks_weigh_the_same_whatever_their_number_of_items():
    long, short = seeds([1] * 30, [1] * 30), seeds([0] * 10, [0] * 10)
    assert score([long, short]).estimate == 0.5


def test_a_score_without_items_varies_with_the_seeds_alone_and_stays_within_0_and_1():
    found = score([seeds([0.90], [0.99], [0.97])])
    assert found.items == 1
    assert found.low < 0.9
    assert found.high == 1


def test_no_eval_is_no_score():
    assert score([]) is None


def test_pairing_by_item_finds_a_change_that_the_scores_intervals_hide():
    rng = np.random.default_rng(0)
    before = (rng.random((3, 240)) < 0.5).astype(float)
    after = before.copy()
    after[:, :12] = 1
    before[:, :12] = 0
    first, second = seeds(*after), seeds(*before)
    assert score([first]).low < score([second]).high
    assert change([first], [second]).low > 0


def test_evals_that_no_seed_was_scored_on_all_of_have_no_change():
    before = [seeds([0, 1, 1], [1, 1, 0])] * 2
    after = [Outcomes((0,), np.ones((1, 3))), Outcomes((1,), np.ones((1, 3)))]
    assert change(after, before) is None
    assert change(before, after) is None


def test_an_untrained_model_is_not_marked_as_a_single_seed():
    assert score([Outcomes((), np.ones((1, 20)))]).flag is None
    assert score([seeds([1.0] * 20)]).flag == "one seed"


def test_a_perplexity_ratio_is_the_geometric_mean_of_the_seeds():
    before = Outcomes((), np.log([[2.0]]))
    found = ratio(seeds(*np.log([[2.0], [8.0]])), before)
    assert found.estimate == pytest.approx(2.0)
    assert found.low < 1 < found.high
