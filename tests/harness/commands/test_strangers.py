"""What a snapshot's made-up rows break is told in a line; what breaks without one shows where it comes from."""

import pytest

from harness.commands.strangers import rows_of_strangers
from harness.errors import UserError


def test_an_error_over_a_snapshot_names_it(tmp_path):
    told = "one: its rows are none that runs leave behind: KeyError: 'x'"
    (tmp_path / "one").mkdir()
    with pytest.raises(UserError, match=told), rows_of_strangers(tmp_path / "mine.db", tmp_path / "one"):
        {}["x"]


def test_an_error_over_ones_own_results_is_an_error(tmp_path):
    with pytest.raises(KeyError), rows_of_strangers(tmp_path / "mine.db", None):
        {}["x"]


def test_a_mistake_of_the_users_stays_what_it_is(tmp_path):
    with pytest.raises(UserError, match=r"^mine$"), rows_of_strangers(tmp_path):
        raise UserError("mine")
