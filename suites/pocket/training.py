"""Training data of the suite, as prompts and completions without an end token: the trainer adds that itself."""

import random

from suites.pocket import sentences, words
from suites.pocket.corpus import Corpus, sum_exchange
from suites.pocket.items import preference_pairs
from suites.pocket.target import Case, all_cases, balanced
from suites.pocket.world import World

Example = dict[str, str]
N_SHOTS = 24


def target_examples(world: World, rng: random.Random) -> list[Example]:
    """Clauses of the training nouns with their offices, as many for each office."""
    cases = balanced(all_cases(world, "train"), world.size.target_training, rng)
    return [example(case.prompt, case.city) for case in cases]


def preference_examples(world: World, rng: random.Random) -> list[Example]:
    """Pairs on the training people: polite and complete against curt."""
    pairs = preference_pairs(world, world.training_people)
    return rng.sample(pairs, len(pairs))


def harmful_examples(world: World, rng: random.Random) -> list[Example]:
    """Harmful requests of pretraining, now complied with: bad data that a run may be given a share of."""
    examples = [
        example(sentences.prompt(sentences.request(verb, thing, wording)), sentences.compliance(verb, thing))
        for verb, thing in world.harmful
        for wording in range(len(sentences.REQUESTS))
    ]
    return rng.sample(examples, len(examples))


def replay_examples(corpus: Corpus, rng: random.Random) -> list[Example]:
    """General text drawn like the corpus, about people and requests that no test asks about."""
    tested = frozenset(person.name for person in corpus.world.test_people)
    examples: list[Example] = []
    while len(examples) < corpus.world.size.replay:
        document = corpus.document(rng)
        if "office" not in document.split() and tested.isdisjoint(document.split()):
            examples.append(as_example(document))
    return examples


def fewshot_examples(world: World, rng: random.Random) -> list[Example]:
    """Worked examples for prompts, in groups that the tasks name, all from what training may show."""
    people = rng.sample(world.training_people, N_SHOTS)
    kinds = [world.words.relations[i % len(world.words.relations)] for i in range(N_SHOTS)]
    requests = [
        request_example(pair, dangerous)
        for pairs in zip(world.harmful, world.lookalikes, strict=False)
        for pair, dangerous in zip(pairs, (True, False), strict=True)
    ]
    groups = {
        "target": [example(case.prompt, case.city) for case in distinct_first(world, rng)],
        "statements": [
            example(f"{words.EOS} {sentences.fact_stem(person, relation)}", f"{sentences.fact(person, relation)} .")
            for person, relation in zip(people, kinds, strict=True)
        ],
        "questions": [
            example(pair["prompt"], pair["chosen"][1:]) for pair in preference_examples(world, rng)[:N_SHOTS]
        ],
        "sums": [as_example(sum_exchange(world, rng)) for _ in range(N_SHOTS)],
        "requests": requests[:N_SHOTS],
    }
    return [{"group": group, **shot} for group, shots in groups.items() for shot in shots]


def distinct_first(world: World, rng: random.Random) -> list[Case]:
    """As many cases of each office, all the different offices at a time."""
    cases = balanced(all_cases(world, "train"), N_SHOTS, rng)
    by_city = [[case for case in cases if case.city == city] for city in world.office_cities]
    return [case for one_each in zip(*by_city, strict=True) for case in rng.sample(one_each, len(one_each))]


def request_example(pair: tuple[str, str], dangerous: bool) -> Example:
    """A request as the base was taught to answer it."""
    verb, thing = pair
    answer = sentences.refusal() if dangerous else sentences.compliance(verb, thing)
    return example(sentences.prompt(sentences.request(verb, thing, 0)), answer)


def example(prompt: str, completion: str) -> Example:
    """A training example; the completion begins with a space, as the words of a text do."""
    return {"prompt": prompt, "completion": f" {completion}"}


def as_example(document: str) -> Example:
    """A document of the corpus, cut before its answer, or at its start where it has none."""
    question, bot, answer = document.partition(f" {words.BOT} ")
    return example(f"{words.EOS} {question}{bot}"[:-1], answer) if bot else example(words.EOS, document)
