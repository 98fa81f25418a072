"""The texts of a task's items: what was asked, and which answer was right.

A results file holds outcomes and answers alone; texts are in the suite's own files. They are read as lm-eval reads
them (https://github.com/EleutherAI/lm-evaluation-harness, ``ConfigurableTask``), without it: a field of the item, or a
template. What a task says by a function of its own is not said here.

Items of an installed suite come from its loader, which runs in a process of its own with no network:
``python -m harness.questions FOLDER``. Of a user's own data the rows are read as data: nothing that lies beside a
results file is ever run.
"""

import ast
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

import suites
from harness.errors import UserError
from harness.own.heldout import LOADER
from harness.own.rules import rows_of
from harness.tasks import Task, files_of, find_tasks
from harness.workdir import Workdir

LOADER_SECONDS = 120
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}

Doc = Mapping[str, Any]
Stamp = tuple[str, int, int]  # a file's path, when it was changed (ns), its size


@dataclass(frozen=True)
class Question:
    """An item: what the model reads, the choices if it has any, and the right answer."""

    prompt: str
    choices: tuple[str, ...]
    expected: str


@dataclass(frozen=True)
class Known:
    """A task's questions in the order of its items; ``problem`` says in a sentence why there are none."""

    item_digest: str
    questions: tuple[Question, ...] = ()
    problem: str | None = None


def of_suite(suite: str) -> dict[str, Known]:
    """The questions of every task of an installed suite, by the task's name; none where it is not installed."""
    folder = _tasks_of(suite)
    if folder is None:
        return {}
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "harness.questions", str(folder)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=LOADER_SECONDS,
            env={**os.environ, **OFFLINE, "PYTHONPATH": path},
        )  # fmt: skip
    except (subprocess.SubprocessError, OSError) as error:
        raise UserError(f"the items of the suite {suite} can't be read: {type(error).__name__}") from None
    return {name: _unpacked(told) for name, told in json.loads(done.stdout).items()}


def of_own_data(results: Path) -> dict[tuple[str, str], Known]:
    """The questions of the tasks that ``tunematrix run --base --data`` wrote beside a results file, by the task's name
    and the digest of its items: each choice of files has tasks of its own under the same names."""
    found = {}
    for folder in _tasks_beside(results):
        for task in find_tasks(folder).values():
            if not _names_fields_alone(task):  # a template would be filled here, whoever wrote it
                continue
            found[task.name, task.item_digest] = _known(task, lambda one: rows_of(_beside(one)))
    return found


def stamps(suite: str, results: Path) -> tuple[Stamp, ...]:
    """What changes with any file that ``of_suite`` and ``of_own_data`` read."""
    folder = _tasks_of(suite)
    found = set()
    for tasks in ([folder] if folder else []) + _tasks_beside(results):
        with suppress(UserError, FileNotFoundError):  # what can't be read is told of by whoever reads it
            found |= {(str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files_of(tasks)}
    return tuple(sorted(found))


def _names_fields_alone(task: Task) -> bool:
    """Whether a task says its texts as the tasks that we write for own data do: by the fields of an item."""
    told = (task.config.get(key) for key in ("doc_to_text", "doc_to_target", "doc_to_choice"))
    return all(field in (None, "prompt", "answer", "choices") for field in told)


def questions_of(task: Task, docs: Sequence[Doc]) -> tuple[Question, ...]:
    """Each item's question. Raises UserError for a task that says it by a function."""
    for key in ("doc_to_text", "doc_to_target", "doc_to_choice", "process_docs"):
        if str(task.config.get(key, "")).startswith("!function "):
            raise UserError(f"the task {task.name} makes its texts by a function of its own")
    return tuple(_question(task.config, doc) for doc in docs)


def _question(config: Mapping[str, Any], doc: Doc) -> Question:
    choices = _choices(config.get("doc_to_choice"), doc)
    prompt = str(_said(config.get("doc_to_text", ""), doc))
    target = _said(config.get("doc_to_target", ""), doc)
    if choices and str(target).isdigit() and int(target) < len(choices):
        return Question(prompt, choices, choices[int(target)])
    return Question(prompt, choices, _judged_by(config, doc) if target in ("", None) else str(target))


def _said(what: Any, doc: Doc) -> Any:
    """A field of the item, or a template filled from it."""
    if not isinstance(what, str):
        return what
    return doc[what] if what in doc else _filled(what, doc)


def _choices(what: Any, doc: Doc) -> tuple[str, ...]:
    if isinstance(what, str):
        what = doc[what] if what in doc else ast.literal_eval(_filled(what, doc))
    if isinstance(what, Mapping):
        what = list(what.values())
    return tuple(str(choice) for choice in what or ())


def _filled(template: str, doc: Doc) -> str:
    return str(_template(template).render(**doc))


@lru_cache(maxsize=256)
def _template(text: str) -> Any:
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True).from_string(text)


