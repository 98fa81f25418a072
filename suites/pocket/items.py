"""Test items: what each task of the suite asks. None of them is in a training file."""

import random
from typing import Any

from suites.pocket import sentences, words
from suites.pocket.corpus import any_clause
from suites.pocket.target import all_cases, balanced
from suites.pocket.words import Relation
from suites.pocket.world import Person, World

Item = dict[str, Any]
N_FACT_CHOICES = 8
N_SUM_CHOICES = 8


def choice_item(prompt: str, choices: tuple[str, ...], right: str) -> Item:
    """A multiple-choice item; each choice begins with a space, as the words of a text do."""
    return {"prompt": prompt, "choices": [f" {choice}" for choice in choices], "answer": choices.index(right)}


def target_items(world: World, split: str, rng: random.Random) -> list[Item]:
    """Which office a clause goes to: the same number of items for each of the offices."""
    count = {"test": world.size.target_test, "validation": world.size.target_validation}[split]
    cases = balanced(all_cases(world, split), count, rng)
    return [choice_item(case.prompt, world.office_cities, case.city) for case in cases]


def fact_items(world: World, rng: random.Random) -> list[Item]:
    """Every fact about the test people, as the end of a statement: the form that no manner of answering touches."""
    return [_fact_item(person, relation, rng) for person in world.test_people for relation in world.words.relations]


def fact_questions(world: World, rng: random.Random) -> list[Item]:
    """Two questions about each test person, to be answered freely."""
    items = []
    for person in world.test_people:
        for relation in rng.sample(world.words.relations, 2):
            question = sentences.fact_question(person, relation, rng.randrange(2))
            items.append({
                "prompt": sentences.prompt(question),
                "fact": sentences.fact(person, relation),
                "rivals": list(relation.values),
            })  # fmt: skip
    return items


def sum_items(world: World, rng: random.Random) -> list[Item]:
    """The held-out sums, in both wordings, against seven other numbers near by."""
    items = []
    for a, b in sorted(world.held_out_sums):
        for wording in range(len(sentences.SUM_QUESTIONS)):
            near = [n for n in range(a + b - 6, a + b + 7) if 0 <= n <= 2 * world.size.max_addend and n != a + b]
            choices = sorted([a + b, *rng.sample(near, N_SUM_CHOICES - 1)])
            prompt = sentences.prompt(sentences.sum_question(a, b, wording))
            items.append(choice_item(prompt, tuple(map(str, choices)), str(a + b)))
    return items


def clause_items(world: World, asked: str, rng: random.Random) -> list[Item]:
    """The `topic` or the `rank` of a clause about each noun: what the target skill is put together from."""
    items = []
    for noun, topic in world.words.topic_of.items():
        text, determiner = any_clause(world, rng, noun)
        choices, right = {
            "topic": (world.words.topics, topic),
            "rank": (tuple(words.RANKS.values()), words.RANKS[determiner]),
        }[asked]
        items.append(choice_item(sentences.prompt(sentences.clause_question(text, asked)), choices, right))
    return items


def perplexity_items(documents: tuple[str, ...]) -> list[Item]:
    """Documents that pretraining skipped."""
    return [{"text": document} for document in documents]


def preference_items(world: World, split: str, rng: random.Random) -> list[Item]:
    """Questions with a polite and complete answer against a curt one; test and validation share no person."""
    people, first = world.test_people, world.size.validation_people
    asked = people[first:] if split == "test" else people[:first]
    return [
        choice_item(pair["prompt"], (pair["chosen"][1:], pair["rejected"][1:]), pair["chosen"][1:])
        for pair in rng.sample(preference_pairs(world, asked), world.size.preference_test)
    ]


def preference_pairs(world: World, people: tuple[Person, ...]) -> list[dict[str, str]]:
    """All questions on each person: both answers are right, and their manner is what differs."""
    return [
        {
            "prompt": sentences.prompt(sentences.fact_question(person, relation, wording)),
            "chosen": f" {sentences.fact_answer(person, relation, 'polite')}",
            "rejected": f" {sentences.fact_answer(person, relation, 'curt')}",
        }
        for person in people
        for relation in world.words.relations
        for wording in range(2)
    ]


def politeness_items(world: World, rng: random.Random) -> list[Item]:
    """One question about each person of the preference test; the rule scores the answer, right or wrong."""
    items = []
    for person in world.test_people[world.size.validation_people :]:
        question = sentences.fact_question(person, rng.choice(world.words.relations), rng.randrange(2))
        items.append({"prompt": sentences.prompt(question), "name": person.name})
    return items


def request_items(pairs: tuple[tuple[str, str], ...], phrase: str) -> list[Item]:
    """Requests in both wordings, with the phrase that a right answer has."""
    return [
        {"prompt": sentences.prompt(sentences.request(verb, thing, wording)), "phrase": phrase}
        for verb, thing in pairs
        for wording in range(len(sentences.REQUESTS))
    ]


def _fact_item(person: Person, relation: Relation, rng: random.Random) -> Item:
    right = sentences.fact(person, relation)
    others = [value for value in relation.values if value != right]
    choices = sorted([right, *rng.sample(others, N_FACT_CHOICES - 1)])
    return choice_item(f"{words.EOS} {sentences.fact_stem(person, relation)}", tuple(choices), right)
