"""Which bounds count as met."""

import pytest

from benchmarks.gate.bench_gate import _met
from benchmarks.gate.real import BENIGN, FAULTS, REAL, Outcome


def outcome(found: int, trials: int, benign: bool, kind: str = REAL) -> Outcome:
    return Outcome("planted", kind, trials, found, benign)


@pytest.mark.parametrize(("found", "met"), [(32, True), (31, False)])
def test_a_fault_is_found_as_surely_as_its_trials_can_say(found, met):
    one = outcome(found, 32, benign=False)
    assert _met(one, [one]) is met


def test_benign_changes_of_real_runs_are_trials_of_one_rate():
    few, many = [outcome(0, 32, benign=True)], [outcome(0, 32, benign=True) for _ in range(4)]
    assert not _met(few[0], few)
    assert _met(many[0], many)


def test_a_benign_change_that_is_called_worse_is_missed_whatever_the_others_do():
    several = [outcome(1, 32, benign=True), *(outcome(0, 500, benign=True) for _ in range(4))]
    assert not _met(several[0], several)
    assert _met(several[1], several)


@pytest.mark.parametrize(("found", "met"), [(10, True), (12, False)])
def test_drawn_checks_are_a_rate_of_their_own(found, met):
    one = outcome(found, 600, benign=True, kind="Monte Carlo")
    assert _met(one, [one, outcome(0, 5000, benign=True)]) is met


def test_variants_of_the_same_settings_share_their_runs_and_others_do_not():
    by_slug = {variant.slug: variant.settings for variant in (*FAULTS, *BENIGN)}
    assert len(by_slug) == len({variant.settings for variant in (*FAULTS, *BENIGN)})
