"""The matrix of a user's own model and data: what stands in a suite's matrix file, filled in by plain rules."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from harness.bases import Base, layer_shapes
from harness.data.normal import Example
from harness.matrix import Matrix, build_matrix
from harness.own.base import find_base, own_tokenizer
from harness.own.data import DataFile, read_data
from harness.own.heldout import ANSWERS, PREFERENCE, have_rivals, own_evals, task_files, task_name, write_folder
from harness.parts import part_together
from harness.settings import Part, Split
from harness.workdir import Workdir
from harness.yamlfile import Document

SOURCE = "--base --data"

RANK = 8
BATCH_SIZE = 16
LONGEST = 1024
EPOCHS, SMALL_SET_EPOCHS, SMALL_SET = 1, 3, 1000  # a small set is gone through more than once
MOST_STEPS = 500

# Below this many parameters a model wants rates ten times higher, and one thread a cell.
SMALL_MODEL = 50_000_000
RATES = {
    "small": {"full_sft": [3e-4, 1e-3, 3e-3], "lora": [3e-3, 1e-2, 3e-2], "dpo": [3e-4, 1e-3]},
    "large": {"full_sft": [5e-6, 2e-5, 5e-5], "lora": [5e-5, 2e-4, 5e-4], "dpo": [5e-6, 2e-5]},
}

MOST_LOGITS = 2**27  # of one scoring batch: half a gigabyte of float32


def own_matrix(base: str | None, data: list[str], overrides: tuple[str, ...], workdir: Workdir) -> Matrix:
    """The matrix for ``base`` and the files in ``data``, with tasks over their held-out parts in the work folder.

    ``base`` is a folder, an embedded base's name, or ``org/name[@revision]``; each of ``data`` a file or
    ``hub:org/name[@revision]``, SFT examples or preference pairs. ``overrides`` are as in a matrix file's
    (``data.split.seed=1``). Raises UserError.
    """
    found, entry = find_base(base)
    root = workdir.own
    files = read_data(data, root)
    raw = {"version": 1, "suite": _suite_name(data[0]), **default_matrix(found, entry, files)}
    matrix = build_matrix(Document(SOURCE, raw), root, overrides)
    spec = matrix.header.bases[found.name]
    settings = matrix.variants[-1].settings
    tokenizer = own_tokenizer(found, spec.pad_token)
    examples, pairs = held_out(files, settings.data.split)
    tasks = task_files(examples, pairs, tokenizer, settings.sequence_length)
    written = {f"tasks/{name}": text for name, text in tasks.items()}
    written["matrix.yaml"] = _HEAD + yaml.safe_dump(raw, sort_keys=False, allow_unicode=True)
    return replace(matrix, folder=write_folder(written, root))


def default_matrix(base: Base, entry: dict[str, Any], files: Sequence[DataFile]) -> dict[str, Any]:
    """What a matrix file would say, before overrides."""
    examples = [file for file in files if file.kind == "sft"]
    pairs = [file for file in files if file.kind == "preference"]
    small = (base.parameters or 0) < SMALL_MODEL
    rates = RATES["small" if small else "large"]
    rank = min([RANK, *(min(shape) for shape in layer_shapes(base).values())])
    length = min(int(base.config.get("max_position_embeddings") or LONGEST), LONGEST)
    entries: dict[str, Any] = {
        "base": {},
        "full_sft": {"learning_rate": rates["full_sft"]},
        "lora": {"rank": rank, "learning_rate": rates["lora"]},
        "qlora": {"rank": rank, "learning_rate": [*rates["lora"]]},
    }
    budget = _budget(examples)
    if pairs:
        entries["dpo-lora"] = {"method": "dpo", "starts_from": "lora", "learning_rate": rates["dpo"]}
        if _budget(pairs) != budget:
            entries["dpo-lora"]["budget"] = _budget(pairs)
    selection = {"sft": task_name(ANSWERS, "validation")}
    if pairs:
        selection["preference"] = task_name(PREFERENCE, "validation")
    return {
        "seeds": 3,
        "bases": {base.name: entry},
        "data": {"sft": _sources(examples), "preference": _sources(pairs), "split": Split().model_dump()},
        "budget": budget,
        "optimizer": {"warmup_steps": max(1, min(_steps(examples), MOST_STEPS) // 20)},
        "sequence_length": length,
        "batch_size": BATCH_SIZE,
        **({} if small else {"micro_batch_size": 4}),
        "on_bad_record": "drop",
        "on_long_record": "drop",
        "threads": 1 if small else _cores(),
        "precision": {"weights": "float32", "compute": "float32", "adapter": "float32"},
        "methods": entries,
        "tuning": {"screen_seeds": 1, "keep": 1},
        "selection": selection,
        "timeout_seconds": 6 * 3600,
        "eval_batch_size": _eval_batch_size(base, length),
        "evals": [eval_.model_dump(exclude_defaults=True) for eval_ in own_evals(_have_rivals(examples), bool(pairs))],
    }


def held_out(files: Sequence[DataFile], how: Split) -> tuple[dict[Part, list[Example]], dict[Part, list[Example]]]:
    """The parts of all SFT examples and of all pairs, parted as training parts them."""
    parts = part_together([file.examples for file in files], how)
    names: tuple[Part, ...] = ("train", "validation", "test")

    def of_kind(kind: str) -> dict[Part, list[Example]]:
        mine = [part for file, part in zip(files, parts, strict=True) if file.kind == kind]
        return {name: [example for part in mine for example in part[name]] for name in names}

    return of_kind("sft"), of_kind("preference")


_HEAD = """\
# Written by `tunematrix run --base ... --data ...`, before any --set. Copy this folder to make it a suite of your own:
# add tasks of what the model must not forget, and more methods.
"""


def _have_rivals(files: Sequence[DataFile]) -> bool:
    return have_rivals([example for file in files for example in file.examples])


def _budget(files: Sequence[DataFile]) -> dict[str, int]:
    """How long a stage trains: once through its examples, or three times through few; at most ``MOST_STEPS``."""
    return {"epochs": _epochs(files)} if _steps(files) <= MOST_STEPS else {"steps": MOST_STEPS}


def _steps(files: Sequence[DataFile]) -> int:
    return round(_epochs(files) * _count(files) / BATCH_SIZE)


def _epochs(files: Sequence[DataFile]) -> int:
    return SMALL_SET_EPOCHS if _count(files) < SMALL_SET else EPOCHS


def _count(files: Sequence[DataFile]) -> float:
    """Examples to train on, near enough."""
    return sum(len(file.examples) for file in files) * (1 - Split().validation - Split().test)


def _sources(files: Sequence[DataFile]) -> list[dict[str, Any]]:
    """Each file by its size: one with more examples is drawn from more often."""
    total = sum(len(file.examples) for file in files)
    sources: list[dict[str, Any]] = [{"file": file.name, "split": "train"} for file in files]
    for source, file in zip(sources[:-1], files, strict=False):  # the last one takes what is left
        source["share"] = round(len(file.examples) / total, 6)
    return sources


def _suite_name(data: str) -> str:
    stem = Path(data.removeprefix("hub:").partition("@")[0]).name.partition(".")[0]
    return "own-" + (re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-") or "data")


def _eval_batch_size(base: Base, length: int) -> int:
    fitting = MOST_LOGITS // (int(base.config.get("vocab_size") or 1) * length)
    return max(size for size in (1, 2, 4, 8, 16, 32) if size <= max(1, fitting))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
