"""How a text or an answer is scored: by its negative log-likelihood a byte, whatever the tokenizer."""

from typing import Any

Doc = dict[str, Any]


def text_likelihood(doc: Doc, results: list[float]) -> dict[str, Any]:
    """Of a whole text. lm-eval puts the model's opening token before it, as pretraining did."""
    return _a_byte(results[0], doc["text"])


def answer_likelihood(doc: Doc, results: list[tuple[float, bool]]) -> dict[str, Any]:
    """Of an answer, given its question."""
    return _a_byte(results[0][0], doc["answer"])


def _a_byte(log_likelihood: float, text: str) -> dict[str, Any]:
    """Each text's nats, which pair by item, and the bits over all texts together, which others publish."""
    n_bytes = len(text.encode("utf-8"))
    return {"nats_per_byte": -log_likelihood / n_bytes, "bits_per_byte": (log_likelihood, n_bytes)}
