"""Pretraining: a run that was stopped ends where an unbroken one does."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from suites.pocket.pretrain import RECIPES, BaseRecipe, Pretraining

TINY = BaseRecipe("tiny", hidden_size=64, steps=4, learning_rate=1e-3, layers=1, rows_per_step=2, packed_every=3)


def train_to(run: Pretraining, step: int) -> Pretraining:
    while run.step < step:
        run.train_step()
    return run


def test_resumed_weights_equal_unbroken_weights(tmp_path: Path) -> None:
    unbroken = train_to(Pretraining(TINY, tmp_path / "none.pt"), 4)
    train_to(Pretraining(TINY, tmp_path / "tiny.pt"), 2).save_checkpoint()
    resumed = Pretraining(TINY, tmp_path / "tiny.pt")
    assert resumed.step == 2
    train_to(resumed, 4)
    for name, weight in unbroken.model.state_dict().items():
        assert torch.equal(weight, resumed.model.state_dict()[name]), name


def test_a_checkpoint_of_another_recipe_is_not_used(tmp_path: Path) -> None:
    train_to(Pretraining(TINY, tmp_path / "tiny.pt"), 1).save_checkpoint()
    assert Pretraining(replace(TINY, learning_rate=2e-3), tmp_path / "tiny.pt").step == 0


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_the_rate_warms_up_stays_and_falls_to_zero(recipe: BaseRecipe) -> None:
    assert recipe.rate_at(0) == pytest.approx(recipe.learning_rate / recipe.warmup_steps)
    assert recipe.rate_at(recipe.steps // 2) == recipe.learning_rate
    assert recipe.rate_at(recipe.steps) == 0.0
