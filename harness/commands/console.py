"""Where people read."""

import sys

from rich.console import Console


def console_for_people() -> Console:
    """The terminal at its width; a file or a pipe at a width that tables fit."""
    return Console() if sys.stdout.isatty() else Console(width=140)
