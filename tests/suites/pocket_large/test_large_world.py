"""The large world: more of everything, held apart as in the pocket world, and told often enough to be learned."""

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
import torch
from transformers import LlamaForCausalLM

from suites.pocket import words
from suites.pocket.batches import Batches
from suites.pocket.corpus import Corpus
from suites.pocket.formats import unmet_shapes, unmet_words
from suites.pocket.tokenizer import vocabulary
from suites.pocket.world import POCKET, World, build_world
from suites.pocket_large.bases import REAL, REHEARSAL
from suites.pocket_large.words import LARGE

Rows = list[dict[str, Any]]
TRAINING = ("preference_train", "replay", "target_train", "harmful", "fewshot")
TELLINGS = 200


@pytest.fixture(scope="module")
def known(corpus: Corpus) -> dict[str, int]:
    return vocabulary(corpus)


def words_of(row: dict[str, Any]) -> set[str]:
    texts = [text for value in row.values() for text in (value if isinstance(value, list) else [value])]
    return {word for text in texts if isinstance(text, str) for word in text.split()}


def test_there_is_more_of_everything_than_in_the_pocket_world(world: World) -> None:
    pocket = build_world(POCKET)
    for part in ("people", "newcomers", "held_out_sums", "harmful", "held_out_harmful", "lookalikes", "offices"):
        assert len(getattr(world, part)) > len(getattr(pocket, part)), part
    assert len(world.words.relations) == 2 * len(pocket.words.relations)
    for large, small in zip(world.words.relations, pocket.words.relations, strict=False):
        assert set(large.values) > set(small.values)


@pytest.mark.parametrize("said", [LARGE, REHEARSAL.spec.words], ids=["large", "rehearsal"])
def test_a_word_says_one_thing(said: words.Words) -> None:
    groups = [
        *(relation.values for relation in said.relations), *said.topic_nouns.values(), said.topics, said.team_colours,
        said.dangerous_verbs, said.protected_objects, said.kind_verbs, said.safe_objects,
    ]  # fmt: skip
    counts = Counter(word for group in groups for word in group)
    assert [word for word, count in counts.items() if count > 1] == []
    asked = {word for one in said.relations for text in (one.stem, *one.questions) for word in text.split()}
    assert asked.isdisjoint(counts)
    assert {word for predicate in said.predicates for word in predicate.split()}.isdisjoint(counts)


def test_names_are_no_other_words(world: World) -> None:
    names = [*(person.name for person in world.people), *world.newcomers]
    said = world.words
    others = {*said.topic_of, *said.dangerous_verbs, *said.protected_objects, *said.kind_verbs, *said.safe_objects}
    others |= {value for relation in said.relations for value in relation.values}
    assert len(set(names)) == len(names)
    assert others.isdisjoint(names)


@pytest.mark.parametrize("spec", [REAL.spec, REHEARSAL.spec], ids=["large", "rehearsal"])
def test_as_many_nouns_as_a_topic_has_are_shared_out(spec) -> None:
    size = spec.size
    asked = size.training_nouns + size.validation_nouns + size.test_nouns
    assert {len(nouns) for nouns in spec.words.topic_nouns.values()} == {asked}


def test_every_word_of_the_world_is_a_token_and_the_rest_fills_up(world: World, known: dict[str, int]) -> None:
    said = world.words
    assert {person.name for person in world.people} | set(world.newcomers) | set(said.topic_of) < set(known)
    assert {value for relation in said.relations for value in relation.values} < set(known)
    assert len(known) % 64 == 0
    assert sum(word.startswith("<unused") for word in known) < 64


def test_the_bases_are_as_large_as_their_names_say(known: dict[str, int]) -> None:
    with torch.device("meta"):
        sizes = [LlamaForCausalLM(one.config(len(known), 0, 1)).num_parameters() / 1e6 for one in REAL.recipes]
    assert sizes == pytest.approx([10, 50], rel=0.05)
    assert all(recipe.hidden_size % 64 == 0 for recipe in REAL.recipes)


def test_training_never_mentions_a_tested_person(data: dict[str, Rows], world: World) -> None:
    tested = {person.name for person in world.test_people}
    for name in TRAINING:
        assert all(tested.isdisjoint(words_of(row)) for row in data[name]), name


def test_training_holds_no_tested_prompt(data: dict[str, Rows]) -> None:
    trained = {row["prompt"] for name in TRAINING for row in data[name]} - {words.EOS}
    for name, rows in data.items():
        if name.endswith(("_test", "_validation")):
            assert trained.isdisjoint(row.get("prompt", "") for row in rows), name


def test_the_nouns_of_training_validation_and_test_are_others(data: dict[str, Rows], world: World) -> None:
    nouns = [
        {word for row in data[name] for word in row["prompt"].split()} & set(world.words.topic_of)
        for name in ("target_train", "target_validation", "target_test")
    ]
    assert all(one.isdisjoint(other) for one, other in [*pairwise(nouns), (nouns[0], nouns[2])])


@pytest.mark.parametrize("name", ["target_train", "target_validation", "target_test"])
def test_offices_are_balanced(data: dict[str, Rows], name: str) -> None:
    right = Counter(row["choices"][row["answer"]] if "choices" in row else row["completion"] for row in data[name])
    assert len(right) == 12
    assert len(set(right.values())) == 1


def test_the_data_fit_into_the_rows_that_are_trained_on(data: dict[str, Rows]) -> None:
    longest = max(
        len(f"{row['prompt']} {row.get('completion', row.get('chosen', ''))}".split()) + 1
        for name in ("target_train", "preference_train")
        for row in data[name]
    )
    assert longest <= 64


@pytest.mark.slow
@pytest.mark.extended
def test_every_token_and_every_format_of_the_data_is_met(data: dict[str, Rows], corpus: Corpus, world: World) -> None:
    batches = Batches(REAL.recipes[0], corpus, {})
    texts = [row for step in range(240) for row in batches.rows(step)]
    rows = [row for of_file in data.values() for row in of_file]
    assert unmet_words(rows, {word for text in texts for word in text.split()}) == set()
    assert unmet_shapes(rows, texts, world) == set()


@pytest.mark.slow
@pytest.mark.parametrize("recipe", REAL.recipes, ids=lambda recipe: recipe.name)
def test_each_fact_is_told_often_enough(corpus: Corpus, world: World, recipe) -> None:
    """Statements and answers: whatever names a person and then, before the sentence ends, what holds of them."""
    batches, sample = Batches(recipe, corpus, {}), 16
    facts = {person.name: set(person.facts.values()) for person in world.people}
    told = 0
    for step in range(sample):
        for row in batches.rows(step):
            name = ""
            for word in row.split():
                name = word if word in facts else name
                told += name != "" and word in facts[name]
    facts_in_all = len(world.people) * len(world.words.relations)
    assert told / sample * recipe.steps / facts_in_all > TELLINGS
