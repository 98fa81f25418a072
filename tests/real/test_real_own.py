"""Public files in their own formats, with the real model, through `--base` and `--data`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError
from harness.own import own_matrix
from harness.session import open_session
from harness.workdir import Workdir
from tests.real.real_cli import SHORT, Cli, override

pytestmark = pytest.mark.real

USABLE = {
    "llamafactory_demo/alpaca_en_demo.json": False,
    "llamafactory_demo/identity.json": False,
    "llamafactory_demo/dpo_en_demo.json": True,
    "llms_from_scratch/instruction-data.json": False,
    "llms_from_scratch/instruction-data-with-preference.json": True,
    "commonsense_train/ARC-Easy_train.json": False,
    "self_instruct/user_oriented_instructions.jsonl": False,
    "self_instruct/seed_tasks.jsonl": False,
    "gsm8k/test.jsonl": False,
}
REFUSED = {
    "llamafactory_demo/kto_en_demo.json": "KTO",
    "llamafactory_demo/c4_demo.jsonl": "plain text",
    "llamafactory_demo/wiki_demo.txt": "unknown kind",
    "pandalm/testset-v1.json": "not recognised",
    "truthfulqa/TruthfulQA.csv": "not recognised",
}


def make(shared: Path, tmp_path: Path, name: str) -> Any:
    data = [str(shared / "data" / name)]
    return own_matrix(str(shared / "models" / "stories260k"), data, (), Workdir.beside(tmp_path / "t.db"))


@pytest.mark.parametrize("name", USABLE)
def test_a_public_file_becomes_a_matrix(shared: Path, tmp_path: Path, name: str) -> None:
    matrix = make(shared, tmp_path, name)

    session = open_session(matrix, tmp_path / "t.db", device="cpu")

    assert ("dpo-lora" in {arm.label for arm in session.arms}) == USABLE[name]
    assert all(arm.stage["steps"] > 0 for arm in session.arms if arm.trains)


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_will_not_do_is_refused_in_one_line(shared: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=REFUSED[name]) as caught:
        make(shared, tmp_path, name)

    assert len(caught.value.lines) == 1


@pytest.mark.slow
def test_examples_and_pairs_train_through_the_command_line(
    shared: Path, cli: Cli, query: Callable[[str], list[Any]]
) -> None:
    data = shared / "data" / "llms_from_scratch"
    names = ["instruction-data.json", "instruction-data-with-preference.json"]
    files = [part for name in names for part in ("--data", str(data / name))]
    rates = [f"methods.{label}.learning_rate=1e-3" for label in ("full_sft", "lora", "qlora", "dpo-lora")]

    few = override("budget.steps=2", "data.split.validation=0.02", "data.split.test=0.02", *rates)

    cli("run", "--base", str(shared / "models" / "stories260k"), *files, *SHORT, *few)

    statuses = dict(query("SELECT method, status FROM runs JOIN cells USING (cell_id)"))
    assert statuses == dict.fromkeys(("base", "full_sft", "lora", "qlora", "dpo"), "ok")
    scored = query("SELECT DISTINCT task FROM evals JOIN scores USING (eval_id) ORDER BY task")
    names = ["own_answers", "own_answers_validation", "own_choices", "own_preference", "own_preference_validation"]
    assert [task for (task,) in scored] == names
    assert query("SELECT count(*) FROM arms WHERE target IS NOT NULL") == [(5,)]


@pytest.mark.slow
def test_a_user_sees_one_line_for_a_mistake(shared: Path, cli: Cli) -> None:
    kto = str(shared / "data" / "llamafactory_demo" / "kto_en_demo.json")

    done = cli("plan", "--base", str(shared / "models" / "stories260k"), "--data", kto, code=2)

    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("tunematrix: ")


@pytest.mark.slow
def test_a_plan_of_own_data_is_json(shared: Path, cli: Cli) -> None:
    file = str(shared / "data" / "llms_from_scratch" / "instruction-data.json")

    done = cli("plan", "--base", str(shared / "models" / "stories260k"), "--data", file, "--json")

    plan = json.loads(done.stdout)
    assert plan["suite"] == "own-instruction-data"
    assert {cell["label"] for cell in plan["cells"]} == {"base", "full_sft", "lora", "qlora"}
