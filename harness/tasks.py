"""lm-eval tasks as data: found by name, with a digest of everything that a score depends on.

No lm-eval here: a plan must know an eval's id without paying for the library. A task is a YAML file; its digest
covers the YAML itself, the modules that its ``!function`` tags name, and the data files that either of them names.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness import identity
from harness.errors import UserError
from harness.paths import located
from harness.settings import Eval

_FILE_NAME = re.compile(r"""["']([\w./-]+\.(?:jsonl|json|csv|parquet|txt|zip|jsonl\.gz))["']""")


class _TaskLoader(yaml.SafeLoader):
    """Reads ``!function module.name`` as the text ``module.name``."""


_TaskLoader.add_constructor("!function", lambda loader, node: f"!function {loader.construct_scalar(node)}")


@dataclass(frozen=True)
class Task:
    """A task file: its name, version, and the digest of its template, rules and items."""

    name: str
    path: Path
    version: str
    item_digest: str
    config: dict[str, Any]

    def eval_id(self, batch_size: int) -> str:
        """Id of this task as it is scored here: greedy unless the file says otherwise, at this batch size."""
        return identity.eval_id(self.name, self.version, self.item_digest, self.decoding(batch_size))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that the file lists; none where it leaves them to lm-eval."""
        return tuple(str(entry.get("metric")) for entry in self.config.get("metric_list") or ())

    def decoding(self, batch_size: int) -> dict[str, Any]:
        """How answers are drawn: part of the eval's id."""
        return {
            "output_type": self.config.get("output_type", "generate_until"),
            "generation_kwargs": self.config.get("generation_kwargs") or {},
            "batch_size": batch_size,
        }


def find_tasks(folder: Path) -> dict[str, Task]:
    """Every task file in ``folder``, by the name that it gives itself. Raises UserError for one that cannot be read."""
    tasks: dict[str, Task] = {}
    for path, config in _configs(folder):
        version = str((config.get("metadata") or {}).get("version", "0"))
        tasks[config["task"]] = Task(config["task"], path, version, _item_digest(path, config), config)
    return tasks


def files_of(folder: Path) -> list[Path]:
    """Every file that the items of the tasks in ``folder`` come from: what an ``item_digest`` covers. Raises UserError
    for a task file that cannot be read."""
    found = {file for path, config in _configs(folder) for file in (path, *_files(path, config).values())}
    return sorted(file for file in found if file.is_file())


def check_evals(evals: Sequence[Eval], tasks: dict[str, Task], source: str) -> None:
    """Raises UserError with a line for each eval whose task, or whose metric of it, is not there."""
    known = ", ".join(tasks) or "none"
    faults = []
    for one in evals:
        metrics = tasks[one.task].metrics if one.task in tasks else ()
        if one.task not in tasks:
            faults.append(f"unknown task {one.task!r} (known: {known})")
        elif metrics and one.metric not in metrics:
            faults.append(f"{one.task}: unknown metric {one.metric!r} (it has {', '.join(metrics)})")
    if faults:
        raise UserError(*(f"{source}: evals: {fault}" for fault in faults))


def _configs(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(folder.glob("*.yaml")):
        try:
            config = yaml.load(path.read_text(encoding="utf-8"), Loader=_TaskLoader)
        except yaml.YAMLError as error:
            raise UserError(f"{path}: not YAML: {error}".replace("\n", " ")) from None
        if isinstance(config, dict) and isinstance(config.get("task"), str):
            yield path, config


def _item_digest(path: Path, config: dict[str, Any]) -> str:
    files = _files(path, config)
    contents = {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items() if file.is_file()}
    return identity.digest("items", [config, contents])


def _files(path: Path, config: dict[str, Any]) -> dict[str, Path]:
    """The modules and data files that a task names, by what it calls them."""
    strings = list(_strings(config))
    modules = {text.split()[1].rpartition(".")[0] for text in strings if text.startswith("!function ")}
    files = {name: path.parent / f"{name}.py" for name in modules}
    for text in [*strings, *(name for file in files.values() for name in _FILE_NAME.findall(_read(file)))]:
        found = _data_file(path.parent, text)
        if found is not None:
            files[text] = found
    return files


def _data_file(folder: Path, name: str) -> Path | None:
    if ("/" in name or "." in name) and not name.startswith("~"):
        for candidate in (located(name, folder), folder.parent / "data" / name):
            if len(name) < 256 and "\n" not in name and candidate.is_file():
                return candidate
    return None


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
