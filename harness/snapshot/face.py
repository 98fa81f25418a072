"""What a snapshot must say on its face: cells without a result, uncommitted changes, several stacks in one set."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from harness.snapshot.expected import Expected, by_visit
from harness.snapshot.machine import all_stacks
from harness.snapshot.manifest import Allowance

SHOWN_FILES = 5


@dataclass(frozen=True)
class Fault:
    """Something that a snapshot should not have: what kind, in words, and what to do about it."""

    kind: Allowance
    words: str
    remedy: str

    @property
    def note(self) -> str:
        """The words as a snapshot says them."""
        heads = {"unfinished": "NOT COMPLETE", "dirty": "UNCOMMITTED CHANGES", "mixed-stacks": "MIXED STACKS"}
        return f"{heads[self.kind]}: {self.words}."


def faults(db: Database, expected: Sequence[Expected], changed_files: Sequence[str]) -> list[Fault]:
    """What is wrong with publishing ``db``, which holds the published rows and no others."""
    found = (_unfinished(expected), _dirty(db, changed_files), _mixed(db, expected))
    return [fault for fault in found if fault is not None]


def _unfinished(expected: Sequence[Expected]) -> Fault | None:
    open_ = [cell for cell in expected if cell.unfinished]
    if not open_:
        return None
    words = f"{len(open_)} of {len(expected)} cells have no result, the first {open_[0].name} ({open_[0].purpose})"
    visits = by_visit(expected)
    if len(visits) > 1:
        missing = {title: sum(cell.unfinished for cell in cells) for title, cells in visits.items()}
        words += f"; of {'; of '.join(f'{title} {n} of {len(visits[title])}' for title, n in missing.items() if n)}"
    return Fault("unfinished", words, "run them first, with the same --set")


def _dirty(db: Database, changed_files: Sequence[str]) -> Fault | None:
    dirty, runs = db.execute("SELECT count(CASE WHEN git_dirty THEN 1 END), count(*) FROM runs").fetchone()
    words = [f"{dirty} of {runs} runs were made with uncommitted changes"] if dirty else []
    if changed_files:
        more = f" and {len(changed_files) - SHOWN_FILES} more" if len(changed_files) > SHOWN_FILES else ""
        words.append(f"changed when it was published: {', '.join(changed_files[:SHOWN_FILES])}{more}")
    return Fault("dirty", "; ".join(words), "commit, then run and publish") if words else None


def _mixed(db: Database, expected: Sequence[Expected]) -> Fault | None:
    """Stacks that differ by a memory limit alone are one set, where each is asked for."""
    stacks = all_stacks(db)
    asked = {stack.stack_id for stack in stacks} <= {cell.stack_id for cell in expected}
    if len(stacks) < 2 or (asked and len({stack.machine for stack in stacks}) == 1):
        return None
    named = ", ".join(str(stack.stack_id)[:12] for stack in stacks)
    words = f"runs of {len(stacks)} stacks ({named}), which no table compares"
    return Fault("mixed-stacks", words, "publish from a results file of one stack")
