"""What the bytes are: components of one peak, the rest beyond the ledger, and what was predicted beside it."""

import numpy as np
import pandas as pd
import pytest

from harness.analysis.memory import COMPONENTS, REST, WHOLE, components, in_order, peaks, predicted


def phase(**changes):
    """A phase of a measure run, as the reader gives it: 100 bytes of weights and 50 of activations."""
    empty = [f"peak_{name}_bytes" for name in ("allocated", "reserved", "device")]
    row = {
        **{"arm_id": "a", "run_id": "r1", "phase": "train", "purpose": "measure", "exclusive": True},
        **{"latest": True, "last_stage": True, "rss_start_bytes": 400, "rss_peak_bytes": 700},
        **dict.fromkeys(empty, np.nan),
        **{f"ledger_{name}_bytes": 0 for name in COMPONENTS},
        **{"ledger_weights_bytes": 100, "ledger_activation_bytes": 50, "ledger_peak_bytes": 150},
    }
    return {**row, **changes}


def no_ledger(**changes):
    return phase(**dict.fromkeys([f"ledger_{name}_bytes" for name in (*COMPONENTS, "peak")], np.nan), **changes)


def table(*rows):
    return peaks(pd.DataFrame(list(rows)))


def parts(*rows):
    found = components(table(*rows))
    return dict(zip(found["component"], found["bytes"], strict=True))


def test_on_a_cpu_the_peak_is_the_ledgers():
    assert list(table(phase())[["whole_bytes", "measure"]].iloc[0]) == [150, "ledger"]
    assert parts(phase()) == {"weights": 100, "activation": 50}


def test_what_the_allocator_had_beyond_the_ledger_is_the_rest():
    assert parts(phase(peak_allocated_bytes=180)) == {"weights": 100, "activation": 50, REST: 30}
    assert table(phase(peak_allocated_bytes=180))["measure"].iloc[0] == "allocated"


def test_a_ledger_above_the_allocators_peak_leaves_no_rest():
    assert REST not in parts(phase(peak_allocated_bytes=140))


def test_a_phase_without_a_ledger_is_not_told_apart():
    assert parts(no_ledger(phase="load", peak_allocated_bytes=90)) == {WHOLE: 90}


def test_results_of_others_have_what_was_reserved_alone():
    found = table(no_ledger(phase="run", peak_reserved_bytes=500))
    assert list(found[["whole_bytes", "measure"]].iloc[0]) == [500, "reserved"]


def test_resident_memory_is_told_and_never_taken_for_a_peak():
    found = table(no_ledger())
    assert found["resident_increase_bytes"].iloc[0] == 300
    assert found[["whole_bytes", "measure"]].isna().all(axis=None)
    assert components(found).empty


@pytest.mark.parametrize("other", [{"exclusive": False}, {"purpose": "quality"}, {"latest": False}])
def test_only_runs_that_had_the_device_to_themselves_count(other):
    assert table(phase(), phase(run_id="r2", ledger_peak_bytes=999, **other))["run_id"].to_list() == ["r1"]


def test_a_stage_before_the_arms_own_is_that_stages_memory():
    assert table(phase(last_stage=False)).empty


def test_of_several_runs_the_highest_peak_is_taken_whole():
    higher = phase(run_id="r2", ledger_weights_bytes=20, ledger_activation_bytes=200, ledger_peak_bytes=220)
    assert parts(phase(), higher) == {"weights": 20, "activation": 200}


def test_a_prediction_stands_beside_the_run_that_it_is_of():
    told = pd.DataFrame(
        {"run_id": ["r1", "r9"], "phase": "train", "component": "weights", "predicted_bytes": [90, 1], "other": 0}
    )
    found = predicted(table(phase()), told)
    assert found.to_dict("records") == [{"arm_id": "a", "phase": "train", "component": "weights", "bytes": 90}]


def test_what_is_temporary_is_predicted_of_an_allocators_rest_and_of_no_ledger():
    told = pd.DataFrame(
        {"run_id": "r1", "phase": "train", "component": ["weights", "temporary"], "predicted_bytes": [90, 20]}
    )
    of_a_gpu = predicted(table(phase(peak_allocated_bytes=180)), told)
    assert list(of_a_gpu["component"]) == ["weights", REST]
    assert list(predicted(table(phase()), told)["component"]) == ["weights"]


def test_phases_come_in_the_order_of_a_runs_life():
    phases = pd.DataFrame({"phase": ["merge", "evaluate", "odd", "load", "train"]})
    assert list(in_order(phases)["phase"]) == ["load", "train", "evaluate", "merge", "odd"]


def test_every_trained_arm_of_a_section_has_its_bytes(section):
    found = peaks(section.phases)
    assert set(found["arm_id"]) == set(section.arms.loc[section.arms["chosen_rate"].notna(), "arm_id"])
    sums = components(found).groupby(["arm_id", "phase"])["bytes"].sum()
    whole = found.dropna(subset=["whole_bytes"]).set_index(["arm_id", "phase"])["whole_bytes"]
    assert sums.to_dict() == whole.to_dict()
