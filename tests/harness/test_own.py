"""A user's own base and files become a matrix with held-out tasks, or one line that says what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.bases import load_tokenizer
from harness.data.tokenise import encode_sft
from harness.data.words import opening
from harness.errors import UserError
from harness.matrix import Matrix
from harness.own import own_matrix
from harness.own.heldout import answer_row
from harness.own.matrix import MOST_STEPS
from harness.session import Session, open_session
from harness.workdir import Workdir

BASE = "pocket-0.2m"
NUMBERS = range(40)


def question(number: int) -> str:
    return f"what is {number} plus {number} ?"


def answer(number: int) -> str:
    return f"it is {2 * number} ."


SFT: dict[str, list[dict[str, Any]]] = {
    "prompt/completion": [{"prompt": question(n), "completion": f" {answer(n)}"} for n in NUMBERS],
    "alpaca": [{"instruction": question(n), "input": "", "output": answer(n)} for n in NUMBERS],
    "messages": [
        {"messages": [{"role": "user", "content": question(n)}, {"role": "assistant", "content": answer(n)}]}
        for n in NUMBERS
    ],
    "sharegpt": [
        {"conversations": [{"from": "human", "value": question(n)}, {"from": "gpt", "value": answer(n)}]}
        for n in NUMBERS
    ],
}
PAIRS: dict[str, list[dict[str, Any]]] = {
    "preference": [{"prompt": question(n), "chosen": answer(n), "rejected": "no ."} for n in NUMBERS],
    "messages preference": [
        {
            "prompt": [{"role": "user", "content": question(n)}],
            "chosen": [{"role": "assistant", "content": answer(n)}],
            "rejected": [{"role": "assistant", "content": "no ."}],
        }
        for n in NUMBERS
    ],
}


def save(path: Path, records: list[dict[str, Any]]) -> str:
    if path.suffix == ".json":
        path.write_text(json.dumps(records))
    else:
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return str(path)


def make(tmp_path: Path, *files: str, base: str | None = BASE, overrides: tuple[str, ...] = ()) -> Matrix:
    return own_matrix(base, list(files), overrides, Workdir.beside(tmp_path / "t.db"))


def opened(tmp_path: Path, matrix: Matrix) -> Session:
    return open_session(matrix, tmp_path / "t.db", device="cpu")


def rows(matrix: Matrix, task: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (matrix.folder / "tasks" / f"{task}.jsonl").read_text().splitlines()]


def trained_on(session: Session, label: str) -> set[str]:
    arm = next(arm for arm in session.arms if arm.label == label)
    kind, settings = arm.stage["kind"], arm.variant.settings
    prepared = [session.library.prepare(s, kind, settings, arm.base) for s in getattr(settings.data, kind)]
    return {opening(example).strip() for one in prepared for example in one.examples}


@pytest.mark.parametrize("name", SFT)
@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_examples_in_any_format_become_a_matrix_of_sft_methods(tmp_path: Path, name: str, suffix: str) -> None:
    matrix = make(tmp_path, save(tmp_path / f"mine{suffix}", SFT[name]))

    session = opened(tmp_path, matrix)

    assert [arm.label for arm in session.arms] == ["base", "full_sft", "lora", "qlora"]
    assert [e.task for e in matrix.header.evals] == ["own_answers", "own_answers_validation", "own_choices"]
    assert all(len(row["choices"]) == 4 for row in rows(matrix, "own_choices"))
    assert len(rows(matrix, "own_answers")) == 4
    assert len(rows(matrix, "own_answers_validation")) == 4
    assert len(trained_on(session, "lora")) == 32


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_alone_are_learned_after_their_chosen_answers(tmp_path: Path, name: str) -> None:
    matrix = make(tmp_path, save(tmp_path / "pairs.jsonl", PAIRS[name]))

    session = opened(tmp_path, matrix)

    assert [arm.label for arm in session.arms] == ["base", "full_sft", "lora", "qlora", "dpo-lora"]
    assert matrix.header.suite == "own-pairs"
    assert session.arms[-1].parent is session.arms[2]
    assert trained_on(session, "lora") == trained_on(session, "dpo-lora")
    assert {row["answer"].strip() for row in rows(matrix, "own_answers")} <= {answer(n) for n in NUMBERS}
    assert all(row["choices"][1].strip() == "no ." for row in rows(matrix, "own_preference"))


def test_no_prompt_is_trained_on_in_one_file_and_asked_in_another(tmp_path: Path) -> None:
    examples = save(tmp_path / "examples.jsonl", SFT["alpaca"])
    pairs = save(tmp_path / "pairs.jsonl", PAIRS["preference"])
    matrix = make(tmp_path, pairs, examples)

    session = opened(tmp_path, matrix)

    seen = trained_on(session, "lora") | trained_on(session, "dpo-lora")
    asked = {row["question"].strip() for e in matrix.header.evals for row in rows(matrix, e.task)}
    assert len(seen) + len(asked) == len(NUMBERS)
    assert not seen & asked


def test_an_item_is_asked_with_the_tokens_that_training_begins_with(tmp_path: Path) -> None:
    matrix = make(tmp_path, save(tmp_path / "mine.jsonl", SFT["messages"]))
    session = opened(tmp_path, matrix)
    tokenizer = load_tokenizer(session.arms[0].base)
    example = SFT["messages"][3]

    row = answer_row(example, tokenizer)

    asked = tokenizer(row["prompt"], add_special_tokens=False)["input_ids"]
    assert encode_sft(example, tokenizer)["input_ids"][: len(asked)] == asked


def test_the_seed_of_the_split_is_an_override(tmp_path: Path) -> None:
    file = save(tmp_path / "mine.jsonl", SFT["alpaca"])

    first, again = make(tmp_path, file), make(tmp_path, file)
    other = make(tmp_path, file, overrides=("data.split.seed=1", "data.split.test=0.5"))

    assert first.folder == again.folder != other.folder
    assert len(rows(other, "own_answers")) == 20
    assert len(trained_on(opened(tmp_path, other), "lora")) == 16


def test_anything_else_can_be_overridden(tmp_path: Path) -> None:
    overrides = ("methods.lora.rank=[2,4]", "budget.steps=7", "seeds=1", "methods.full_sft.learning_rate=1e-5")

    matrix = make(tmp_path, save(tmp_path / "mine.jsonl", SFT["alpaca"]), overrides=overrides)

    arms = opened(tmp_path, matrix).arms
    assert [arm.variant.rank for arm in arms if arm.label == "lora"] == [2, 4]
    assert {arm.stage["steps"] for arm in arms if arm.trains} == {7}
    assert len(matrix.seeds) == 1


def test_a_long_file_is_cut_at_a_number_of_steps(tmp_path: Path) -> None:
    records = [{"prompt": f"what is {n} ?", "completion": " it ."} for n in range(12_000)]

    matrix = make(tmp_path, save(tmp_path / "mine.jsonl", records))

    assert matrix.variants[-1].settings.budget.steps == MOST_STEPS


def test_files_are_drawn_from_by_their_size(tmp_path: Path) -> None:
    large = save(tmp_path / "large.jsonl", SFT["alpaca"][:30])
    small = save(tmp_path / "small.jsonl", SFT["alpaca"][30:])

    sources = make(tmp_path, large, small).variants[-1].settings.data.sft

    assert [source.share for source in sources] == [0.75, None]


def test_bad_records_are_dropped_and_not_asked(tmp_path: Path) -> None:
    records = [*SFT["alpaca"], {"instruction": "what is it ?", "output": ""}]

    session = opened(tmp_path, make(tmp_path, save(tmp_path / "mine.json", records)))

    arm = session.arms[-1]
    prepared = session.library.prepare(arm.variant.settings.data.sft[0], "sft", arm.variant.settings, arm.base)
    assert prepared.dropped_bad == 1


def test_the_base_may_be_a_folder(tmp_path: Path) -> None:
    import suites

    folder = Path(next(iter(suites.__path__))) / "pocket" / "bases" / BASE

    matrix = make(tmp_path, save(tmp_path / "mine.jsonl", SFT["alpaca"]), base=str(folder))

    assert matrix.header.bases["pocket-0-2m"].path == str(folder)


@pytest.mark.parametrize(
    ("base", "says"),
    [
        (None, "--data: needs --base as well: a model's folder, or its id on the hub"),
        (
            "pocket-9m",
            "pocket-9m: neither a folder, nor org/name[@revision] on the hub, nor embedded (there are",
        ),
        ("./nowhere", "--base ./nowhere: no such folder"),
        (__file__, "is a file; give the folder that holds config.json"),
        ("org/absent@v1", "nor is there a folder org/absent@v1 here"),
    ],
)
def test_a_base_that_is_not_there_is_one_line(tmp_path: Path, base: str | None, says: str) -> None:
    with pytest.raises(UserError) as caught:
        make(tmp_path, save(tmp_path / "mine.jsonl", SFT["alpaca"]), base=base)

    assert len(caught.value.lines) == 1
    assert says in caught.value.lines[0]


def test_a_tokenizer_without_a_pad_token_is_told_how_to_get_one(tmp_path: Path) -> None:
    import shutil

    import suites

    folder = tmp_path / "padless"
    shutil.copytree(Path(next(iter(suites.__path__))) / "pocket" / "bases" / BASE, folder)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    del config["pad_token"]
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    file = save(tmp_path / "mine.jsonl", SFT["alpaca"])

    with pytest.raises(UserError, match=r"--set bases\.padless\.pad_token=TOKEN"):
        make(tmp_path, file, base=str(folder))

    make(tmp_path, file, base=str(folder), overrides=("bases.padless.pad_token=<eos>",))


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ([{"text": "once upon a time"}], "holds plain text"),
        ([{"a": "1", "b": "2"}], "format not recognised"),
        ([{"prompt": "a", "completion": "b", "label": True}], "KTO"),
        (SFT["alpaca"][:2], "split: no example for train"),
        ([], "holds no records"),
    ],
)
def test_data_that_will_not_do_are_one_line(tmp_path: Path, records: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(UserError) as caught:
        make(tmp_path, save(tmp_path / "mine.jsonl", records))

    assert len(caught.value.lines) == 1
    assert says in caught.value.lines[0]


def test_no_data_at_all_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--base: needs --data as well"):
        make(tmp_path)


def test_examples_too_long_for_the_base_are_one_line(tmp_path: Path) -> None:
    records = [{"prompt": f"{n} ?", "completion": " it" * 900} for n in NUMBERS]

    with pytest.raises(UserError, match="longer than sequence_length"):
        make(tmp_path, save(tmp_path / "mine.jsonl", records))
