"""What a rule finds in results: the analysis' own figures, their runs, and nothing of what is missing."""

from math import inf

import pytest

from harness.analysis.comparison import compare_arms
from harness.claims.evidence import EDGE, ONE_MEASUREMENT, places
from harness.claims.held import read_held
from harness.claims.read import read_claims
from harness.claims.words import measured
from harness.lineup import within_file
from tests.factory import ARMS, BASES, GPU, make_database
from tests.harness.claims.made import change_recipe, claim, delete_run, delete_runs, end_by_memory, ruled

SMALL = {name: ARMS[name] for name in ("base", "full_sft", "lora", "qlora")}
LESS = {"at_most": 0}


@pytest.fixture
def db(tmp_path):
    return make_database(tmp_path / "mine.db", arms=SMALL, bases=["pocket-1m"])


def found(claim_, *paths):
    return places(claim_, read_held(paths))


class TestAPair:
    def test_has_the_figures_of_compare(self, db):
        (place,) = found(ruled("forgetting", LESS), db)
        table = compare_arms(within_file(db, "method=lora", "method=full_sft").contenders())
        row = table[table["quantity"] == "forgetting"].iloc[0]
        (one,) = place.measured
        assert (one.estimate, one.low, one.high) == (row["difference"], row["difference_low"], row["difference_high"])
        assert (one.unit, place.arms, place.holds) == ("points", "lora r=8 against full_sft", True)

    def test_names_the_runs_at_the_chosen_rates_and_the_base(self, db):
        (place,) = found(ruled("gain", LESS), db)
        assert len(place.runs) == 3 + 3 + 1

    def test_says_where_it_was_measured(self, db):
        (place,) = found(ruled("gain", LESS), db)
        assert (place.suite, place.base, place.base_parameters) == ("pocket", "pocket-1m", 900_000)
        assert place.machine == "2 cores of Test CPU"

    def test_is_one_for_each_base(self, db):
        make_database(db, arms=SMALL, bases=["pocket-0.2m"], seed=1)
        assert {place.base for place in found(ruled("gain", LESS), db)} == {"pocket-1m", "pocket-0.2m"}

    def test_counts_once_where_two_sources_hold_the_same_runs(self, db, tmp_path):
        copy = tmp_path / "copy.db"
        copy.write_bytes(db.read_bytes())
        assert len(found(ruled("gain", LESS), db, copy)) == 1

    def test_of_other_ranks_is_none(self, tmp_path):
        from dataclasses import replace

        other = {**SMALL, "qlora": replace(ARMS["qlora"], rank=16)}
        path = make_database(tmp_path / "r.db", arms=other, bases=["pocket-1m"])
        assert found(ruled("gain", LESS, second="method=qlora"), path) == []

    def test_is_not_looked_for_in_another_suite(self, db):
        rule = {
            "first": "method=lora",
            "second": "method=full_sft",
            "suite": "cost",
            "conditions": [{"quantity": "gain", "claimed": LESS}],
        }
        assert found(claim(rules=[rule]), db) == []


class TestAMissingRun:
    def test_leaves_nothing_whichever_it_is(self, db, tmp_path):
        (place,) = found(ruled("gain", LESS), db)
        for run in place.runs:
            short = tmp_path / f"without-{run}.db"
            short.write_bytes(db.read_bytes())
            delete_run(short, run)
            assert found(ruled("gain", LESS), short) == [], run

    def test_leaves_nothing_of_a_cost(self, db):
        (place,) = found(ruled("tokens/s", {"at_least": 1}), db)
        delete_run(db, place.runs[0])
        assert found(ruled("tokens/s", {"at_least": 1}), db) == []

    def test_of_too_few_seeds_to_begin_with(self, tmp_path):
        path = make_database(tmp_path / "two.db", arms=SMALL, bases=["pocket-1m"], seeds=(1, 2))
        assert found(ruled("gain", LESS), path) == []


