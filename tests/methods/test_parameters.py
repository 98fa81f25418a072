"""A method's knobs refuse what a trainer would ignore."""

import pytest
from pydantic import ValidationError

from methods.parameters import DpoParameters, LoraParameters


def test_label_smoothing_needs_a_loss_that_reads_it() -> None:
    with pytest.raises(ValidationError, match=r"label_smoothing 0\.1 needs loss_type robust"):
        DpoParameters(label_smoothing=0.1)
    assert DpoParameters(label_smoothing=0.1, loss_type="robust").label_smoothing == 0.1


def test_alpha_follows_the_rank_unless_it_is_given() -> None:
    assert LoraParameters(rank=4).lora_alpha == 8.0
    assert LoraParameters(rank=4, alpha=16.0).lora_alpha == 16.0


@pytest.mark.parametrize("wrong", [{"rank": 0}, {"dropout": 1.0}, {"alpha": float("nan")}, {"ranks": 8}])
def test_a_value_out_of_range_or_an_unknown_knob_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        LoraParameters.model_validate(wrong)
