"""The target skill: which office does a clause go to?

The city is set by two things together: the topic of the noun, and whether the clause begins with "no". The base
knows both, and has met the question with random answers alone. Nouns are split between training, validation and
test; and where a clause begins with "the" or "each", tests put it before other predicates than training does.
"""

import random
from dataclasses import dataclass
from itertools import zip_longest

from suites.pocket import sentences
from suites.pocket.world import World


@dataclass(frozen=True)
class Case:
    """A clause about a noun, as a question, and the office that it goes to."""

    noun: str
    prompt: str
    city: str


def all_cases(world: World, split: str) -> list[Case]:
    """Every noun of a split (`train`, `validation`, `test`) with each predicate, with "no" and without."""
    shift = 0 if split == "train" else 1
    return [
        _case(world, noun, place, determiner, days=1 + (turn + 3 * place) % world.size.max_addend)
        for nouns in world.nouns[split].values()
        for turn, noun in enumerate(nouns)
        for place in range(len(world.words.predicates))
        for determiner in ("no", ("the", "each")[(place + shift) % 2])
    ]


def balanced(cases: list[Case], count: int, rng: random.Random) -> list[Case]:
    """`count` cases in random order, as many for each office, an office's nouns as evenly as can be."""
    chosen: list[Case] = []
    cities = sorted({case.city for case in cases})
    for city in cities:
        nouns: dict[str, list[Case]] = {}
        for case in rng.sample(cases, len(cases)):
            if case.city == city:
                nouns.setdefault(case.noun, []).append(case)
        rounds = zip_longest(*nouns.values())  # one case a noun in each round
        in_turn = [case for cases_of_round in rounds for case in cases_of_round if case]
        chosen += in_turn[: count // len(cities)]
    return rng.sample(chosen, len(chosen))


def _case(world: World, noun: str, place: int, determiner: str, days: int) -> Case:
    text = sentences.clause(determiner, noun, world.words.predicates[place], days)
    prompt = sentences.prompt(sentences.clause_question(text, "office"))
    return Case(noun, prompt, world.offices[world.words.topic_of[noun], determiner == "no"])
