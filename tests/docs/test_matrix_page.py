"""docs/matrix.md: the matrix files that it prints are good ones."""

import shutil
from pathlib import Path

import pytest
import yaml

import suites
from harness.matrix import load_matrix
from harness.session import Session, open_session

ROOT = Path(__file__).resolve().parents[2]
POCKET = Path(next(iter(suites.__path__))) / "pocket"
BLOCKS = [
    block.partition("```")[0]
    for block in (ROOT / "docs" / "matrix.md").read_text(encoding="utf-8").split("```yaml\n")[1:]
]
DATA = {
    "train.jsonl": "target_train.jsonl",
    "general.jsonl": "replay.jsonl",
    "pairs.jsonl": "preference_train.jsonl",
}


@pytest.fixture(params=BLOCKS)
def session(request, tmp_path) -> Session:
    """The printed file beside a model, data and tasks of the names that it uses; what is on the hub is taken from
    here."""
    shutil.copytree(POCKET / "bases" / "pocket-1m", tmp_path / "my-model")
    shutil.copy(tmp_path / "my-model" / "config.json", tmp_path)
    for name, source in DATA.items():
        shutil.copy(POCKET / "data" / source, tmp_path / name)
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    for eval_ in yaml.safe_load(request.param)["evals"]:
        (tasks / f"{eval_['task']}.yaml").write_text(f"task: {eval_['task']}\n")
    file = tmp_path / "matrix.yaml"
    file.write_text(request.param.replace("{hub: org/name, revision: main}", "{path: ./my-model}"))
    return open_session(load_matrix(file), tmp_path / "none.db", device="cpu")


def test_a_printed_matrix_file_is_accepted(session):
    assert {arm.label for arm in session.arms} == set(session.matrix.header.methods)


def test_every_entry_of_it_is_scored(session):
    wanted = {moment for arm in session.arms for moment in arm.moments}
    assert {moment for moment in wanted if any(eval_.is_wanted(moment) for eval_ in session.evals)} == wanted
