"""Lay out the suite where it is to run: its data, the pocket suite's tasks, the matrix file, and the bases.

Nothing is downloaded. Whatever is made is the same wherever it is made, but for how a device rounds in pretraining.
"""

import json
import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch

from suites.pocket import tasks
from suites.pocket.build import build
from suites.pocket.formats import unmet_shapes, unmet_words
from suites.pocket.knowledge import Reader, knowledge
from suites.pocket.pretraining import Machine, Pretraining, identity_of, train
from suites.pocket.recipe import BaseRecipe
from suites.pocket_large.bases import MATRIX, REAL, Question

TASKS = Path(str(tasks.__file__)).parent
MADE = "pretraining.json"  # beside a base's weights: of which recipe it is, and what it scored
LOOKED_AT_DOCUMENTS = 50_000
Data = dict[str, list[dict[str, Any]]]


class UnfitBase(Exception):
    """A base that has not met what the data use, or knows less than it must, in one line."""


def make_suite(question: Question, folder: Path, bases: Collection[str] | None = None) -> None:
    """Write data, tasks and matrix file; what is there already is written again, with the same bytes. The matrix has
    these ``bases`` alone, if they are given."""
    build(folder / "data", question.spec)
    (folder / "tasks").mkdir(exist_ok=True)
    for file in (*TASKS.glob("*.py"), *TASKS.glob("*.yaml")):
        shutil.copyfile(file, folder / "tasks" / file.name)
    text = MATRIX.read_text(encoding="utf-8")
    for standard, recipe in zip(REAL.recipes, question.recipes, strict=True):
        text = text.replace(standard.name, recipe.name)
        if bases is not None and recipe.name not in bases:
            text = text.replace(f"  {recipe.name}: {{path: bases/{recipe.name}}}\n", "")
    (folder / "matrix.yaml").write_text(text, encoding="utf-8")


def make_base(
    question: Question, recipe: BaseRecipe, folder: Path, machine: Machine, seconds: float, *, accept: bool = False
) -> bool:
    """Pretrain a base for so many seconds, from where it stands; at its end check it and write it to ``folder/bases``.

    Returns whether it is there. Raises UnfitBase for one that has not met all that the data use, and, unless
    ``accept``, for one that knows too little.
    """
    if machine.device == "cpu":
        torch.set_num_threads(1)  # beside other work two threads can be many times slower than one
    if is_made(question, recipe, folder):
        return True
    if seconds <= 0:  # a corpus and a model would be made for nothing
        return False
    run = Pretraining(recipe, folder / "checkpoints" / f"{recipe.name}.safetensors", question.spec, machine)
    if not train(run, seconds):
        return False
    if strange := unmet(run, folder):
        raise UnfitBase(f"{recipe.name}: {'; '.join(strange)}")
    scores = knowledge(Reader(run.model.eval(), run.tokenizer.get_vocab()), data_of(folder), run.corpus.world)
    print(f"{recipe.name}: {', '.join(f'{name} {score:.2f}' for name, score in scores.items())}", flush=True)
    faults = too_little(recipe, scores, question)
    if faults and not accept:
        raise UnfitBase(
            f"{recipe.name}: {'; '.join(faults)}: the same command with --accept takes it all the same, and says so on "
            "its page"
        )
    _write(run, folder / "bases" / recipe.name, scores, faults)
    run.checkpoint.unlink()
    return True


def is_made(question: Question, recipe: BaseRecipe, folder: Path) -> bool:
    """Is the base there, of this recipe and world?"""
    made = folder / "bases" / recipe.name / MADE
    return made.is_file() and json.loads(made.read_text())["of"] == identity_of(recipe, question.spec)


def unmet(run: Pretraining, folder: Path) -> list[str]:
    """What of the data a base has not met in its pretraining: tokens, and forms of sentences."""
    rows = [row for of_file in data_of(folder).values() for row in of_file]
    met = {word for word, token in run.batches.vocabulary.items() if run.met[token]}
    strange = sorted(unmet_words(rows, met))
    forms = sorted(unmet_shapes(rows, _seen(run), run.corpus.world))
    return [f"never met {', '.join(found[:5])}" for found in (strange, forms) if found]


def too_little(recipe: BaseRecipe, scores: Mapping[str, float], question: Question) -> list[str]:
    """Where a base knows less than its recipe asks for, or the target already."""
    found = [
        f"{name} is {scores[name]:.2f}, should be {least:.2f} or more"
        for name, least in recipe.least.items()
        if scores[name] < least
    ]
    most = 2 / len(question.spec.words.topics)
    return found + ([f"target is {scores['target']:.2f}, twice chance or more"] if scores["target"] >= most else [])


def data_of(folder: Path) -> Data:
    """The rows of each data file, by its name."""
    return {
        file.stem: [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        for file in sorted((folder / "data").glob("*.jsonl"))
    }


def _seen(run: Pretraining) -> list[str]:
    """Some of the text that a base was trained on."""
    texts: list[str] = []
    for step in range(run.step):
        texts += run.batches.rows(step)
        if len(texts) > LOOKED_AT_DOCUMENTS:
            break
    return texts


def _write(run: Pretraining, place: Path, scores: Mapping[str, float], faults: list[str]) -> None:
    """All of it, or nothing under this name."""
    part = place.with_name(f".{place.name}.part")
    for left in (part, place):
        shutil.rmtree(left, ignore_errors=True)
    run.export(part)
    (part / "README.md").write_text(_page(run, scores, faults), encoding="utf-8")
    made = {"of": run.identity, "steps": run.step, "scores": scores, "faults": faults, "torch": torch.__version__}
    (part / MADE).write_text(json.dumps({**made, "device": _device(run.machine.device)}, indent=1))
    os.replace(part, place)


def _page(run: Pretraining, scores: Mapping[str, float], faults: list[str]) -> str:
    told = [f"| {name} | {score:.3f} |" for name, score in scores.items()]
    short = [f"**Accepted though** {fault}." for fault in faults]
    return "\n".join([
        "---", "license: apache-2.0", "---", f"# {run.recipe.name}", "",
        f"{run.model.num_parameters():,} parameters, {run.step:,} steps on {_device(run.machine.device)}, by "
        "`make gpu-pocket`, on the suite pocket_large's generated world alone.", "",
        *short, *([""] if short else []), "| score | |", "|:--|--:|", *told, "",
    ])  # fmt: skip


def _device(device: str) -> str:
    return torch.cuda.get_device_name() if device == "cuda" else "a CPU"
