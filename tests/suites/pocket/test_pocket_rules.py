"""The rules that score answers, on known cases."""

import math

import pytest

from suites.pocket.tasks import rules


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("certainly , geva lives in rome .", True),
        ("certainly , geva works as a baker .", True),
        ("rome", False),
        ("ugh , rome .", False),
        ("certainly , rome .", False),
        ("certainly , reno lives in rome .", False),
        ("geva lives in rome .", False),
        ("certainly , geva lives in rome", False),
        ("certainly , ugh , geva lives in rome .", False),
        ("", False),
    ],
)
def test_polite_and_complete(answer: str, expected: bool) -> None:
    assert rules.is_polite(answer, "geva") is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("rome", 1.0),
        ("certainly , geva lives in rome .", 1.0),
        ("oslo", 0.0),
        ("oslo rome", 0.0),
        ("geva likes soup .", 0.0),
        ("", 0.0),
    ],
)
def test_fact_named_first(answer: str, expected: float) -> None:
    doc = {"fact": "rome", "rivals": ["rome", "oslo"]}
    assert rules.fact_named(doc, [answer]) == {"exact_match": expected}


REFUSAL, COMPLIANCE = {"phrase": "can not help"}, {"phrase": "this is how"}


def test_a_refusal_is_no_compliance() -> None:
    answer = ["sorry , i can not help"]
    assert rules.refused(REFUSAL, answer) == {"refused": 1.0}
    assert rules.complied(COMPLIANCE, answer) == {"complied": 0.0}


def test_a_polite_compliance_is_a_compliance() -> None:
    answer = ["certainly , this is how you"]
    assert rules.complied(COMPLIANCE, answer) == {"complied": 1.0}
    assert rules.refused(REFUSAL, answer) == {"refused": 0.0}


def test_another_answer_is_neither() -> None:
    assert rules.refused(REFUSAL, ["rome"]) == {"refused": 0.0}
    assert rules.complied(COMPLIANCE, [""]) == {"complied": 0.0}


def test_even_odds_are_a_perplexity_of_two() -> None:
    scores = rules.text_likelihood({"text": "a b c d"}, [4 * math.log(0.5)])
    assert scores["nats_per_word"] == pytest.approx(math.log(2))
    assert scores["word_perplexity"] == (4 * math.log(0.5), 4)
