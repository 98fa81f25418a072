"""Before training a user is told what the data hold: planted faults are found, clean data are called clean."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.datareport import data_report, item_texts
from harness.matrix import load_matrix
from harness.matrix_files import suite_file
from harness.session import Session, open_session
from harness.tasks import Task

TASK = """\
task: mine
custom_dataset: !function loader.load
dataset_kwargs:
  file: items.jsonl
"""
QUESTION = "which of the seven famous rivers of the north runs past the old castle of the king ?"


def session(tmp_path: Path, records: list[dict[str, Any]], items: list[dict[str, Any]], more: str = "") -> Session:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "mine.yaml").write_text(TASK)
    (tmp_path / "tasks" / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (tmp_path / "matrix.yaml").write_text(f"""\
bases: {{b: {{embedded: pocket-0.2m}}, c: {{embedded: pocket-0.2m}}}}
data: {{sft: [{{file: train.jsonl}}]}}
methods: {{lora: {{rank: [2, 4], learning_rate: 1e-3}}}}
evals: [{{task: mine, role: target}}]
{more}""")
    return open_session(load_matrix(tmp_path / "matrix.yaml"), tmp_path / "t.db", device="cpu")


def clean(count: int) -> list[dict[str, Any]]:
    return [{"prompt": f"what is {n} plus {n} ?", "completion": f" it is {2 * n} ."} for n in range(count)]


def test_each_source_is_told_of_once(tmp_path: Path) -> None:
    lines = data_report(session(tmp_path, clean(20), [{"prompt": QUESTION}]))

    assert len(lines) == 3
    assert lines[0].startswith("train.jsonl (prompt/completion): 20 examples of ")


def test_clean_data_are_called_clean(tmp_path: Path) -> None:
    report = "\n".join(data_report(session(tmp_path, clean(20), [{"prompt": QUESTION}])))

    assert "repeated: 0 exactly, 0 nearly" in report
    assert "eval items in it: 0 of 1" in report
    assert "dropped" not in report


def test_an_eval_item_in_the_training_data_is_found(tmp_path: Path) -> None:
    records = [*clean(20), {"prompt": f"tell me : {QUESTION}", "completion": " the first one ."}]

    report = data_report(session(tmp_path, records, [{"prompt": "is it red ?"}, {"prompt": QUESTION}]))

    assert report[-1] == "  eval items in it: 1 of 2 (mine 1; item 2 of mine is in example 21)"


def test_repetitions_are_counted(tmp_path: Path) -> None:
    records = [*clean(20), clean(20)[3]]

    report = "\n".join(data_report(session(tmp_path, records, [{"prompt": QUESTION}])))

    assert "repeated: 1 exactly, 0 nearly (80 % of 8-word runs); example 21 repeats 4" in report


def test_dropped_records_are_told_with_their_rule(tmp_path: Path) -> None:
    records = [*clean(20), {"prompt": "why ?", "completion": ""}, {"prompt": "why ?", "completion": " it" * 90}]
    rules = "on_bad_record: drop\non_long_record: drop\nsequence_length: 64\n"

    report = data_report(session(tmp_path, records, [{"prompt": QUESTION}], rules))

    assert report[1] == (
        "  dropped: 1 that cannot be used (on_bad_record) and 1 longer than 64 tokens (on_long_record)"
    )


def test_a_loader_that_gives_rows_is_asked(tmp_path: Path) -> None:
    (tmp_path / "loader.py").write_text("def rows(file, count):\n    return [{'goal': file}] * count\n")
    config = {"custom_dataset": "!function loader.load", "dataset_kwargs": {"file": "x", "count": 2}}

    assert item_texts(Task("mine", tmp_path / "mine.yaml", "1", "", config)) == ["x", "x"]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"question": "q", "prompt": "### q"}, "q"),
        ({"goal": "g", "sol1": "s"}, "g"),
        ({"text": "t"}, "t"),
        ({"choices": ["bad", "good"], "answer": 1}, "good"),
        ({"label": 1}, ""),
    ],
)
def test_the_question_is_found_without_its_template(tmp_path: Path, row: dict[str, Any], text: str) -> None:
    (tmp_path / "items.json").write_text(json.dumps([row]))
    config = {"dataset_kwargs": {"file": "items.json"}}

    assert item_texts(Task("mine", tmp_path / "mine.yaml", "1", "", config)) == [text]


def test_a_task_whose_items_lie_elsewhere_has_none_to_look_for(tmp_path: Path) -> None:
    assert item_texts(Task("mine", tmp_path / "mine.yaml", "1", "", {"dataset_path": "org/name"})) == []


def test_the_embedded_suite_gives_no_item_away(tmp_path: Path) -> None:
    opened = open_session(load_matrix(suite_file("pocket")), tmp_path / "t.db", device="cpu")

    report = [line for line in data_report(opened) if "eval items" in line]

    assert len(report) == 2
    assert all(line.startswith("  eval items in it: 0 of 1") for line in report)
