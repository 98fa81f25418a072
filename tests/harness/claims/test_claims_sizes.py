"""How many parameters a base has: counted on it where anything ran, else those of a shape of its name."""

import pytest

from harness.claims.held import read_held
from harness.claims.sizes import base_parameters
from harness.predict.parameters import total
from harness.predict.shapes import read_shape
from tests import factory
from tests.factory import ARMS, GPU, make_database
from tests.harness.claims.made import end_by_memory

SMALL = {name: ARMS[name] for name in ("base", "lora")}


@pytest.fixture
def sized(tmp_path, monkeypatch):
    def make(base, *others):
        """As of a file in which no run on ``base`` counted anything, beside ``others``."""
        monkeypatch.setitem(factory.BASES, base, 1_000_000)
        path = make_database(tmp_path / "short.db", arms=SMALL, bases=[base], facts=GPU)
        end_by_memory(path, "lora", purpose="quality")
        results = read_held([path, *others])
        held = results[0]
        return base_parameters(held, next(iter(held.entries)), results)

    return make


def test_is_counted_on_it(tmp_path):
    (held,) = read_held([make_database(tmp_path / "r.db", arms=SMALL, bases=["pocket-1m"])])
    assert {base_parameters(held, arm, [held]) for arm in held.entries} == {900_000}


def test_is_what_other_results_counted_on_the_same_weights(sized, tmp_path):
    other = make_database(tmp_path / "other.db", arms=SMALL, bases=["pocket-1m", "pocket-0.2m"])
    assert sized("pocket-1m", other) == 900_000


def test_is_else_that_of_the_shape_of_its_name(sized):
    assert sized("llama-2-7b") == total(read_shape("llama-2-7b"))


@pytest.mark.parametrize("name", ["mine", ".", "/etc", "../llama-2-7b"])
def test_of_any_other_name_is_not_known_and_no_file_is_read_for_it(sized, name):
    assert sized(name) is None
