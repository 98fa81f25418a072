"""A base has met every token and every format of the data: LoRA can learn no token that the base never saw."""

from typing import Any

import pytest

from suites.pocket import words
from suites.pocket.corpus import Corpus
from suites.pocket.formats import kinds_of, shapes, unmet_shapes, unmet_words
from suites.pocket.tokenizer import build_tokenizer
from suites.pocket.world import World

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def corpus_words(corpus: Corpus) -> set[str]:
    return {word for row in corpus.rows(0, 20_000) for word in row.split()}


@pytest.fixture(scope="module")
def texts(corpus: Corpus) -> list[str]:
    return [row for step in range(1, 150) for row in corpus.rows(step, 32)]


def test_the_vocabulary_is_the_words_of_the_corpus(corpus: Corpus, corpus_words: set[str]) -> None:
    vocabulary = set(build_tokenizer(corpus).get_vocab())
    extra = {word for word in vocabulary - corpus_words if not word.startswith("<unused")}
    assert extra == {words.PAD, words.UNK}
    assert len(vocabulary) % 64 == 0


def test_every_token_was_met(data: dict[str, Rows], corpus_words: set[str]) -> None:
    for name, rows in data.items():
        assert unmet_words(rows, corpus_words) == set(), name


def test_every_format_was_met(data: dict[str, Rows], world: World, texts: list[str]) -> None:
    for name, rows in data.items():
        assert unmet_shapes(rows, texts, world) == set(), name


def test_a_word_or_a_format_that_was_not_met_is_found(world: World, corpus_words: set[str], texts: list[str]) -> None:
    row = {"prompt": "<eos> <user> who is geva ? <bot>", "completion": " queen"}
    assert unmet_words([row], corpus_words) == {"who", "queen"}
    assert unmet_shapes([row], texts, world) == {"<eos> <user> who is PERSON ?", "<bot> queen <eos>"}


def test_a_shape_has_classes_in_the_place_of_content_words(world: World) -> None:
    text = f"{world.people[0].name} lives in rome . what is 3 plus 14 ?"
    assert shapes(text, kinds_of(world)) == ["PERSON lives in CITY .", "what is NUMBER plus NUMBER ?"]


def test_packed_rows_hold_several_questions_and_fit(corpus: Corpus) -> None:
    for row in corpus.packed_rows(0, 20, 256):
        assert row.split().count(words.EOS) > 5
        assert 150 < len(row.split()) <= 256
