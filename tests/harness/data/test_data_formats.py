"""Every format in use is recognised by its fields and brought to one of four forms; bad records are counted."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.data.formats import Problem, accept, read_examples
from harness.errors import UserError


def user(content: str) -> dict[str, str]:
    return {"role": "user", "content": content}


def assistant(content: str) -> dict[str, str]:
    return {"role": "assistant", "content": content}


SYSTEM = {"role": "system", "content": "s"}


@pytest.fixture
def file(tmp_path):
    def write(*records: dict[str, Any]) -> Path:
        path = tmp_path / "data.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        return path

    return write


SFT = [
    ("prompt/completion", {"prompt": "a", "completion": "b"}, {"prompt": "a", "completion": "b"}),
    ("prompt/completion", {"prompt": "a", "response": "b"}, {"prompt": "a\n", "completion": "b"}),
    ("prompt/completion", {"question": "a?\n", "answer": "b"}, {"prompt": "a?\n", "completion": "b"}),
    ("prompt/completion", {"question": "a?", "answer": 4}, {"prompt": "a?\n", "completion": "4"}),
    (
        "prompt/completion",
        {"prompt": [user("a")], "completion": [assistant("b")]},
        {"messages": [user("a"), assistant("b")]},
    ),
    (
        "prompt/completion",
        {"system": "s", "question": "a", "response": "b", "answer": "b"},
        {"messages": [SYSTEM, user("a"), assistant("b")]},
    ),
    ("alpaca", {"instruction": "a", "output": "b"}, {"messages": [user("a"), assistant("b")]}),
    (
        "alpaca",
        {"instruction": "a", "input": "x", "output": "b"},
        {"messages": [user("a\n\nx"), assistant("b")]},
    ),
    (
        "alpaca",
        {"instruction": "a", "input": "", "output": "b", "system": "s", "history": [["q", "r"]]},
        {"messages": [SYSTEM, user("q"), assistant("r"), user("a"), assistant("b")]},
    ),
    (
        "alpaca",
        {"instruction": "a", "context": "x", "response": "b"},
        {"messages": [user("a\n\nx"), assistant("b")]},
    ),
    (
        "self-instruct",
        {"instruction": "a", "instances": [{"input": "x", "output": "b"}]},
        {"messages": [user("a\n\nx"), assistant("b")]},
    ),
    (
        "messages",
        {"messages": [SYSTEM, user("a"), assistant("b"), user("c"), assistant("d")]},
        {"messages": [SYSTEM, user("a"), assistant("b"), user("c"), assistant("d")]},
    ),
    (
        "messages",
        {"messages": json.dumps([user("a"), assistant("b")])},
        {"messages": [user("a"), assistant("b")]},
    ),
    (
        "sharegpt",
        {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}], "system": "s"},
        {"messages": [SYSTEM, user("a"), assistant("b")]},
    ),
]

CHAT_PAIR = {"prompt": [user("a")], "chosen": [assistant("b")], "rejected": [assistant("c")]}

PREFERENCE = [
    (
        "preference",
        {"prompt": "a", "chosen": "b", "rejected": "c"},
        {"prompt": "a", "chosen": "b", "rejected": "c"},
    ),
    (
        "preference",
        {"question": "a", "chosen": "b", "rejected": "c"},
        {"prompt": "a\n", "chosen": "b", "rejected": "c"},
    ),
    ("preference", CHAT_PAIR, CHAT_PAIR),
    (
        "preference",
        {"prompt": "a", "chosen": [user("a"), assistant("b")], "rejected": [user("a"), assistant("c")]},
        CHAT_PAIR,
    ),
    (
        "preference",
        {"chosen": [user("a"), assistant("b")], "rejected": [user("a"), assistant("c")]},
        CHAT_PAIR,
    ),
    ("preference", {"prompt": "\n\nHuman: a\n\nAssistant:", "chosen": "b", "rejected": "c"}, CHAT_PAIR),
    (
        "preference",
        {"system": "s", "question": "a", "chosen": "b", "rejected": "c"},
        CHAT_PAIR | {"prompt": [SYSTEM, user("a")]},
    ),
    (
        "preference",
        {"system": "s", "prompt": "a", "chosen": [user("a"), assistant("b")], "rejected": [user("a"), assistant("c")]},
        CHAT_PAIR | {"prompt": [SYSTEM, user("a")]},
    ),
    ("alpaca preference", {"instruction": "a", "output": "o", "chosen": "b", "rejected": "c"}, CHAT_PAIR),
    (
        "sharegpt preference",
        {
            "conversations": [{"from": "human", "value": "a"}],
            "chosen": {"from": "gpt", "value": "b"},
            "rejected": {"from": "gpt", "value": "c"},
        },
        CHAT_PAIR,
    ),
    (
        "transcript",
        {"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant: c"},
        CHAT_PAIR,
    ),
    (
        "transcript",
        {
            "chosen": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: d",
            "rejected": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: e",
        },
        {
            "prompt": [user("a"), assistant("b"), user("c")],
            "chosen": [assistant("d")],
            "rejected": [assistant("e")],
        },
    ),
]


@pytest.mark.parametrize(("form", "record", "example"), SFT)
def test_sft_records_are_recognised_and_brought_to_one_form(file, form, record, example):
    read = read_examples(file(record))
    assert (read.kind, read.format, read.examples, read.problems) == ("sft", form, [example], [])


@pytest.mark.parametrize(("form", "record", "example"), PREFERENCE)
def test_preference_records_are_recognised_and_brought_to_one_form(file, form, record, example):
    read = read_examples(file(record))
    assert (read.kind, read.format, read.examples, read.problems) == ("preference", form, [example], [])


def test_a_file_with_answers_and_pairs_serves_both_kinds(file):
    path = file({"instruction": "a", "output": "o", "chosen": "b", "rejected": "c"})
    assert read_examples(path, kind="sft").examples == [{"messages": [user("a"), assistant("o")]}]
    assert read_examples(path, kind="preference").examples == [CHAT_PAIR]


def test_each_instance_of_a_self_instruct_task_is_an_example(file):
    instances = [{"input": "x", "output": "b"}, {"input": "y", "output": "c"}]
    assert len(read_examples(file({"instruction": "a", "instances": instances})).examples) == 2


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_columns_are_fields(tmp_path, suffix):
    import pandas

    rows = [{"chosen": json.dumps([user("a"), assistant("b")]), "rejected": json.dumps([user("a"), assistant("c")])}]
    path = tmp_path / f"data.{suffix}"
    frame = pandas.DataFrame(rows)
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
    assert read_examples(path).examples == [CHAT_PAIR]


def test_an_answer_that_only_looks_like_a_list_is_text(file):
    assert read_examples(file({"prompt": "a", "completion": "[1, 2]"})).examples[0]["completion"] == "[1, 2]"


BAD = [
    ({"prompt": "a"}, "without an answer"),
    ({"prompt": "a", "completion": None}, "without an answer"),
    ({"prompt": "a", "completion": " \n"}, "without an answer"),
    ({"prompt": "", "completion": "b"}, "without a prompt"),
    ({"prompt": "a", "completion": ["b"]}, "with completion that is not a list of messages"),
]

BAD_PAIRS = [
    ({"prompt": "a", "chosen": "b", "rejected": "b "}, "with chosen equal to rejected"),
    ({"prompt": "a", "chosen": "b", "rejected": ""}, "without an answer in rejected"),
    ({"prompt": "a", "chosen": [assistant("b")], "rejected": [assistant("b")]}, "with chosen equal to rejected"),
    ({"prompt": [user("a")], "chosen": [assistant("b")], "rejected": [assistant("")]}, "without an answer"),
    ({"chosen": [user("a"), assistant("b")], "rejected": [user("x"), assistant("c")]}, "without a prompt that"),
]


@pytest.mark.parametrize(("record", "what"), BAD)
def test_a_bad_sft_record_is_a_problem_with_its_number(file, record, what):
    read = read_examples(file({"prompt": "a", "completion": "b"}, record))
    assert len(read.examples) == 1
    assert [problem.record for problem in read.problems] == [2]
    assert read.problems[0].what.startswith(what)


@pytest.mark.parametrize(("record", "what"), BAD_PAIRS)
def test_a_bad_pair_is_a_problem_with_its_number(file, record, what):
    read = read_examples(file({"prompt": "a", "chosen": "b", "rejected": "c"}, record))
    assert [problem.record for problem in read.problems] == [2]
    assert read.problems[0].what.startswith(what)


def test_bad_records_are_an_error_that_counts_them_and_names_the_way_out(file):
    path = file({"prompt": "a", "completion": "b"}, {"prompt": "a"}, {"prompt": "a"})
    with pytest.raises(UserError) as error:
        accept(read_examples(path))
    assert str(error.value) == (
        f"{path}: 2 of 3 records can't be used (2 without an answer; first: record 2); "
        "mend them or set on_bad_record: drop"
    )


def test_bad_records_are_dropped_where_the_caller_says_so_and_stay_counted(file):
    read = accept(read_examples(file({"prompt": "a", "completion": "b"}, {"prompt": "a"})), on_bad="drop")
    assert (len(read.examples), read.problems) == (1, [Problem(2, "without an answer")])


REFUSED = [
    ({"messages": [user("a"), assistant("b")], "label": True}, None, "KTO"),
    ({"prompt": "a", "completion": "b", "label": False}, "sft", "KTO"),
    ({"text": "a"}, None, "holds plain text"),
    (
        {"instruction": "a", "response1": "b", "response2": "c"},
        None,
        "its fields are instruction, response1, response2",
    ),
    ({"prompt": "a", "completion": "b"}, "preference", "needs chosen and rejected"),
    ({"prompt": "a", "chosen": "b", "rejected": "c"}, "sft", "can't be read as sft data"),
    ({"prompt": "a", "completion": ""}, None, "1 of 1 records can't be used"),
    ({"conversations": [user("a")], "chosen": assistant("b"), "rejected": assistant("c")}, "sft", "nothing is left"),
]


@pytest.mark.parametrize(("record", "kind", "told"), REFUSED)
def test_a_file_that_can_not_serve_is_refused_in_one_line(file, record, kind, told):
    path = file(record)
    with pytest.raises(UserError) as error:
        read_examples(path, kind)
    assert told in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_an_answer_with_a_number_for_a_label_is_no_kto(file):
    assert read_examples(file({"prompt": "a", "completion": "b", "label": 1})).kind == "sft"
