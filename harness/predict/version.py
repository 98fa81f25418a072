"""Which predictor a prediction is from."""

import hashlib
from functools import cache
from pathlib import Path

SHOWN_DIGITS = 12


@cache
def model_version() -> str:
    """The start of a SHA-256 over this package's sources: nobody can forget to raise it."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:SHOWN_DIGITS]
