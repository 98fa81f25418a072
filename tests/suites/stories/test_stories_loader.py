"""The loader reads public formats as they are; each is imitated here in a few lines."""

import json
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from harness.errors import UserError
from harness.paths import SHARED_VARIABLE

UP = "../../../../shared"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for ../shared."""
    monkeypatch.setenv(SHARED_VARIABLE, str(tmp_path))
    return tmp_path


def save_lines(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return f"{UP}/{path.name}"


def instructions(files: Path) -> dict[str, str]:
    records = [
        {"instruction": f"Say {n}.", "input": "", "output": f"It is {n}.", "chosen": f"It is {n}.", "rejected": "No."}
        for n in range(60)
    ]
    plain = [{key: record[key] for key in ("instruction", "input", "output")} for record in records]
    (files / "plain.json").write_text(json.dumps(plain))
    (files / "pairs.json").write_text(json.dumps(records))
    return {"file": f"{UP}/plain.json", "pairs": f"{UP}/pairs.json"}


def test_answers_of_a_part_are_apart_from_the_other_parts(files: Path, loader: ModuleType) -> None:
    named = instructions(files)

    parts = [{row["question"] for row in loader.rows("answers", part=p, **named)} for p in ("train", "test")]
    pairs = {row["question"] for row in loader.rows("preference", part="test", **named)}

    assert len(parts[1]) == 12
    assert not parts[0] & parts[1]
    assert pairs == parts[1]


def test_stories_open_at_their_beginning_and_end_with_a_sentence(files: Path, loader: ModuleType) -> None:
    story = "Once upon a time there was a cat. It ran.\n\nIt sat on a mat. " + "It slept. " * 40
    (files / "val.txt").write_text("the end of another.\n\n" + (story + "\n\n") * 5)

    found = loader.rows("stories", file=f"{UP}/val.txt", count=3, max_bytes=100)

    assert len(found) == 3
    assert all(row["text"].startswith("Once upon a time there was a cat. It ran. It sat") for row in found)
    assert all(50 < len(row["text"]) <= 100 and row["text"].endswith(".") for row in found)


def test_wikipedia_leaves_out_headings_and_unknown_words(files: Path, loader: ModuleType) -> None:
    known = "It had a co @-@ pilot ( a man ) , and he 's old . It won ."
    (files / "test.txt").write_text(f" \n = Heading = \n \n The <unk> was red . {known} <unk> lost . \n")

    found = loader.rows("wikipedia", file=f"{UP}/test.txt", count=1, max_bytes=60)

    assert found == [{"text": "It had a co-pilot (a man), and he's old. It won."}]


def test_minimal_pairs_have_the_acceptable_sentence_first(files: Path, loader: ModuleType) -> None:
    with zipfile.ZipFile(files / "b.zip", "w") as archive:
        lines = [json.dumps({"sentence_good": f"good {n}", "sentence_bad": f"bad {n}"}) for n in range(5)]
        archive.writestr("data/one.jsonl", "\n".join(lines) + "\n")

    found = loader.rows("blimp", file=f"{UP}/b.zip", paradigms=["one"], pairs_each=2)

    assert found == [{"choices": [f"good {n}", f"bad {n}"], "answer": 0} for n in range(2)]


def test_piqa_takes_its_labels_from_their_own_file(files: Path, loader: ModuleType) -> None:
    long = {"goal": "open " * 90, "sol1": "a", "sol2": "b"}
    rows = [{"goal": "open it", "sol1": "pull ", "sol2": "push"}, long, {"goal": "shut it", "sol1": "a", "sol2": "b"}]
    (files / "labels.lst").write_text("1\n0\n0\n")

    found = loader.rows(
        "piqa", file=save_lines(files / "v.jsonl", rows), labels=f"{UP}/labels.lst", count=9, max_bytes=99
    )

    assert found == [
        {"question": "open it", "choices": ["pull", "push"], "answer": 1},
        {"question": "shut it", "choices": ["a", "b"], "answer": 0},
    ]


def test_questions_lose_the_template_that_they_came_with(files: Path, loader: ModuleType) -> None:
    rows = [{"query": "Question: Why?", "choices": ["so", "no"], "gold": 1}]

    found = loader.rows("questions", file=save_lines(files / "q.jsonl", rows), count=9, max_bytes=99)

    assert found == [{"question": "Why?", "choices": ["so", "no"], "answer": 1}]


def test_a_file_that_is_not_there_is_named(files: Path, loader: ModuleType) -> None:
    with pytest.raises(UserError, match=r"absent\.jsonl: no such data file; .* TUNEMATRIX_SHARED"):
        loader.rows("questions", file=f"{UP}/absent.jsonl", count=1, max_bytes=9)


def test_likelihood_is_counted_a_byte(rules: ModuleType) -> None:
    text = rules.text_likelihood({"text": "aé"}, [-6.0])
    answer = rules.answer_likelihood({"answer": "ab"}, [(-3.0, False)])

    assert text == {"nats_per_byte": 2.0, "bits_per_byte": (-6.0, 3)}
    assert answer == {"nats_per_byte": 1.5, "bits_per_byte": (-3.0, 2)}
