"""A recipe in a few words each, as it is stored: of the stage that an arm trains, and of the adapter trained there."""

import pandas as pd

from leaderboard.rows.recipes import told

LORA = {"rank": 8, "alpha": None, "alpha_per_rank": 2.0, "target_modules": ["q_proj", "v_proj"]}
SFT = {
    "parameters": LORA, "steps": 90, "batch_size": 16, "precision": {"weights": "bfloat16", "compute": "bfloat16"}
}  # fmt: skip
DPO = {"parameters": {"beta": 0.1}, "steps": 32, "batch_size": 8, "precision": {"weights": "float32"}}


def facts(*stages):
    (row,) = told(pd.Series({"arm": {"stages": list(stages)}})).to_dict("records")
    return row


def test_an_adapter_has_its_rank_scale_and_targets():
    found = facts(SFT)
    assert (found["told_rank"], found["alpha"], found["targets"]) == ("8", "16", "q_proj, v_proj")


def test_an_alpha_that_was_given_is_the_alpha():
    assert facts({**SFT, "parameters": {**LORA, "alpha": 32.0}})["alpha"] == "32"


def test_steps_batch_and_precision_are_those_of_the_stage_that_it_trains():
    found = facts(SFT, DPO)
    assert (found["steps"], found["batch"], found["precision"]) == ("32", "8", "weights float32")


def test_what_goes_on_with_an_adapter_has_that_ones_and_a_fresh_one_its_own():
    assert facts(SFT, DPO)["told_rank"] == "8"
    fresh = {**DPO, "parameters": {"adapter": "fresh", "fresh_adapter": {**LORA, "rank": 4}}}
    assert (facts(SFT, fresh)["told_rank"], facts(SFT, fresh)["alpha"]) == ("4", "8")


def test_what_trains_all_weights_has_no_adapter():
    assert {facts({**SFT, "parameters": {}})[name] for name in ("told_rank", "alpha", "targets")} == {"none"}


def test_a_recipe_of_others_may_say_less():
    assert set(facts({"method": "lora"}).values()) == {"arm", "none"}
