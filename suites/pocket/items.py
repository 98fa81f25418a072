"""Test items: what each task of the suite asks. None of them is in a training file."""

import random
from typing import Any

from suites.pocket import sentences, words
from suites.pocket.target import all_cases, balanced
from suites.pocket.world import MAX_ADDEND, Person, World

Item = dict[str, Any]
N_FACT_CHOICES = 8
N_SUM_CHOICES = 8
N_TARGET_TEST = 240
N_TARGET_VALIDATION = 120
N_PREFERENCE_ITEMS = 120
N_VALIDATION_PEOPLE = 20  # of the test people, for choosing the rate of a preference stage


def choice_item(prompt: str, choices: tuple[str, ...], right: str) -> Item:
    """A multiple-choice item; each choice begins with a space, as the words of a text do."""
    return {"prompt": prompt, "choices": [f" {choice}" for choice in choices], "answer": choices.index(right)}


def target_items(world: World, split: str, rng: random.Random) -> list[Item]:
    """Which office a clause goes to: the same number of items for each of the six offices."""
    count = {"test": N_TARGET_TEST, "validation": N_TARGET_VALIDATION}[split]
    cases = balanced(all_cases(world, split), count, rng)
    return [choice_item(case.prompt, world.office_cities, case.city) for case in cases]


def fact_items(world: World, rng: random.Random) -> list[Item]:
    """Every fact about the test people, as the end of a statement: the form that no manner of answering touches."""
    return [_fact_item(person, kind, rng) for person in world.test_people for kind in sentences.KINDS]


def fact_questions(world: World, rng: random.Random) -> list[Item]:
    """Two questions about each test person, to be answered freely."""
    items = []
    for person in world.test_people:
        for kind in rng.sample(sentences.KINDS, 2):
            question = sentences.fact_question(person, kind, rng.randrange(2))
            items.append({
                "prompt": sentences.prompt(question),
                "fact": sentences.fact(person, kind),
                "rivals": list(sentences.VALUES[kind]),
            })  # fmt: skip
    return items


def sum_items(world: World, rng: random.Random) -> list[Item]:
    """The held-out sums, in both wordings, against seven other numbers near by."""
    items = []
    for a, b in sorted(world.held_out_sums):
        for wording in range(len(sentences.SUM_QUESTIONS)):
            near = [n for n in range(a + b - 6, a + b + 7) if 0 <= n <= 2 * MAX_ADDEND and n != a + b]
            choices = sorted([a + b, *rng.sample(near, N_SUM_CHOICES - 1)])
            prompt = sentences.prompt(sentences.sum_question(a, b, wording))
            items.append(choice_item(prompt, tuple(map(str, choices)), str(a + b)))
    return items


def perplexity_items(documents: tuple[str, ...]) -> list[Item]:
    """Documents that pretraining skipped."""
    return [{"text": document} for document in documents]


def preference_items(world: World, split: str, rng: random.Random) -> list[Item]:
    """Questions with a polite and complete answer against a curt one; test and validation share no person."""
    people = world.test_people
    asked = people[N_VALIDATION_PEOPLE:] if split == "test" else people[:N_VALIDATION_PEOPLE]
    return [
        choice_item(pair["prompt"], (pair["chosen"][1:], pair["rejected"][1:]), pair["chosen"][1:])
        for pair in rng.sample(preference_pairs(asked), N_PREFERENCE_ITEMS)
    ]


def preference_pairs(people: tuple[Person, ...]) -> list[dict[str, str]]:
    """All six questions on each person: both answers are right, and their manner is what differs."""
    return [
        {
            "prompt": sentences.prompt(sentences.fact_question(person, kind, wording)),
            "chosen": f" {sentences.fact_answer(person, kind, 'polite')}",
            "rejected": f" {sentences.fact_answer(person, kind, 'curt')}",
        }
        for person in people
        for kind in sentences.KINDS
        for wording in range(2)
    ]


def politeness_items(world: World, rng: random.Random) -> list[Item]:
    """One question about each person of the preference test; the rule scores the answer, right or wrong."""
    items = []
    for person in world.test_people[N_VALIDATION_PEOPLE:]:
        question = sentences.fact_question(person, rng.choice(sentences.KINDS), rng.randrange(2))
        items.append({"prompt": sentences.prompt(question), "name": person.name})
    return items


def request_items(pairs: tuple[tuple[str, str], ...], phrase: str) -> list[Item]:
    """Requests in both wordings, with the phrase that a right answer has."""
    return [
        {"prompt": sentences.prompt(sentences.request(verb, thing, wording)), "phrase": phrase}
        for verb, thing in pairs
        for wording in range(len(sentences.REQUESTS))
    ]


def _fact_item(person: Person, kind: str, rng: random.Random) -> Item:
    right = sentences.fact(person, kind)
    others = [value for value in sentences.VALUES[kind] if value != right]
    choices = sorted([right, *rng.sample(others, N_FACT_CHOICES - 1)])
    return choice_item(f"{words.EOS} {sentences.fact_stem(person, kind)}", tuple(choices), right)
