"""Two quantities against each other: what a dot tells, and no layer without anything to draw."""

import pandas as pd
import pytest

from leaderboard.pictures.tradeoff import tradeoff
from leaderboard.quantities import FORGETTING, GAIN, MEMORY, RATE

ARMS = pd.DataFrame(
    {
        **{"arm_id": ["a", "b"], "section": 0, "name": ["lora r=2", "lora r=8"], "base": "m", "method": "lora"},
        **{"family": "lora", "rank": [2.0, 8.0], "in_set": True, "chosen_rate": 1e-3, "memory_bytes": [1.0, 2.0]},
        **{"gain": [1.0, 2.0], "gain_low": [0.0, 1.0], "gain_high": [2.0, 3.0]},
        **{"told_rank": ["2", "8"], "alpha": "16", "targets": "all-linear", "steps": "90", "batch": "16"},
        **{"precision": "weights float32", "forgetting": 1.0, "forgetting_low": None, "forgetting_high": None},
    }
)


def layers(arms, across):
    return tradeoff(arms, across, GAIN, told=[RATE]).to_dict()["layer"]


def test_a_dot_tells_the_whole_recipe():
    told = {one["title"] for one in layers(ARMS, MEMORY)[-1]["encoding"]["tooltip"]}
    recipe = {"method", "base", "rank", "alpha", "targets", "rate", "steps", "batch", "precision"}
    assert recipe <= told


@pytest.mark.parametrize("channel", ["x", "y"])
def test_an_interval_that_no_arm_has_is_not_drawn(channel):
    fields = [one["encoding"].get(channel, {}).get("field") for one in layers(ARMS, FORGETTING)]
    assert "forgetting_low" not in fields
    assert ("gain_low" in fields) == (channel == "y")


def test_where_none_is_in_the_set_there_is_no_ring():
    assert len(layers(ARMS.assign(in_set=False), MEMORY)) == len(layers(ARMS, MEMORY)) - 1
