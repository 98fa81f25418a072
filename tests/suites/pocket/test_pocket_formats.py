"""A base has met every token and every format of the data: LoRA can learn no token that the base never saw."""

from typing import Any

import pytest

from suites.pocket import words
from suites.pocket.corpus import Corpus
from suites.pocket.tokenizer import build_tokenizer
from suites.pocket.world import World

Rows = list[dict[str, Any]]
SENTENCE_ENDS = (".", "?")


@pytest.fixture(scope="module")
def corpus_words(corpus: Corpus) -> set[str]:
    return {word for row in corpus.rows(0, 20_000) for word in row.split()}


@pytest.fixture(scope="module")
def corpus_sentences(corpus: Corpus, world: World) -> set[str]:
    """Every shape of a sentence in rows and packed rows of the corpus."""
    rows = [row for step in range(1, 150) for row in corpus.rows(step, 32)]
    return {shape for row in rows for shape in shapes(row, world)}


def shapes(text: str, world: World) -> list[str]:
    """The sentences of a text, each with its content words replaced by the class that they belong to."""
    kinds = {name: "PERSON" for name in (*(person.name for person in world.people), *world.newcomers)}
    for kind, group in {
        "CITY": words.CITIES,
        "JOB": words.JOBS,
        "FOOD": words.FOODS,
        "VERB": words.DANGEROUS_VERBS + words.KIND_VERBS,
        "THING": words.PROTECTED_OBJECTS + words.SAFE_OBJECTS,
        "TOPIC": words.TOPICS,
        "NOUN": tuple(noun for nouns in words.TOPIC_NOUNS.values() for noun in nouns),
        "DETERMINER": ("each", "no"),
    }.items():
        kinds.update(dict.fromkeys(group, kind))
    sentences, current = [], []
    for word in text.split():
        current.append("NUMBER" if word.isdigit() else kinds.get(word, word))
        if word in SENTENCE_ENDS:
            sentences.append(" ".join(current))
            current = []
    return [*sentences, " ".join(current)] if current else sentences


def answered(row: dict[str, Any]) -> list[str]:
    """A row as the documents that a model may be trained on or scored on, end tokens included."""
    if "text" in row:
        return [f"{words.EOS} {row['text']} {words.EOS}"]
    if "choices" in row:
        right = row["choices"][row["answer"]]
        return [f"{row['prompt']}{right}"]
    completions = [row[key] for key in ("completion", "chosen", "rejected") if key in row]
    return [f"{row['prompt']}{completion} {words.EOS}" for completion in completions] or [row["prompt"]]


def test_the_vocabulary_is_the_words_of_the_corpus(corpus: Corpus, corpus_words: set[str]) -> None:
    vocabulary = set(build_tokenizer(corpus).get_vocab())
    extra = {word for word in vocabulary - corpus_words if not word.startswith("<unused")}
    assert extra == {words.PAD, words.UNK}
    assert len(vocabulary) % 64 == 0


def test_every_token_was_met(data: dict[str, Rows], corpus_words: set[str]) -> None:
    for name, rows in data.items():
        for row in rows:
            texts = [*answered(row), *row.get("choices", [])]
            unknown = {word for text in texts for word in text.split()} - corpus_words
            assert not unknown, (name, unknown)


def test_every_format_was_met(data: dict[str, Rows], world: World, corpus_sentences: set[str]) -> None:
    for name, rows in data.items():
        for row in rows:
            for text in answered(row):
                unknown = [shape for shape in shapes(text, world) if not was_met(shape, corpus_sentences)]
                assert not unknown, (name, unknown)


def was_met(shape: str, corpus_sentences: set[str]) -> bool:
    """Whether a shape is a sentence of the corpus, or the beginning of one."""
    return shape in corpus_sentences or any(other.startswith(f"{shape} ") for other in corpus_sentences)


def test_packed_rows_hold_several_questions_and_fit(corpus: Corpus) -> None:
    for row in corpus.packed_rows(0, 20, 256):
        assert row.split().count(words.EOS) > 5
        assert 150 < len(row.split()) <= 256
