"""What fits: the search, and that more of anything never needs less."""

import pytest

from harness.predict.fit import METHODS, bytes_on_device, fits, largest, ways
from harness.predict.shapes import read_shape

GB = 10**9


@pytest.mark.parametrize("limit", [0, 1, 2, 3, 7, 8, 9, 99, 100, 1000])
def test_the_largest_number_that_fits(limit: int) -> None:
    assert largest(lambda number: number, limit, most=100) == min(limit, 100)


@pytest.mark.parametrize("limit", [0, 50, 99, 100, 101, 130, 200, 201, 500, 10_000])
def test_it_is_found_where_the_need_grows_unevenly(limit: int) -> None:
    needs = [0, *(100 + 3 * number + (number > 10) * 20 + (number > 20) * 9 * (number - 20) for number in range(1, 51))]

    assert largest(needs.__getitem__, limit, most=50) == max(n for n in range(51) if needs[n] <= limit)


@pytest.mark.parametrize("method", METHODS)
def test_the_batch_fits_and_one_more_does_not(method: str) -> None:
    shape = read_shape("llama-3.2-1b")
    limit = 40 * GB
    for fit in fits(shape, ways([method], [8], "adamw", "all-linear"), [512, 2048], limit):
        assert fit.batch > 0
        assert bytes_on_device(shape, fit.way, fit.length, fit.batch) <= limit
        assert bytes_on_device(shape, fit.way, fit.length, fit.batch + 1) > limit


def test_nothing_fits_into_less_than_the_weights() -> None:
    found = fits(read_shape("llama-2-7b"), ways(["full_sft", "lora"], [8], "adamw", "all-linear"), [512], 13 * GB)

    assert [fit.batch for fit in found] == [0, 0, 0, 0]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("checkpointing", [False, True])
def test_longer_sequences_and_larger_batches_need_more(method: str, checkpointing: bool) -> None:
    shape = read_shape("llama-3.1-8b")
    way = ways([method], [8], "adamw", "all-linear")[checkpointing]
    needs = [[bytes_on_device(shape, way, length, examples) for examples in (1, 2, 4)] for length in (512, 1024, 4096)]

    for row in [*needs, *zip(*needs, strict=True)]:
        assert list(row) == sorted(set(row))


def test_a_lower_rank_an_8_bit_optimizer_and_4_bit_weights_need_less() -> None:
    shape = read_shape("llama-3.1-8b")

    def needs(method: str, rank: int = 8, optimizer: str = "adamw") -> int:
        return bytes_on_device(shape, ways([method], [rank], optimizer, "all-linear")[0], 1024, 1)

    assert needs("qlora") < needs("lora") < needs("lora", 64) < needs("full_sft") < needs("full_sft amp")
    assert needs("full_sft", optimizer="adamw_8bit") < needs("full_sft")
    assert needs("full_sft", optimizer="paged_adamw_8bit") < needs("full_sft", optimizer="adamw_8bit")
    assert needs("lora") < needs("dpo on lora")
