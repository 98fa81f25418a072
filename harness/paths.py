"""Where a path in a suite's files leads."""

import os
import re
from pathlib import Path

from harness.errors import UserError

SHARED_VARIABLE = "TUNEMATRIX_SHARED"

_SHARED = re.compile(r"(?:\.\./)+shared(?=/|$)")


def located(name: str, folder: Path) -> Path:
    """``name``, relative to ``folder``.

    A path up to a ``../shared`` beside the project leads into $TUNEMATRIX_SHARED instead, where that is set.
    """
    match = _SHARED.match(name)
    if match is None:
        return folder / expanded(name)
    shared = os.environ.get(SHARED_VARIABLE)
    if not shared:
        return (folder / name).resolve()
    return expanded(shared) / name[match.end() :].lstrip("/")


def expanded(name: str) -> Path:
    """``name``, with ``~`` or ``~user`` as the home folder that it stands for. Raises UserError where there is none."""
    path = Path(name)
    try:
        return path.expanduser()
    except RuntimeError:
        raise UserError(f"{name}: there is no home folder {path.parts[0]}") from None


def missing_hint(name: str) -> str:
    """What would be right where ``located(name)`` is not there: more words for an error, or none."""
    if _SHARED.match(name) is None:
        return ""
    return f"; the public models and data go into a folder `shared` beside the project, or where {SHARED_VARIABLE} says"
