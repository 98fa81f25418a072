"""Costs come from the right runs, stages and measures."""

import pandas as pd
import pytest

from harness.analysis.costs import measured, needed, price, relative_speed, seconds_for, tuning_seconds
from tests.factory import ARMS, GPU


def labelled(section, series):
    return series.rename(index=section.arms.set_index("arm_id")["label"])


def test_on_a_cpu_memory_is_the_ledgers_peak(section):
    found = labelled(section, measured(section.phases))
    assert found.loc["lora", "memory_bytes"] == ARMS["lora"].memory_mib * 2**20
    assert set(found["memory_measure"]) == {"ledger"}


def test_on_cuda_memory_is_what_was_allocated(make_section):
    section = make_section(facts=GPU)
    found = labelled(section, measured(section.phases))
    assert found.loc["lora", "memory_bytes"] == 1.25 * ARMS["lora"].memory_mib * 2**20
    assert set(found["memory_measure"]) == {"allocated"}


class TestNeeded:
    def test_a_stronger_measure_goes_before_a_weaker_one(self, section):
        weaker_first = ("ledger_peak_bytes", "peak_allocated_bytes", "peak_reserved_bytes", "peak_device_bytes")
        phases = section.phases.assign(**dict.fromkeys(weaker_first[1:], float("nan")))
        found = []
        for size, column in enumerate(weaker_first):
            phases = phases.assign(**{column: 100.0 - size})  # stronger, not larger
            found.append(needed(phases))
        assert [set(table["needed_measure"]) for table in found] == [
            {"ledger"},
            {"allocated"},
            {"reserved"},
            {"device"},
        ]
        assert [set(table["needed_bytes"]) for table in found] == [{100.0}, {99.0}, {98.0}, {97.0}]

    def test_the_highest_phase_counts_also_of_runs_that_shared_the_device(self, section):
        scoring = (section.phases["phase"] == "evaluate") & (section.phases["purpose"] == "quality")
        phases = section.phases.assign(peak_device_bytes=scoring.map({True: 7e9, False: 5e9}))
        assert set(needed(phases)["needed_bytes"]) == {7e9}

    def test_an_older_run_and_an_earlier_stage_do_not_count(self, section):
        mine = section.phases["latest"] & section.phases["last_stage"]
        phases = section.phases.assign(peak_device_bytes=mine.map({True: 5e9, False: 9e9}))
        assert not mine.all()
        assert set(needed(phases)["needed_bytes"]) == {5e9}

    def test_an_arm_without_any_measure_is_not_there(self, section):
        arm = section.phases["arm_id"].iloc[0]
        of_arm = section.phases["arm_id"] == arm
        phases = section.phases.assign(ledger_peak_bytes=section.phases["ledger_peak_bytes"].where(~of_arm))
        found = needed(phases)
        assert len(found) and arm not in found.index


def test_a_dpo_arms_speed_is_its_own_stages_not_its_sft_stages(section):
    found = labelled(section, measured(section.phases))
    assert found.loc["dpo-lora", "tokens_per_second"] == ARMS["dpo-lora"].tokens_per_second


def test_only_runs_that_had_the_device_to_themselves_count(section):
    shared = section.phases.assign(exclusive=False)
    assert measured(shared).empty


def test_full_sft_is_the_measure_of_speed(section):
    table = section.arms.set_index("arm_id", drop=False).join(measured(section.phases))
    found = labelled(section, relative_speed(table))
    assert found["full_sft"] == 1
    assert found["qlora"] == pytest.approx(7 / 9)


def speeds(*rows):
    """Of rows of method, batch size, execution and tokens a second."""
    table = pd.DataFrame(rows, columns=["method", "batch_size", "execution_id", "tokens_per_second"])
    return relative_speed(table.assign(base_digest="b", sequence_length=512)).tolist()


def test_speed_is_held_against_full_sft_at_the_same_batch():
    rows = [("full_sft", 1, "e", 100.0), ("full_sft", 8, "e", 400.0), ("lora", 1, "e", 150.0), ("lora", 8, "e", 480.0)]
    assert speeds(*rows) == [1, 1, 1.5, 1.2]


def test_the_same_batch_counts_for_more_than_the_same_execution():
    assert speeds(("full_sft", 1, "e", 100.0), ("full_sft", 8, "f", 400.0), ("lora", 8, "e", 480.0))[-1] == 1.2


def test_where_full_sft_has_no_such_batch_its_fastest_is_meant():
    assert speeds(("full_sft", 1, "e", 100.0), ("full_sft", 2, "f", 400.0), ("lora", 8, "g", 800.0))[-1] == 2


def test_without_full_sft_there_is_no_relative_speed(section):
    table = section.arms.set_index("arm_id", drop=False).join(measured(section.phases))
    assert relative_speed(table[table["method"] != "full_sft"]).isna().all()


def test_tuning_counts_every_rate_and_seed_and_failed_ones_too(section):
    found = labelled(section, tuning_seconds(section.runs, section.phases))
    assert found["full_sft"] == 3 * 3 * 10
    assert found["lora"] == 2 * 3 * 10 + 3 * 3


def test_what_a_dpo_run_spent_on_its_sft_stage_is_not_its_own(section):
    found = labelled(section, tuning_seconds(section.runs, section.phases))
    assert found["dpo-lora"] == 2 * 3 * (10 - 4)


def test_a_cell_that_was_scored_again_costs_what_training_it_cost(section):
    again = section.runs.assign(run_id="again", wall_seconds=0.5)
    both = pd.concat([section.runs, again])
    assert tuning_seconds(both, section.phases).equals(tuning_seconds(section.runs, section.phases))


def test_a_price_is_hours_at_so_much_an_hour_and_back():
    assert price(pd.Series([1800.0, 7200.0]), 2.5).tolist() == [1.25, 5.0]
    assert seconds_for(5.0, 2.5) == 7200.0
