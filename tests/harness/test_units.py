"""Sizes and counts are read as people write them; anything else is one clear line."""

import pytest

from harness.errors import UserError
from harness.units import parse_count, parse_size, plain_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("24GB", 24 * 10**9),
        ("24GiB", 24 * 2**30),
        ("800 MiB", 800 * 2**20),
        ("1.5gib", 1.5 * 2**30),
        ("512kb", 512_000),
        ("100B", 100),
    ],
)
def test_a_size_is_bytes(text, size):
    assert parse_size("--vram", text) == size


@pytest.mark.parametrize("text", ["24", "GB", "24 apples", "-3GB", "0GB", "", "1e3GB", "24GB extra"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(UserError, match=r"--vram .*expected a size above zero with its unit, as in 24GB"):
        parse_size("--vram", text)


@pytest.mark.parametrize(
    ("text", "count"), [("10M", 10**7), ("1.5B", 1.5 * 10**9), ("500k", 500_000), ("7", 7), ("2 t", 2 * 10**12)]
)
def test_a_count_is_a_number(text, count):
    assert parse_count("--tokens", text) == count


@pytest.mark.parametrize("text", ["", "M", "-3M", "0", "0.4", "10 apples", "1e6", "10MB"])
def test_what_is_no_count_is_refused(text):
    with pytest.raises(UserError, match=r"--tokens .*expected a number above zero, as in 10M, 1.5B or 500000"):
        parse_count("--tokens", text)


@pytest.mark.parametrize("parse", [parse_size, parse_count])
@pytest.mark.parametrize("digits", ["9" * 400, "9" * 5000, f"1{'0' * 20}"])
def test_more_than_a_machine_counts_is_refused(parse, digits):
    with pytest.raises(UserError, match=r"--vram 9*(10+)?B: expected at most 1e\+18"):
        parse("--vram", f"{digits}B")


@pytest.mark.parametrize("text", ["24 GB", "24 GiB", "1.5 GB", "300 MB", "1 TiB", "7 B"])
def test_a_size_is_told_in_the_unit_that_it_was_given_in(text):
    assert plain_size(parse_size("--vram", text)) == text


def test_a_size_of_many_digits_is_rounded():
    assert plain_size(26_378_116) == "25.2 MiB"
