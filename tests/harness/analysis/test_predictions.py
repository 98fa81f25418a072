"""The error of predictions: of what it is a percentage, what is left out of a mean, what is told apart."""

import numpy as np
import pandas as pd
import pytest

from harness.analysis.memory import COMPONENTS
from harness.analysis.predictions import PEAK, by_kind, is_held_out, memory_errors, one_measure, summary, time_errors


def measured(run_id="r1", measure="ledger", whole=150, allocated=np.nan, **ledger):
    """A run's row of ``memory.peaks``: 100 bytes of weights and 50 of activations."""
    known = {"weights": 100, "activation": 50, **ledger}
    parts = {f"ledger_{name}_bytes": known.get(name, 0) for name in COMPONENTS}
    about = {"arm_id": f"arm of {run_id}", "run_id": run_id, "phase": "train", "measure": measure}
    return {**about, "whole_bytes": whole, "peak_allocated_bytes": allocated, **parts,
            "ledger_peak_bytes": sum(parts.values())}  # fmt: skip


def predicted(run_id="r1", method="lora", shape="tiny", length=64, version="v1", **components):
    """A run's rows of ``step_reader.every_prediction``."""
    sizes = {**dict.fromkeys(COMPONENTS, 0), "temporary": 0, **components}
    about = {"run_id": run_id, "phase": "train", "predicted_seconds": np.nan, "model_version": version,
             "method": method, "shape": shape, "sequence_length": length}  # fmt: skip
    return [{**about, "component": name, "predicted_bytes": size} for name, size in sizes.items()]


def errors(peaks, told):
    return memory_errors(pd.DataFrame(peaks), pd.DataFrame(told))


def percents(found):
    return dict(zip(found["component"], found["error_percent"], strict=True))


def test_an_error_is_a_share_of_what_was_measured_and_positive_where_too_much_was_predicted():
    found = errors([measured()], predicted(weights=110, activation=40))

    assert percents(found) == {"weights": pytest.approx(10), "activation": pytest.approx(-20), PEAK: 0}


def test_on_a_cpu_the_whole_is_the_ledgers_which_sees_nothing_temporary():
    found = errors([measured()], predicted(weights=100, activation=50, temporary=1000))

    assert percents(found) == {"weights": 0, "activation": 0, PEAK: 0}


def test_on_a_gpu_the_whole_is_the_allocators_and_temporary_what_it_had_beyond_the_ledger():
    run = measured(measure="allocated", whole=200, allocated=200)

    found = errors([run], predicted(weights=100, activation=50, temporary=60))

    assert percents(found) == {"weights": 0, "activation": 0, "temporary": pytest.approx(20), PEAK: pytest.approx(5)}


def test_what_a_paged_optimizer_holds_elsewhere_is_not_the_allocators_and_leaves_the_rest_unknown():
    run = measured(measure="allocated", whole=170, allocated=170, optimizer=80)

    found = errors([run], predicted(weights=100, activation=50, optimizer=80, temporary=20, paged=-80))

    assert percents(found) == {"weights": 0, "activation": 0, "optimizer": 0, PEAK: 0}


def test_what_was_predicted_and_was_not_there_is_all_wrong():
    found = errors([measured()], predicted(weights=100, activation=50, adapter=3))

    assert percents(found)["adapter"] == 100


def test_what_was_there_and_was_not_predicted_is_all_missing():
    found = errors([measured(adapter=3)], predicted(weights=100, activation=50))

    assert percents(found)["adapter"] == -100


def test_a_component_that_nobody_has_makes_no_mean_smaller():
    assert "quantisation" not in percents(errors([measured()], predicted(weights=100, activation=50)))


def test_what_was_not_measured_or_not_predicted_is_left_out():
    found = errors([measured(), measured("r2")], [*predicted(weights=100), *predicted("r3", weights=100)])

    assert set(found["run_id"]) == {"r1"}


def test_without_any_prediction_there_is_no_row():
    assert errors([measured()], predicted("r9", weights=100)).empty


