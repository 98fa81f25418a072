"""The target skill: what a test item shares with training, and what it does not."""

from collections import Counter
from typing import Any

import pytest

from suites.pocket import words
from suites.pocket.corpus import Corpus
from suites.pocket.target import all_cases
from suites.pocket.world import World

Rows = list[dict[str, Any]]
N_OFFICES = 6
CHANCE = 1 / N_OFFICES
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
    assert len(counts) == N_OFFICES
    assert len(set(counts.values())) == 1


@pytest.mark.parametrize("name", (*TESTS, "target_train"))
def test_no_item_comes_twice(data: dict[str, Rows], name: str) -> None:
    assert len({row["prompt"] for row in data[name]}) == len(data[name])


@pytest.mark.parametrize("test", TESTS)
def test_look_up_of_the_prompt_scores_at_chance(data: dict[str, Rows], test: str) -> None:
    trained: dict[str, str] = {row["prompt"]: answer_of(row) for row in data["target_train"]}
    default = answer_of(data["target_train"][0])
    guesses = [trained.get(row["prompt"], default) for row in data[test]]
    assert accuracy(guesses, data[test]) == pytest.approx(CHANCE)


@pytest.mark.parametrize("test", TESTS)
def test_look_up_of_the_predicate_scores_at_chance(data: dict[str, Rows], test: str) -> None:
    trained: dict[str, Counter[str]] = {}
    for row in data["target_train"]:
        trained.setdefault(" ".join(clause_of(row)[2:]), Counter())[answer_of(row)] += 1
    guesses = []
    for row in data[test]:
        seen = trained.get(" ".join(clause_of(row)[2:]), Counter({data["target_train"][0]["completion"]: 1}))
        guesses.append(seen.most_common(1)[0][0])
    assert accuracy(guesses, data[test]) == pytest.approx(CHANCE, abs=0.05)


@pytest.mark.parametrize("test", TESTS)
def test_nearest_neighbour_by_shared_words_scores_at_chance(data: dict[str, Rows], test: str) -> None:
    guesses = []
    for row in data[test]:
        shared = [len(set(clause_of(row)) & set(clause_of(other))) for other in data["target_train"]]
        votes = Counter(
            answer_of(other) for other, count in zip(data["target_train"], shared, strict=True) if count == max(shared)
        )
        guesses.append(votes.most_common(1)[0][0])
    assert accuracy(guesses, data[test]) == pytest.approx(CHANCE, abs=0.05)


def test_pretraining_hints_at_no_office(corpus: Corpus) -> None:
    """What pretraining shows as the office of a clause is right at chance."""
    truth = {
        case.prompt: case.city for split in ("train", "validation", "test") for case in all_cases(corpus.world, split)
    }
    right, total = 0, 0
    for step in range(400):
        for row in corpus.rows(step, 32):
            prompt, _, answer = row.partition(f"{words.BOT} ")
            if (prompt := f"{prompt}{words.BOT}") in truth:
                total += 1
                right += answer.split()[0] == truth[prompt]
    assert total > 100
    assert right / total < 2 / len(words.CITIES)


def test_topic_and_negation_are_needed_together(world: World) -> None:
    for negated in (False, True):
        assert len({city for (_, begins_with_no), city in world.offices.items() if begins_with_no == negated}) == 6
    assert all(world.offices[topic, False] != world.offices[topic, True] for topic in world.words.topics)
