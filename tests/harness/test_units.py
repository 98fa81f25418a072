"""Sizes are read as people write them; anything else is one clear line."""

import pytest

from harness.errors import UserError
from harness.units import parse_size


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
