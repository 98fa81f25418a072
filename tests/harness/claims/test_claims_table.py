"""The methods side by side: predicted where nothing was measured, and each figure says what it is."""

import pytest

from harness.claims.held import read_held
from harness.claims.table import LENGTH, SHAPE, Trained, alike, comparison, trained
from harness.predict.fit import bytes_on_device, ways
from harness.predict.shapes import read_shape
from tests import factory
from tests.factory import ARMS, GPU, make_database
from tests.harness.claims.made import change_recipe

PARAMETERS = 6_738_415_616
(LORA,) = (way for way in ways(["lora"], [8], "adamw", "all-linear") if way.recipe.checkpointing)
STAGE = {
    "kind": "sft",
    "method": "lora",
    "batch_size": 1,
    "sequence_length": LENGTH,
    "optimizer": {"name": "adamw"},
    "precision": {"weights": "bfloat16", "compute": "bfloat16", "adapter": "float32"},
    "parameters": {"rank": 8, "target_modules": "all-linear"},
}
FULL = {**STAGE, "method": "full_sft", "parameters": {}}
EXECUTION = {"attention": "sdpa", "gradient_checkpointing": True}


def rows(results):
    return {(row.method, row.rank): row for row in comparison(results)}


def run_on_a_gpu(path, monkeypatch, **stage):
    """Full SFT and LoRA on a base as large as the shape, measured on a GPU, with the recipes of the table."""
    monkeypatch.setitem(factory.BASES, "seven-b", PARAMETERS)
    arms = {name: ARMS[name] for name in ("base", "full_sft", "lora")}
    make_database(path, arms=arms, bases=["seven-b"], facts=GPU, execution=EXECUTION)
    change_recipe(path, "lora", **{**STAGE, **stage})
    change_recipe(path, "full_sft", **{**FULL, **stage})
    return read_held([path])


class TestWithoutResults:
    def test_there_is_a_row_a_method_and_rank(self):
        ranks = (8, 16, 64)
        adapters, pairs = (
            [(name, rank) for name in names for rank in ranks]
            for names in (("lora", "qlora"), ("dpo on lora", "dpo on qlora"))
        )
        full = [("full_sft", None), ("full_sft amp", None)]
        assert list(rows([])) == [*full, *adapters, ("dpo on full_sft", None), *pairs]

    def test_memory_is_predicted_and_what_is_trained_counted(self):
        row = rows([])["lora", 8]
        assert row.trainable == 19_988_480
        assert (row.memory.basis, row.memory.value) == (
            "predicted",
            bytes_on_device(read_shape(SHAPE), LORA, LENGTH, 1),
        )

    def test_speed_is_no_more_than_counted_and_a_score_is_missing(self):
        row = rows([])["qlora", 8]
        assert (row.speed.basis, row.speed.value) == ("counted", pytest.approx(4 / 3))
        assert row.score is None
        assert rows([])["dpo on lora", 8].speed is None


class TestScores:
    def test_are_those_of_the_largest_base(self, tmp_path):
        found = rows(read_held([make_database(tmp_path / "r.db")]))
        assert found["lora", 8].score.where == "pocket-1m"
        assert found["lora", 8].score.low < found["lora", 8].score.value < found["lora", 8].score.high
        assert found["full_sft", None].score == found["full_sft amp", None].score

    def test_of_dpo_are_told_by_what_it_starts_from(self, tmp_path):
        found = rows(read_held([make_database(tmp_path / "r.db")]))
        assert found["dpo on lora", 8].score
        assert found["dpo on qlora", 8].score is None

    def test_of_another_rank_are_missing(self, tmp_path):
        assert rows(read_held([make_database(tmp_path / "r.db")]))["lora", 16].score is None


class TestGpuRuns:
    def test_of_the_same_recipe_take_the_place_of_what_was_predicted(self, tmp_path, monkeypatch):
        found = rows(run_on_a_gpu(tmp_path / "g.db", monkeypatch))
        lora = found["lora", 8]
        assert (lora.memory.basis, lora.memory.where) == ("measured", "Test GPU 80 GiB")
        assert (lora.speed.basis, lora.speed.value) == ("measured", pytest.approx(11 / 9))
        assert found["full_sft", None].memory.basis == "measured"
        assert found["qlora", 8].memory.basis == "predicted"

    @pytest.mark.parametrize(
        "other", [{"batch_size": 2}, {"sequence_length": 512}, {"optimizer": {"name": "adamw_8bit"}}]
    )
    def test_of_another_do_not(self, tmp_path, monkeypatch, other):
        found = rows(run_on_a_gpu(tmp_path / "g.db", monkeypatch, **other))
        assert {row.memory.basis for row in found.values()} == {"predicted"}

    def test_that_nothing_is_predicted_of_are_left_out(self, tmp_path):
        path = make_database(tmp_path / "g.db", facts=GPU)  # its recipes say nothing of precision
        assert list(trained(read_held([path]))) == []

    def test_on_a_model_of_another_size_do_not_either(self):
        one = Trained(PARAMETERS, LORA.recipe, 1, LENGTH, 2e10, 3000.0, "Test GPU")
        assert alike([one], LORA, PARAMETERS) is one
        assert alike([one], LORA, PARAMETERS + 1) is None
