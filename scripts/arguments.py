"""Values of the scripts' options, checked before a GPU's time is spent."""

import math
import shutil
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import NoReturn


class Options(ArgumentParser):
    """Tells what is wrong in one line, and ends with 2."""

    def error(self, message: str) -> NoReturn:
        """See ``argparse.ArgumentParser``."""
        self.exit(2, f"{self.prog}: {message}\n")


def seconds(text: str) -> float:
    """A number of seconds, 0 or more."""
    value = float(text)
    if not 0 <= value < math.inf:
        raise ArgumentTypeError(f"{text}: expected 0 seconds or more")
    return value


def whole(text: str) -> int:
    """A whole number from 1 on."""
    value = int(text)
    if value < 1:
        raise ArgumentTypeError(f"{text}: expected 1 or more")
    return value


def place(text: str) -> Path:
    """A file that is to be written, in a folder that is there; as seen from where the command was typed."""
    path = Path(text).absolute()
    if path.is_dir() or not path.parent.is_dir():
        raise ArgumentTypeError(f"{text}: expected a file in a folder that exists")
    return path


def interpreter(text: str) -> Path:
    """A program that can be run."""
    found = shutil.which(text)
    if found is None:
        raise ArgumentTypeError(f"{text}: no such program")
    return Path(found).absolute()
