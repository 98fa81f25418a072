"""`tunematrix report` and `db`: what a results file holds, printed."""

import json
from dataclasses import replace
from pathlib import Path

from rich import box
from rich.markup import escape
from rich.table import Table

from harness.commands.console import console_for_people
from harness.commands.uncollected import uncollected
from harness.oneline import one_line
from harness.sources import Source, open_source
from harness.store.database import open_for_reading


@uncollected()
def show_report(source: Path | None, db: Path, folder: Path | None) -> None:
    """`tunematrix report`, of ``source`` (a results file or a snapshot), or else of the results file ``db``."""
    from harness.report import build_report, print_report, write_report

    opened = Source(db.stem, db, open_for_reading(db)) if source is None else open_source(source)
    found = replace(build_report(opened.db), notes=opened.notes)
    print_report(found, console_for_people())
    if folder is not None:
        write_report(found, folder)


def describe_db(path: Path) -> None:
    """`tunematrix db`: what a file holds."""
    db = open_for_reading(path)
    console = console_for_people()
    table = Table(title=escape(one_line(path)), title_justify="left", box=box.SIMPLE_HEAD)
    for column in ("suite", "stack", "purpose", "status", "runs", "newest"):
        table.add_column(column)
    query = """SELECT suite, stack_id, purpose, status, count(*) AS runs, max(started_at) AS newest
               FROM runs JOIN cells USING (cell_id) GROUP BY 1, 2, 3, 4 ORDER BY newest DESC"""
    for row in db.query(query):
        row |= {"stack_id": row["stack_id"][:10], "newest": row["newest"][:19]}
        table.add_row(*(escape(one_line(value)) for value in row.values()))
    console.print(table)
    for row in db.query("SELECT stack_id, facts FROM stacks"):
        facts = json.loads(row["facts"])
        known = ", ".join(one_line(f"{key} {value}") for key, value in facts.items() if value is not None)
        console.print(f"stack {row['stack_id'][:10]}: {known}", highlight=False, markup=False)
    counts = {name: db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in db.table_names()}
    shown = ", ".join(f"{count} {name}" for name, count in counts.items() if count and not name.startswith("_"))
    console.print(f"holds {shown or 'nothing yet'}", highlight=False, markup=False)
