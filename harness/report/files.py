"""A report as files: Markdown for people, a CSV for each table and one JSON for programs."""

import csv
import json
import re
from pathlib import Path

from harness.report.model import Report, Section, Table
from harness.report.terminal import heading, stack_line

# Raise it with any change to what these files say: a published report is rebuilt by `verify` and must come out alike.
# One of an older version may lack columns; see ``harness.snapshot.compare.older_difference``.
REPORT_VERSION = 1

# What a forge makes a link of without any Markdown: @name, #12, http://, www. It looks at the text once entities and
# backslashes are gone, so only something between the characters stops it: a space of no width.
_LINKS_BY_ITSELF = re.compile(r"@|#(?=\d+\b)|:(?=//)|www(?=\.)", re.IGNORECASE)
_NOTHING = "&#8203;"


def write_report(report: Report, folder: Path) -> None:
    """Write ``report.md``, ``report.json`` and ``<table>-<suite>-<stack>.csv`` to ``folder``, made where it is absent.

    CSV and JSON hold every figure in base units (shares of 1, bytes, seconds); what is missing is empty or null.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(_markdown(report), encoding="utf-8")
    text = json.dumps(_as_json(report), ensure_ascii=False, allow_nan=False, indent=1)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
    for section in report.sections:
        for table in section.tables:
            _write_csv(table, folder / f"{table.name}-{_file_part(section.suite)}-{_file_part(section.stack_id)}.csv")


def _markdown(report: Report) -> str:
    lines = ["# Fine-tuning methods compared", ""]
    for note in report.notes:
        lines += [f"**{escaped(note)}**", ""]
    if report.nothing:
        lines += [report.nothing, ""]
    for section in report.sections:
        lines += [f"## {escaped(heading(section))}", "", escaped(stack_line(section)), ""]
        for table in section.tables:
            lines += [
                f"### {table.title}",
                "",
                *_markdown_table(table),
                "",
                *(f"- {line}" for line in table.legend),
                "",
            ]
    return "\n".join(lines)


def _markdown_table(table: Table) -> list[str]:
    # a brief column that a fuller one repeats with its interval is for terminals
    full = {column.header for column in table.columns if not column.brief}
    columns = [c for c in table.columns if not (c.brief and any(f.startswith(f"{c.header} ") for f in full))]
    columns = [column for column in columns if not column.screen]
    lines = [
        "| " + " | ".join(column.header for column in columns) + " |",
        "| " + " | ".join(":--" if column.words else "--:" for column in columns) + " |",
    ]
    lines += ["| " + " | ".join(escaped(column.show(row)) for column in columns) + " |" for row in table.rows()]
    return lines


def escaped(text: str) -> str:
    """``text`` as Markdown that shows it and means nothing: no table cell, link, tag or emphasis comes of it, and
    where it is posted nobody is called by a name in it."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\|`*_{}\[\]~$#!])", r"\\\1", text)
    return _LINKS_BY_ITSELF.sub(f"\\g<0>{_NOTHING}", text)


def _as_json(report: Report) -> dict[str, object]:
    return {
        "version": REPORT_VERSION,
        "nothing": report.nothing,
        "notes": list(report.notes),
        "sections": [_section(s) for s in report.sections],
    }


def _section(section: Section) -> dict[str, object]:
    return {
        "suite": section.suite,
        "stack_id": section.stack_id,
        "facts": section.facts,
        "runs": section.runs,
        "seeds": section.seeds,
        "tables": {table.name: table.rows() for table in section.tables},
    }


def _write_csv(table: Table, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=[str(name) for name in table.frame.columns])
        writer.writeheader()
        writer.writerows(table.rows())


def _file_part(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", text)[:12].strip(".") or "_"
