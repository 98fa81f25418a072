"""How the user names a side."""

import sys

import pytest

from harness.errors import UserError
from harness.gate.setting import parse_setting


def test_settings_are_overrides_of_the_matrix():
    assert parse_setting("kernels.attention=eager threads=2").overrides == ("kernels.attention=eager", "threads=2")


def test_a_value_may_hold_an_equals_sign_and_spaces_in_quotes():
    assert parse_setting("a='x = y'").overrides == ("a=x = y",)


def test_nothing_is_the_matrix_as_it_is():
    assert parse_setting("").overrides == ()
    assert parse_setting("").name == "as the matrix says"


def test_an_interpreter_is_named_by_its_path(tmp_path):
    other = tmp_path / "python"
    other.write_text("")
    assert parse_setting(f"python={other} threads=2").python == str(other)
    assert parse_setting(f"python={other} threads=2").overrides == ("threads=2",)


def test_this_interpreter_needs_no_other_process():
    assert parse_setting(f"python={sys.executable}").python is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("eager", "'eager' is no KEY=VALUE"),
        ("=eager", "'=eager' is no KEY=VALUE"),
        ("python=/nowhere", "no interpreter /nowhere"),
        ("threads='2", "No closing quotation"),
    ],
)
def test_what_means_nothing_is_told_in_a_line(text, told):
    with pytest.raises(UserError, match=told) as error:
        parse_setting(text)
    assert len(error.value.lines) == 1
