"""How much of a device a step uses, and what it spends its time on."""

import numpy as np
import pandas as pd
import pytest

from harness.analysis.utilisation import UNEXPLAINED, peaks_by_part, utilisation


def runs(*run_ids, **columns):
    """Measure runs of one arm, oldest first."""
    about = {"arm_id": "a", "latest": True, "exclusive": True, "purpose": "measure", **columns}
    return pd.DataFrame([{**about, "run_id": run_id} for run_id in run_ids])


def parts(run_id="r1", data=0.1, forward=0.3, backward=0.5, optimizer=0.1, **peaks):
    seconds = {"data": data, "forward": forward, "backward": backward, "optimizer": optimizer}
    rows = [
        {"part": part, "seconds_median": value} for part, value in {**seconds, "step": sum(seconds.values())}.items()
    ]
    missing = {"peak_allocated_bytes": np.nan, "peak_ledger_bytes": np.nan}
    missing |= {"timed_tokens": np.nan, "timed_joules": np.nan}
    frame = pd.DataFrame([{"run_id": run_id, "seconds_p25": 0.0, "seconds_p75": 2.0, **missing, **row} for row in rows])
    for name, values in peaks.items():
        frame[name] = [values.get(part, np.nan) for part in frame["part"]]
    return frame


def work(run_id="r1", compute="bfloat16", **columns):
    about = {"model_flops": 2e12, "hardware_flops": 3e12, "moved_bytes": 1e9, "kernels": 100.0,
             "bfloat16_flops": 4e12, "float32_flops": 8e12, "bytes_per_second": 4e9,
             "launch_seconds": 1e-6}  # fmt: skip
    return pd.DataFrame([{"run_id": run_id, "compute": compute, **about, **columns}])


def foretold(run_id="r1", **seconds):
    rows = [{"run_id": run_id, "phase": "step", "component": name.replace("_", " "), "predicted_seconds": value}
            for name, value in seconds.items()]  # fmt: skip
    return pd.DataFrame(rows, columns=["run_id", "phase", "component", "predicted_seconds"])


SPENT = {"arithmetic": 0.5, "memory_traffic": 0.2, "optimizer": 0.05, "launches": 0.0}


def found(**given):
    frames = {"runs": runs("r1"), "parts": parts(), "work": work(), "predictions": foretold(**SPENT)} | given
    return utilisation(**frames).loc["a"]


def test_utilisation_is_what_the_method_asks_for_over_what_a_large_product_would_have_done_meanwhile():
    assert found()["mfu"] == pytest.approx(2e12 / 1.0 / 4e12)


def test_the_ceiling_is_that_of_the_type_that_the_step_computes_in():
    assert found(work=work(compute="float32"))["mfu"] == pytest.approx(2e12 / 8e12)


def test_the_share_of_the_bandwidth_is_of_a_large_copys():
    assert found()["bandwidth_share"] == pytest.approx(1e9 / 4e9)


def test_the_parts_are_shares_of_the_step():
    told = found()

    assert [told[f"{part}_share"] for part in ("data", "forward", "backward", "optimizer")] == pytest.approx(
        [0.1, 0.3, 0.5, 0.1]
    )
    assert pd.isna(told["reference_share"])


def test_energy_is_that_of_a_thousand_tokens_of_the_timed_steps():
    told = found(parts=parts(timed_tokens={"step": 4000}, timed_joules={"step": 300.0}))

    assert told["joules_per_thousand_tokens"] == pytest.approx(75)
    assert pd.isna(found(parts=parts(timed_tokens={"step": 4000}))["joules_per_thousand_tokens"])


@pytest.mark.parametrize(
    ("given", "cause", "share"),
    [
        ({}, "arithmetic", 0.5),
        ({"predictions": foretold(**{**SPENT, "arithmetic": 0.1, "memory_traffic": 0.6})}, "memory traffic", 0.6),
        ({"predictions": foretold(**{**SPENT, "arithmetic": 0.1, "launches": 0.6})}, "launches", 0.6),
        ({"predictions": foretold(**{**SPENT, "arithmetic": 0.01, "memory_traffic": 0.01})}, UNEXPLAINED, 0.78),
        ({"parts": parts(data=3.0)}, "data", 3.0 / 3.9),
        ({"parts": parts(optimizer=3.0)}, "optimizer", 3.0 / 3.9),
    ],
)  # fmt: skip
def test_the_cause_is_the_longest_of_what_a_step_can_wait_for(given, cause, share):
    told = found(**given)

    assert (told["cause"], told["cause_share"]) == (cause, pytest.approx(share))


def test_the_optimizers_time_is_the_measured_one_not_the_predicted():
    assert found(predictions=foretold(**{**SPENT, "optimizer": 50.0}))["cause"] == "arithmetic"


def test_a_step_that_is_faster_than_its_ceilings_is_all_of_one_cause_and_no_more():
    assert found(predictions=foretold(**{**SPENT, "arithmetic": 9.0}))["cause_share"] == 1


def test_without_a_prediction_of_time_utilisation_is_told_and_no_cause():
    told = found(predictions=foretold())

    assert told["mfu"] == pytest.approx(0.5)
    assert pd.isna(told["cause"]) and pd.isna(told["predicted_seconds"])


def test_a_run_whose_work_is_not_known_has_its_times_alone():
    told = found(work=work(model_flops=np.nan, moved_bytes=np.nan))

    assert told["step_seconds"] == 1.0 and pd.isna(told["mfu"]) and pd.isna(told["bandwidth_share"])


def test_of_several_runs_the_newest_counts_and_one_that_shared_the_device_never():
    both = pd.concat([parts("old", forward=9.0), parts("new")])
    done = pd.concat([work("old"), work("new")])

    assert found(runs=runs("old", "new"), parts=both, work=done)["run_id"] == "new"
    assert utilisation(runs("r1", exclusive=False), parts(), work(), foretold(**SPENT)).empty


def test_what_a_part_holds_is_the_allocators_peak_where_there_is_one_else_the_ledgers():
    ledger, allocator = {"forward": 10.0, "backward": 12.0}, {"forward": 20.0, "backward": 21.0}

    on_cpu = peaks_by_part(runs("r1"), parts(peak_ledger_bytes=ledger)).loc["a"]
    on_gpu = peaks_by_part(runs("r1"), parts(peak_ledger_bytes=ledger, peak_allocated_bytes=allocator)).loc["a"]

    assert (on_cpu["forward"], on_cpu["backward"], on_cpu["measure"]) == (10.0, 12.0, "ledger")
    assert (on_gpu["forward"], on_gpu["backward"], on_gpu["measure"]) == (20.0, 21.0, "allocated")
