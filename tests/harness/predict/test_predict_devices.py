"""Cards by their data sheets, and what they are taken to reach of them."""

import pytest

from harness.errors import UserError
from harness.predict.devices import CARDS, assumed_profile, card_named


def test_the_public_cards_are_there() -> None:
    assert list(CARDS) == ["rtx-3090", "rtx-4090", "a100-40gb", "a100-80gb", "l40s", "h100", "h200", "b200"]


@pytest.mark.parametrize("name", ["rtx-4090", "RTX 4090", "rtx4090", "RTX_4090"])
def test_a_card_is_found_however_it_is_spelt(name: str) -> None:
    assert card_named(name).name == "rtx-4090"


def test_an_unknown_card_is_told_those_that_there_are() -> None:
    with pytest.raises(UserError) as refused:
        card_named("voodoo2")

    assert refused.value.lines == (f"--card voodoo2: there is none such (there are: {', '.join(CARDS)})",)


@pytest.mark.parametrize("name", CARDS)
def test_a_card_is_taken_to_reach_less_than_its_data_sheet(name: str) -> None:
    card = CARDS[name]
    profile = assumed_profile(card)

    assert profile.float32_flops < profile.bfloat16_flops < card.bfloat16_flops
    assert profile.bandwidth < card.bandwidth
    assert "data sheet" in profile.source