def test_seconds_alone_are_no_prediction_of_memory():
    seconds = {**predicted()[0], "component": "step", "predicted_bytes": np.nan, "predicted_seconds": 1.0}

    found = errors([measured()], [*predicted(weights=100, activation=50), seconds])

    assert "step" not in percents(found)


@pytest.fixture
def three():
    """Peaks that are 10 % too high, 30 % too low and 2 % too high."""
    runs = [measured(name, whole=100, activation=0) for name in ("r1", "r2", "r3")]
    return errors(
        runs,
        [
            *predicted("r1", weights=110, method="lora", shape="large"),
            *predicted("r2", weights=70, method="qlora", length=512),
            *predicted("r3", weights=102, method="lora"),
        ],
    )


def test_the_mean_of_errors_of_their_sizes_and_the_largest_size(three):
    assert summary(three) == {
        "cells": 3,
        "mean_error_percent": pytest.approx(-6),
        "mean_abs_error_percent": pytest.approx(14),
        "worst_error_percent": pytest.approx(30),
    }


def test_of_no_cell_nothing_is_known(three):
    assert summary(three[:0]) == {
        "cells": 0, "mean_error_percent": None, "mean_abs_error_percent": None, "worst_error_percent": None,
    }  # fmt: skip
    assert by_kind(three[:0]).empty


def test_each_component_method_and_shape_has_its_own(three):
    rows = by_kind(three).set_index(["kind", "name"])

    assert rows["cells"].to_dict() == {
        ("component", "weights"): 3,
        ("method", "lora"): 2,
        ("method", "qlora"): 1,
        ("shape", "large"): 1,
        ("shape", "tiny"): 2,
    }
    assert rows.loc[("method", "lora"), "mean_error_percent"] == pytest.approx(6)


def test_a_cell_is_held_out_by_its_shape_or_by_its_length(three):
    held_out = three[is_held_out(three, {"large"}, {512})]

    assert set(held_out["run_id"]) == {"r1", "r2"}


def test_the_ledger_and_an_allocators_peak_make_no_mean_together():
    gpu = measured("r2", measure="allocated", whole=200, allocated=200)
    both = errors([measured(), gpu], [*predicted(weights=100), *predicted("r2", weights=100)])

    assert set(one_measure(both)["run_id"]) == {"r2"}
    assert set(one_measure(both[both["measure"] == "ledger"])["run_id"]) == {"r1"}


def seconds(run_id="r1", method="lora", **parts):
    """A run's rows of ``step_reader.every_prediction``, of its step."""
    rows = predicted(run_id, method)[: len(parts)]
    return [{**row, "phase": "step", "component": name, "predicted_bytes": np.nan, "predicted_seconds": value}
            for row, (name, value) in zip(rows, parts.items(), strict=True)]  # fmt: skip


def test_a_steps_error_is_of_all_its_parts_together():
    told = pd.DataFrame([*predicted(weights=100), *seconds(arithmetic=0.5, launches=0.25)])

    found = time_errors(pd.DataFrame({"run_id": ["r1", "r2"], "step_seconds": [1.0, 2.0]}), told)

    assert found[["run_id", "predicted_seconds", "measured_seconds", "error_percent"]].to_dict("records") == [
        {"run_id": "r1", "predicted_seconds": 0.75, "measured_seconds": 1.0, "error_percent": -25.0}
    ]


def test_steps_are_summed_up_by_method_and_shape_like_peaks():
    steps = pd.DataFrame({"run_id": ["r1", "r2"], "step_seconds": [1.0, 1.0]})
    told = pd.DataFrame([*seconds("r1", arithmetic=0.9), *seconds("r2", "qlora", arithmetic=1.3)])

    found = time_errors(steps, told)

    assert summary(found) == {"cells": 2, "mean_error_percent": pytest.approx(10), "mean_abs_error_percent":
                              pytest.approx(20), "worst_error_percent": pytest.approx(30)}  # fmt: skip
    assert set(by_kind(found)["name"]) == {"lora", "qlora", "tiny"}
