"""Where a path in a suite's files leads."""

import os
import re
from pathlib import Path

SHARED_VARIABLE = "TUNEMATRIX_SHARED"

_SHARED = re.compile(r"(?:\.\./)+shared(?=/|$)")


def located(name: str, folder: Path) -> Path:
    """``name``, relative to ``folder``.

    A path up to a ``../shared`` beside the project leads into $TUNEMATRIX_SHARED instead, where that is set.
    """
    shared = os.environ.get(SHARED_VARIABLE)
    match = _SHARED.match(name)
    if shared and match:
        return Path(shared).expanduser() / name[match.end() :].lstrip("/")
    return folder / Path(name).expanduser()
