"""Pretraining: a run that was stopped ends where an unbroken one does, in safetensors alone."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from suites.pocket.batches import Batches, encoded
from suites.pocket.corpus import Corpus
from suites.pocket.pretrain import RECIPES
from suites.pocket.pretraining import Pretraining, train
from suites.pocket.recipe import BaseRecipe
from suites.pocket.tokenizer import build_tokenizer
from suites.pocket.world import POCKET

TINY = BaseRecipe("tiny", hidden_size=64, steps=4, learning_rate=1e-3, layers=1, rows_per_step=2, packed_every=3)


def train_to(run: Pretraining, step: int) -> Pretraining:
    while run.step < step:
        run.train_step()
    return run


def assert_same_weights(one: Pretraining, other: Pretraining) -> None:
    for name, weight in one.model.state_dict().items():
        assert torch.equal(weight, other.model.state_dict()[name]), name


def test_resumed_weights_equal_unbroken_weights(tmp_path: Path) -> None:
    unbroken = train_to(Pretraining(TINY, tmp_path / "none"), 4)
    train_to(Pretraining(TINY, tmp_path / "tiny.safetensors"), 2).save_checkpoint()
    resumed = Pretraining(TINY, tmp_path / "tiny.safetensors")
    assert resumed.step == 2
    assert 0 < int(resumed.met.sum()) < len(resumed.met)
    train_to(resumed, 4)
    assert_same_weights(unbroken, resumed)
    assert torch.equal(unbroken.met, resumed.met)


@pytest.mark.parametrize("other", [{"recipe": replace(TINY, learning_rate=2e-3)}, {"spec": replace(POCKET, seed=1)}])
def test_a_checkpoint_of_another_recipe_or_world_is_not_used(tmp_path: Path, other: dict) -> None:
    train_to(Pretraining(TINY, tmp_path / "tiny"), 1).save_checkpoint()
    assert Pretraining(other.get("recipe", TINY), tmp_path / "tiny", other.get("spec", POCKET)).step == 0


def test_it_ends_when_its_time_is_up_and_goes_on_from_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not train(Pretraining(TINY, tmp_path / "tiny"), seconds=0)
    run = Pretraining(TINY, tmp_path / "tiny")
    run.train_step()
    run.save_checkpoint()
    assert train(Pretraining(TINY, tmp_path / "tiny"))
    assert "from step 1" in capsys.readouterr().out
    assert_same_weights(Pretraining(TINY, tmp_path / "tiny"), train_to(Pretraining(TINY, tmp_path / "none"), 4))


@pytest.mark.slow
def test_batches_of_other_processes_are_those_of_this_one() -> None:
    corpus = Corpus()
    batches = Batches(replace(TINY, steps=9), corpus, build_tokenizer(corpus).get_vocab())
    ahead = list(batches.from_step(2, workers=2))
    assert len(ahead) == 7
    for made, step in zip(ahead, range(2, 9), strict=True):
        assert all(torch.equal(tensor, batches[step][name]) for name, tensor in made.items())


def test_a_batch_is_what_the_tokenizer_makes_of_the_rows() -> None:
    corpus = Corpus()
    tokenizer = build_tokenizer(corpus)
    rows = corpus.rows(3, 8)
    told = tokenizer(rows, padding=True, return_tensors="pt")
    batch = encoded(rows, tokenizer.get_vocab())
    assert torch.equal(batch["input_ids"], told["input_ids"])
    assert torch.equal(batch["labels"], told["input_ids"].masked_fill(told["attention_mask"] == 0, -100))


def test_as_many_steps_are_packed_as_the_recipe_says() -> None:
    assert [step for step in range(32) if RECIPES["pocket-1m"].is_packed(step)] == [0, 16]
    often = replace(TINY, packed_every=4, packed_of=3)
    assert [step for step in range(8) if often.is_packed(step)] == [0, 1, 2, 4, 5, 6]


def test_nothing_is_written_but_safetensors_and_text(tmp_path: Path) -> None:
    run = train_to(Pretraining(TINY, tmp_path / "tiny.safetensors"), 1)
    run.save_checkpoint()
    run.export(tmp_path / "base")
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".safetensors", ".json"}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_the_rate_warms_up_stays_and_falls_to_zero(recipe: BaseRecipe) -> None:
    assert recipe.rate_at(0) == pytest.approx(recipe.learning_rate / recipe.warmup_steps)
    assert recipe.rate_at(recipe.steps // 2) == recipe.learning_rate
    assert recipe.rate_at(recipe.steps) == 0.0