class TestChosenRates:
    def test_are_known_as_far_as_their_neighbours(self, db):
        (place,) = found(ruled("chosen rate", {"at_least": 5, "at_most": 20}), db)
        (one,) = place.measured  # 3e-3 of 1e-3, 3e-3, 1e-2 (which diverged) over 3e-4 of 1e-4, 3e-4, 1e-3
        assert one.estimate == pytest.approx(10)
        assert (one.low, one.high) == (pytest.approx(1), pytest.approx(100))
        assert place.holds is None

    def test_at_the_edge_of_a_grid_have_no_end(self, db):
        (place,) = found(ruled("chosen rate", LESS, second="method=qlora"), db)
        (one,) = place.measured  # qlora's best is the highest of its grid
        assert (one.low, one.high) == (0.0, pytest.approx(1e-2 / 3e-3))

    def test_upward_have_none_either(self, db):
        rule = {
            "first": "method=qlora",
            "second": "method=full_sft",
            "conditions": [{"quantity": "chosen rate", "claimed": {"at_least": 2}}],
        }
        (place,) = found(claim(rules=[rule]), db)
        (one,) = place.measured
        assert (one.low, one.high) == (pytest.approx(3), inf)
        assert place.holds is True


class TestCosts:
    def test_measured_once_tell_nothing(self, db):
        (place,) = found(ruled("tokens/s", {"at_least": 1}), db)
        (one,) = place.measured
        assert one.estimate == pytest.approx(11 / 9)
        assert (one.low, one.note, place.holds) == (None, ONE_MEASUREMENT, None)

    def test_measured_more_often_have_an_interval_and_name_their_runs(self, tmp_path):
        path = make_database(tmp_path / "g.db", arms=SMALL, bases=["pocket-1m"], facts=GPU, measures=4)
        (place,) = found(ruled("tokens/s", {"at_least": 1.75}), path)
        assert place.holds is False
        assert len(place.runs) == 8

    @pytest.mark.parametrize(
        "other", [{"batch_size": 4}, {"sequence_length": 512}, {"optimizer": {"name": "adamw_8bit"}}]
    )
    def test_are_not_compared_under_other_conditions(self, db, other):
        change_recipe(db, "lora", **other)
        assert found(ruled("tokens/s", {"at_least": 1}), db) == []
        assert found(ruled("gain", LESS), db)

    def test_of_one_arm_are_bytes(self, tmp_path):
        path = make_database(tmp_path / "g.db", arms=SMALL, bases=["pocket-1m"], facts=GPU, measures=2)
        (place,) = found(ruled("memory", {"at_most": 16e9}, second=None), path)
        (one,) = place.measured
        assert (one.unit, one.estimate, place.holds) == ("bytes", int(1.25 * 12 * 2**20), True)


