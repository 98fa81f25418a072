"""Memory in pictures: components add up to the peak, and cards are drawn where they are near."""

import pandas as pd
import pytest

from leaderboard.pictures.memory import MEASURED, PREDICTED, against_cards, near, stacks, totals
from leaderboard.quantities import GIB, MEMORY, fitted

GPU = fitted(MEMORY, pd.DataFrame({MEMORY.name: [20 * GIB]}))  # GiB


def parts(*rows, told=MEASURED):
    """Rows of arm, component and GiB."""
    columns = ["row", "component", MEMORY.name]
    return pd.DataFrame(rows, columns=columns).assign(method="lora", phase="train", told=told)


LORA = parts(("lora", "weights", 8.0), ("lora", "rest", 4.0))


def layers(chart):
    return chart.to_dict()["layer"]


def test_components_add_up_to_the_peak():
    assert list(totals(LORA, GPU)[MEMORY.name]) == [12.0]


@pytest.mark.parametrize(
    ("highest", "cards"),
    [
        (0.02, []),
        (3.0, []),  # 8 GB is twice as large and more
        (7.0, ["8 GB"]),
        (14.0, ["8 GB", "16 GB"]),
        (100.0, ["16 GB", "24 GB", "40 GB", "48 GB", "80 GB", "141 GB"]),
        (200.0, ["24 GB", "40 GB", "48 GB", "80 GB", "141 GB"]),
    ],
)
def test_cards_are_those_near_the_scale(highest, cards):
    assert list(near(highest, GPU)["card"]) == cards


def test_far_from_every_card_there_is_no_line():
    assert len(layers(stacks(LORA, ["lora"], GPU, 0.01))) == 2
    assert len(layers(stacks(LORA, ["lora"], GPU, 12.0))) == 3


def test_what_was_predicted_lies_beside_what_was_measured():
    both = pd.concat([LORA, parts(("lora", "weights", 9.0), told=PREDICTED)])
    assert "yOffset" in layers(stacks(both, ["lora"], GPU, 12.0))[0]["encoding"]
    assert "yOffset" not in layers(stacks(LORA, ["lora"], GPU, 12.0))[0]["encoding"]


def test_on_a_logarithmic_axis_nothing_is_stacked():
    marks = [layer["mark"]["type"] for layer in layers(against_cards(LORA, ["lora"], GPU))]
    assert marks == ["point", "rule"]


def test_nothing_measured_is_no_picture():
    assert stacks(LORA.head(0), [], GPU, 0.0) is None
    assert against_cards(LORA.head(0), [], GPU) is None
