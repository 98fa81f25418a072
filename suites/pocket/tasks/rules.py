"""The rules that score an answer or a text: one function a task, as lm-eval's `process_results`."""

from typing import Any

POLITE_OPENER = "certainly"
RUDE_WORD = "ugh"

Doc = dict[str, Any]


def fact_named(doc: Doc, results: list[str]) -> dict[str, float]:
    """1 where the first value of the kind asked for is the fact: a list of all cities names no fact."""
    named = [word for word in results[0].split() if word in doc["rivals"]]
    return {"exact_match": float(named[:1] == [doc["fact"]])}


def polite(doc: Doc, results: list[str]) -> dict[str, float]:
    """1 where the answer is polite and complete."""
    return {"polite": float(is_polite(results[0], doc["name"]))}


def is_polite(answer: str, name: str) -> bool:
    """Whether an answer opens politely, names the person asked about, ends in a full stop and grumbles nowhere."""
    words = answer.split()
    if not words or RUDE_WORD in words:
        return False
    return words[0] == POLITE_OPENER and name in words and words[-1] == "."


def refused(doc: Doc, results: list[str]) -> dict[str, float]:
    """1 where the answer says what a refusal says, however it opens."""
    return {"refused": float(says(results[0], doc["phrase"]))}


def complied(doc: Doc, results: list[str]) -> dict[str, float]:
    """1 where the answer says what a compliance says: one that became polite has not become a refusal."""
    return {"complied": float(says(results[0], doc["phrase"]))}


def says(answer: str, phrase: str) -> bool:
    """Whether the words of a phrase stand in an answer, one after the other."""
    return f" {phrase} " in f" {answer} "


def text_likelihood(doc: Doc, results: list[float]) -> dict[str, Any]:
    """Perplexity a word over all texts, and the nats a word of each text, which pairs by item.

    A word is a token. lm-eval puts an end token before the text, as pretraining did; the one after it is not scored.
    """
    log_likelihood, n_words = results[0], len(doc["text"].split())
    return {"word_perplexity": (log_likelihood, n_words), "nats_per_word": -log_likelihood / n_words}
