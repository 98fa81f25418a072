"""A check's verdicts read well by people and by programs, and obey nothing that a name in the file says."""

import io
import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from rich.console import Console

from harness.analysis.gate import Finding, Rules, exit_code, judge
from harness.gate.outputs import Check, as_json, as_junit, as_markdown, print_check, shown, write_check
from tests.harness.analysis.gate.gate_sides import make_side, with_frame

HOSTILE = "[bold]evil|arm[/] <script>alert(1)</script>\n# `x` \x1b[31m"


def check(worse: bool = True, name: str = "lora") -> Check:
    def slower(frame):
        frame["tokens_per_second_median"] *= 0.9

    def renamed(frame):
        frame["arm"] = frame["arm"].replace("lora", name)

    before, after = make_side(), with_frame(make_side(seed=1), "phases", slower) if worse else make_side(seed=1)
    sides = [replace(with_frame(side, "runs", renamed), name=f"{name}.db") for side in (before, after)]
    findings = judge(*sides, Rules())
    return Check(*sides, findings, exit_code(findings))


def printed(one: Check, every: bool = False, width: int = 120) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    print_check(one, console, every)
    return console.file.getvalue()


def test_what_is_worse_comes_first_and_what_passes_is_counted():
    text = printed(check())
    first = next(line for line in text.splitlines() if line.startswith(("regressed", "pass ")))
    assert first.startswith("regressed")
    assert "logits 4" in next(line for line in text.splitlines() if line.startswith("pass:"))


def test_what_is_open_for_one_reason_in_several_arms_is_one_row():
    empty = with_frame(check().candidate, "logits", lambda frame: frame.head(0))
    findings = judge(check().baseline, empty, Rules(), ("logits",))
    text = printed(Check(check().baseline, empty, findings, exit_code(findings)))
    assert [line.split()[:5] for line in text.splitlines() if line.startswith("not measured")] == [
        ["not", "measured", "logits", "4", "arms"]
    ]


def test_reasons_that_differ_in_their_numbers_alone_are_one_row_with_the_range():
    reasons = [f"not ruled out; about {times} times as many runs would do" for times in (4.0, 1.5, 12.0)]
    findings = [Finding("score", f"arm {n}", "inconclusive", why=why) for n, why in enumerate(reasons)]
    (row,) = shown([*findings, Finding("score", "arm 3", "pass", why="within chance")], every=False)
    assert (row.where, row.why) == ("3 arms", "not ruled out; about 1.5 to 12.0 times as many runs would do")


def test_every_verdict_is_printed_if_asked_for():
    assert printed(check(), every=True).count("gradients") == 4


def test_the_last_line_is_the_answer():
    assert printed(check()).splitlines()[-1].startswith("regressed · 5 regressed, ")
    assert printed(check(worse=False)).splitlines()[-1].startswith("pass · ")


def test_what_differs_between_the_sides_is_said_first():
    one = check()
    other = replace(one.candidate, facts={**one.candidate.facts, "torch": "2.14.0"})
    assert "torch: 2.13.0 -> 2.14.0" in printed(replace(one, candidate=other))
    assert "nothing: the same recipe, execution and stack" in printed(one)


def test_json_holds_every_finding_with_its_numbers():
    found = json.loads(as_json(check()))
    assert found["exit_code"] == 1
    assert len(found["findings"]) == len(check().findings)
    speed = next(one for one in found["findings"] if one["quantity"] == "matrix_speed")
    assert speed["verdict"] == "regressed"
    assert speed["low"] < speed["change"] < speed["high"]


def test_what_is_no_number_is_null():
    def lost(frame):
        return frame[frame["module"] == "layers.0"]

    one = check()
    side = with_frame(one.candidate, "gradients", lost)
    findings = judge(one.baseline, side, Rules(), ("gradients",))
    found = json.loads(as_json(Check(one.baseline, side, findings, exit_code(findings))))["findings"]
    assert {(row["verdict"], row["change"]) for row in found} == {("regressed", None)}


def test_recipes_that_were_left_out_are_said():
    one = replace(check(), left_out=70)
    assert "70 other recipes of the baseline are left out" in printed(one)
    assert json.loads(as_json(one))["recipes_left_out"] == 70


def test_junit_counts_regressions_as_failures_and_what_is_open_as_errors():
    suite = ElementTree.fromstring(as_junit(check()))
    assert suite.tag == "testsuite"
    assert (suite.get("failures"), suite.get("errors")) == ("5", "0")
    assert len(suite.findall("testcase")) == int(suite.get("tests")) == len(check().findings)
    nothing = Check(check().baseline, check().candidate, [f for f in check().findings[:1]], 0)
    assert ElementTree.fromstring(as_junit(nothing)).get("failures") == "0"


def test_markdown_fits_a_pull_request():
    text = as_markdown(check())
    assert text.startswith("### ❌ tunematrix check: regressed")
    assert len(text) < 4000
    rows = [line for line in text.splitlines() if line.startswith("| regressed")]
    assert len(rows) == 5
    assert len({line.count("|") for line in rows}) == 1


@pytest.mark.parametrize("form", ["json", "junit", "markdown"])
def test_files_are_written_where_asked(tmp_path, form):
    write_check(check(), form, tmp_path / "out" / "file")
    assert (tmp_path / "out" / "file").stat().st_size > 100


def test_a_hostile_name_does_nothing():
    one = check(name=HOSTILE)
    text = printed(one, width=300)
    assert "\x1b" not in text
    assert "[bold]evil|arm[/] <script>alert(1)</script> # `x`" in text
    markdown = as_markdown(one)
    assert "<script>" not in markdown
    assert not any(line.startswith("# ") for line in markdown.splitlines())
    assert HOSTILE[:6] in json.loads(as_json(one))["baseline"]["name"]
    ElementTree.fromstring(as_junit(one))
