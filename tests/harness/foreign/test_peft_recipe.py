"""Runs of peft's method comparison match by configuration, whatever the date, the layout and the name."""

import pytest

from harness import identity
from harness.foreign import peft_recipe
from harness.foreign.peft_files import Result
from tests.harness.foreign.peft_results import LORA, a_result, as_of_june_2025


def cell(result):
    parsed = Result.model_validate(result)
    return identity.cell_id(peft_recipe.recipe(parsed), peft_recipe.execution(parsed))


def eval_decoding(result):
    return peft_recipe.decoding(Result.model_validate(result))


def with_options(**options):
    return a_result({"run_info.peft_config": {**LORA, **options}})


class TestTheSameConfiguration:
    def test_in_the_layout_of_another_date(self):
        assert cell(as_of_june_2025(a_result())) == cell(a_result())

    def test_under_another_name(self):
        assert cell(a_result({"run_info.experiment_name": "lora/llama-3.2-3B-rank_32"})) == cell(a_result())

    @pytest.mark.parametrize("off", [None, False, [], {}])
    def test_with_an_option_that_came_later_and_is_off(self, off):
        assert cell(with_options(use_something_new=off)) == cell(a_result())

    def test_with_its_modules_in_another_order(self):
        assert cell(with_options(target_modules=["q_proj", "v_proj"])) == cell(a_result())

    def test_evaluated_more_often(self):
        assert cell(a_result({"run_info.train_config.eval_steps": 100})) == cell(a_result())

    def test_of_bone_before_it_was_called_miss(self):
        old = {"peft_type": "BONE", "r": 64, "init_weights": "bat", "bias": "none"}
        new = {**old, "peft_type": "MISS", "miss_dropout": 0.0, "mini_r": 1}
        assert cell(a_result({"run_info.peft_config": old})) == cell(a_result({"run_info.peft_config": new}))

    def test_of_adalora_whatever_ranks_it_found(self):
        given = {"peft_type": "ADALORA", "r": 8, "target_r": 32, "rank_pattern": None}
        found = {**given, "rank_pattern": {"model.layers.0.self_attn.q_proj.lora_E": [True, False]}}
        assert cell(a_result({"run_info.peft_config": given})) == cell(a_result({"run_info.peft_config": found}))

    def test_asks_the_same_questions(self):
        assert eval_decoding(as_of_june_2025(a_result())) == eval_decoding(a_result())


class TestAnotherConfiguration:
    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("run_info.peft_config.r", 64),
            ("run_info.peft_config.use_dora", True),
            ("run_info.peft_config.qalora_group_size", 32),
            ("run_info.peft_config.target_modules", ["q_proj"]),
            ("run_info.peft_config", None),
            ("run_info.train_config.optimizer_kwargs", {"lr": 1e-4}),
            ("run_info.train_config.optimizer_kwargs", {"lr": 1e-4, "weight_decay": 0.0}),
            ("run_info.train_config.optimizer_type", "lora-fa"),
            ("run_info.train_config.autocast_adapter_dtype", False),
            ("run_info.train_config.use_gc", True),
            ("run_info.train_config.seed", 1),
            ("run_info.train_config.max_steps", 1000),
            ("run_info.train_config.something_new", 3),
            ("meta_info.model_info.sha", "another"),
        ],
    )
    def test_has_another_id(self, key, value):
        assert cell(a_result({key: value})) != cell(a_result())

    def test_an_optimizer_without_weight_decay_is_not_one_with_none(self):
        absent = a_result({"run_info.train_config.optimizer_kwargs": {"lr": 1e-4}})
        none = a_result({"run_info.train_config.optimizer_kwargs": {"lr": 1e-4, "weight_decay": 0.0}})
        assert cell(absent) != cell(none)

    def test_rank_pattern_counts_where_it_was_asked_for(self):
        assert cell(with_options(rank_pattern={"q_proj": 8})) != cell(a_result())

    def test_longer_answers_are_another_eval(self):
        longer = a_result({"run_info.train_config.generation_kwargs": {"max_new_tokens": 512}})
        assert eval_decoding(longer) != eval_decoding(a_result())


def test_learning_rates_of_one_configuration_are_one_arm():
    arms = set()
    for rate in (1e-4, 1e-3):
        result = Result.model_validate(a_result({"run_info.train_config.optimizer_kwargs": {"lr": rate}}))
        arms.add(identity.arm_id(peft_recipe.recipe(result), peft_recipe.execution(result)))
    assert len(arms) == 1


@pytest.mark.parametrize(
    ("config", "rank"),
    [
        (LORA, 32),
        ({"peft_type": "ADALORA", "r": 8, "target_r": 32}, 32),
        ({"peft_type": "LN_TUNING"}, None),
        (None, None),
    ],
)
def test_the_rank_is_the_adapters(config, rank):
    assert peft_recipe.rank(Result.model_validate(a_result({"run_info.peft_config": config}))) == rank
