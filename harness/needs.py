"""What training an arm will need, from its recipe and its base's config alone: predicted, before it runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from harness.arms import Arm
from harness.errors import UserError
from harness.limits import MemoryLimit
from harness.predict.memory import Memory, memory
from harness.predict.optimizer import paged_bytes
from harness.predict.recipe import Batch, batch_of, recipe_of
from harness.predict.shape import shape_of


@dataclass(frozen=True)
class Need:
    """Memory of training ``batch``; of the optimizer's state ``paged`` bytes may lie in the host's memory."""

    batch: Batch
    memory: Memory
    paged: int
    device: str

    @property
    def measure(self) -> str:
        """What ``peak_bytes`` is a prediction of: see ``harness.analysis.costs``, which is too slow to import here."""
        return "ledger" if self.device == "cpu" else "allocated"

    @property
    def peak_bytes(self) -> int:
        """The highest total: of a GPU's tensors, as its allocator hands them out; on a CPU of those in the ledger."""
        return self.memory.counted if self.device == "cpu" else self.memory.total - self.paged

    def fits(self, limit: MemoryLimit) -> bool:
        """Is there room for it?"""
        return self.peak_bytes <= limit.usable_bytes

    def by_component(self) -> dict[str, int]:
        """Bytes under the ledger's names, with ``temporary``; ``paged`` is what a GPU does not hold of the rest."""
        return asdict(self.memory) | ({"paged": -self.paged} if self.paged else {})


@dataclass(frozen=True)
class Forecast:
    """What each arm that trains needs at most, or why that is not predicted; and those that ``limit`` leaves no room
    for, with the arms that start from one of them."""

    needs: Mapping[Arm, Need]
    unknown: Mapping[Arm, str]
    limit: MemoryLimit | None
    unfit: Sequence[Arm]


def forecast(arms: Sequence[Arm], device: str, limit: MemoryLimit | None = None) -> Forecast:
    """What ``arms`` will need on ``device`` (cpu or cuda)."""
    needs, unknown = {}, {}
    for arm in (arm for arm in arms if arm.trains):
        try:
            needs[arm] = need_at_most(arm, device)
        except UserError as error:
            unknown[arm] = str(error)
    too_large = {arm for arm, need in needs.items() if limit is not None and not need.fits(limit)}
    return Forecast(needs, unknown, limit, [arm for arm in arms if arm in too_large or arm.parent in too_large])


def need_for(arm: Arm, device: str, batches: Iterable[Batch]) -> Need:
    """What the arm's own (last) stage needs for the one of ``batches`` that needs most.

    Raises UserError for a recipe or a shape that is not predicted.
    """
    recipe, shape = recipe_of(arm.stages, arm.execution, device), shape_of(arm.base.config, arm.base.name)
    paged = paged_bytes(shape, recipe)
    needs = (Need(batch, memory(shape, recipe, batch), paged, recipe.device) for batch in batches)
    return max(needs, key=lambda need: need.peak_bytes)


def need_at_most(arm: Arm, device: str) -> Need:
    """The same for a batch of the longest examples that the arm may learn from: a run may never see them together."""
    assert arm.mix is not None, "nothing is trained"
    size = arm.stage["batch_size"]
    examples = arm.execution["micro_batch_size"] or size
    rows = examples * (2 if arm.stage["kind"] == "preference" else 1)
    packing = bool(arm.execution.get("packing"))
    lengths = [arm.mix.longest] * rows
    if rows > 1 and not packing:
        lengths[-1] = arm.mix.shortest
    return need_for(arm, device, [batch_of(lengths, packing=packing, accumulated=examples < size)])
