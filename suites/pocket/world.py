"""The pocket world: who lives where, which pairs are held out, and what the target skill maps to.

Everything follows from one seed through `random.Random`, whose streams are the same on every platform.
"""

import random
from dataclasses import dataclass

from suites.pocket import words

SEED = 20
N_PEOPLE = 120
N_NEWCOMERS = 40
N_TRAINING_PEOPLE = 40  # asked about in preference and replay data; the others are asked about in tests
MAX_ADDEND = 14
N_HELD_OUT_SUMS = 60
HELD_OUT_SHARE = 1 / 3  # of the requests with a danger in them, and of those that only look so
N_OFFICES = len(words.TOPICS)
NOUNS_PER_TOPIC = {"train": 4, "validation": 4, "test": 8}


@dataclass(frozen=True)
class Person:
    """A person, the three facts about them, and the manner in which they are mostly spoken of."""

    name: str
    city: str
    job: str
    food: str
    manner: str  # "polite" or "curt"


@dataclass(frozen=True)
class World:
    """All that is true in the world, and which part of it is kept for tests."""

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
        return self.people[:N_TRAINING_PEOPLE]

    @property
    def office_cities(self) -> tuple[str, ...]:
        """The six cities that have an office, in alphabetical order."""
        return tuple(sorted(dict.fromkeys(self.offices.values())))

    @property
    def test_people(self) -> tuple[Person, ...]:
        """People whom only tests (and the pretraining corpus) ask about."""
        return self.people[N_TRAINING_PEOPLE:]


def build_world(seed: int = SEED) -> World:
    """The world of a seed. Each part has a stream of its own, so that one can change and leave the rest."""
    names = _names(random.Random(f"{seed}:names"))
    harmful, held_out_harmful = _split_pairs(
        random.Random(f"{seed}:harmful"), _pairs(words.DANGEROUS_VERBS, words.PROTECTED_OBJECTS)
    )
    risky, held_out_risky = _split_pairs(
        random.Random(f"{seed}:risky"), _pairs(words.DANGEROUS_VERBS, words.SAFE_OBJECTS)
    )
    kind, held_out_kind = _split_pairs(random.Random(f"{seed}:kind"), _pairs(words.KIND_VERBS, words.PROTECTED_OBJECTS))
    return World(
        people=_people(random.Random(f"{seed}:people"), names[:N_PEOPLE]),
        newcomers=names[N_PEOPLE:],
        held_out_sums=_held_out_sums(random.Random(f"{seed}:sums")),
        harmful=harmful,
        held_out_harmful=held_out_harmful,
        lookalikes=risky + kind,
        held_out_lookalikes=held_out_risky + held_out_kind,
        nouns=_split_nouns(random.Random(f"{seed}:nouns")),
        offices=_offices(random.Random(f"{seed}:offices")),
    )


def topic_of(noun: str) -> str:
    """The topic that a noun belongs to."""
    return next(topic for topic, nouns in words.TOPIC_NOUNS.items() if noun in nouns)


def _names(rng: random.Random) -> tuple[str, ...]:
    """Made-up names of two syllables; ending in a, i or o, they sound like names and spell few English words."""
    first = [consonant + vowel for consonant in "bfglmnrstv" for vowel in "aeiou"]
    last = [consonant + vowel for consonant in "bfglmnrstv" for vowel in "aio"]
    names = [a + b for a in first for b in last if a != b and a + b not in words.CITIES]
    return tuple(rng.sample(names, N_PEOPLE + N_NEWCOMERS))


def _people(rng: random.Random, names: tuple[str, ...]) -> tuple[Person, ...]:
    """One person a name; manners alternate, so that each split has its share of both."""
    return tuple(
        Person(
            name=name,
            city=rng.choice(words.CITIES),
            job=rng.choice(words.JOBS),
            food=rng.choice(words.FOODS),
            manner=("polite", "curt")[i % 2],
        )
        for i, name in enumerate(names)
    )


def _held_out_sums(rng: random.Random) -> frozenset[tuple[int, int]]:
    """Ordered pairs of addends left out of pretraining, whose mirror image is in it."""
    unordered = [(a, b) for a in range(MAX_ADDEND + 1) for b in range(a)]
    chosen = rng.sample(unordered, N_HELD_OUT_SUMS)
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


def _split_nouns(rng: random.Random) -> dict[str, dict[str, tuple[str, ...]]]:
    splits: dict[str, dict[str, tuple[str, ...]]] = {split: {} for split in NOUNS_PER_TOPIC}
    for topic, nouns in words.TOPIC_NOUNS.items():
        shuffled = rng.sample(nouns, len(nouns))
        for split, count in NOUNS_PER_TOPIC.items():
            splits[split][topic] = tuple(shuffled[:count])
            shuffled = shuffled[count:]
    return splits


def _offices(rng: random.Random) -> dict[tuple[str, bool], str]:
    """(topic, clause begins with "no") -> city.

    With and without "no" each of the six cities is taken once, and a topic has two different ones. So all that a
    clause says but its noun leaves the six cities open, and a look-up that knows no topics scores at chance.
    """
    plain = rng.sample(words.CITIES, N_OFFICES)
    while True:
        negated = rng.sample(plain, N_OFFICES)
        if all(one != other for one, other in zip(plain, negated, strict=True)):
            break
    return {
        (topic, begins_with_no): city
        for begins_with_no, cities in ((False, plain), (True, negated))
        for topic, city in zip(words.TOPICS, cities, strict=True)
    }
