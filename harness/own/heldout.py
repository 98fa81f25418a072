"""Tasks over the held-out parts of a user's files: how likely an answer is, and which of two is likelier."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.data.normal import Example
from harness.data.render import render
from harness.data.rivals import RIVALS, with_rivals
from harness.data.tokenise import encode_preference, encode_sft, lengths
from harness.data.words import opening
from harness.errors import UserError
from harness.settings import Eval, Part

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

ANSWERS, CHOICES, PREFERENCE = "own_answers", "own_choices", "own_preference"

# More items than this cost time at every moment of every cell and tell little more.
MOST_ITEMS: dict[Part, int] = {"validation": 200, "test": 500}
MOST_CHOICES = 250
MOST_POOLED = 2000  # answers that rivals are drawn from

LOADER = '''\
"""Loads the rows that lie beside this file. Written by `tunematrix run --base --data`."""

from pathlib import Path

from harness.own.rules import rows_of


def load(file, **_metadata):
    from datasets import Dataset

    return {"test": Dataset.from_list(rows_of(Path(__file__).with_name(file)))}
'''

ANSWERS_TASK = """\
# Held-out examples ({part}): how likely is the answer, in nats a byte.
task: {name}
custom_dataset: !function loader.load
dataset_kwargs:
  file: {file}
output_type: loglikelihood
test_split: test
doc_to_text: prompt
doc_to_target: answer
target_delimiter: ""
process_results: !function harness.own.rules.answer_likelihood
metric_list:
  - metric: nats_per_byte
    aggregation: mean
    higher_is_better: false
  - metric: bits_per_byte
    aggregation: bits_per_byte
    higher_is_better: false
metadata:
  version: 1.0
"""

CHOICES_TASK = """\
# Held-out examples ({part}): is the answer likelier than answers to other questions. Chance 1/4, or 1 of the labels.
task: {name}
custom_dataset: !function loader.load
dataset_kwargs:
  file: {file}
output_type: multiple_choice
test_split: test
doc_to_text: prompt
doc_to_choice: choices
doc_to_target: answer
target_delimiter: ""
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
metadata:
  version: 1.0
"""

PREFERENCE_TASK = CHOICES_TASK.replace(
    CHOICES_TASK.partition("\n")[0],
    "# Held-out pairs ({part}): is the chosen answer likelier than the rejected one. Chance 1/2.",
)

Row = dict[str, Any]


def task_name(stem: str, part: Part) -> str:
    """The name of a task over one part."""
    return stem if part == "test" else f"{stem}_{part}"


def own_evals(has_choices: bool, has_pairs: bool) -> list[Eval]:
    """What the tasks are for."""
    parts: tuple[Part, ...] = ("test", "validation")
    evals = [
        Eval(
            task=task_name(ANSWERS, part),
            role="target",
            split="test" if part == "test" else "validation",
            metric="nats_per_byte",
            higher_is_better=False,
        )
        for part in parts
    ]
    if has_choices:
        evals.append(Eval(task=CHOICES, role="target", chance=1 / (1 + RIVALS)))
    if has_pairs:
        evals += [
            Eval(
                task=task_name(PREFERENCE, part),
                role="preference",
                split="test" if part == "test" else "validation",
                chance=0.5,
            )
            for part in parts
        ]
    return evals


def task_files(
    examples: dict[Part, list[Example]],
    pairs: dict[Part, list[Example]],
    tokenizer: "PreTrainedTokenizerFast",
    sequence_length: int,
) -> dict[str, str]:
    """The tasks' files by name: a loader, and for each part and kind a YAML file with its rows.

    Items longer than ``sequence_length`` are left out as they are in training. Raises UserError where none is left.
    """
    files = {"loader.py": LOADER}
    parts: tuple[Part, ...] = ("validation", "test")
    for part in parts:
        fitting = _fitting(examples[part], [encode_sft(e, tokenizer) for e in examples[part]], sequence_length)
        rows = [answer_row(example, tokenizer) for example in _spread(fitting, MOST_ITEMS[part])]
        files |= _task(ANSWERS, ANSWERS_TASK, part, rows, sequence_length)
        if part == "test":
            choices = with_rivals(rows[:MOST_CHOICES], _pool(examples, tokenizer))
            files |= _task(CHOICES, CHOICES_TASK, part, choices, sequence_length) if choices else {}
        if any(pairs.values()):
            fitting = _fitting(pairs[part], [encode_preference(p, tokenizer) for p in pairs[part]], sequence_length)
            rows = [preference_row(pair, tokenizer) for pair in _spread(fitting, MOST_ITEMS[part])]
            files |= _task(PREFERENCE, PREFERENCE_TASK, part, rows, sequence_length)
    return files


def have_rivals(examples: Sequence[Example]) -> bool:
    """Are there two different answers among ``examples``, so that one can stand beside another?"""
    answers = (example["completion"] if "completion" in example else example["messages"][-1] for example in examples)
    first = next(answers, None)
    return any(answer != first for answer in answers)


def _pool(examples: dict[Part, list[Example]], tokenizer: "PreTrainedTokenizerFast") -> list[str]:
    listed = [example for part in examples.values() for example in part]
    return [render(example, tokenizer)["completion"] for example in _spread(listed, MOST_POOLED)]


def answer_row(example: Example, tokenizer: "PreTrainedTokenizerFast") -> Row:
    """An example as an item, asked as in training; ``question`` is what it asks without the template."""
    text = render(example, tokenizer)
    return {"question": opening(example), "prompt": text["prompt"], "answer": text["completion"]}


def preference_row(pair: Example, tokenizer: "PreTrainedTokenizerFast") -> Row:
    """A pair as an item with two choices, the chosen one first."""
    text = render(pair, tokenizer)
    choices = [text["chosen"], text["rejected"]]
    return {"question": opening(pair), "prompt": text["prompt"], "choices": choices, "answer": 0}


def write_folder(files: dict[str, str], root: Path) -> Path:
    """``files`` (name to text) in a folder under ``root`` that is named by their content; it appears all at once."""
    content = json.dumps(files, sort_keys=True, ensure_ascii=False).encode("utf-8")
    folder = root / hashlib.sha256(content).hexdigest()[:16]
    if folder.is_dir():
        return folder
    temporary = folder.with_suffix(".part")
    shutil.rmtree(temporary, ignore_errors=True)
    for name, text in files.items():
        path = temporary / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    temporary.rename(folder)
    return folder


def _task(stem: str, template: str, part: Part, rows: list[Row], sequence_length: int) -> dict[str, str]:
    if not rows:
        what = "example" if stem == ANSWERS else "pair"
        raise UserError(
            f"--data: every {what} held out for {part} is longer than sequence_length {sequence_length}: give shorter "
            "ones, or raise it with --set sequence_length=N as far as the base reads"
        )
    name = task_name(stem, part)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return {f"{name}.yaml": template.format(name=name, part=part, file=f"{name}.jsonl"), f"{name}.jsonl": lines}


def _fitting(examples: list[Example], encoded: list[dict[str, list[int]]], limit: int) -> list[Example]:
    return [example for example, length in zip(examples, lengths(encoded), strict=True) if length <= limit]


def _spread(listed: Sequence[Example], most: int) -> list[Example]:
    """At most ``most`` of them, evenly from first to last."""
    step = max(1.0, len(listed) / most)
    return [listed[int(number * step)] for number in range(min(most, len(listed)))]
