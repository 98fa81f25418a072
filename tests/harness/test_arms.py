"""Arms: what of a matrix makes two cells the same work, which ones are selected, and what a machine cannot run."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from harness.arms import Arm, _check_rank, build_arms, select
from harness.errors import UserError
from harness.matrix import load_matrix
from harness.matrix_files import suite_file
from harness.mixes import MixLibrary
from harness.settings import LATER_KERNELS


@pytest.fixture
def arms(tmp_path: Path):
    """The pocket suite's arms, with whatever is overridden."""

    def build(*overrides: str) -> list[Arm]:
        matrix = load_matrix(suite_file("pocket"), overrides)
        return build_arms(matrix, MixLibrary(tmp_path, matrix.folder), "cpu")

    return build


def named(arms: list[Arm], name: str) -> Arm:
    return next(arm for arm in arms if arm.name == name)


FULL, DPO = "full_sft · pocket-1m", "dpo-full on full_sft · pocket-1m"


class TestTheSameWork:
    def test_a_preference_stage_of_another_batch_size_starts_from_the_same_sft_cell(self, arms):
        found = arms("methods.dpo-full.batch_size=4", "batch_size=16")
        sft, dpo = named(found, FULL), named(found, DPO)

        assert dpo.cell(1e-4, 2, parent_rate=1e-3).stage_ids[0] == sft.cell(1e-3, 2).stage_ids[0]
        assert dpo.execution == sft.execution

    def test_a_batch_in_one_piece_is_the_same_however_it_is_asked_for(self, arms):
        whole = named(arms(), FULL).execution

        assert named(arms("methods.full_sft.micro_batch_size=16"), FULL).execution == whole
        assert named(arms("methods.full_sft.micro_batch_size=8"), FULL).execution != whole

    def test_a_kernel_that_came_later_is_no_part_of_an_execution_that_does_without_it(self, arms):
        plain = named(arms(), FULL).execution

        assert plain.keys().isdisjoint(LATER_KERNELS)
        assert named(arms("kernels.packing=false"), FULL).execution == plain
        assert named(arms("kernels.packing=true"), FULL).execution == {**plain, "packing": True}
        assert named(arms("kernels.loss=whole"), FULL).execution == {**plain, "loss": "whole"}

    def test_rate_and_seed_are_no_part_of_an_arm(self, arms):
        fewer = arms("seeds=1", "methods.full_sft.learning_rate=[7e-4, 9e-4]")

        assert named(fewer, FULL).arm_id == named(arms(), FULL).arm_id

    def test_an_adapters_type_is_no_part_of_full_fine_tuning(self, arms):
        others = arms("precision.adapter=bfloat16")

        assert named(others, FULL).arm_id == named(arms(), FULL).arm_id
        assert named(others, "lora r=8 · pocket-1m").arm_id != named(arms(), "lora r=8 · pocket-1m").arm_id


class TestSelecting:
    def test_a_chosen_arm_brings_its_parent_and_its_base_along(self, arms):
        assert [arm.name for arm in select(arms(), "label=dpo-full")] == ["base · pocket-1m", FULL, DPO]

    def test_keys_narrow_down_and_values_widen(self, arms):
        chosen = select(arms(), "method=lora|full_sft,base=pocket-0.2m")

        assert {arm.name for arm in chosen if arm.trains} == {"full_sft · pocket-0.2m", "lora r=8 · pocket-0.2m"}

    def test_nothing_that_matches_says_what_there_is(self, arms):
        with pytest.raises(UserError, match=r"a matrix of zero cells.*methods.*lora.*bases pocket-1m"):
            select(arms(), "method=lorra")

    def test_an_unknown_key_is_explained(self, arms):
        with pytest.raises(UserError, match="expected method=, label=, base= or rank="):
            select(arms(), "seed=1")


class TestRefusing:
    def test_a_rank_larger_than_a_layer_names_the_largest_that_fits(self, arms):
        with pytest.raises(UserError, match=r"methods\.lora\.rank: 1000 is larger than a layer of pocket-1m.*128"):
            arms("methods.lora.rank=1000")

    @pytest.mark.parametrize(("targets", "fits"), [("[q_proj]", True), ("'.*q_proj'", True), ("all-linear", False)])
    def test_only_the_layers_that_are_adapted_limit_the_rank(self, targets, fits):
        overrides = (f"methods.lora.target_modules={targets}", "methods.lora.rank=16")
        lora = next(v for v in load_matrix(suite_file("pocket"), overrides).variants if v.label == "lora")
        shapes = {"model.layers.0.mlp.gate": (8, 64), "model.layers.0.self_attn.q_proj": (64, 64)}

        with nullcontext() if fits else pytest.raises(UserError, match="the largest that fits is 8"):
            _check_rank(lora, shapes, "m.yaml")

    def test_several_rates_need_a_task_to_choose_by(self, arms):
        with pytest.raises(UserError, match=r"3 learning rates to choose from, but no validation task.*selection\.sft"):
            arms("selection.sft=null")

    @pytest.mark.parametrize(
        ("override", "reason"),
        [
            ("kernels.attention=flash_attention_2", "flash_attention_2 needs a CUDA device"),
            ("kernels.liger=true", "kernels.liger needs a CUDA device"),
            ("kernels.loss=liger", "kernels.loss: liger needs a CUDA device"),
            ("optimizer.name=adamw_8bit", "adamw_8bit needs a CUDA device"),
        ],
    )
    def test_what_this_machine_lacks_is_a_reason_in_the_plan(self, arms, override, reason):
        assert reason in (named(arms(override), FULL).refusal or "")

    def test_flash_attention_2_does_not_compute_in_float32(self, tmp_path, monkeypatch):
        monkeypatch.setattr("harness.arms.find_spec", lambda name: object())
        matrix = load_matrix(suite_file("pocket"), ("kernels.attention=flash_attention_2",))

        found = build_arms(matrix, MixLibrary(tmp_path, matrix.folder), "cuda")

        assert "computes in bfloat16 or float16, precision.compute is float32" in (named(found, FULL).refusal or "")

    @pytest.mark.parametrize(
        ("override", "reason"),
        [
            ("kernels.packing=true", "kernels.packing: TRL packs no preference pairs"),
            ("kernels.loss=whole", "kernels.loss: whole: TRL computes DPO's loss chunked"),
        ],
    )
    def test_what_trl_does_not_do_for_preference_pairs(self, arms, override, reason):
        found = arms(override)

        assert named(found, FULL).refusal is None
        assert named(found, DPO).refusal == reason
