"""A loss that was recorded as its rise over the base's: a ratio of perplexities, without a run of the base."""

import numpy as np
import pytest

from harness.analysis.forgetting import by_task
from harness.analysis.summary import summarise
from harness.foreign import import_foreign
from harness.sections import Contents
from harness.store.database import open_for_reading
from tests.harness.foreign.peft_results import LORA, a_result, write_results


@pytest.fixture(scope="module")
def section(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    full = a_result({"run_info.peft_config": None, "train_info.num_trainable_params": 3_212_749_824})
    full["train_info"]["num_total_params"] = 3_212_749_824
    results = a_result(), a_result({"run_info.peft_config": {**LORA, "r": 64}}), full
    import_foreign("peft-method-comparison", write_results(folder / "files", *results), folder / "x.db")
    (part,) = Contents(open_for_reading(folder / "x.db")).parts()
    return part.frames


def test_is_the_perplexity_over_the_bases(section):
    assert summarise(section)["perplexity_ratio"].tolist() == pytest.approx([np.exp(0.05)] * 3)


def test_leaves_the_points_forgotten_unknown(section):
    assert summarise(section)["forgetting"].isna().all()


def test_says_nothing_of_either_perplexity_by_itself(section):
    tasks = by_task(section)
    rise = tasks[tasks["task"] == "wikipedia"]
    assert rise[["score", "base"]].isna().all(axis=None)
    assert rise["forgetting"].tolist() == pytest.approx([np.exp(0.05)] * 3)


def test_memory_is_what_was_reserved_over_whole_runs(section):
    summary = summarise(section)
    assert set(summary["memory_measure"]) == {"reserved"}
    assert set(summary["memory_bytes"]) == {22_292_725_760}


def test_the_base_has_as_many_parameters_as_full_training_counts(section):
    assert set(summarise(section)["base_parameters"]) == {3_212_749_824}
