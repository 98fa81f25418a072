"""Items as blobs: what goes in comes out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.store.packing import pack_bits, pack_floats, pack_texts, unpack_bits, unpack_floats, unpack_texts


@given(st.lists(st.none() | st.booleans()))
def test_right_wrong_and_unknown(flags):
    assert unpack_bits(pack_bits(flags)) == flags


@given(st.lists(st.lists(st.floats(width=32, allow_nan=False), max_size=5)))
def test_lists_of_floats_of_any_length(rows):
    assert unpack_floats(pack_floats(rows)) == rows


@given(st.lists(st.text()))
def test_texts_of_any_language(texts):
    assert unpack_texts(pack_texts(texts)) == texts


def test_a_thousand_outcomes_take_little_room():
    flags = [bool(f) for f in np.random.default_rng(0).integers(0, 2, 1000)]
    assert len(pack_bits(flags)) < 300
