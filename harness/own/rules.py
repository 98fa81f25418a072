"""How the tasks over a user's files read and score their items; their YAML files name these functions."""

import json
from pathlib import Path
from typing import Any

Doc = dict[str, Any]


def rows_of(file: Path) -> list[Doc]:
    """The rows of a JSONL file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]


def answer_likelihood(doc: Doc, results: list[tuple[float, bool]]) -> dict[str, Any]:
    """An answer's negative log-likelihood a byte, given its prompt: comparable across tokenizers.

    Each answer's nats pair by item; the bits over all answers together are what others publish.
    """
    log_likelihood, n_bytes = results[0][0], len(doc["answer"].encode("utf-8"))
    return {"nats_per_byte": -log_likelihood / n_bytes, "bits_per_byte": (log_likelihood, n_bytes)}
