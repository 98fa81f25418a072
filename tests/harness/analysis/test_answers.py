"""What became of each item between two models."""

import numpy as np
import pandas as pd
import pytest

from harness.analysis.answers import BOTH_RIGHT, BOTH_WRONG, LOST, NEITHER, RIGHT, WON, WRONG, answers


def rows(**columns):
    """One eval's items as the reader gives them."""
    return pd.DataFrame([{"eval_id": "e", "correct": None, "values": None, "answers": None, **columns}])


def nothing():
    return rows().head(0)


def right(*flags):
    return rows(correct=np.array(flags, dtype=float))


def test_each_item_is_won_lost_or_stays_as_it_was():
    found = answers(right(0, 1, 1, 0), right(1, 0, 1, 0), {"e": "acc"})
    assert list(found["outcome"]) == [LOST, WON, BOTH_RIGHT, BOTH_WRONG]
    assert list(found["number"]) == [1, 2, 3, 4]


def test_without_a_base_an_item_is_right_or_wrong():
    assert list(answers(right(1, 0), nothing(), {"e": "acc"})["outcome"]) == [RIGHT, WRONG]


def test_an_item_that_has_no_right_answer_is_neither():
    found = answers(right(np.nan), right(np.nan), {"e": "word_perplexity"})
    assert list(found["outcome"]) == [NEITHER]


def test_of_choices_the_likeliest_is_the_answer():
    found = answers(rows(values=[[-3.0, -1.0]]), rows(values=[[-1.0, -3.0]]), {"e": "acc"})
    assert list(found[["choice_before", "choice_after"]].iloc[0]) == [0, 1]


def test_which_choice_a_normalised_metric_took_is_not_known_here():
    assert answers(rows(values=[[-3.0, -1.0]]), nothing(), {"e": "acc_norm"})["choice_after"].isna().all()


def test_a_single_text_has_its_likelihood():
    found = answers(rows(values=[[-4.5]]), nothing(), {"e": "word_perplexity"})
    assert found["likelihood_after"].iloc[0] == pytest.approx(-4.5)
    assert found["choice_after"].isna().all()


def test_generated_answers_are_texts():
    found = answers(rows(answers=["b"], values=[[1.0]]), rows(answers=["a"], values=[[0.0]]), {"e": "refused"})
    assert list(found[["answer_before", "answer_after"]].iloc[0]) == ["a", "b"]
    assert found["likelihood_after"].isna().all()  # a metric is no likelihood


def test_another_number_of_items_is_not_compared():
    assert list(answers(right(1, 0), right(1), {"e": "acc"})["outcome"]) == [RIGHT, WRONG]


def test_no_items_are_no_rows():
    assert answers(nothing(), nothing(), {}).empty