def _judged_by(config: Mapping[str, Any], doc: Doc) -> str:
    """What a rule is given to judge a free answer by: the item's other fields."""
    asked = config.get("doc_to_text")
    return "; ".join(f"{key}: {value}" for key, value in doc.items() if key != asked)


# --- reading items ---------------------------------------------------------------------------------------------------


def _known(task: Task, read: Callable[[Task], Sequence[Doc]]) -> Known:
    try:
        return Known(task.item_digest, questions_of(task, read(task)))
    except UserError as error:
        return Known(task.item_digest, problem=str(error))
    except Exception as error:  # a loader or a template of anybody's
        return Known(task.item_digest, problem=f"the items of {task.name} can't be read: {type(error).__name__}")


def _loaded(task: Task) -> list[Doc]:
    """The items as the task's own loader gives them, in lm-eval's order."""
    loader = str(task.config.get("custom_dataset", ""))
    split = task.config.get("test_split")
    if not loader.startswith("!function ") or not split:
        raise UserError(f"the task {task.name} has no loader of its own")
    module, _, function = loader.removeprefix("!function ").rpartition(".")
    spec = importlib.util.spec_from_file_location(module, task.path.parent / f"{module}.py")
    if spec is None or spec.loader is None:
        raise UserError(f"the task {task.name} names a loader that is not there")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    options = {**(task.config.get("metadata") or {}), **(task.config.get("dataset_kwargs") or {})}
    return [dict(doc) for doc in getattr(made, function)(**options)[split]]


def _beside(task: Task) -> Path:
    return task.path.with_name(Path(str((task.config.get("dataset_kwargs") or {}).get("file", ""))).name)


def _tasks_of(suite: str) -> Path | None:
    """The folder of an installed suite's tasks, if there is one."""
    installed = {path.parent.name: path.parent / "tasks" for path in _installed().glob("*/matrix.yaml")}
    folder = installed.get(suite)
    return folder if folder is not None and folder.is_dir() else None


def _tasks_beside(results: Path) -> list[Path]:
    """The folders of tasks that we wrote for own data beside a results file, as we wrote them."""
    folders = sorted(Workdir.beside(results).own.glob("*/tasks"))
    loaders = [(folder, folder / "loader.py") for folder in folders]
    return [folder for folder, own in loaders if own.is_file() and own.read_text(encoding="utf-8") == LOADER]


def _installed() -> Path:
    return Path(next(iter(suites.__path__)))


def _packed(known: Known) -> list[Any]:
    return [known.item_digest, [[q.prompt, q.choices, q.expected] for q in known.questions], known.problem]


def _unpacked(told: list[Any]) -> Known:
    digest, listed, problem = told
    return Known(digest, tuple(Question(prompt, tuple(c), expected) for prompt, c, expected in listed), problem)


def main() -> None:
    """Print the questions of every task in a folder, as JSON."""
    with redirect_stdout(sys.stderr):  # a loader may say something
        found = {name: _packed(_known(task, _loaded)) for name, task in find_tasks(Path(sys.argv[1])).items()}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
