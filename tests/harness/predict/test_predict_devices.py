"""Cards by their data sheets, and what they are taken to reach of them."""

import pytest

from harness.errors import UserError
from harness.predict.devices import CARDS, assumed_profile, card_named, card_of


def test_the_public_cards_are_there() -> None:
    assert list(CARDS) == ["rtx-3090", "rtx-4090", "a100-40gb", "a100-80gb", "l40s", "h100", "h200", "b200"]


@pytest.mark.parametrize("name", ["rtx-4090", "RTX 4090", "rtx4090", "RTX_4090"])
def test_a_card_is_found_however_it_is_spelt(name: str) -> None:
    assert card_named(name).name == "rtx-4090"


def test_an_unknown_card_is_told_those_that_there_are() -> None:
    with pytest.raises(UserError) as refused:
        card_named("voodoo2")

    assert refused.value.lines == (
        f"--card voodoo2: there is none such, and no results file (there are: {', '.join(CARDS)})",
    )


@pytest.mark.parametrize("name", CARDS)
def test_a_card_is_taken_to_reach_less_than_its_data_sheet(name: str) -> None:
    card = CARDS[name]
    profile = assumed_profile(card)

    assert profile.float32_flops < profile.bfloat16_flops < card.bfloat16_flops
    assert profile.bandwidth < card.bandwidth
    assert "data sheet" in profile.source


@pytest.mark.parametrize(
    ("driver_says", "card"),
    [
        ("NVIDIA H100 80GB HBM3", "h100"),
        ("NVIDIA H200", "h200"),
        ("NVIDIA A100-SXM4-80GB", "a100-80gb"),
        ("NVIDIA A100-SXM4-40GB", "a100-40gb"),
        ("NVIDIA GeForce RTX 4090", "rtx-4090"),
        ("NVIDIA L40S", "l40s"),
    ],
)
def test_a_card_is_known_by_what_its_driver_calls_it(driver_says: str, card: str) -> None:
    found = card_of(driver_says)

    assert found is not None and found.name == card


@pytest.mark.parametrize("other", ["", "NVIDIA T4", "NVIDIA A100", "NVIDIA L4", "2 cores of AMD EPYC"])
def test_one_whose_data_sheet_is_not_known_is_none(other: str) -> None:
    assert card_of(other) is None
