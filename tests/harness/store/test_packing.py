"""Items as blobs: what goes in comes out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.store.packing import (
    FloatLists,
    pack_bits,
    pack_floats,
    pack_texts,
    unpack_bits,
    unpack_floats,
    unpack_outcomes,
    unpack_texts,
)


@given(st.lists(st.none() | st.booleans()))
def test_right_wrong_and_unknown(flags):
    assert unpack_bits(pack_bits(flags)) == flags


@given(st.lists(st.lists(st.floats(width=32, allow_nan=False), max_size=5)))
def test_lists_of_floats_of_any_length(rows):
    assert unpack_floats(pack_floats(rows)) == rows


@given(st.lists(st.none() | st.booleans()))
def test_outcomes_are_the_same_as_numbers(flags):
    expected = [np.nan if flag is None else float(flag) for flag in flags]
    assert np.array_equal(unpack_outcomes(pack_bits(flags)), expected, equal_nan=True)


def test_lists_of_one_float_each_are_one_column():
    assert FloatLists(pack_floats([[0.5], [-2.0]])).singles().tolist() == [0.5, -2.0]


@pytest.mark.parametrize("rows", [[[0.5], [-2.0, 1.0]], [[0.5], []], []])
def test_other_lists_are_no_column(rows):
    assert FloatLists(pack_floats(rows)).singles() is None


def test_lists_are_read_like_any_sequence():
    lists = FloatLists(pack_floats([[0.5, 1.0], []]))
    assert (len(lists), lists[0], list(lists)) == (2, [0.5, 1.0], [[0.5, 1.0], []])


@given(st.lists(st.text()))
def test_texts_of_any_language(texts):
    assert unpack_texts(pack_texts(texts)) == texts


def test_a_thousand_outcomes_take_little_room():
    flags = [bool(f) for f in np.random.default_rng(0).integers(0, 2, 1000)]
    assert len(pack_bits(flags)) < 300
