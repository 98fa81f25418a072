"""P values are corrected as the two papers say, and an unknown one is no test."""

import numpy as np
import pytest

from harness.analysis.corrections import benjamini_hochberg, holm


def test_holm_multiplies_the_smallest_by_all_and_never_lets_a_later_one_fall_below():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_benjamini_hochberg_multiplies_by_all_over_the_place_and_never_lets_an_earlier_one_rise_above():
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])


def test_benjamini_hochberg_finds_the_four_of_fifteen_of_the_papers_own_example():
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    p += [0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert (benjamini_hochberg(p) < 0.05).sum() == 4
    assert (holm(p) < 0.05).sum() == 3


@pytest.mark.parametrize("correct", [holm, benjamini_hochberg])
def test_an_unknown_p_value_stays_unknown_and_uncounted(correct):
    corrected = correct([np.nan, 0.02])
    assert np.isnan(corrected[0])
    assert corrected[1] == 0.02


@pytest.mark.parametrize("correct", [holm, benjamini_hochberg])
def test_nothing_is_corrected_to_more_than_1(correct):
    assert correct([0.9, 0.8, 1.0]).max() == 1


def test_pure_noise_makes_holm_claim_anything_in_about_5_of_100_tables():
    rng = np.random.default_rng(0)
    claims = [(holm(rng.random(20)) < 0.05).any() for _ in range(4000)]
    assert 0.04 <= np.mean(claims) <= 0.06
