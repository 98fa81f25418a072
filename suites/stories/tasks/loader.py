"""The items of the stories tasks, read from public files in their own formats.

A task names one function of ``READERS`` as ``items`` and its files, which are relative to this folder.
"""

import json
import re
import zipfile
from collections.abc import Callable, Iterator
from inspect import signature
from pathlib import Path
from typing import Any

from harness.data.formats import read_examples
from harness.data.normal import Example
from harness.data.rivals import with_rivals
from harness.data.words import opening
from harness.errors import UserError
from harness.parts import part_together
from harness.paths import located, missing_hint
from harness.settings import Part, Split

FOLDER = Path(__file__).resolve().parent

# As `data.split` in matrix.yaml: what is asked here must not be what is trained on there.
SPLIT = Split(seed=0, validation=0.1, test=0.2)

Row = dict[str, Any]


def load(items: str, **options: Any) -> dict[str, Any]:
    """The splits of a task, held in memory."""
    from datasets import Dataset

    found = {"test": rows(items, **options)}
    if items in ("answers", "choices"):
        found["fewshot"] = answers(options["file"], options["pairs"], "train")[:16]
    return {name: Dataset.from_list(listed) for name, listed in found.items()}


def rows(items: str, **options: Any) -> list[Row]:
    """The items of a task. Raises UserError where a file is not there."""
    read = READERS[items]
    known = signature(read).parameters  # lm-eval passes the task's metadata too
    return read(**{key: value for key, value in options.items() if key in known})


def answers(file: str, pairs: str, part: Part) -> list[Row]:
    """Instructions of one part, each with the answer that is to be likely."""
    return [
        {"question": opening(example).strip(), "answer": example["messages"][-1]["content"].strip()}
        for example in _part(file, pairs, part)[0]
    ]


def choices(file: str, pairs: str, part: Part, count: int) -> list[Row]:
    """The first instructions of one part, each with its answer among answers of like length to others."""
    answered = answers(file, pairs, part)
    return with_rivals(answered, [row["answer"] for row in answered])[:count]


def preference(file: str, pairs: str, part: Part) -> list[Row]:
    """Instructions of one part, each with the chosen and the rejected answer."""
    return [
        {
            "question": opening(example).strip(),
            "choices": [example[side][-1]["content"].strip() for side in ("chosen", "rejected")],
            "answer": 0,
        }
        for example in _part(file, pairs, part)[1]
    ]


def stories(file: str, count: int, max_bytes: int) -> list[Row]:
    """The openings of ``count`` stories, each of whole sentences."""
    starts = re.split(r"(?=Once upon a time)", _text(file))[1:]
    texts = (_whole_sentences(" ".join(story.split()), max_bytes, r"(?<=[.!?\"]) ") for story in starts)
    return [{"text": text} for text in _spread([text for text in texts if len(text.encode()) > max_bytes // 2], count)]


def wikipedia(file: str, count: int, max_bytes: int) -> list[Row]:
    """``count`` passages of WikiText, spaced as written; sentences with words that it left out are left out too."""
    passages = [passage for line in _text(file).splitlines() for passage in _known_runs(line)]
    texts = (_whole_sentences(passage, max_bytes, r"(?<=[.!?]) ") for passage in passages)
    return [{"text": text} for text in _spread([text for text in texts if len(text.encode()) > max_bytes // 2], count)]


def blimp(file: str, paradigms: list[str], pairs_each: int) -> list[Row]:
    """The first minimal pairs of each paradigm, the acceptable sentence first."""
    with zipfile.ZipFile(_found(file)) as archive:
        found = []
        for paradigm in paradigms:
            lines = archive.read(f"data/{paradigm}.jsonl").decode("utf-8").splitlines()
            found += [json.loads(line) for line in lines[:pairs_each]]
    return [{"choices": [row["sentence_good"], row["sentence_bad"]], "answer": 0} for row in found]


def piqa(file: str, labels: str, count: int, max_bytes: int) -> list[Row]:
    """The first short goals of PIQA with their two solutions; the right ones stand in a file of their own."""
    listed = zip(_text(file).splitlines(), _text(labels).split(), strict=True)
    found = [(json.loads(line), int(label)) for line, label in listed]
    return _short(
        [
            {"question": row["goal"].strip(), "choices": [row["sol1"].strip(), row["sol2"].strip()], "answer": label}
            for row, label in found
        ],
        count,
        max_bytes,
    )


def questions(file: str, count: int, max_bytes: int) -> list[Row]:
    """The first short questions of a file in llm-foundry's layout."""
    found = [json.loads(line) for line in _text(file).splitlines()]
    return _short(
        [
            {
                "question": row["query"].removeprefix("Question:").strip(),
                "choices": [choice.strip() for choice in row["choices"]],
                "answer": row["gold"],
            }
            for row in found
        ],
        count,
        max_bytes,
    )


READERS: dict[str, Callable[..., list[Row]]] = {
    "answers": answers,
    "choices": choices,
    "preference": preference,
    "stories": stories,
    "wikipedia": wikipedia,
    "blimp": blimp,
    "piqa": piqa,
    "questions": questions,
}


def _part(file: str, pairs: str, part: Part) -> tuple[list[Example], list[Example]]:
    """One part of the instructions and of the pairs, parted together as in training."""
    files = [read_examples(_found(file), "sft").examples, read_examples(_found(pairs), "preference").examples]
    instructions, preferences = part_together(files, SPLIT)
    return instructions[part], preferences[part]


def _found(file: str) -> Path:
    path = located(file, FOLDER)
    if not path.is_file():
        raise UserError(f"{path}: no such data file{missing_hint(file)}")
    return path


def _text(file: str) -> str:
    return _found(file).read_text(encoding="utf-8")


def _whole_sentences(text: str, max_bytes: int, end: str) -> str:
    """The longest run of whole sentences from the start that fits."""
    kept = ""
    for sentence in re.split(end, text):
        longer = f"{kept} {sentence}".strip()
        if len(longer.encode()) > max_bytes:
            break
        kept = longer
    return kept


def _known_runs(line: str) -> Iterator[str]:
    """Runs of sentences without a ``<unk>``, with WikiText's spaces around signs taken out."""
    line = re.sub(r" @(.)@ ", r"\1", line.strip())
    if line.startswith("="):
        return
    line = re.sub(r" ([.,;:!?)\]%]|'s\b|n't\b)", r"\1", re.sub(r"([(\[$]) ", r"\1", line))
    run: list[str] = []
    for sentence in [*re.split(r"(?<=[.!?]) ", line), "<unk>"]:
        if "<unk>" not in sentence:
            run.append(sentence)
        elif run:
            yield " ".join(run)
            run = []


def _short(listed: list[Row], count: int, max_bytes: int) -> list[Row]:
    """The first rows that fit: longer ones cost most of the time, and the model reads 512 tokens."""
    sizes = [len(row["question"].encode()) + max(len(choice.encode()) for choice in row["choices"]) for row in listed]
    return [row for row, size in zip(listed, sizes, strict=True) if size <= max_bytes][:count]


def _spread(listed: list[str], count: int) -> list[str]:
    """``count`` of them, evenly from first to last."""
    step = len(listed) / count
    return [listed[int(number * step)] for number in range(count)] if step >= 1 else listed
