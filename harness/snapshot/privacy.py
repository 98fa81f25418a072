"""What a snapshot does not tell: where things lie on the machine that ran it, and what models answered."""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from harness.store.packing import pack_texts, unpack_texts

# An absolute path, also from ~, file:// or a Windows drive; one in quotes may hold spaces. URLs are none.
_START = r"(?:file://)?(?:~?/(?!/)|[A-Za-z]:\\)"
_QUOTED = re.compile(rf"""(?<![\w./])(['"`]){_START}([^'"`\n]*)\1""")
_BARE = re.compile(rf"""(?<![\w./:\\]){_START}[^\s'"`<>|,;()\[\]{{}}]+|(?<=:){_START}[^\s'"`<>|,;()\[\]{{}}]+""")
_HASHED = re.compile(r"sha256:[0-9a-f]{16}")


def without_paths(text: str) -> str:
    """``text`` with each absolute path cut down to its last part."""
    quoted = _QUOTED.sub(lambda found: f"{found[1]}{_last_part(found[2])}{found[1]}", text)
    return _BARE.sub(lambda found: _last_part(found[0]), quoted)


def json_without_paths(text: str) -> str:
    """The same for every key and string of a JSON text, which comes back with sorted keys."""
    return json.dumps(_cleaned(json.loads(text)), sort_keys=True)


def hashed_answers(answers: Sequence[str]) -> list[str]:
    """``sha256:`` and 16 hex digits for each answer; what is such a hash already stays.

    Equal answers stay equal, so that arms can be compared. It hides no answer that can be guessed.
    """
    return [text if _HASHED.fullmatch(text) else f"sha256:{_sha256(text)[:16]}" for text in answers]


def hashed_blob(blob: bytes) -> bytes:
    """Packed answers (see ``harness.store.packing``) as packed hashes."""
    return pack_texts(hashed_answers(unpack_texts(blob)))


def _last_part(path: str) -> str:
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return without_paths(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {without_paths(key): _cleaned(item) for key, item in value.items()}
    return value


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
