"""`check` and `diff` of results files from the user's side: what is printed, what is written, and the exit code."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.factory import ARMS, EXECUTION, make_database

FEW = {name: ARMS[name] for name in ("base", "full_sft", "lora")}
ANSWERS = "status,score,forgetting"


def results(path: Path, **options) -> Path:
    return make_database(path, **{"arms": FEW, "bases": ["pocket-1m"], **options})


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> tuple[Path, Path]:
    """The same runs twice."""
    folder = tmp_path_factory.mktemp("sides")
    return results(folder / "before.db"), results(folder / "after.db")


@pytest.fixture(scope="module")
def worse(files, tmp_path_factory) -> Path:
    """Those runs, two of five answers of full SFT having turned wrong."""
    arms = {**FEW, "full_sft": replace(ARMS["full_sft"], target=0.5)}
    return results(tmp_path_factory.mktemp("worse") / "worse.db", arms=arms)


def worst(output: str) -> list[str]:
    """Verdict and quantity of the first row."""
    return next(line.split()[:2] for line in output.splitlines() if line.startswith("regressed "))


class TestCheck:
    def sides(self, files) -> tuple[object, ...]:
        return "--baseline", files[0], "--candidate", files[1]

    def test_the_same_runs_twice_pass_in_what_they_hold(self, tunematrix, files):
        code, output, errors = tunematrix("check", *self.sides(files), "--quantities", ANSWERS)
        assert (code, errors) == (0, []), output
        assert output.splitlines()[-1].startswith("pass · ")

    def test_answers_that_turned_wrong_have_regressed(self, tunematrix, files, worse):
        code, output, _ = tunematrix("check", *self.sides((files[0], worse)), "--quantities", ANSWERS)
        assert code == 1
        assert worst(output) == ["regressed", "score"]

    def test_what_was_measured_once_is_open_unless_it_is_allowed_by_its_name(self, tunematrix, files):
        words = ("check", *self.sides(files), "--quantities", f"{ANSWERS},speed")
        assert tunematrix(*words)[0] == 3
        assert tunematrix(*words, "--allow", "speed")[0] == 0
        assert tunematrix(*words, "--allow", "inconclusive,not-measured")[0] == 0
        assert tunematrix(*words, "--allow", "missing")[0] == 3

    def test_an_allowance_softens_no_regression(self, tunematrix, files, worse):
        words = ("check", *self.sides((files[0], worse)), "--quantities", ANSWERS)
        assert tunematrix(*words, "--allow", "score")[0] == 1

    def test_a_pull_requests_summary_is_written(self, tunematrix, files, worse):
        sides = self.sides((files[0], worse))
        tunematrix("check", *sides, "--quantities", ANSWERS, "--markdown", "out/summary.md")
        text = Path("out/summary.md").read_text()
        assert text.startswith("### ❌ tunematrix check: regressed · ")
        assert "| regressed | score |" in text

    def test_junit_has_a_case_a_verdict_and_a_failure_a_regression(self, tunematrix, files, worse):
        tunematrix("check", *self.sides((files[0], worse)), "--quantities", ANSWERS, "--junit", "check.xml")
        suite = ElementTree.parse("check.xml").getroot()
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
        assert {case.get("classname") for case in suite.findall("testcase/failure/..")} >= {"score"}

    def test_an_allowance_of_nothing_known_is_one_line(self, tunematrix, files):
        code, _, errors = tunematrix("check", *self.sides(files), "--allow", "everything")
        assert (code, len(errors)) == (2, 1)
        assert "--allow everything: there is no 'everything'; there are inconclusive, " in errors[0]


class TestDiff:
    def test_compares_the_arms_and_checks_the_second_file(self, tunematrix, files, worse):
        code, output, _ = tunematrix("diff", files[0], worse)
        assert code == 1
        compared, checked = output.split("before -> worse")
        assert "pocket_target" in compared
        assert worst(checked) == ["regressed", "score"]

    def test_of_two_kernels_says_that_no_arm_is_common_and_checks(self, tunematrix, files, tmp_path):
        other = results(tmp_path / "eager.db", execution={**EXECUTION, "kernels": {"attention": "eager"}})
        code, output, errors = tunematrix("diff", files[0], other)
        assert (code, errors) == (3, [])  # what was measured once is open
        assert output.startswith("not compared arm by arm: ")
        assert "no arm in common" in output
        assert "before -> eager" in output
        assert "score 2" in next(line for line in output.splitlines() if line.startswith("pass: "))

    def test_of_arms_that_are_not_common_is_one_line(self, tunematrix, files, tmp_path):
        other = results(tmp_path / "eager.db", execution={**EXECUTION, "kernels": {"attention": "eager"}})
        code, _, errors = tunematrix("diff", files[0], other, "--only", "lora")
        assert (code, len(errors)) == (2, 1)
        assert "--only lora: " in errors[0] and "no arm in common" in errors[0]
