"""Ids: the same for the same meaning and another for another, whatever the order of keys or the form of a number."""

import json
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import identity

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)

STAGE = {"kind": "sft", "method": "lora", "parameters": {"rank": 8}, "learning_rate": 1e-3, "seed": 1, "steps": 100}
EXECUTION = {"attention": "sdpa", "micro_batch_size": 16, "threads": 1}


def recipe(**changes):
    return {"base_digest": "b", "stages": [{**STAGE, **changes}]}


@given(JSON)
def test_canonical_json_survives_a_round_trip(value):
    text = identity.canonical_json(value)
    assert identity.canonical_json(json.loads(text)) == text


@given(st.dictionaries(st.text(), JSON, min_size=2))
def test_the_order_of_keys_changes_no_id(value):
    assert identity.digest("x", value) == identity.digest("x", dict(reversed(value.items())))


def test_a_whole_number_is_the_same_as_integer_and_as_float():
    assert identity.digest("x", {"a": 1}) == identity.digest("x", {"a": 1.0})
    assert identity.digest("x", {"a": 1}) != identity.digest("x", {"a": True})


def test_nan_has_no_id():
    with pytest.raises(ValueError):
        identity.canonical_json(float("nan"))


def test_the_kind_of_thing_is_part_of_its_digest():
    assert identity.digest("stage", {}) != identity.digest("cell", {})


@pytest.mark.parametrize("change", [{"learning_rate": 2e-3}, {"seed": 2}, {"steps": 99}, {"parameters": {"rank": 4}}])
def test_everything_that_is_learned_is_in_the_recipe_id(change):
    assert identity.recipe_id(recipe()) != identity.recipe_id(recipe(**change))


def test_an_arm_is_the_cells_that_differ_only_in_rate_and_seed():
    one, other = recipe(), recipe(learning_rate=2e-3, seed=2)
    assert identity.arm_id(one, EXECUTION) == identity.arm_id(other, EXECUTION)
    assert identity.arm_id(one, EXECUTION) != identity.arm_id(recipe(steps=99), EXECUTION)
    assert identity.arm_id(one, EXECUTION) != identity.arm_id(one, {**EXECUTION, "threads": 2})


def test_execution_is_in_the_cell_and_not_in_the_recipe():
    assert identity.cell_id(recipe(), EXECUTION) != identity.cell_id(recipe(), {**EXECUTION, "attention": "eager"})


def test_a_stage_has_one_id_wherever_it_stands():
    alone = recipe()
    dpo = deepcopy(alone)
    dpo["stages"].append({"kind": "preference", "method": "dpo", "learning_rate": 1e-4, "seed": 1})
    assert identity.stage_ids(dpo)[0] == identity.recipe_id(alone)
    assert identity.stage_ids(dpo)[1] == identity.recipe_id(dpo)


def test_a_stage_after_another_start_is_another_stage():
    assert identity.stage_id("a", STAGE) != identity.stage_id("b", STAGE)


def test_the_ids_of_version_one_never_change():
    """Stored files hold these: a change here needs a new identity version."""
    assert identity.IDENTITY_VERSION == 1
    assert identity.recipe_id(recipe())[:16] == "987d1a9fbb6fc1f4"
    assert identity.execution_id(EXECUTION)[:16] == "cb1b45f1ff93f077"
