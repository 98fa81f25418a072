"""What `tunematrix largest-batch` found, as a table and as JSON: memory and speed are those that the report shows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlite_utils import Database

from harness.analysis.costs import ALLOCATED, measured
from harness.largest_batch.policy import RULE
from harness.largest_batch.searcher import Search
from harness.plan import Outcome
from harness.report import words
from harness.sections import Contents
from harness.session import Session
from harness.stack import hardware

LARGEST_VERSION = 1  # of the JSON
_MEASURES = {ALLOCATED: "what the GPU's allocator handed out at most", "ledger": "the tensor ledger's peak"}


@dataclass(frozen=True, eq=False)
class Answer:
    """The searches, and what was measured of each arm on this stack (``costs.measured``, by the arm's id)."""

    session: Session
    searches: Sequence[Search]
    costs: pd.DataFrame
    failed_phases: Mapping[str, str]  # by run

    def tried(self, search: Search, batch: int | None) -> dict[str, Any]:
        """A batch of a search: how it ended, and its memory and speed; nulls for one that was not tried."""
        arm, outcome = search.tried.get(batch or 0, (None, Outcome("", "", None, 0.0)))
        measured_too = outcome.ok and arm is not None and arm.arm_id in self.costs.index
        cost = self.costs.loc[arm.arm_id] if measured_too and arm is not None else {}
        return {
            "batch_size": batch,
            "status": outcome.status or None,
            "failed_phase": self.failed_phases.get(outcome.run_id),
            "reason": outcome.reason,
            "tokens_per_second": _number(cost.get("tokens_per_second")),
            "memory_bytes": _number(cost.get("memory_bytes")),
        }

    def as_json(self, most: int) -> dict[str, Any]:
        """Every search with every batch that was tried, in order."""
        limit = self.session.limit
        return {
            "version": LARGEST_VERSION,
            "suite": self.session.matrix.header.suite,
            "stack_id": self.session.stack_id,
            "hardware": hardware(self.session.facts),
            "memory_limit_bytes": limit.vram_bytes if limit else None,
            "overhead_bytes": limit.overhead_bytes if limit else None,
            "memory_measure": self.measure,
            "at_most": most,
            "rule": RULE,
            "arms": [self._search_json(search) for search in self.searches],
        }

    def _search_json(self, search: Search) -> dict[str, Any]:
        arm = search.arm
        return {
            "arm": arm.short_name,
            "base": arm.base.name,
            "arm_id": arm.arm_id,
            "found": search.is_found,
            "ended": search.ended,
            "own": self.tried(search, search.own_batch),
            "largest": self.tried(search, search.largest or None) if search.tried else None,
            "largest_batch": search.largest if search.tried else None,
            "too_large": self.tried(search, search.too_large) if search.too_large else None,
            "predicted_batch": search.predicted,
            "predicted_too_many": search.off_by,
            "tried": [self.tried(search, batch) for batch in search.tried],
        }

    @property
    def measure(self) -> str | None:
        """What memory is a figure of."""
        measures = self.costs["memory_measure"].dropna().unique()
        return str(measures[0]) if len(measures) else None


def answer_of(session: Session, searches: Sequence[Search], db: Database) -> Answer:
    """Read what the probes have measured."""
    contents = Contents(db, every_rate=False)
    here = contents.phases[contents.phases["stack_id"] == session.stack_id]
    failed = contents.runs.set_index("run_id")["failed_phase"].dropna().to_dict()
    return Answer(session, searches, measured(here), {str(run): str(phase) for run, phase in failed.items()})


def print_answer(answer: Answer, console: Console, most: int) -> None:
    """The table, and what it says."""
    table = Table(title=_title(answer.session), title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    for heading in ("arm", "base"):
        table.add_column(heading)
    for heading in ("batch", "tokens/s", "memory", "largest", "tokens/s", "memory"):
        table.add_column(heading, justify="right")
    for heading in ("too large", "predicted", "off", "tried"):
        table.add_column(heading, justify="left" if heading == "too large" else "right")
    for search in answer.searches:
        table.add_row(*map(Text, _row(answer, search)))
    console.print(table)
    for line in _legend(answer, most):
        console.print(Text(line, style="dim"))


def _title(session: Session) -> Text:
    said = f"Largest batch that fits: {session.matrix.header.suite} on {hardware(session.facts)}"
    return Text(words.text(said), style="table.title")


def _row(answer: Answer, search: Search) -> list[str]:
    own, best = answer.tried(search, search.own_batch), answer.tried(search, search.largest or None)
    off = search.off_by
    return [
        search.arm.short_name,
        search.arm.base.name,
        str(search.own_batch),
        *_figures(own),
        _largest(search),
        *_figures(best),
        _too_large(answer, search),
        words.MISSING if search.predicted is None else str(search.predicted),
        words.MISSING if off is None else f"{off:+d}" if off else "0",
        str(len(search.tried)),
    ]


def _figures(tried: Mapping[str, Any]) -> list[str]:
    if tried["status"] not in (None, "ok"):
        return [tried["status"], words.MISSING]
    return [words.count(tried["tokens_per_second"]), words.size(tried["memory_bytes"])]


def _largest(search: Search) -> str:
    if not search.tried:
        return words.MISSING
    known = search.is_found and search.too_large is not None
    return str(search.largest) if known else f"{search.largest}+"


def _too_large(answer: Answer, search: Search) -> str:
    if search.too_large is None:
        return words.MISSING
    failed = answer.tried(search, search.too_large)
    while_ = f" in {words.text(failed['failed_phase'])}" if failed["failed_phase"] else ""
    return f"{search.too_large}: {words.text(failed['status'])}{while_}"


def _legend(answer: Answer, most: int) -> Iterator[str]:
    yield "Left the matrix's own batch, right the largest that was measured; too large: the smallest that was not."
    yield f"{RULE} N+: nothing larger was found too large, up to {most}."
    yield "off: examples that were predicted too many; 0 within what the search tells apart."
    if answer.measure:
        yield f"memory: {_MEASURES.get(answer.measure, answer.measure)} in training; tokens/s: real tokens."
    for search in answer.searches:
        if search.ended:
            yield f"{search.arm.name}: {words.text(search.ended)}"


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
