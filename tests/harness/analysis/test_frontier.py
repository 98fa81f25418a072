"""The Pareto set of an arm's own base, in the quantities that somebody asks about."""

import pytest

from harness.analysis.frontier import frontier
from harness.analysis.summary import summarise
from harness.sections import Contents
from harness.store.database import open_for_reading
from tests.factory import ARMS, make_database

WORLD = {name: ARMS[name] for name in ("base", "full_sft", "lora", "qlora")}


@pytest.fixture(scope="module")
def part(tmp_path_factory):
    path = make_database(tmp_path_factory.mktemp("db") / "r.db", arms=WORLD, seeds=(1, 2, 3))
    return Contents(open_for_reading(path)).parts()[0]


@pytest.fixture(scope="module")
def trained(part):
    summary = summarise(part.frames)
    return summary[summary["chosen_rate"].notna()]


def in_set(part, arms, *quantities):
    found = frontier(part.frames, arms, quantities)["in_set"]
    own = arms[arms["base"] == "pocket-1m"].set_index("arm_id")["label"]
    return {own[arm] for arm in own.index if found[arm]}


def test_the_cheapest_arm_is_in_the_set_of_costs(part, trained):
    assert in_set(part, trained, "memory_bytes") == {"qlora"}


def test_the_fastest_arm_is_in_the_set_of_speeds(part, trained):
    assert in_set(part, trained, "tokens_per_second") == {"lora"}


def test_an_arm_that_another_beats_in_both_is_left_out(part, trained):
    assert "full_sft" not in in_set(part, trained, "forgetting", "memory_bytes")


def test_arms_of_one_base_dominate_none_of_another(part, trained):
    alone = frontier(part.frames, trained[trained["base"] == "pocket-0.2m"], ["memory_bytes"])
    both = frontier(part.frames, trained, ["memory_bytes"])
    assert both.loc[alone.index, "in_set"].equals(alone["in_set"])


def test_without_arms_the_set_is_empty(part, trained):
    assert frontier(part.frames, trained.iloc[:0], ["gain"]).empty


def test_a_quantity_that_cannot_be_judged_is_refused(part, trained):
    with pytest.raises(KeyError, match="perplexity_ratio"):
        frontier(part.frames, trained, ["perplexity_ratio"])


def test_bases_of_one_name_and_other_weights_are_apart(part, trained):
    found = frontier(part.frames, trained, ["memory_bytes"])
    assert frontier(part.frames, trained.assign(base="pocket"), ["memory_bytes"]).equals(found)
