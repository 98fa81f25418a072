"""Which cells a check runs: the few that stand for a suite."""

from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import UserError
from harness.matrix_files import matrix_file, suite_file


@dataclass(frozen=True)
class Reference:
    """The cells to run: a matrix file, or a suite's folder or name (None: the baseline's suite), of which its reference
    cells are meant; what is overridden in it, and which cells."""

    matrix: str | None = None
    overrides: tuple[str, ...] = ()
    only: str | None = None
    device: str = "auto"
    jobs: int | None = None

    def found(self, suite: str) -> "Reference":
        """With the matrix file that holds the cells; of an installed ``suite`` where none is named."""
        file = _installed(suite) if self.matrix is None else matrix_file(self.matrix)
        return replace(self, matrix=str(file if self._is_file else reference_cells(file)))

    def measured_as(self, suite: str) -> "Reference":
        """Measured over the steps of the suite's whole matrix, as a snapshot of it was; a file that is named says so
        itself."""
        if self._is_file or (self.matrix is None and not suite_file(suite).is_file()):
            return self
        from harness.matrix import load_matrix

        whole = suite_file(suite) if self.matrix is None else matrix_file(self.matrix)
        measure = load_matrix(whole, ()).header.measure
        steps = (f"measure.warmup_steps={measure.warmup_steps}", f"measure.steps={measure.steps}")
        return replace(self, overrides=(*steps, *self.overrides))

    @property
    def suite(self) -> str | None:
        """The suite of the cells that are named; None where none are. Raises UserError for what holds none."""
        from harness.matrix import load_matrix

        if self.matrix is None:
            return None
        return load_matrix(Path(self.found("").matrix or ""), self.overrides).header.suite

    @property
    def _is_file(self) -> bool:
        return self.matrix is not None and Path(self.matrix).is_file()


def reference_cells(matrix: Path) -> Path:
    """The few cells that stand for a suite: ``reference.yaml`` beside its matrix file, else that file."""
    beside = matrix.parent / "reference.yaml"
    return beside if beside.is_file() else matrix


def _installed(suite: str) -> Path:
    if suite_file(suite).is_file():
        return suite_file(suite)
    raise UserError(f"no installed suite {suite}; name a matrix file, as in `tunematrix check my/matrix.yaml ...`")
