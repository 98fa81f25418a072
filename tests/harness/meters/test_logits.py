"""A few sums tell whether a model's logits moved, however little each of them did."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from harness.errors import NotANumber
from harness.meters.logits import EXAMPLES, SIGNS, project_logits

TEXTS = [[1, 2, 3], [4, 5], [6, 7, 8, 9], [1], [2]]


class Model(torch.nn.Module):
    """Fixed logits for each token, and a change to them."""

    def __init__(self, change: Any = lambda logits: logits) -> None:
        super().__init__()
        self.table = torch.randn(10, 50, generator=torch.Generator().manual_seed(1))
        self.dropout = torch.nn.Dropout(0.5)
        self.change = change

    def forward(self, input_ids: torch.Tensor, use_cache: bool) -> Any:
        return SimpleNamespace(logits=self.dropout(self.change(self.table[input_ids])))


def sums(change: Any = lambda logits: logits, texts: list[list[int]] = TEXTS) -> torch.Tensor:
    return torch.tensor(project_logits(Model(change), texts, "cpu"))


def test_the_first_examples_have_some_sums_each():
    assert len(sums()) == EXAMPLES * SIGNS
    assert len(sums(texts=TEXTS[:1])) == SIGNS


def test_the_same_model_says_the_same():
    assert torch.equal(sums(), sums())


def test_an_example_says_the_same_whatever_stands_beside_it():
    assert torch.equal(sums()[:SIGNS], sums(texts=TEXTS[:1]))


def test_rounding_to_bfloat16_shows_as_its_own_size():
    moved = (sums(lambda logits: logits.bfloat16().float()) - sums()).abs().max()
    assert 2e-4 < moved < 2e-2  # half a unit in the last of eight bits is 0.002 to 0.004


@pytest.mark.parametrize("size", [1e-5, 1e-3])
def test_noise_shows_as_its_own_size(size: float):
    generator = torch.Generator().manual_seed(2)
    moved = sums(lambda logits: logits * (1 + size * torch.randn(logits.shape, generator=generator))) - sums()
    assert 0.2 * size < moved.abs().max() < 5 * size


def test_two_tokens_that_change_places_show():
    assert (sums(texts=[[1, 2, 3]]) - sums(texts=[[2, 1, 3]])).abs().max() > 0.05


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_logits_that_are_no_numbers_end_the_cell(value: float):
    with pytest.raises(NotANumber, match="not finite"):
        sums(lambda logits: logits.index_fill(-1, torch.tensor([0]), value))


def test_the_model_is_left_as_it_was():
    model = Model().train()
    project_logits(model, TEXTS, "cpu")
    assert model.training


def test_dropout_is_off():
    assert torch.equal(sums(), torch.tensor(project_logits(Model().train(), TEXTS, "cpu")))
