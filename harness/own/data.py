"""What `--data` names: SFT examples and preference pairs, told apart by their fields."""

import json
from dataclasses import dataclass
from pathlib import Path

from harness.data.digest import examples_digest
from harness.data.formats import Kind, read_examples
from harness.data.normal import Example
from harness.errors import UserError
from harness.mixes import data_path


@dataclass(frozen=True)
class DataFile:
    """One file: its name as a matrix file holds it, and its examples."""

    name: str
    kind: Kind
    examples: list[Example]


def read_data(names: list[str], folder: Path) -> list[DataFile]:
    """The files, SFT examples before pairs, and never without SFT examples: DPO starts from an SFT stage.

    Where there are pairs alone, their chosen answers are written to ``folder`` as SFT examples. Raises UserError.
    """
    if not names:
        raise UserError("--base: needs --data as well: a file of examples or of preference pairs, or hub:org/name")
    files = [_read(name) for name in dict.fromkeys(names)]
    examples = [file for file in files if file.kind == "sft"]
    pairs = [file for file in files if file.kind == "preference"]
    return [*(examples or [_chosen(pairs, folder)]), *pairs]


def _read(name: str) -> DataFile:
    path = data_path(name, Path.cwd())
    found = read_examples(path)
    return DataFile(name if name.startswith("hub:") else str(path.resolve()), found.kind, found.examples)


def _chosen(pairs: list[DataFile], folder: Path) -> DataFile:
    """A file of the chosen answers, as examples to begin with."""
    examples = [chosen_answer(pair) for file in pairs for pair in file.examples]
    path = folder / f"chosen-{examples_digest(examples)[:16]}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(e, ensure_ascii=False) + "\n" for e in examples), encoding="utf-8")
    return DataFile(str(path), "sft", examples)


def chosen_answer(pair: Example) -> Example:
    """A preference pair as an SFT example of its chosen answer."""
    if isinstance(pair["prompt"], str):
        return {"prompt": pair["prompt"], "completion": pair["chosen"]}
    return {"messages": [*pair["prompt"], *pair["chosen"]]}
