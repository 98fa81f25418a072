"""Losses of every method on the 0.2 M base, as they were when the recipes were last looked at.

They change with the base's weights too. To refresh them after a change that was meant:
``python -m tests.methods.test_golden``.
"""

import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.methods.cells import assignment, losses, run, stage

# Other kernels (no AVX, AVX2, other matrix libraries) moved these by less than 1e-6 beyond their six digits; the
# smallest change of recipe below, an adapter in bfloat16, by 8e-4.
TOLERANCE = 1e-4

OPTIMIZER = {"warmup_steps": 1, "weight_decay": 0.01}
FULL = stage("full_sft", rate=1e-3, steps=8, seed=7, optimizer=OPTIMIZER)
LORA = stage("lora", rate=1e-2, steps=8, seed=7, rank=4, optimizer=OPTIMIZER)
QLORA = stage("qlora", rate=1e-2, steps=8, seed=7, rank=4, optimizer=OPTIMIZER)


def dpo(first: dict[str, Any], rate: float, **parameters: Any) -> dict[str, Any]:
    return stage("dpo", rate=rate, steps=6, seed=7, optimizer=OPTIMIZER, starts_from=first, **parameters)


RECIPES = {
    "full_sft": (FULL,),
    "lora": (LORA,),
    "qlora": (QLORA,),
    "dpo on full_sft": (FULL, dpo(FULL, 1e-3)),
    "dpo on lora": (LORA, dpo(LORA, 1e-2)),
    "dpo on qlora": (QLORA, dpo(QLORA, 1e-2)),
    "fresh dpo on lora": (LORA, dpo(LORA, 1e-2, adapter="fresh")),
}
GOLDEN = {
    "full_sft": [3.15963, 1.47121, 2.67833, 0.138891, 2.08553, 0.377468, 0.928765, 0.739521],
    "lora": [3.15963, 1.47121, 3.00534, 0.144924, 2.25605, 0.366294, 1.02838, 0.671667],
    "qlora": [3.09598, 1.42798, 2.89538, 0.145215, 2.23294, 0.359797, 1.0011, 0.6735],
    "dpo on full_sft": [0.693147, 0.693147, 0.632922, 0.594177, 0.56727, 0.549895],
    "dpo on lora": [0.693147, 0.693147, 0.631907, 0.588354, 0.559518, 0.53634],
    "dpo on qlora": [0.693147, 0.693147, 0.632058, 0.588222, 0.55522, 0.535126],
    "fresh dpo on lora": [0.693147, 0.693147, 0.65283, 0.6121, 0.576077, 0.552683],
}


def curve(recipe: tuple[dict[str, Any], ...], folder: Path) -> list[float]:
    return [loss for loss in losses(run(assignment(folder, *recipe))) if loss is not None]


@pytest.mark.parametrize("name", RECIPES)
def test_losses_are_what_they_were(tmp_path: Path, name: str) -> None:
    assert curve(RECIPES[name], tmp_path) == pytest.approx(GOLDEN[name], rel=TOLERANCE)


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": 1.05e-2},
        pytest.param({"seed": 8}, marks=pytest.mark.extended),
        {"parameters": {**LORA["parameters"], "alpha_per_rank": 2.1}},
        pytest.param({"parameters": {**LORA["parameters"], "dropout": 0.05}}, marks=pytest.mark.extended),
        {"optimizer": {**LORA["optimizer"], "warmup_steps": 2}},
        pytest.param({"optimizer": {**LORA["optimizer"], "schedule": "cosine"}}, marks=pytest.mark.extended),
        {"optimizer": {**LORA["optimizer"], "beta2": 0.99}},
        pytest.param({"optimizer": {**LORA["optimizer"], "weight_decay": 0.2}}, marks=pytest.mark.extended),
        {"precision": {**LORA["precision"], "compute": "bfloat16"}},
        pytest.param({"precision": {**LORA["precision"], "adapter": "bfloat16"}}, marks=pytest.mark.extended),
    ],
    ids=str,
)
def test_a_small_change_of_recipe_does_not_pass(tmp_path: Path, change: dict[str, Any]) -> None:
    changed = curve(({**LORA, **change},), tmp_path)

    assert max(abs(a / b - 1) for a, b in zip(changed, GOLDEN["lora"], strict=True)) > 3 * TOLERANCE


if __name__ == "__main__":
    for name, recipe in RECIPES.items():
        with tempfile.TemporaryDirectory() as folder:
            print(f'    "{name}": {[float(f"{loss:.6g}") for loss in curve(recipe, Path(folder))]},')
