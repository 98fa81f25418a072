"""A report on a terminal: as many of the essential columns as fit its width, with a legend under each table."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from harness.report import words
from harness.report.grid import print_grid
from harness.report.model import Column, Report, Section, Table
from harness.stack import LIMIT, limited_to

LONGEST = 50  # rows of a table that does not part by base: what a person reads on a terminal


def print_report(report: Report, console: Console) -> None:
    """Print every section. Texts from the database are printed as they are: no markup in them is obeyed."""
    for note in report.notes:
        console.print(Text(words.text(note), style="bold yellow"))
    if report.nothing:
        console.print(Text(report.nothing))
    for section in report.sections:
        console.print(Text(heading(section), style="bold"))
        console.print(Text(stack_line(section), style="dim"))
        for table in section.tables:
            if not table.files_only:
                _print(table, console)


def heading(section: Section) -> str:
    """The suite, how many runs ended how, and the seeds."""
    runs = ", ".join(f"{n} {status}" for status, n in section.runs.items())
    seeds = ", ".join(map(str, section.seeds)) or "none"
    return f"{words.text(section.suite)} · {sum(section.runs.values())} runs ({runs}) · seeds {seeds}"


def stack_line(section: Section) -> str:
    """The machine first, then the libraries."""
    machine = ("device", "gpu", "gpus", "gpu_memory_gib", LIMIT, "driver", "processor", "cores", "memory_gib")
    keys = [key for key in machine if key in section.facts]
    keys += sorted(key for key in section.facts if key not in machine)
    facts = [_fact(key, section.facts) for key in keys if section.facts[key] is not None]
    return f"stack {section.stack_id[:12]} · {' · '.join(facts)}"


def _fact(key: str, facts: Mapping[str, Any]) -> str:
    limited = limited_to(facts) if key == LIMIT else None
    return limited or f"{words.text(key)} {words.text(facts[key])}"


def _print(table: Table, console: Console) -> None:
    rows = table.rows(None if table.by_base else LONGEST)
    columns, left_out = _fitting(table, rows, console.width)
    for title, group in _groups(table, rows):
        console.print()
        cells = [[column.show(row) for column in columns] for row in group]
        print_grid(console, title, [c.header for c in columns], [c.words for c in columns], cells)
    if len(rows) < len(table.frame):
        more = f"The first {len(rows)} of {len(table.frame):,} rows; report --out FOLDER writes them all."
        console.print(Text(more, style="yellow"))
    if left_out:
        console.print(Text(f"Too narrow a terminal for: {', '.join(left_out)}.", style="yellow"))
    for line in table.legend:
        console.print(Text(line, style="dim"))


def _fitting(table: Table, rows: list[dict[str, Any]], width: int) -> tuple[list[Column], list[str]]:
    """The brief columns that fit side by side without folding a figure, and the headers of those that do not."""
    columns = [column for column in table.columns if column.brief]
    needs = {column.header: max(map(cell_len, (column.header, *map(column.show, rows)))) + 1 for column in columns}
    left_out: list[str] = []
    while sum(needs[column.header] for column in columns) > width and any(column.spare for column in columns):
        first = max(columns, key=lambda column: column.spare)
        columns.remove(first)
        left_out.insert(0, first.header)
    return columns, left_out


def _groups(table: Table, rows: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The rows under one title, or under one for each base where the table compares within a base."""
    if not table.by_base:
        return [(table.title, rows)]
    return [
        (f"{table.title} on {words.text(base)} ({words.count(group[0]['base_parameters'])} parameters)", group)
        for base, group in ((base, list(of_base)) for base, of_base in groupby(rows, key=lambda row: row["base"]))
    ]
