"""Runs that share their first trained stage share its id as their chain."""

import pandas as pd

from harness.store import reader
from harness.store.database import open_for_reading
from tests.factory import make_database


def test_a_dpo_recipe_is_of_the_chain_of_the_sft_recipe_that_it_starts_from(tmp_path):
    db = open_for_reading(make_database(tmp_path / "runs.db", bases=["pocket-1m"]))
    reader.settle(db)
    runs = reader.runs(db).join(reader.recipes(db), on="recipe_id")
    chains: pd.Series = runs.groupby("label")["chain"].agg(set)
    assert chains["dpo-lora"] <= chains["lora"]
    assert not chains["lora"] & chains["qlora"]
    lora = runs[(runs["label"] == "lora") & (runs["purpose"] == "quality")]
    assert lora["chain"].nunique() == len(lora)  # a seed and a rate each
