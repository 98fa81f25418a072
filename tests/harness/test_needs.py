"""What an arm of a matrix will need: of the device it runs on, at the longest examples it may meet."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.analysis.costs import ALLOCATED, LEDGER
from harness.arms import Arm, build_arms
from harness.errors import UserError
from harness.limits import MemoryLimit
from harness.matrix import load_matrix
from harness.mixes import MixLibrary
from harness.needs import forecast, need_at_most, need_for
from harness.predict.recipe import Batch
from tests.small_suite import small_suite

SHORT, LONG = Batch(16, 20, padded=True), Batch(16, 40, padded=True)


@pytest.fixture
def arms(tmp_path: Path) -> dict[str, Arm]:
    matrix = load_matrix(small_suite(tmp_path / "suite"), ("micro_batch_size=4",))
    return {arm.label: arm for arm in build_arms(matrix, MixLibrary(tmp_path / "data", matrix.folder), "cpu")}


def test_of_several_batches_it_is_the_one_that_needs_most(arms: dict[str, Arm]) -> None:
    need = need_for(arms["full_sft"], "cpu", [LONG, SHORT])

    assert (need.batch, need.peak_bytes) == (LONG, need_for(arms["full_sft"], "cpu", [LONG]).peak_bytes)


def test_a_cpus_peak_is_what_the_ledger_counts_a_gpus_has_temporaries_too(arms: dict[str, Arm]) -> None:
    on_cpu, on_gpu = (need_for(arms["full_sft"], device, [LONG]) for device in ("cpu", "cuda:0"))

    assert on_cpu.peak_bytes == on_cpu.memory.counted < on_cpu.memory.total
    assert on_gpu.peak_bytes == on_gpu.memory.total
    assert (on_cpu.measure, on_gpu.measure) == (LEDGER, ALLOCATED)


def test_what_a_paged_optimizer_keeps_on_the_host_is_told_apart_and_not_in_a_gpus_peak(arms: dict[str, Arm]) -> None:
    arm = replace(arms["full_sft"], stage={**arms["full_sft"].stage, "optimizer": {"name": "paged_adamw_8bit"}})
    arm = replace(arm, base=replace(arm.base, config={**arm.base.config, "intermediate_size": 4096}))

    need = need_for(arm, "cuda", [LONG])

    assert need.paged > 0
    assert need.peak_bytes == need.memory.total - need.paged == sum(need.by_component().values())


def test_at_most_is_a_part_of_a_step_of_the_mixs_longest_examples(arms: dict[str, Arm]) -> None:
    arm = arms["full_sft"]
    assert arm.mix is not None

    assert need_at_most(arm, "cpu").batch == Batch(4, arm.mix.longest, padded=True, accumulated=True)


def test_a_pair_is_two_rows(arms: dict[str, Arm]) -> None:
    assert need_at_most(arms["dpo"], "cpu").batch.rows == 8


def test_examples_of_one_length_are_not_padded(arms: dict[str, Arm]) -> None:
    arm = arms["full_sft"]
    assert arm.mix is not None
    even = replace(arm, mix=replace(arm.mix, shortest=arm.mix.longest))

    assert not need_at_most(even, "cpu").batch.padded


def test_packed_examples_stand_in_one_row(arms: dict[str, Arm]) -> None:
    arm = arms["full_sft"]
    assert arm.mix is not None
    packed = replace(arm, execution={**arm.execution, "packing": True, "micro_batch_size": 4})

    found = need_at_most(packed, "cpu").batch

    assert found == Batch(1, 4 * arm.mix.longest, packed=(arm.mix.longest,) * 4, accumulated=True)


def test_a_base_that_is_none_of_the_known_families_is_not_predicted(arms: dict[str, Arm]) -> None:
    gpt = replace(arms["full_sft"].base, config={"model_type": "gpt2"})

    with pytest.raises(UserError, match=r"pocket-0\.2m: model_type 'gpt2' is not predicted yet"):
        need_for(replace(arms["full_sft"], base=gpt), "cpu", [LONG])


def test_a_third_partys_method_is_not_predicted(arms: dict[str, Arm]) -> None:
    own = replace(arms["full_sft"], stage={**arms["full_sft"].stage, "source": "1234"})

    with pytest.raises(UserError, match="full_sft: a method of a third party is not predicted"):
        need_for(own, "cpu", [LONG])


def test_a_limit_has_room_for_what_leaves_its_overhead(arms: dict[str, Arm]) -> None:
    need = need_for(arms["full_sft"], "cuda", [LONG])

    assert need.fits(MemoryLimit(need.peak_bytes + 10, 10))
    assert not need.fits(MemoryLimit(need.peak_bytes + 9, 10))


def test_what_will_not_fit_takes_those_along_that_start_from_it(arms: dict[str, Arm]) -> None:
    found = forecast(list(arms.values()), "cpu", MemoryLimit(need_at_most(arms["full_sft"], "cpu").peak_bytes - 1))

    assert found.unfit == [arms["full_sft"], arms["dpo"]]


def test_without_a_limit_everything_fits_and_what_trains_nothing_needs_nothing(arms: dict[str, Arm]) -> None:
    found = forecast(list(arms.values()), "cpu")

    assert (set(found.needs), found.unfit) == ({arms["full_sft"], arms["dpo"]}, [])


def test_what_is_not_predicted_says_why(arms: dict[str, Arm]) -> None:
    compiled = replace(arms["full_sft"], execution={**arms["full_sft"].execution, "compile": True})

    found = forecast([compiled], "cpu", MemoryLimit(1))

    assert (found.unknown, found.unfit) == ({compiled: "compile: not predicted yet"}, [])
