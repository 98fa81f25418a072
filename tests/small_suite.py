"""A suite small enough for tests: the pocket world's tasks and data, one base, a matrix of its own."""

from pathlib import Path

from harness.matrix_files import suite_file

SMALL = """\
suite: small
bases: {pocket-0.2m: {embedded: pocket-0.2m}}
data:
  sft: [{file: data/target_train.jsonl}]
  preference: [{file: data/preference_train.jsonl}]
sequence_length: 64
methods:
  base: {}
  full_sft: {learning_rate: [1e-4, 3e-4, 1e-3]}
  dpo: {starts_from: full_sft, learning_rate: 1e-4}
selection: {sft: pocket_target_validation}
evals:
  - {task: pocket_target_validation, role: target, split: validation}
  - {task: pocket_facts, role: general}
"""


def small_suite(folder: Path) -> Path:
    """A suite with the pocket world's tasks and data, and a matrix of its own."""
    folder.mkdir()
    for name in ("tasks", "data"):
        (folder / name).symlink_to(suite_file("pocket").parent / name)
    (folder / "matrix.yaml").write_text(SMALL)
    return folder / "matrix.yaml"
