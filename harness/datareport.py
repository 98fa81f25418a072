"""What the training data hold, told before training: lengths, repetitions, what is dropped, eval items given away."""

import importlib.util
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import methods.registry
from harness.arms import Arm
from harness.data.inspect import DataReport, inspect
from harness.data.overlap import contaminated
from harness.data.words import texts, words
from harness.mixes import Kind, Prepared
from harness.session import Session
from harness.settings import Settings, Source
from harness.tasks import Task

# Where an item holds what is asked, without its template; the first of them that it has.
QUESTIONS = ("question", "goal", "query", "prompt", "instruction", "text", "context", "sentence_good")


def data_report(session: Session) -> list[str]:
    """Lines on every training source of a session, each with the eval items found in it. Raises UserError."""
    items = [(e.task, text) for e in session.matrix.header.evals for text in item_texts(session.tasks[e.task])]
    spoken = [words(text) for _, text in items]
    lines: dict[str, None] = {}  # bases that read a file alike are told of once
    for source, prepared, settings in _sources(session):
        found = inspect(prepared.token_counts, prepared.examples, [], settings.sequence_length)
        given_away = contaminated(spoken, [[words(text) for text in texts(e)] for e in prepared.examples])
        told = [(items[item][0], _place_in_task(items, item), example) for item, example in given_away]
        lines["\n".join(_told(source, prepared, settings, found, told, len(items)))] = None
    return "\n".join(lines).split("\n") if lines else []


def item_texts(task: Task) -> list[str]:
    """What each item of a task asks, without its template.

    A loader with a function ``rows`` (the task's ``dataset_kwargs`` in, dicts out) is asked; otherwise the JSON or
    JSONL file that ``dataset_kwargs.file`` names is read. Nothing for a task whose items lie elsewhere.
    """
    options = task.config.get("dataset_kwargs") or {}
    rows = _rows_of_loader(task)
    if rows is not None:
        return [_question(row) for row in rows(**options)]
    file = _data_file(task, options.get("file"))
    return [_question(row) for row in _read_rows(file)] if file is not None else []


def _sources(session: Session) -> Iterator[tuple[Source, Prepared, Settings]]:
    """Each source once a base and sequence length."""
    seen: set[tuple[str, ...]] = set()
    for arm in session.arms:
        for kind, settings in _stages(arm):
            for source in getattr(settings.data, kind):
                prepared = session.library.prepare(source, kind, settings, arm.base)
                key = (kind, prepared.digest, arm.base.digest, str(settings.sequence_length))
                if source.share != 0 and key not in seen:
                    seen.add(key)
                    yield source, prepared, settings


def _stages(arm: Arm) -> list[tuple[Kind, Settings]]:
    kind = methods.registry.get(arm.variant.method).learns_from
    return [] if kind == "nothing" else [(kind, arm.variant.settings)]


def _told(
    source: Source,
    prepared: Prepared,
    settings: Settings,
    found: DataReport,
    given_away: list[tuple[str, int, int]],
    looked_for: int,
) -> list[str]:
    part = f", {source.split} part" if source.split else ""
    plural = "pairs" if "chosen" in prepared.examples[0] else "examples"
    lines = [
        f"{source.file} ({prepared.format}{part}): {found.records} {plural} of {found.length_min} to "
        f"{found.length_max} tokens, median {found.length_median}, 95 % up to {found.length_p95}"
    ]
    dropped = []
    if prepared.dropped_bad:
        dropped.append(f"{prepared.dropped_bad} that cannot be used (on_bad_record)")
    if prepared.dropped_long:
        dropped.append(f"{prepared.dropped_long} longer than {settings.sequence_length} tokens (on_long_record)")
    if dropped:
        lines.append(f"  dropped: {' and '.join(dropped)}")
    exact, near = found.exact_duplicates, found.near_duplicates
    first = "".join(f"; example {a + 1} repeats {b + 1}" for a, b in [*exact.first, *near.first][:1])
    lines.append(f"  repeated: {exact.count} exactly, {near.count} nearly (80 % of 8-word runs){first}")
    counts = ", ".join(f"{task} {count}" for task, count in Counter(task for task, _, _ in given_away).items())
    first = "".join(f"; item {item + 1} of {task} is in example {e + 1}" for task, item, e in given_away[:1])
    lines.append(f"  eval items in it: {len(given_away)} of {looked_for}{f' ({counts}{first})' if counts else ''}")
    return lines


def _place_in_task(items: list[tuple[str, str]], item: int) -> int:
    task = items[item][0]
    return item - next(place for place, (name, _) in enumerate(items) if name == task)


def _question(row: dict[str, Any]) -> str:
    asked = next((row[field] for field in QUESTIONS if isinstance(row.get(field), str)), None)
    if asked is not None:
        return str(asked)
    choices, answer = row.get("choices"), row.get("answer")
    is_choice = isinstance(choices, list) and isinstance(answer, int) and answer < len(choices)
    return str(choices[answer]) if is_choice else ""  # type: ignore[index]


def _rows_of_loader(task: Task) -> Callable[..., list[dict[str, Any]]] | None:
    module = str(task.config.get("custom_dataset", "")).removeprefix("!function ").rpartition(".")[0]
    file = task.path.with_name(f"{module}.py")
    # Looked for in the text: most loaders import `datasets`, which takes a second.
    if not module or not file.is_file() or not re.search(r"^def rows\(", file.read_text(encoding="utf-8"), re.M):
        return None
    spec = importlib.util.spec_from_file_location(f"_tunematrix_loader_{abs(hash(file))}", file)
    assert spec is not None and spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded.rows  # type: ignore[no-any-return]


def _data_file(task: Task, name: Any) -> Path | None:
    if not isinstance(name, str) or not name.endswith((".json", ".jsonl")):
        return None
    folder = task.path.parent
    return next((p for p in (folder / name, folder.parent / "data" / name) if p.is_file()), None)


def _read_rows(file: Path) -> list[dict[str, Any]]:
    text = file.read_text(encoding="utf-8")
    rows = json.loads(text) if file.suffix == ".json" else [json.loads(line) for line in text.split("\n") if line]
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
