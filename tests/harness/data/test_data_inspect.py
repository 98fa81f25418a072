"""The report before training counts what it finds, shows the first of it, and is quick."""

import pytest

from harness.data.inspect import Finding, inspect


def pairs(*texts: str) -> list[dict[str, str]]:
    return [{"prompt": text, "completion": "yes"} for text in texts]


LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"


def test_lengths_are_told_by_rank():
    report = inspect(list(range(100, 0, -1)), pairs(*map(str, range(100))), [], sequence_length=90)
    lengths = report.length_min, report.length_median, report.length_p95, report.length_max, report.over_length
    assert lengths == (1, 50, 95, 100, 10)


def test_a_record_as_long_as_the_sequence_is_not_over_it():
    assert inspect([8, 9], pairs("a", "b"), [], sequence_length=8).over_length == 1


def test_duplicates_are_counted_once_as_exact_or_as_near():
    examples = pairs(LONG, "other", f"  {LONG}\n", f"{LONG} seventeen")
    report = inspect([1] * 4, examples, [], 8)
    assert report.exact_duplicates == Finding(1, [(2, 0)])
    assert report.near_duplicates == Finding(1, [(3, 0)])


def test_the_same_prompt_with_another_answer_is_no_exact_duplicate():
    examples = [{"prompt": "a", "completion": "b"}, {"prompt": "a", "completion": "c"}]
    assert inspect([1, 1], examples, [], 8).exact_duplicates.count == 0


def test_eval_items_are_found_in_chats_whatever_their_case_and_punctuation():
    turns = [{"role": "user", "content": "Tell me: What is the BEST colour?"}, {"role": "assistant", "content": "Red"}]
    report = inspect([1], [{"messages": turns}], ["Who is the best?", "what is the best colour"], 8)
    assert report.contaminated == Finding(1, [(1, 0)])


def test_the_lines_name_every_count_and_number_from_one():
    examples = pairs(LONG, "other", LONG, LONG, LONG, LONG)
    lines = inspect([5, 5, 5, 5, 5, 9], examples, [LONG, "absent item here"], 8).lines()
    assert lines == [
        "records: 6",
        "lengths in tokens: 5 to 9, median 5, 95 % up to 9",
        "longer than 8 tokens: 1",
        "exact duplicates: 4 (example 3 repeats example 1, example 4 repeats example 1, "
        "example 5 repeats example 1, ...)",
        "near duplicates (80 % of 8-word runs): 0",
        "eval items in the data: 1 (item 1 in example 1) of 2 looked for",
    ]


@pytest.mark.parametrize(("lengths", "examples"), [([], []), ([1], pairs("a", "b"))])
def test_lengths_must_be_those_of_the_examples(lengths, examples):
    with pytest.raises(ValueError, match="one for each"):
        inspect(lengths, examples, [], 8)
