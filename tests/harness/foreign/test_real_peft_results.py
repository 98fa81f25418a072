"""The 63 real results of July 2026: they come in whole, and the planted copies differ as they say."""

import numpy as np
import pytest

from harness.foreign import import_foreign
from harness.foreign.peft_files import read_result
from harness.report import build_report
from harness.store import reader
from harness.store.database import open_for_reading
from tests.harness.foreign.shifted import write_noisy, write_shifted

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "data" / "peft_method_comparison" / "2026-07"


@pytest.fixture(scope="module")
def db(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("real") / "x.db"
    import_foreign("peft-method-comparison", folder, path)
    return open_for_reading(path)


def accuracies(folder):
    results = [read_result(path)[0] for path in sorted(folder.glob("*.json"))]
    return np.array([result.train_info.metrics[-1].test_accuracy for result in results])


def test_each_experiment_is_an_arm_of_its_own(db):
    arms = reader.arms(db)
    assert len(arms) == 63
    assert set(arms["status"]) == {"ok"}


def test_all_ran_on_one_stack(db):
    assert [facts["gpu"] for facts in reader.stacks(db)["facts"]] == ["NVIDIA L40S"]


def test_scores_are_those_of_the_files(db, folder):
    scores = reader.scores(db)
    tested = scores.loc[scores["task"] == "gsm8k", "value"]
    assert sorted(tested) == sorted(accuracies(folder))


def test_speed_is_measured_for_every_experiment(db):
    phases = reader.phases(db)
    assert phases.loc[phases["phase"] == "train", "tokens_per_second_median"].between(1_000, 12_000).all()


def test_the_report_has_a_row_for_each(db):
    (section,) = build_report(db).sections
    assert len(section.tables[0].frame) == 63


def test_the_shifted_copy_is_17_tenths_of_a_point_lower(folder, tmp_path):
    change = accuracies(write_shifted(folder, tmp_path / "shifted")) - accuracies(folder)
    free = accuracies(folder) > 0.02
    assert change[free].mean() == pytest.approx(-0.017, abs=1e-4)
    assert change[free].std() < 0.0005


def test_the_noisy_copy_differs_by_chance_alone(folder, tmp_path):
    change = accuracies(write_noisy(folder, tmp_path / "noisy")) - accuracies(folder)
    assert change.std() == pytest.approx(0.014, rel=0.25)
    assert abs(change.mean()) < 2.5 * 0.014 / np.sqrt(63)
