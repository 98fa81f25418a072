"""Digests of data: of normalised examples, and of a file's bytes."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from harness.data.normal import Example


def examples_digest(examples: Iterable[Example]) -> str:
    """SHA-256 (hex) of the normalised examples in their order, whatever file or layout they came from.

    Hashes the canonical JSON (sorted keys, no spaces, UTF-8) of the list of examples.
    """
    text = json.dumps(list(examples), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file's content; its name, size and times play no part. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
