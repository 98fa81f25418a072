"""One side of a trial, as the user names it: settings of the matrix, and the interpreter that it runs in."""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UserError
from harness.paths import expanded


@dataclass(frozen=True)
class Setting:
    """``kernels.attention=eager threads=2 python=/opt/new/bin/python``: ``text`` as given, and what it means."""

    text: str
    overrides: tuple[str, ...] = ()
    python: str | None = None  # None: this one

    @property
    def name(self) -> str:
        """For people: what the side differs in."""
        return self.text.strip() or "as the matrix says"


def parse_setting(text: str) -> Setting:
    """Raises UserError for a word that is no KEY=VALUE, or an interpreter that is not there."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UserError(f'--ab "{text}": {error}') from None
    overrides, python = [], None
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise UserError(f'--ab "{text}": {word!r} is no KEY=VALUE, as in kernels.attention=eager or python=PATH')
        if key == "python":
            python = _interpreter(value, text)
        else:
            overrides.append(word)
    return Setting(text, tuple(overrides), python)


def _interpreter(value: str, text: str) -> str | None:
    path = expanded(value)
    if not path.is_file():
        raise UserError(f'--ab "{text}": no interpreter {value}; give its path, as in python=/opt/new/bin/python')
    return None if path.absolute() == Path(sys.executable).absolute() else str(path.absolute())
