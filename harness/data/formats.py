"""Training examples from a data file, recognised by its fields and brought to one of four normal forms.

SFT text          {"prompt": str, "completion": str}
SFT chat          {"messages": [{"role": "system" | "user" | "assistant", "content": str}, ...]}
preference text   {"prompt": str, "chosen": str, "rejected": str}
preference chat   {"prompt": [messages], "chosen": [messages], "rejected": [messages]}
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.data.normal import Example, normaliser
from harness.data.records import Record, read_records
from harness.data.turns import BadRecord
from harness.errors import UserError

Kind = Literal["sft", "preference"]
OnBad = Literal["error", "drop"]

KNOWN = (
    "prompt/completion, instruction/input/output, messages, conversations, "
    "or chosen/rejected with a prompt or as Human:/Assistant: transcripts"
)


@dataclass(frozen=True)
class Problem:
    """A record that gave no example: its number in the file, from 1, and what is wrong with it."""

    record: int
    what: str


@dataclass(frozen=True)
class Examples:
    """What a data file holds: ``examples`` in the file's order, and the records that gave none, as ``problems``."""

    path: Path
    kind: Kind
    format: str
    examples: list[Example]
    problems: list[Problem]


def read_examples(path: Path, kind: Kind | None = None) -> Examples:
    """The examples of a data file (formats: see ``harness.data.normal``; files: see ``harness.data.records``).

    The format follows from the fields of all records together. A file with ``chosen`` and ``rejected`` is
    preference data unless ``kind="sft"`` asks for the answers that it holds besides. Raises UserError for a file
    that can't be read, whose fields are unknown, or where no record can be used as ``kind``; single bad records are
    kept as problems, for ``accept`` to judge.
    """
    records = read_records(path)
    fields = {field for record in records for field in record}
    _refuse_labels(path, records, fields)
    kind = kind or ("preference" if {"chosen", "rejected"} <= fields else "sft")
    found = normaliser(kind, fields, records)
    if found is None:
        raise UserError(_unknown(path, kind, fields))
    examples, problems = [], []
    for number, record in _numbered(records):
        try:
            examples.append(found.read(record))
        except BadRecord as error:
            problems.append(Problem(number, str(error)))
    if not examples:
        raise UserError(f"{path}: {_count(problems, len(problems))}, so nothing is left to use as {kind} data")
    return Examples(path, kind, found.format, examples, problems)


def accept(examples: Examples, on_bad: OnBad = "error") -> Examples:
    """The examples, if their bad records are allowed: none under ``"error"``, any number under ``"drop"``.

    Raises UserError where a record is bad and none may be.
    """
    problems = examples.problems
    if problems and on_bad == "error":
        total = len(examples.examples) + len(problems)
        raise UserError(f"{examples.path}: {_count(problems, total)}; mend them or set on_bad_record: drop")
    return examples


def _count(problems: list[Problem], total: int) -> str:
    """As in: 3 of 90 records can't be used (2 without an answer, 1 without a prompt; first: record 7)."""
    reasons = Counter(problem.what for problem in problems).most_common(3)
    listed = ", ".join(f"{count} {what}" for what, count in reasons)
    return f"{len(problems)} of {total} records can't be used ({listed}; first: record {problems[0].record})"


def _numbered(records: list[Record]) -> list[tuple[int, Record]]:
    """Records with their numbers; one of self-instruct's gives as many as it has instances."""
    return [
        (number, {**record, **instance})
        for number, record in enumerate(records, start=1)
        for instance in _instances(record)
    ]


def _instances(record: Record) -> list[dict[str, Any]]:
    instances = record.get("instances")
    is_list = isinstance(instances, list) and all(isinstance(instance, dict) for instance in instances)
    return instances if is_list and instances else [{}]


def _refuse_labels(path: Path, records: list[Record], fields: set[str]) -> None:
    """KTO data judge single answers: trained on as SFT they would teach the bad ones too."""
    if {"chosen", "rejected"} <= fields:
        return
    for field in ("label", "kto_tag"):
        labels = {str(record.get(field)).lower() for record in records}
        if field in fields and labels <= {"true", "false"}:
            raise UserError(
                f"{path}: each answer has a true or false {field!r} (KTO data) and no pair to prefer one of; "
                f"give chosen and rejected, or keep the good answers and drop {field!r}"
            )


def _unknown(path: Path, kind: Kind, fields: set[str]) -> str:
    names = ", ".join(sorted(map(str, fields))[:12]) or "none"
    if kind == "preference":
        return f"{path}: can't be read as preference data: needs chosen and rejected, its fields are {names}"
    if fields == {"text"}:
        return f"{path}: holds plain text, nothing to answer; its fields are {names}, wanted: {KNOWN}"
    if {"chosen", "rejected"} <= fields:
        return f"{path}: can't be read as sft data: only chosen and rejected, no answer besides; its fields are {names}"
    return f"{path}: format not recognised: its fields are {names}, wanted: {KNOWN}"
