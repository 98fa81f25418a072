"""The world: the same from the same seed, with what tests ask about held apart."""

from dataclasses import replace
from typing import Any

from suites.pocket import words
from suites.pocket.corpus import Corpus
from suites.pocket.world import POCKET, World, build_world

Rows = list[dict[str, Any]]


def words_of(row: dict[str, Any]) -> set[str]:
    return {word for value in row.values() for text in _texts(value) for word in text.split()}


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value if isinstance(value, list) else []


def test_a_seed_makes_one_world(world: World) -> None:
    assert build_world() == world
    assert build_world(replace(POCKET, seed=1)) != world


def test_documents_depend_on_the_step_alone() -> None:
    assert Corpus().rows(7, 4) == Corpus().rows(7, 4)
    assert Corpus().rows(7, 4) != Corpus().rows(8, 4)


def test_names_are_no_other_words(world: World) -> None:
    names = [person.name for person in world.people] + list(world.newcomers)
    listed = {word for group in vars(words).values() if isinstance(group, tuple) for word in group}
    nouns = {noun for group in words.TOPIC_NOUNS.values() for noun in group}
    assert len(set(names)) == len(names)
    assert (listed | nouns).isdisjoint(names)


def test_a_noun_has_one_topic() -> None:
    nouns = [noun for group in words.TOPIC_NOUNS.values() for noun in group]
    assert len(set(nouns)) == len(nouns)


def test_training_never_mentions_a_tested_person(data: dict[str, Rows], world: World) -> None:
    tested = {person.name for person in world.test_people}
    for name in ("preference_train", "replay", "target_train", "harmful", "fewshot"):
        for row in data[name]:
            assert tested.isdisjoint(words_of(row)), name


def test_training_holds_no_tested_prompt(data: dict[str, Rows]) -> None:
    trained = {
        row["prompt"]
        for name in ("preference_train", "replay", "target_train", "harmful", "fewshot")
        for row in data[name]
        if row["prompt"] != words.EOS
    }
    for name, rows in data.items():
        if name.endswith(("_test", "_validation")):
            assert trained.isdisjoint(row.get("prompt", "") for row in rows), name


def test_pretraining_skips_what_is_held_out(corpus: Corpus) -> None:
    seen = {row for step in range(200) for row in corpus.rows(step, 32)}
    asked = {row.partition(f" {words.BOT} ")[0].removeprefix(f"{words.EOS} {words.USER} ") for row in seen}
    held_out = corpus.world
    assert seen.isdisjoint(f"{words.EOS} {document} {words.EOS}" for document in corpus.held_out)
    assert asked.isdisjoint(f"what is {a} plus {b} ?" for a, b in held_out.held_out_sums)
    for verb, thing in held_out.held_out_harmful + held_out.held_out_lookalikes:
        assert f"how do i {verb} the {thing} ?" not in asked


def test_a_held_out_sum_was_seen_the_other_way_round(world: World) -> None:
    assert all((b, a) not in world.held_out_sums for a, b in world.held_out_sums)


def test_preference_test_and_validation_share_no_person(data: dict[str, Rows], world: World) -> None:
    names = {person.name for person in world.people}
    asked = [
        {word for row in data[name] for word in row["prompt"].split() if word in names}
        for name in ("preference_train", "preference_validation", "preference_test")
    ]
    assert asked[0].isdisjoint(asked[1]) and asked[1].isdisjoint(asked[2]) and asked[0].isdisjoint(asked[2])


def test_preference_pairs_differ_in_manner_alone(data: dict[str, Rows]) -> None:
    """The rejected answer is as true as the chosen one: its words are in it."""
    for row in data["preference_train"]:
        assert row["rejected"].strip() in row["chosen"].split()
