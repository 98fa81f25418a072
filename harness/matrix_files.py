"""Where a matrix file is: given as a path, or that of an installed suite."""

from pathlib import Path

import suites
from harness.errors import UserError


def suite_file(name: str) -> Path:
    """The matrix file of an installed suite."""
    return Path(next(iter(suites.__path__))) / name / "matrix.yaml"


def matrix_file(name: str) -> Path:
    """The matrix file that ``name`` means: a file, a folder that holds one, or an installed suite.

    Raises UserError for none of these.
    """
    path = Path(name)
    if path.is_dir():
        path = path / "matrix.yaml"
    if path.is_file():
        return path
    installed = suite_file(name)
    if installed.is_file():
        return installed
    known = ", ".join(sorted(p.parent.name for p in suite_file("pocket").parent.parent.glob("*/matrix.yaml")))
    raise UserError(f"{name}: no matrix file, no folder with a matrix.yaml, and no installed suite (known: {known})")
