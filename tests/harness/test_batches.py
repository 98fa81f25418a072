"""How examples become forward passes: of each kind the longest is told."""

from harness.batches import longest_batches
from harness.data.tokenise import Encoded
from harness.predict.recipe import Batch


def sft(*lengths: int) -> list[Encoded]:
    return [{"input_ids": [0] * length, "completion_mask": [1] * length} for length in lengths]


def pair(prompt: int, chosen: int, rejected: int) -> Encoded:
    return {"prompt_ids": [0] * prompt, "chosen_ids": [0] * chosen, "rejected_ids": [0] * rejected}


def test_rows_are_padded_to_the_longest_of_their_batch() -> None:
    assert longest_batches(sft(5, 7), batch_size=2, micro_batch_size=2) == (Batch(2, 7, padded=True),)


def test_rows_of_one_length_need_no_padding() -> None:
    assert longest_batches(sft(7, 7), batch_size=2, micro_batch_size=2) == (Batch(2, 7),)


def test_of_several_steps_the_longest_of_each_kind_is_told() -> None:
    found = longest_batches(sft(5, 7, 9, 9, 2, 3, 4, 4), batch_size=2, micro_batch_size=2)

    assert found == (Batch(2, 7, padded=True), Batch(2, 9))


def test_a_later_part_of_a_step_meets_the_gradients_of_the_first() -> None:
    found = longest_batches(sft(5, 5, 8, 6), batch_size=4, micro_batch_size=2)

    assert found == (Batch(2, 5), Batch(2, 8, padded=True, accumulated=True))


def test_packed_examples_are_one_row_as_long_as_all_of_them() -> None:
    found = longest_batches(sft(5, 7, 9, 2), batch_size=4, micro_batch_size=2, packing=True)

    assert found == (Batch(1, 12, packed=(5, 7)), Batch(1, 11, packed=(9, 2), accumulated=True))


def test_one_example_alone_is_not_packed() -> None:
    assert longest_batches(sft(5), batch_size=1, micro_batch_size=1, packing=True) == (Batch(1, 5),)


def test_a_pair_is_two_rows_its_prompt_with_each_answer() -> None:
    assert longest_batches([pair(3, 4, 2)], batch_size=1, micro_batch_size=1) == (Batch(2, 7, padded=True),)
