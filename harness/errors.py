"""What ends a command or a cell: mistakes of the user in one clear line and exit code 2, never in a traceback; numbers
that are none."""

from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """A mistake that the user can mend: says what is wrong, where, and what would be right.

    Raise it with one line, or with several mistakes found together (``UserError(*lines)``); the command line
    prints each on a line of its own and exits with 2.
    """

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@contextmanager
def collected(lines: list[str]) -> Iterator[None]:
    """Mistakes made inside go to ``lines``, so that those found elsewhere are told together with them."""
    try:
        yield
    except UserError as error:
        lines += error.lines


class NotANumber(Exception):
    """A loss or logits that left the numbers: the cell ends as ``nan``."""
