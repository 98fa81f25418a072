"""What a runner asks of whatever runs its cells."""

from collections.abc import Hashable
from pathlib import Path
from typing import Protocol

from harness.assignment import Assignment
from harness.events import Event


class Executor(Hashable, Protocol):
    """Starts cells and listens to them. Used as a context manager: leaving it ends whatever still runs."""

    def warm(self, tasks_folder: Path | None, tasks: list[str], tokenizers: list[tuple[str, str | None]]) -> None:
        """Begin importing what every cell needs."""

    def start(self, assignment: Assignment, *, timeout_seconds: float, exclusive: bool) -> None:
        """Run a cell."""

    def poll(self, seconds: float) -> list[tuple[str, Event]]:
        """Events that come within ``seconds``, each with its run's id; a run that died tells so too."""

    def kill(self, run_id: str, reason: str) -> None:
        """End a run now."""

    def kill_all(self, reason: str) -> None:
        """End every run now."""
