"""The forest: what is supported is told apart by its mark and filling, not by colour alone."""

import pandas as pd
import pytest

from harness.analysis.verdicts import A_BETTER, B_BETTER, NOT_ENOUGH
from leaderboard.pictures.versus import forest, losses


def row(name, verdict, unit="points", estimate=1.0, low=0.5, high=1.5):
    told = dict.fromkeys(("shown_a", "shown_b", "shown_difference", "p", "said"), "")
    return {"row": name, "unit": unit, "verdict": verdict, "estimate": estimate, "low": low, "high": high, **told}


ROWS = pd.DataFrame(
    [row("a", A_BETTER), row("b", B_BETTER), row("c", NOT_ENOUGH), row("d", A_BETTER, "ratio", 0.5, None, None)]
)


def marks(chart):
    """Verdict by verdict: the mark and its filling."""
    encoding = chart.to_dict()["layer"][-1]["encoding"]
    scales = (encoding[channel]["scale"] for channel in ("shape", "fill"))
    shapes, fillings = (dict(zip(one["domain"], one["range"], strict=True)) for one in scales)
    return {verdict: (shapes[verdict], fillings[verdict]) for verdict in shapes}


def test_a_supported_difference_is_a_filled_triangle_and_another_a_hollow_circle():
    found = marks(forest(ROWS, "points"))
    assert found[A_BETTER][0] == "triangle-up" and found[B_BETTER][0] == "triangle-down"
    assert found[NOT_ENOUGH] == ("circle", "transparent")
    assert "transparent" not in (found[A_BETTER][1], found[B_BETTER][1])


@pytest.mark.parametrize(("unit", "at", "rows"), [("points", 0.0, 3), ("ratio", 1.0, 1)])
def test_its_line_stands_where_there_is_no_difference(unit, at, rows):
    drawn = forest(ROWS, unit).to_dict()
    sets = {name: len(data) for name, data in drawn["datasets"].items()}
    assert drawn["datasets"][drawn["layer"][0]["data"]["name"]] == [{"none": at}]
    assert sets[drawn["layer"][-1]["data"]["name"]] == rows


def test_ratios_are_on_a_logarithmic_axis():
    assert forest(ROWS, "ratio").to_dict()["layer"][-1]["encoding"]["x"]["scale"]["type"] == "log"


def test_without_a_difference_there_is_no_picture():
    assert forest(ROWS[ROWS["unit"] == "points"], "ratio") is None


def curve(side, run_id, method):
    about = {"side": side, "run_id": run_id, "method": method}
    return [{**about, "step": step, "tokens_seen": 100 * step, "loss": 2.0 - 0.1 * step} for step in range(3)]


def test_two_sides_of_one_method_are_told_apart_by_their_dashes():
    curves = pd.DataFrame([*curve("A", "1", "lora"), *curve("A", "2", "lora"), *curve("B", "3", "lora")])
    thin, thick = losses(curves).to_dict()["layer"]
    assert thin["encoding"]["detail"]["field"] == "run_id"
    assert thick["encoding"]["strokeDash"]["scale"]["range"] == [[1, 0], [6, 4]]


def test_without_a_logged_loss_there_is_no_picture():
    assert losses(pd.DataFrame(columns=["side", "run_id", "method", "step", "tokens_seen", "loss"])) is None
