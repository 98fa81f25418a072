"""What the user asks of `run` and `plan` alike, as the command line gives it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """A matrix, or a base and data of one's own, on a results file and a device."""

    matrix: str | None  # none: the embedded suite, or what base and data make
    db: Path
    overrides: tuple[str, ...] = ()
    only: str | None = None
    base: str | None = None
    data: tuple[str, ...] = ()
    device: str = "auto"
    jobs: int | None = None
    vram: str | None = None  # a card's memory, with its unit
    overhead: str | None = None  # of it, what is left for the device's context and the allocator
    skip_unfit: bool = False  # leave out what is predicted not to fit

    @property
    def assumed_overhead(self) -> str:
        """What is left, whether it was said or not."""
        return self.overhead or "1GB"
