"""The picture of losses: a line an arm, in its method's colour."""

import pandas as pd

from leaderboard.pictures.losses import losses

ROWS = pd.DataFrame(
    [
        {
            "row": row,
            "name": row,
            "method": method,
            "base": "b",
            "step": n,
            "tokens_seen": 100.0 * n,
            "loss": 2.0 - n / 9,
        }
        for row, method in (("lora r=8", "lora"), ("lora r=32", "lora"), ("full_sft", "full_sft"))
        for n in range(3)
    ]
)


def test_arms_of_one_method_are_lines_of_their_own():
    line, _ = losses(ROWS).to_dict()["layer"]
    assert line["encoding"]["detail"]["field"] == "row"
    assert line["encoding"]["color"]["scale"]["domain"] == ["full_sft", "lora"]


def test_its_rows_stand_at_the_top_so_that_panels_can_have_their_own():
    assert "data" not in losses(ROWS).to_dict()["layer"][0]


def test_without_a_logged_loss_there_is_no_picture():
    assert losses(ROWS.iloc[:0]) is None
