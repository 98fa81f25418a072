"""Somebody else's published table of 63 runs, one seed each and no items, against copies with planted changes."""

import pytest

from harness.analysis.gate import Rules, exit_code, judge
from harness.foreign import import_foreign
from harness.gate.read import read_side
from harness.sources import open_source
from tests.harness.foreign.shifted import write_noisy, write_shifted

pytestmark = pytest.mark.real

SCORES = ("status", "score", "matrix_score")


@pytest.fixture(scope="module")
def published(shared):
    return shared / "data/peft_method_comparison/2026-07"


def side(folder, db):
    import_foreign("peft-method-comparison", folder, db)
    return read_side(open_source(db))


@pytest.fixture(scope="module")
def original(published, tmp_path_factory):
    return side(published, tmp_path_factory.mktemp("published") / "original.db")


def test_a_shift_of_1_7_points_is_found_over_the_matrix_alone(published, original, tmp_path):
    found = judge(original, side(write_shifted(published, tmp_path / "copy"), tmp_path / "c.db"), Rules(), SCORES)
    assert [one.quantity for one in found if one.verdict == "regressed"] == ["matrix_score"]
    assert exit_code(found) == 1


@pytest.mark.parametrize("seed", range(5))
def test_noise_of_1_4_points_passes(published, original, tmp_path, seed):
    noisy = write_noisy(published, tmp_path / "copy", seed=seed)
    found = judge(original, side(noisy, tmp_path / "c.db"), Rules(), SCORES)
    assert [one.verdict for one in found if one.quantity == "matrix_score"] == ["pass"]
    assert exit_code(found) == 0


def test_what_they_did_not_record_is_not_measured(original):
    found = judge(original, original, Rules(), ("logits", "gradients", "first_losses", "forgetting"))
    assert {one.verdict for one in found} == {"not measured"}
    assert exit_code(found) == 3
