"""The target skill: which office does a clause go to? Set by its topic and by whether it begins with "no".

The base has met the question with random answers alone. Nouns are split between training, validation and test,
and training has four of the six predicates.
"""

import random
from dataclasses import dataclass
from itertools import zip_longest

from suites.pocket import sentences, words
from suites.pocket.world import MAX_ADDEND, World

N_TRAINING_PREDICATES = 4


@dataclass(frozen=True)
class Case:
    """A clause about a noun, as a question, and the office that it goes to."""

    noun: str
    prompt: str
    city: str


def all_cases(world: World, split: str) -> list[Case]:
    """Every noun of a split (`train`, `validation`, `test`) with each of its predicates, with "no" and without."""
    predicates = words.PREDICATES[:N_TRAINING_PREDICATES] if split == "train" else words.PREDICATES
    return [
        _case(world, topic, noun, predicate, determiner, days=1 + (turn + 3 * place) % MAX_ADDEND)
        for topic, nouns in world.nouns[split].items()
        for turn, noun in enumerate(nouns)
        for place, predicate in enumerate(predicates)
        for determiner in ("no", ("the", "each")[(turn + place) % 2])
    ]


def balanced(cases: list[Case], count: int, rng: random.Random) -> list[Case]:
    """`count` cases in random order, as many for each office, an office's nouns as evenly as can be."""
    chosen: list[Case] = []
    for city in words.CITIES:
        nouns: dict[str, list[Case]] = {}
        for case in rng.sample(cases, len(cases)):
            if case.city == city:
                nouns.setdefault(case.noun, []).append(case)
        rounds = zip_longest(*nouns.values())  # one case a noun in each round
        in_turn = [case for cases_of_round in rounds for case in cases_of_round if case]
        chosen += in_turn[: count // len(words.CITIES)]
    return rng.sample(chosen, len(chosen))


def _case(world: World, topic: str, noun: str, predicate: str, determiner: str, days: int) -> Case:
    text = sentences.clause(determiner, noun, predicate, days)
    prompt = sentences.prompt(sentences.clause_question(text, "office"))
    return Case(noun, prompt, world.offices[topic, determiner == "no"])
