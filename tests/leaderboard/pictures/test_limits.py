"""Limits are lines; within and outside are told apart by more than colour; the one to take is ringed and named."""

import pandas as pd
import pytest

from leaderboard.pictures.limits import within_limits
from leaderboard.quantities import GAIN, MEMORY

ARMS = pd.DataFrame(
    {
        "name": ["lora", "full"],
        "base": "b",
        "method": ["lora", "full_sft"],
        "memory_bytes": [10.0, 30.0],
        "gain": [40.0, 45.0],
        "gain_low": [35.0, None],
        "gain_high": [44.0, None],
        "within": [True, False],
        "pick": [True, False],
        "outcome": ["within the limits", "misses memory"],
    }
)
SAID = {"memory_bytes": "memory: at most 20 MiB", "gain": "gain: at least 5 points"}


@pytest.fixture
def draw():
    """The picture's specification, of these limits."""
    return lambda arms=ARMS, **limits: within_limits(arms, MEMORY, GAIN, limits, SAID).to_dict()


def layers(spec, mark):
    return [one for one in _flat(spec) if one["mark"]["type"] == mark]


def _flat(spec):
    """Every layer, with the rows that it shares with those beside it."""
    for layer in spec["layer"]:
        layer = {"data": spec.get("data"), **layer}
        yield from _flat(layer) if "layer" in layer else [layer]


def rows(spec, layer):
    return spec["datasets"][layer["data"]["name"]]


def test_each_limit_on_an_axis_is_a_line_with_its_words(draw):
    spec = draw(memory_bytes=20.0, gain=5.0)
    dashed = [one for one in layers(spec, "rule") if "strokeDash" in one["mark"]]
    assert [set(one["encoding"]) for one in dashed] == [{"x"}, {"y"}]
    assert [rows(spec, one)[0]["limit"] for one in dashed] == list(SAID.values())


def test_arms_outside_are_hollow(draw):
    spec = draw(memory_bytes=20.0)
    filled = {rows(spec, one)[0]["name"]: one["mark"].get("filled") for one in layers(spec, "point")[:2]}
    assert filled == {"lora": True, "full": False}


def test_the_one_to_take_is_named(draw):
    spec = draw()
    assert [row["name"] for row in rows(spec, layers(spec, "text")[-1])] == ["lora"]


def test_without_one_to_take_nothing_is_ringed(draw):
    assert not layers(draw(ARMS.assign(pick=False)), "text")


@pytest.mark.parametrize(("limit", "scale"), [(40.0, None), (1000.0, "log")])
def test_a_limit_that_is_far_off_makes_the_axis_logarithmic(draw, limit, scale):
    spec = draw(memory_bytes=limit)
    assert layers(spec, "point")[0]["encoding"]["x"]["scale"].get("type") == scale


def test_arms_without_a_figure_are_left_out_and_none_leaves_no_picture(draw):
    unmeasured = ARMS.assign(memory_bytes=[10.0, None])
    assert len(layers(draw(unmeasured), "point")) == 2  # the arm and its ring
    assert within_limits(ARMS.assign(gain=None), MEMORY, GAIN, {}, {}) is None
