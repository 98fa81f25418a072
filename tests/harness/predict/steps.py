"""Training steps as the harness runs and measures them, beside what is predicted for the same batches."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from harness.bases.config import read_config
from harness.meters.ledger import Account, TensorLedger
from harness.predict.memory import Memory, activation_parts, memory
from harness.predict.recipe import recipe_of
from harness.predict.shape import shape_of
from harness.predict.shapes import shape_file
from tests.methods.cells import SMALL, train

SHORT = {"measure_warmup_steps": 2, "measure_steps": 1}
SMALLEST = "pocket-0.2m"
OTHERS = ("small-llama", "small-qwen2")
MORE_SHAPES = [SMALLEST, *(pytest.param(name, marks=pytest.mark.extended) for name in OTHERS)]


@dataclass(frozen=True)
class Step:
    """The ledger's peak over a stage's warm-up steps and the most activations that it saw, beside the predictions."""

    peak: Account
    most_activations: int
    predicted: Memory
    predicted_activations: int

    def differences(self) -> dict[str, tuple[int, int]]:
        """Measured and predicted bytes where they differ: all to the byte, activations by more than 1 %."""
        pairs = {name: (value, getattr(self.predicted, name)) for name, value in asdict(self.peak).items()}
        pairs["most_activations"] = (self.most_activations, self.predicted_activations)
        return {name: pair for name, pair in pairs.items() if not _agree(name, *pair)}


def _agree(name: str, measured: int, predicted: int) -> bool:
    return abs(predicted - measured) <= (0.01 * measured if "activation" in name else 0)


class WatchingLedger(TensorLedger):
    """Remembers the most activations too: at the peak of full SFT, when all gradients stand, hardly any are left."""

    most_activations = 0

    def note(self) -> None:
        """Take both."""
        self.most_activations = max(self.most_activations, self.live_activation)
        super().note()


def base_of(name: str, folder: Path) -> dict[str, Any]:
    """The base of a cell of that shape: the pocket suite's own, or random weights of a config."""
    if name == SMALLEST:
        return {"base": SMALL}
    place = folder / name
    place.mkdir(exist_ok=True)
    (place / "config.json").write_text(shape_file(name).read_text())
    return {"base": place, "init_seed": 0}


def step_of(folder: Path, *stages: dict[str, Any], shape: str, **settings: Any) -> Step:
    """The last of ``stages`` trained and measured on a base of that shape, and predicted."""
    base = base_of(shape, folder)
    with patch("harness.meters.steps.TensorLedger", WatchingLedger):
        training, _ = train(folder, *stages, purpose="measure", **SHORT, **base, **settings)
    ledger = training.meter and training.meter.ledger
    assert isinstance(ledger, WatchingLedger)
    recipe = recipe_of([stage.stage for stage in training.assignment.stages], training.assignment.execution, "cpu")
    sizes = shape_of(read_config(base["base"] / "config.json"), shape)
    batches = training.batches().batches
    return Step(
        peak=ledger.peak,
        most_activations=ledger.most_activations,
        predicted=max((memory(sizes, recipe, batch) for batch in batches), key=lambda found: found.counted),
        predicted_activations=max(sum(activation_parts(sizes, recipe, batch).values()) for batch in batches),
    )
