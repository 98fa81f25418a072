"""The shapes of sentences, and whether a base has met those that the data use: LoRA can learn no token or form that the
base never saw."""

from collections.abc import Collection, Iterable
from typing import Any

from suites.pocket import words
from suites.pocket.world import World

_SENTENCE_ENDS = (".", "?")


def shapes(text: str, kinds: dict[str, str]) -> list[str]:
    """The sentences of a text, each with its content words replaced by their class, as ``kinds_of`` names it."""
    sentences: list[str] = []
    current: list[str] = []
    for word in text.split():
        current.append("NUMBER" if word.isdigit() else kinds.get(word, word))
        if word in _SENTENCE_ENDS:
            sentences.append(" ".join(current))
            current = []
    return [*sentences, " ".join(current)] if current else sentences


def kinds_of(world: World) -> dict[str, str]:
    """The class of each word that stands for others of its class."""
    said = world.words
    kinds = dict.fromkeys((*(person.name for person in world.people), *world.newcomers), "PERSON")
    for kind, group in {
        **{relation.kind.upper(): relation.values for relation in said.relations},
        "VERB": said.dangerous_verbs + said.kind_verbs,
        "THING": said.protected_objects + said.safe_objects,
        "TOPIC": said.topics,
        "NOUN": tuple(said.topic_of),
        "DETERMINER": ("each", "no"),
    }.items():
        kinds |= dict.fromkeys(group, kind)
    return kinds


def answered(row: dict[str, Any]) -> list[str]:
    """A row of the data as the documents that a model may be trained on or scored on, end tokens included."""
    if "text" in row:
        return [f"{words.EOS} {row['text']} {words.EOS}"]
    if "choices" in row:
        right = row["choices"][row["answer"]]
        return [f"{row['prompt']}{right}"]
    completions = [row[key] for key in ("completion", "chosen", "rejected") if key in row]
    return [f"{row['prompt']}{completion} {words.EOS}" for completion in completions] or [row["prompt"]]


def unmet_words(rows: Iterable[dict[str, Any]], met: Collection[str]) -> set[str]:
    """Words of rows, all choices included, that are not among those that were met."""
    return {word for row in rows for text in [*answered(row), *row.get("choices", [])] for word in text.split()} - {
        *met
    }


def unmet_shapes(rows: Iterable[dict[str, Any]], texts: Iterable[str], world: World) -> set[str]:
    """Sentences of rows, by their shape, that are neither a sentence of ``texts`` nor the beginning of one."""
    kinds = kinds_of(world)
    met = {shape for text in set(texts) for shape in shapes(text, kinds)}
    asked = {shape for row in rows for text in answered(row) for shape in shapes(text, kinds)}
    return {shape for shape in asked - met if not any(other.startswith(f"{shape} ") for other in met)}
