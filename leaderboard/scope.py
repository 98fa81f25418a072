"""The results that a page is about."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from harness.sections import Part
from leaderboard import cache
from leaderboard.results import Listing, SectionKey


@dataclass(frozen=True)
class Scope:
    """The sources at hand, and the sections of them that were chosen: all of one suite, newest first."""

    listings: tuple[Listing, ...]
    sections: tuple[SectionKey, ...]

    def parts(self) -> list[tuple[SectionKey, Part]]:
        """Each section's frames."""
        return [(key, cache.part(key)) for key in self.sections]

    def summary(self) -> pd.DataFrame:
        """The arms of every section, with ``section`` (its number), ``source``, ``suite``, ``stack`` and
        ``hardware`` beside them. See ``summary.summarise``."""
        about = pd.DataFrame(
            [(key.source, key.suite, key.stack, key.hardware) for key in self.sections],
            columns=["source", "suite", "stack", "hardware"],
        )
        return self.joined(cache.summary).join(about, on="section")

    def joined(self, frame_of: Callable[[SectionKey], pd.DataFrame]) -> pd.DataFrame:
        """A frame of every section, one under the other, with ``section`` (its number) beside it."""
        tables = [frame_of(key).assign(section=n) for n, key in enumerate(self.sections)]
        return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)
