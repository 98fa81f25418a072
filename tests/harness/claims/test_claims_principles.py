"""The arithmetic of the claims, as it is printed beside them: figures here are expectations, the code computes them."""

import pytest

from harness.claims import principles
from harness.errors import UserError
from harness.predict.fit import fits, ways
from harness.predict.shapes import read_shape

QV = ["q_proj", "v_proj"]


class TestTrainedParameters:
    @pytest.mark.parametrize(
        ("shape", "targets", "count"),
        [("llama-2-7b", QV, 4_194_304), ("llama-2-7b", "all-linear", 19_988_480), ("llama-3.1-8b", QV, 3_407_872)],
    )
    def test_at_rank_8(self, shape, targets, count):
        assert principles.trained_parameters(shape, 8, targets) == count

    @pytest.mark.parametrize(
        ("shape", "targets", "percent"),
        [("llama-2-7b", QV, 0.124), ("llama-2-7b", "all-linear", 0.593), ("llama-3.1-8b", QV, 0.085)],
    )
    def test_share_at_rank_16(self, shape, targets, percent):
        assert 100 * principles.adapter_share(shape, 16, targets) == pytest.approx(percent, abs=0.0005)

    def test_are_1600_times_fewer_on_7_b(self):
        assert principles.times_fewer("llama-2-7b", 8, QV) == pytest.approx(1_600, rel=0.01)

    def test_are_10000_times_fewer_on_gpt_3(self):
        fewer = principles.times_fewer_in_squares(175e9, layers=96, width=12288, modules=2, rank=4)
        assert fewer == pytest.approx(10_000, rel=0.1)

    def test_counts_a_model_of_squares_as_it_counts_a_shape(self):
        of_shape = principles.times_fewer("llama-2-7b", 8, QV)
        in_squares = principles.times_fewer_in_squares(principles.parameters("llama-2-7b"), 32, 4096, 2, 8)
        assert in_squares == of_shape

    def test_of_a_rank_that_a_layer_does_not_have_are_refused(self):
        with pytest.raises(UserError, match="rank 5000"):
            principles.trained_parameters("llama-2-7b", 5000, QV)


class TestBytesOfFullFineTuning:
    @pytest.mark.parametrize(
        ("recipe", "count"),
        [("amp", 16), ("amp, float32 gradients", 20), ("bfloat16", 8), ("bfloat16, float32 gradients", 10)],
    )
    def test_a_parameter(self, recipe, count):
        assert principles.bytes_a_parameter(recipe) == count

    @pytest.mark.parametrize(
        ("parameters", "recipe", "gigabytes"),
        [(7e9, "bfloat16", 56), (7e9, "amp", 112), (7e9, "amp, float32 gradients", 140), (70e9, "bfloat16", 560)],
    )
    def test_of_a_model(self, parameters, recipe, gigabytes):
        assert principles.training_bytes(parameters, recipe) == gigabytes * 10**9

    def test_of_an_unknown_recipe_are_refused(self):
        with pytest.raises(UserError, match="recipe 'fp8': there is none such"):
            principles.bytes_a_parameter("fp8")


class TestFourBits:
    def test_take_4_127_bits_with_double_quantisation(self):
        assert principles.bits_a_weight(True) == pytest.approx(4.127, abs=0.0005)
        assert principles.bits_a_weight(False) == 4.5

    def test_double_quantisation_saves_0_373_bits(self):
        assert principles.bits_saved() == pytest.approx(0.373, abs=0.0005)

    def test_nearly_as_much_on_real_layers_with_their_tables(self):
        saved = principles.bits_saved_on("llama-2-7b")
        assert saved < principles.bits_saved()
        assert saved == pytest.approx(0.373, abs=0.001)

    def test_7_b_takes_3_6_gib(self):
        assert principles.base_bytes("llama-2-7b", "qlora") / 2**30 == pytest.approx(3.6, abs=0.05)

    def test_7_b_in_bfloat16_takes_13_5_gb(self):
        assert principles.base_bytes("llama-2-7b", "lora") / 10**9 == pytest.approx(13.5, abs=0.05)

    def test_70_b_takes_36_gb_and_its_embeddings(self):
        linear = 70e9 * principles.bits_a_weight(True) / 8
        assert linear / 10**9 == pytest.approx(36, abs=0.2)
        assert linear < principles.base_bytes("llama-3.1-70b", "qlora") < linear + 5 * 10**9


class TestOperations:
    def test_full_fine_tuning_takes_half_as_much_again(self):
        assert principles.flops_ratio(recomputation=False) == 1.5

    def test_a_third_more_with_recomputation(self):
        assert principles.flops_ratio(recomputation=True) == pytest.approx(1.33, abs=0.005)

    def test_cost_what_throughput_and_price_say(self):
        asked = {"tokens": 1e9, "flops_a_second": 1e15, "dollars_an_hour": 2}
        full = principles.dollars("llama-2-7b", full=True, **asked)
        assert full == pytest.approx(6 * 6.738e9 * 1e9 / 1e15 / 3600 * 2, rel=0.001)
        assert full / principles.dollars("llama-2-7b", full=False, **asked) == pytest.approx(1.5)


@pytest.mark.parametrize("share", [0.682, 0.679, 0.675])
def test_a_score_of_mmlu_is_known_to_0_77_points(share):
    assert 100 * principles.score_interval(share, 14_042) == pytest.approx(0.77, abs=0.005)


@pytest.mark.parametrize(("card", "times"), [(16, 35), (8, 70)])
def test_560_gb_over_a_card_is_the_claimed_ratio(card, times):
    gigabytes = principles.training_bytes(70e9, "bfloat16") / 10**9
    assert principles.ratio(gigabytes, card) == times


class TestMemory:
    @pytest.mark.parametrize("method", ["lora", "qlora"])
    def test_of_a_step_is_no_more_below_full_fine_tunings_than_what_stands_allows(self, method):
        at_most = principles.memory_ratio_at_most("llama-2-7b", "amp, float32 gradients", method, 8)
        for batch in (1, 8):
            for checkpointing in (False, True):
                asked = {"length": 2048, "batch": batch, "checkpointing": checkpointing}
                assert principles.memory_ratio("llama-2-7b", "full_sft amp", method, 8, **asked) < at_most

    def test_the_largest_batch_is_what_fit_says(self):
        shape, limit = read_shape("llama-2-7b"), 23 * 10**9
        way = next(way for way in ways(["qlora"], [16], "adamw", "all-linear") if way.recipe.checkpointing)
        (fit,) = fits(shape, [way], [2048], limit)
        assert principles.largest_batch("llama-2-7b", "qlora", 16, 2048, "24GB", checkpointing=True) == fit.batch > 0

    def test_nothing_fits_where_the_weights_do_not(self):
        assert principles.largest_batch("llama-2-7b", "lora", 8, 512, "14GB", checkpointing=True) == 0

    def test_of_an_unknown_method_is_refused(self):
        with pytest.raises(UserError, match="method 'dora': there is none such"):
            principles.base_bytes("llama-2-7b", "dora")


def test_every_calculation_says_where_it_comes_from_or_what_it_is():
    assert all(calculation.function.__doc__ for calculation in principles.CALCULATIONS.values())
