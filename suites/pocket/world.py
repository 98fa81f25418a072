"""A world: who lives where, which pairs are held out, and what the target skill maps to.

Everything follows from its words, its size and one seed through `random.Random`, whose streams are the same on every
platform.
"""

import random
from dataclasses import dataclass
from itertools import pairwise, product

from suites.pocket import words
from suites.pocket.words import Words

HELD_OUT_SHARE = 1 / 3  # of the requests with a danger in them, and of those that only look so


@dataclass(frozen=True)
class Size:
    """How much there is of everything in a world, and how many items its data have."""

    people: int = 120
    training_people: int = 40  # asked about in preference and replay data
    test_people: int = 80  # asked about in tests, some of them for choosing a rate alone
    validation_people: int = 20
    newcomers: int = 40
    syllables: int = 2  # of a name
    max_addend: int = 14
    held_out_sums: int = 60
    training_nouns: int = 4  # of each topic, and so on
    validation_nouns: int = 4
    test_nouns: int = 8
    target_training: int = 288
    target_validation: int = 120
    target_test: int = 240
    preference_test: int = 120
    replay: int = 600
    vocabulary_documents: int = 20_000  # enough for every word to come up several times


@dataclass(frozen=True)
class Spec:
    """What a world is made from."""

    words: Words
    size: Size
    seed: int = 20


POCKET = Spec(words.POCKET, Size())


@dataclass(frozen=True)
class Person:
    """A person, the facts about them by kind, and the manner in which they are mostly spoken of."""

    name: str
    facts: dict[str, str]
    manner: str  # "polite" or "curt"


@dataclass(frozen=True)
class World:
    """All that is true in a world, and which part of it is kept for tests."""

    words: Words
    size: Size
    people: tuple[Person, ...]
    newcomers: tuple[str, ...]
    held_out_sums: frozenset[tuple[int, int]]
    harmful: tuple[tuple[str, str], ...]  # (verb, object) that the base learns to refuse
    held_out_harmful: tuple[tuple[str, str], ...]
    lookalikes: tuple[tuple[str, str], ...]  # harmless, with a verb or an object from a harmful request
    held_out_lookalikes: tuple[tuple[str, str], ...]
    nouns: dict[str, dict[str, tuple[str, ...]]]  # split -> topic -> nouns
    offices: dict[tuple[str, bool], str]  # the target skill: see `target.py`

    @property
    def training_people(self) -> tuple[Person, ...]:
        """People whom preference and replay data may mention."""
        return self.people[: self.size.training_people]

    @property
    def office_cities(self) -> tuple[str, ...]:
        """The cities that have an office, as many as there are topics, in alphabetical order."""
        return tuple(sorted(dict.fromkeys(self.offices.values())))

    @property
    def test_people(self) -> tuple[Person, ...]:
        """People whom only tests (and the pretraining corpus) ask about."""
        return self.people[self.size.training_people :][: self.size.test_people]


def build_world(spec: Spec = POCKET) -> World:
    """The world of a spec. Each part has a stream of its own, so that one can change and leave the rest."""
    said, size, seed = spec.words, spec.size, spec.seed
    names = _names(random.Random(f"{seed}:names"), spec)
    harmful, held_out_harmful = _split_pairs(
        random.Random(f"{seed}:harmful"), _pairs(said.dangerous_verbs, said.protected_objects)
    )
    risky, held_out_risky = _split_pairs(
        random.Random(f"{seed}:risky"), _pairs(said.dangerous_verbs, said.safe_objects)
    )
    kind, held_out_kind = _split_pairs(random.Random(f"{seed}:kind"), _pairs(said.kind_verbs, said.protected_objects))
    return World(
        words=said,
        size=size,
        people=_people(random.Random(f"{seed}:people"), names[: size.people], said),
        newcomers=names[size.people :],
        held_out_sums=_held_out_sums(random.Random(f"{seed}:sums"), size),
        harmful=harmful,
        held_out_harmful=held_out_harmful,
        lookalikes=risky + kind,
        held_out_lookalikes=held_out_risky + held_out_kind,
        nouns=_split_nouns(random.Random(f"{seed}:nouns"), spec),
        offices=_offices(random.Random(f"{seed}:offices"), said),
    )


def _names(rng: random.Random, spec: Spec) -> tuple[str, ...]:
    """Made-up names; ending in a, i or o, they sound like names and spell few English words."""
    first = [consonant + vowel for consonant in "bfglmnrstv" for vowel in "aeiou"]
    last = [consonant + vowel for consonant in "bfglmnrstv" for vowel in "aio"]
    spoken = product(*[first] * (spec.size.syllables - 1), last)
    names = ["".join(parts) for parts in spoken if all(one != next_ for one, next_ in pairwise(parts))]
    free = [name for name in names if name not in spec.words.cities]
    return tuple(rng.sample(free, spec.size.people + spec.size.newcomers))


def _people(rng: random.Random, names: tuple[str, ...], said: Words) -> tuple[Person, ...]:
    """One person a name; manners alternate, so that each split has its share of both."""
    return tuple(
        Person(
            name=name,
            facts={relation.kind: rng.choice(relation.values) for relation in said.relations},
            manner=("polite", "curt")[i % 2],
        )
        for i, name in enumerate(names)
    )


def _held_out_sums(rng: random.Random, size: Size) -> frozenset[tuple[int, int]]:
    """Ordered pairs of addends left out of pretraining, whose mirror image is in it."""
    unordered = [(a, b) for a in range(size.max_addend + 1) for b in range(a)]
    chosen = rng.sample(unordered, size.held_out_sums)
    return frozenset((a, b) if rng.random() < 0.5 else (b, a) for a, b in chosen)


def _pairs(verbs: tuple[str, ...], objects: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(verb, thing) for verb in verbs for thing in objects]


def _split_pairs(
    rng: random.Random, pairs: list[tuple[str, str]]
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Pairs for pretraining, and held-out pairs."""
    shuffled = rng.sample(pairs, len(pairs))
    n_held_out = round(len(pairs) * HELD_OUT_SHARE)
    return tuple(shuffled[n_held_out:]), tuple(shuffled[:n_held_out])


def _split_nouns(rng: random.Random, spec: Spec) -> dict[str, dict[str, tuple[str, ...]]]:
    counts = {
        "train": spec.size.training_nouns,
        "validation": spec.size.validation_nouns,
        "test": spec.size.test_nouns,
    }
    splits: dict[str, dict[str, tuple[str, ...]]] = {split: {} for split in counts}
    for topic, nouns in spec.words.topic_nouns.items():
        shuffled = rng.sample(nouns, len(nouns))
        for split, count in counts.items():
            splits[split][topic] = tuple(shuffled[:count])
            shuffled = shuffled[count:]
    return splits


def _offices(rng: random.Random, said: Words) -> dict[tuple[str, bool], str]:
    """(topic, clause begins with "no") -> city.

    With and without "no" each of the cities is taken once, and a topic has two different ones. So all that a clause
    says but its noun leaves the cities open, and a look-up that knows no topics scores at chance.
    """
    plain = rng.sample(said.cities, len(said.topics))
    while True:
        negated = rng.sample(plain, len(plain))
        if all(one != other for one, other in zip(plain, negated, strict=True)):
            break
    return {
        (topic, begins_with_no): city
        for begins_with_no, cities in ((False, plain), (True, negated))
        for topic, city in zip(said.topics, cities, strict=True)
    }