class TestMemoryThatEndedARun:
    """Under a limit of 24 GB, which what needs more is more than."""

    LIMITED = GPU | {"memory_limit_bytes": 24 * 10**9}

    @pytest.fixture
    def limited(self, tmp_path):
        return make_database(tmp_path / "g.db", arms=SMALL, bases=["pocket-1m"], facts=self.LIMITED, measures=2)

    @pytest.mark.parametrize(
        ("claimed", "holds"),
        [
            ({"at_most": 16e9}, False),
            ({"at_most": 24e9}, False),
            ({"at_most": 24e9 + 1}, None),
            ({"at_most": 48e9}, None),
            ({"at_least": 24e9}, True),
            ({"at_least": 25e9}, None),
            ({"about": 16e9}, False),
            ({"about": 24e9}, None),
        ],
    )
    def test_is_less_than_the_arm_needs(self, limited, claimed, holds):
        end_by_memory(limited, "lora")
        (place,) = found(ruled("memory", claimed, second=None), limited)
        assert place.holds is holds

    def test_names_the_runs_that_it_ended_and_says_so(self, limited):
        ended = end_by_memory(limited, "lora")
        (place,) = found(ruled("memory", {"at_most": 24e9}, second=None), limited)
        (one,) = place.measured
        assert list(place.runs) == ended
        assert measured(one) == "memory more than 24 GB: memory ended it"

    def test_ended_the_run_that_should_have_been_scored_as_well(self, limited):
        delete_runs(limited, "lora", "measure")
        ended = end_by_memory(limited, "lora", purpose="quality")
        (place,) = found(ruled("memory", {"at_most": 24e9}, second=None), limited)
        assert (list(place.runs), place.holds) == (ended, False)

    def test_is_told_beside_what_fitted(self, limited):
        end_by_memory(limited, "lora", purpose="quality")
        fitted, ended = found(ruled("memory", {"at_most": 24e9}, second=None), limited)
        assert (fitted.holds, ended.holds) == (True, False)
        assert not set(fitted.runs) & set(ended.runs)

    def test_tells_nothing_once_the_run_is_gone(self, limited):
        for run in end_by_memory(limited, "lora"):
            delete_run(limited, run)
        assert found(ruled("memory", {"at_most": 24e9}, second=None), limited) == []

    def test_is_the_devices_own_where_nothing_is_limited(self, tmp_path):
        path = make_database(tmp_path / "g.db", arms=SMALL, bases=["pocket-1m"], facts=GPU)
        end_by_memory(path, "lora")
        (place,) = found(ruled("memory", {"at_most": 80e9}, second=None), path)
        assert (measured(place.measured[0]), place.holds) == ("memory more than 79.5 GiB: memory ended it", False)

    def test_stands_with_the_other_conditions_of_its_rule(self, limited):
        ended = end_by_memory(limited, "lora")
        conditions = [
            {"quantity": "memory", "claimed": {"at_most": 24e9}},
            {"quantity": "merged", "claimed": {"at_least": -1}},
        ]
        (place,) = found(claim(rules=[{"first": "method=lora", "conditions": conditions}]), limited)
        assert [one.holds for one in place.measured] == [False, True]
        assert set(ended) < set(place.runs)

    def test_is_of_the_scale_of_a_claim_though_no_run_on_the_base_got_anywhere(self, tmp_path, monkeypatch):
        monkeypatch.setitem(BASES, "llama-2-7b", 10**6)
        arms = {"base": SMALL["base"], "qlora": SMALL["qlora"]}
        path = make_database(tmp_path / "g.db", arms=arms, bases=["llama-2-7b"], facts=self.LIMITED)
        delete_runs(path, "qlora", "measure")
        end_by_memory(path, "qlora", purpose="quality")
        (theirs,) = (one for one in read_claims() if one.id == "7b-24gb")
        (place,) = found(theirs, path)
        assert (place.in_scope, place.holds) == (True, False)


class TestAnArmAtTheEdgeOfItsGrid:
    def test_was_not_tuned_to_its_best_and_tells_nothing(self, db):
        (place,) = found(ruled("gain", {"at_least": -1}, second="method=qlora"), db)
        (one,) = place.measured
        assert (one.holds, one.note) == (None, EDGE)

    def test_is_no_matter_for_what_it_costs(self, tmp_path):
        path = make_database(tmp_path / "g.db", arms=SMALL, bases=["pocket-1m"], facts=GPU, measures=2)
        (place,) = found(ruled("tokens/s", {"at_least": 1}, second="method=qlora"), path)
        assert place.holds is True


class TestMerging:
    def test_is_read_against_the_adapter_as_trained(self, db):
        conditions = [{"quantity": "merged_requantised", "claimed": {"at_most": -0.01}}]
        (place,) = found(claim(rules=[{"first": "method=qlora", "conditions": conditions}]), db)
        (one,) = place.measured
        assert one.estimate < 0
        assert len(place.runs) == 3


class TestScope:
    def test_runs_of_another_device_or_size_are_beside_it(self, db):
        def in_scope(**scope):
            (place,) = found(ruled("gain", LESS, scope=scope), db)
            return place.in_scope

        assert in_scope(device="cpu", parameters={"at_least": 1e5})
        assert not in_scope(device="cuda")
        assert not in_scope(parameters={"at_least": 1e9})

    def test_bytes_of_a_model_of_another_size_are_not_even_that(self, db):
        assert found(ruled("memory", {"at_most": 16e9}, second=None, scope={"device": "cuda"}), db) == []
