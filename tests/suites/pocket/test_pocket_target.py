"""The target skill: what a test item shares with training, and what it does not."""

from collections import Counter
from typing import Any

import pytest

from suites.pocket import words

Rows = list[dict[str, Any]]
CHANCE = 1 / len(words.CITIES)
TESTS = ("target_test", "target_validation")


def clause_of(row: dict[str, Any]) -> list[str]:
    """The words of the clause in a row's prompt."""
    prompt = row["prompt"].split()
    return prompt[prompt.index(":") + 1 : prompt.index("which")]


def noun_of(row: dict[str, Any]) -> str:
    return clause_of(row)[1]


def answer_of(row: dict[str, Any]) -> str:
    return row["choices"][row["answer"]] if "choices" in row else row["completion"]


def accuracy(guesses: list[str], rows: Rows) -> float:
    return sum(guess == answer_of(row) for guess, row in zip(guesses, rows, strict=True)) / len(rows)


@pytest.mark.parametrize("test", TESTS)
def test_nouns_are_disjoint_from_training(data: dict[str, Rows], test: str) -> None:
    trained = {noun_of(row) for row in data["target_train"]}
    assert trained.isdisjoint(noun_of(row) for row in data[test])


def test_validation_and_test_nouns_are_disjoint(data: dict[str, Rows]) -> None:
    tested = {noun_of(row) for row in data["target_test"]}
    assert tested.isdisjoint(noun_of(row) for row in data["target_validation"])


@pytest.mark.parametrize("name", (*TESTS, "target_train"))
def test_offices_are_balanced(data: dict[str, Rows], name: str) -> None:
    counts = Counter(map(answer_of, data[name]))
    assert len(counts) == len(words.CITIES)
    assert len(set(counts.values())) == 1


@pytest.mark.parametrize("name", (*TESTS, "target_train"))
def test_no_item_comes_twice(data: dict[str, Rows], name: str) -> None:
    assert len({row["prompt"] for row in data[name]}) == len(data[name])


@pytest.mark.parametrize("test", TESTS)
def test_look_up_of_the_prompt_scores_at_chance(data: dict[str, Rows], test: str) -> None:
    trained = {row["prompt"]: answer_of(row) for row in data["target_train"]}
    guesses = [trained.get(row["prompt"], " rome") for row in data[test]]
    assert accuracy(guesses, data[test]) == pytest.approx(CHANCE)


@pytest.mark.parametrize("test", TESTS)
def test_look_up_of_the_predicate_scores_near_chance(data: dict[str, Rows], test: str) -> None:
    trained: dict[str, Counter[str]] = {}
    for row in data["target_train"]:
        trained.setdefault(" ".join(clause_of(row)[2:]), Counter())[answer_of(row)] += 1
    guesses = []
    for row in data[test]:
        seen = trained.get(" ".join(clause_of(row)[2:]), Counter({" rome": 1}))
        guesses.append(seen.most_common(1)[0][0])
    assert accuracy(guesses, data[test]) < 2 * CHANCE


@pytest.mark.parametrize("test", TESTS)
def test_nearest_neighbour_by_shared_words_knows_the_negation_at_most(data: dict[str, Rows], test: str) -> None:
    """A neighbour that shares "no" halves the offices that are left; without the noun's topic there is no more."""
    guesses = []
    for row in data[test]:
        shared = [len(set(clause_of(row)) & set(clause_of(other))) for other in data["target_train"]]
        votes = Counter(
            answer_of(other) for other, count in zip(data["target_train"], shared, strict=True) if count == max(shared)
        )
        guesses.append(votes.most_common(1)[0][0])
    assert accuracy(guesses, data[test]) < 2 * CHANCE + 0.05


def test_the_corpus_gives_no_noun_its_office(corpus: Any, world: Any) -> None:
    """The most frequent office that pretraining shows with a topic and negation is right about at chance."""
    seen: dict[tuple[str, bool], Counter[str]] = {key: Counter() for key in world.offices}
    for step in range(100):
        for row in corpus.rows(step, 32):
            question, _, answer = row.partition(f" {words.BOT} ")
            if question.endswith("which office ?"):
                determiner, noun = question.split()[4:6]
                topic = next(topic for topic, nouns in words.TOPIC_NOUNS.items() if noun in nouns)
                seen[topic, determiner == "no"][answer.split()[0]] += 1
    right = sum(counts[world.offices[key]] for key, counts in seen.items())
    total = sum(sum(counts.values()) for counts in seen.values())
    assert total > 100
    assert right / total < 2 * CHANCE
