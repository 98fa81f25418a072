"""Two training processes that take turns, a step each: what slows the machine down meanwhile slows both.

A turn is a byte in a named pipe. Each side reads its own pipe and writes to the other's; a side whose partner has died
waits until the runner ends it.
"""

import os
from pathlib import Path


class Alone:
    """Nobody to wait for."""

    def begin(self) -> None:
        """Before the first step."""

    def end_step(self, last: bool) -> None:
        """After a step, before the next one's clock starts."""


class TurnTaker(Alone):
    """One of two sides: ``first`` steps first, once both are ready."""

    def __init__(self, mine: Path, theirs: Path, first: bool) -> None:
        self.first = first
        self._mine, self._theirs = (os.open(path, os.O_RDWR) for path in (mine, theirs))  # waits for no partner

    def begin(self) -> None:
        """Say that this side is ready, and wait for the other; the second waits for the first's step as well."""
        self._pass_on()
        self._take()
        if not self.first:
            self._take()

    def end_step(self, last: bool) -> None:
        """Let the other side step, and wait until it has."""
        self._pass_on()
        if not last:
            self._take()

    def _pass_on(self) -> None:
        os.write(self._theirs, b".")

    def _take(self) -> None:
        os.read(self._mine, 1)


def make_pipes(folder: Path) -> tuple[Path, Path]:
    """Two named pipes in ``folder``, one for each side to read."""
    pipes = folder / "turn-a", folder / "turn-b"
    for pipe in pipes:
        pipe.unlink(missing_ok=True)
        os.mkfifo(pipe)
    return pipes
