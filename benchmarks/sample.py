"""The cells that are timed, and a session of their suite to run them in."""

from dataclasses import dataclass
from pathlib import Path

from harness.arms import Arm, Cell
from harness.matrix import Matrix, load_matrix
from harness.matrix_files import suite_file
from harness.session import Session, open_session

QUICK_STEPS = 4


@dataclass(frozen=True)
class Sampled:
    """One cell of a suite, told by what it is: the middle one of its learning rates, the first seed."""

    suite: str
    method: str
    base: str
    rank: int | None = None
    starts_from: str | None = None
    overrides: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How it is called in the table and in bench.json."""
        rank = f" r={self.rank}" if self.rank else ""
        start = f" on {self.starts_from}" if self.starts_from else ""
        return f"{self.method}{start}{rank} · {self.base}"


POCKET = (
    Sampled("pocket", "full_sft", "pocket-1m"),
    Sampled("pocket", "lora", "pocket-1m", rank=8),
    Sampled("pocket", "qlora", "pocket-1m", rank=8),
    Sampled("pocket", "dpo", "pocket-1m", rank=8, starts_from="lora"),
    Sampled("pocket", "lora", "pocket-0.2m", rank=8),
)
# Long rows and many steps: here training itself is what takes the time.
STORIES = (
    Sampled("stories", "full_sft", "stories260k", overrides=("budget={steps: 300}", "batch_size=8")),
)  # fmt: skip


def by_name(name: str) -> Sampled:
    """The sampled cell of that name; raises KeyError."""
    return {sampled.name: sampled for sampled in (*POCKET, *STORIES)}[name]


def open_sampled(sampled: Sampled, folder: Path, *, quick: bool) -> tuple[Session, Arm, Cell]:
    """A session of the cell's suite, for one job on the CPU with its database in ``folder``, and the cell itself."""
    source = suite_file(sampled.suite)
    overrides = (*sampled.overrides, "seeds=1")
    if quick:
        overrides = (*overrides, *_few_steps(load_matrix(source, overrides)))
    session = open_session(load_matrix(source, overrides), folder / "bench.db", device="cpu", jobs=1)
    arm = next(arm for arm in session.arms if _is(arm, sampled))
    return session, arm, _cell(arm)


def _few_steps(matrix: Matrix) -> list[str]:
    budget = f"budget={{steps: {QUICK_STEPS}}}"
    own = [label for label, entry in matrix.header.methods.items() if "budget" in entry]
    return [budget, *(f"methods.{label}.{budget}" for label in own)]


def _is(arm: Arm, sampled: Sampled) -> bool:
    start = arm.parent.variant.method if arm.parent else None
    found = (arm.variant.method, arm.base.name, arm.variant.rank, start)
    return found == (sampled.method, sampled.base, sampled.rank, sampled.starts_from)


def _cell(arm: Arm) -> Cell:
    parent_rate = _middle(arm.parent.rates) if arm.parent else None
    return arm.cell(_middle(arm.rates), arm.seeds[0], parent_rate)


def _middle(rates: tuple[float, ...]) -> float:
    return rates[len(rates) // 2]
