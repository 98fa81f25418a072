"""The suite as a whole: what it says without its data, and that it asks nothing that it trains on."""

import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from harness.data.render import render
from harness.data.words import opening
from harness.matrix import load_matrix
from harness.paths import SHARED_VARIABLE
from harness.session import Session, open_session
from harness.tasks import find_tasks


@pytest.fixture(scope="module")
def opened(shared: Path, suite: Path, tmp_path_factory: pytest.TempPathFactory) -> Session:
    db = tmp_path_factory.mktemp("stories") / "t.db"
    return open_session(load_matrix(suite / "matrix.yaml"), db, device="cpu")


def test_every_eval_has_its_task_and_metric(suite: Path) -> None:
    matrix, tasks = load_matrix(suite / "matrix.yaml"), find_tasks(suite / "tasks")

    assert {e.task for e in matrix.header.evals} == set(tasks)
    for e in matrix.header.evals:
        assert e.metric in {metric["metric"] for metric in tasks[e.task].config["metric_list"]}


def test_the_loader_parts_the_files_as_training_does(suite: Path, loader: ModuleType) -> None:
    variants = load_matrix(suite / "matrix.yaml").variants

    assert {v.settings.data.split.model_dump_json() for v in variants} == {loader.SPLIT.model_dump_json()}


def test_without_its_folder_the_suite_says_what_is_missing(suite: Path, tmp_path: Path) -> None:
    alone = tmp_path / "project" / "suites" / "stories"
    shutil.copytree(suite, alone)

    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "plan", str(alone), "--db", str(tmp_path / "t.db")],
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert str(tmp_path / "shared" / "models" / "stories260k") in done.stderr or "../shared" in done.stderr


@pytest.mark.real
def test_nothing_that_is_asked_was_trained_on(opened: Session, loader: ModuleType) -> None:
    trained = set()
    for label, kind in (("full_sft", "sft"), ("dpo-full", "preference")):
        arm = next(arm for arm in opened.arms if arm.label == label)
        settings = arm.variant.settings
        prepared = opened.library.prepare(getattr(settings.data, kind)[0], kind, settings, arm.base)  # type: ignore[arg-type]
        trained |= {opening(example).strip() for example in prepared.examples}

    asked = set()
    for name, task in opened.tasks.items():
        if name.startswith(("stories_answers", "stories_choices", "stories_preference")):
            asked |= {row["question"] for row in loader.rows(**task.config["dataset_kwargs"])}

    assert len(trained) > 700
    assert len(asked) > 300
    assert not trained & asked


@pytest.mark.real
def test_an_instruction_is_asked_as_training_writes_it(opened: Session) -> None:
    from lm_eval.tasks import TaskManager

    arm = opened.arms[-1]
    names = [n for n in opened.tasks if n.startswith(("stories_answers", "stories_choices", "stories_preference"))]
    loaded = TaskManager(include_path=str(opened.tasks_folder), include_defaults=False).load(names)
    for task in loaded["tasks"].values():
        doc = task.test_docs()[0]
        chat = {"messages": [{"role": "user", "content": doc["question"]}, {"role": "assistant", "content": "Yes."}]}
        assert task.doc_to_text(doc) == render(chat, opened.library.tokenizer(arm.base))["prompt"]


@pytest.mark.real
def test_an_items_digest_follows_its_data(opened: Session, suite: Path, shared: Path, tmp_path: Path) -> None:
    copy = tmp_path / "project" / "suites" / "stories"
    shutil.copytree(suite, copy)
    for name in ("llms_from_scratch", "piqa"):
        shutil.copytree(shared / "data" / name, tmp_path / "shared" / "data" / name)
    (tmp_path / "shared" / "data").chmod(0o755)
    before = find_tasks(copy / "tasks")

    labels = tmp_path / "shared" / "data" / "piqa" / "valid-labels.lst"
    labels.chmod(0o644)
    labels.write_text(labels.read_text().replace("0", "1", 1))
    after = find_tasks(copy / "tasks")

    changed = {name for name in after if after[name].item_digest != before[name].item_digest}
    assert changed == {"stories_piqa"}
    assert before["stories_answers"].item_digest == opened.tasks["stories_answers"].item_digest


@pytest.mark.real
def test_the_items_are_as_many_and_as_long_as_the_model_can_read(opened: Session, loader: ModuleType) -> None:
    tokenizer = opened.library.tokenizer(opened.arms[0].base)

    counts = {name: loader.rows(**task.config["dataset_kwargs"]) for name, task in opened.tasks.items()}

    assert {name: len(rows) for name, rows in counts.items()} == {
        "stories_answers": 221,
        "stories_answers_validation": 110,
        "stories_choices": 150,
        "stories_preference": 218,
        "stories_preference_validation": 109,
        "stories_tinystories": 60,
        "stories_wikitext2": 60,
        "stories_blimp": 360,
        "stories_piqa": 200,
        "stories_arc_easy": 150,
    }
    texts = [" ".join(str(value) for value in row.values()) for rows in counts.values() for row in rows]
    longest = max(texts, key=len)
    assert len(tokenizer(longest)["input_ids"]) < 1000  # every choice of an item in a row


def test_the_suite_holds_no_data(suite: Path) -> None:
    assert {path.suffix for path in suite.rglob("*") if path.is_file()} <= {".py", ".yaml", ".md", ".pyc"}


def test_the_variable_names_another_folder(suite: Path, loader: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SHARED_VARIABLE, "/nowhere/else")

    with pytest.raises(Exception, match="/nowhere/else/data/llms_from_scratch"):
        loader.rows(**find_tasks(suite / "tasks")["stories_answers"].config["dataset_kwargs"])


def test_licences_and_commands_are_in_the_readme(suite: Path) -> None:
    text = (suite / "README.md").read_text()

    assert all(word in text for word in ("make matrix-real", SHARED_VARIABLE, "Apache-2.0", "MIT", "CC BY"))
