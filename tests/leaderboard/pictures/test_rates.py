"""An arm's curve: validation dashed, test solid, the chosen rate marked, edges in words, failures at the bottom."""

import pandas as pd

from leaderboard.pictures.rates import HEIGHT, rate_curve

CURVE = pd.DataFrame(
    {
        "method": "lora",
        "learning_rate": [1e-3, 3e-3, 1e-2],
        "chosen": [False, True, False],
        "edge": [None, None, None],
        "seeds": [3, 3, 0],
        "failed_runs": [0, 0, 3],
        "failures": [None, None, "nan"],
        "higher_is_better": [1, 1, None],
        "validation": [60.0, 70.0, None],
        "test": [58.0, 69.0, None],
        "test_lowest": [55.0, 66.0, None],
        "test_highest": [61.0, 72.0, None],
    }
)


def layers(chart):
    def flat(spec):
        for layer in spec["layer"]:
            yield from flat(layer) if "layer" in layer else [layer]

    return list(flat(chart.to_dict()))


def with_field(chart, field):
    return [one for one in layers(chart) if one["encoding"].get("y", {}).get("field") == field]


def filters(layer):
    return [step["filter"] for step in layer.get("transform", []) if "filter" in step]


def test_validation_is_dashed_and_hollow_test_solid_and_filled():
    chart = rate_curve(CURVE)
    line, dots = with_field(chart, "validation")
    assert line["mark"]["strokeDash"] and dots["mark"]["filled"] is False
    line, dots = with_field(chart, "test")
    assert "strokeDash" not in line["mark"] and dots["mark"]["filled"] is True


def test_the_range_of_the_seeds_is_a_band():
    (band,) = with_field(rate_curve(CURVE), "test_lowest")
    assert (band["mark"]["type"], band["encoding"]["y2"]["field"]) == ("area", "test_highest")


def test_the_chosen_rate_is_marked_and_an_edge_is_named():
    found = [one for one in layers(rate_curve(CURVE)) if "datum.chosen" in filters(one)]
    assert [one["mark"]["type"] for one in found] == ["rule", "text", "text"]
    assert all(one["encoding"]["text"]["field"] == "word" for one in found[1:])


def test_failed_rates_are_crosses_at_the_bottom():
    (cross,) = [one for one in layers(rate_curve(CURVE)) if "datum.failed_runs > 0" in filters(one)]
    assert cross["mark"]["shape"] == "cross"
    assert HEIGHT / 2 < cross["encoding"]["y"]["value"] < HEIGHT


def test_scores_of_validation_and_test_share_an_axis_a_loss_has_its_own():
    domain = [one["encoding"]["y"]["scale"]["domain"] for one in with_field(rate_curve(CURVE), "validation")]
    assert domain[0] == with_field(rate_curve(CURVE), "test")[0]["encoding"]["y"]["scale"]["domain"]
    loss = rate_curve(CURVE.assign(higher_is_better=0, validation=[2.0, 1.5, None]))
    assert with_field(loss, "validation")[0]["encoding"]["y"]["title"] == "validation (loss)"
    assert with_field(loss, "validation")[0]["encoding"]["y"]["scale"]["domain"][1] < 3


def test_an_arm_that_only_failed_has_its_crosses_and_no_rate_no_picture():
    unscored = CURVE.assign(validation=None, test=None, test_lowest=None, test_highest=None, chosen=False)
    assert rate_curve(unscored) is not None
    assert rate_curve(CURVE.iloc[:0]) is None
