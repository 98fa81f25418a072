"""A command that reads and ends is not searched for garbage; what runs after it is again."""

import gc

import pytest

from harness.commands.uncollected import uncollected


def test_no_garbage_is_searched_for_inside_and_is_again_afterwards():
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_command_that_fails_leaves_it_on_too():
    @uncollected()
    def fail() -> None:
        raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert gc.isenabled()
