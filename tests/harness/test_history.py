"""An arm's figure over stacks and files: its points in order, its steps, and what changed at them."""

import sys
from datetime import UTC, datetime, timedelta

import pytest

from harness.analysis.summary import summarise
from harness.cli import main
from harness.errors import UserError
from harness.history import METRICS, changed, histories
from harness.sections import Contents
from harness.store.database import open_for_reading, open_for_writing
from tests.factory import ARMS, CPU, Truth, make_database

START = datetime(2026, 1, 1, tzinfo=UTC)


def arms(**lora) -> dict[str, Truth]:
    return {"base": ARMS["base"], "lora": Truth(**{**vars(ARMS["lora"]), **lora})}


def add_run(path, day, facts=CPU, seed=0, **lora):
    """A day's runs on a stack of its own."""
    return make_database(
        path, seed=seed, arms=arms(**lora), bases=["pocket-1m"], facts=facts, started=START + timedelta(days=day)
    )


@pytest.fixture(scope="module")
def stepped(tmp_path_factory):
    """Eight days, the last three on a newer torch that is slower; memory rises a day earlier, with the datasets."""
    folder = tmp_path_factory.mktemp("stepped")
    for day in range(8):
        facts = {**CPU, "torch": "2.12.0" if day < 5 else "2.13.0", "datasets": f"4.{day}"}
        speed = 11_000 + 40 * (day % 3) - (1_500 if day >= 5 else 0)
        memory = 12.0 if day < 4 else 13.0
        add_run(folder / f"{day % 2}.db", day, facts, seed=day, tokens_per_second=speed, memory_mib=memory)
    return [folder / "0.db", folder / "1.db"]


class TestAHistory:
    def test_has_a_point_for_each_stack_in_order_of_time(self, stepped):
        (found,) = histories("tokens_per_second", ["lora r=8"], stepped)
        assert [point.when[:10] for point in found.points] == [f"2026-01-{day:02}" for day in range(1, 9)]
        assert [point.source for point in found.points] == ["0", "1"] * 4

    def test_finds_the_step_and_names_what_changed(self, stepped):
        (found,) = histories("tokens_per_second", ["lora r=8"], stepped)
        (step,) = found.steps
        assert step.index == 5
        assert found.changes(step) == ["datasets 4.4 -> 4.5", "torch 2.12.0 -> 2.13.0"]

    def test_of_another_figure_has_steps_of_its_own(self, stepped):
        (found,) = histories("memory_bytes", ["lora r=8"], stepped)
        assert [step.index for step in found.steps] == [4]

    def test_of_a_score_has_the_reports_intervals(self, stepped):
        (found,) = histories("target", ["lora r=8"], stepped)
        assert all(point.low < point.value < point.high for point in found.points)

    def test_counts_runs_once_that_two_sources_hold(self, stepped):
        (found,) = histories("target", ["lora r=8"], [stepped[0], stepped[0]])
        assert len(found.points) == 4

    def test_of_several_arms_is_one_each(self, stepped):
        found = histories("target", ["lora r=8", "base"], stepped)
        assert [one.arm.name for one in found] == ["lora r=8", "base"]

    def test_of_what_was_not_measured_has_no_points(self, stepped):
        (found,) = histories("memory_bytes", ["base"], stepped)
        assert found.points == ()

    def test_leaves_out_memory_that_was_measured_another_way(self, tmp_path):
        add_run(tmp_path / "x.db", 0, {**CPU, "device": "cuda"})
        add_run(tmp_path / "x.db", 1, seed=1)
        (found,) = histories("memory_bytes", ["lora r=8"], [tmp_path / "x.db"])
        assert ([point.measure for point in found.points], found.left_out) == (["ledger"], 1)

    def test_of_every_number_is_the_reports(self, tmp_path):
        arms = {name: ARMS[name] for name in ("base", "full_sft", "lora", "dpo-lora")}
        path = make_database(tmp_path / "x.db", arms=arms, bases=["pocket-1m"], seeds=(1, 2))
        (part,) = Contents(open_for_reading(path)).parts()
        report = summarise(part.frames).set_index("name").loc["dpo-lora on lora r=8"]
        found = {metric: histories(metric, ["dpo-lora"], [path])[0].points for metric in METRICS}
        assert {metric: [point.value for point in points] for metric, points in found.items()} == {
            metric: [report[metric]] for metric in METRICS
        }


class TestAnArm:
    def test_can_be_named_with_its_base_or_by_its_id(self, stepped):
        (found,) = histories("target", ["lora r=8 · pocket-1m"], stepped)
        (same,) = histories("target", [found.arm.arm_id[:8]], stepped)
        assert same.arm == found.arm

    def test_that_is_in_no_source_is_told_with_those_that_are(self, stepped):
        with pytest.raises(UserError, match=r"lora r=9: no such arm.*lora r=8 · pocket-1m"):
            histories("target", ["lora r=9"], stepped)

    def test_of_two_bases_has_to_be_named_with_one(self, tmp_path):
        make_database(tmp_path / "x.db", arms=arms())
        with pytest.raises(UserError, match=r"names several arms: .*pocket-0.2m.*give more of the name"):
            histories("target", ["lora r=8"], [tmp_path / "x.db"])


class TestWhatChanged:
    def points(self, path, first, second):
        add_run(path, 0, first)
        add_run(path, 1, second, seed=1)
        return histories("target", ["lora r=8"], [path])[0].points

    def test_names_facts_that_one_stack_lacks(self, tmp_path):
        before, after = self.points(tmp_path / "x.db", CPU, {**CPU, "flash-attn": "2.8"})
        assert changed(before, after) == ["flash-attn none -> 2.8"]

    def test_of_one_stack_is_nothing(self, tmp_path):
        point = self.points(tmp_path / "x.db", CPU, {**CPU, "cores": 4})[0]
        assert changed(point, point) == ["nothing in the stack"]


class TestTheCommand:
    @pytest.fixture
    def run(self, monkeypatch, capsys, tmp_path):
        monkeypatch.chdir(tmp_path)

        def run(*words):
            monkeypatch.setattr(sys, "argv", ["tunematrix", "history", *map(str, words)])
            try:
                main()
                code = 0
            except SystemExit as stop:
                code = int(stop.code or 0)
            captured = capsys.readouterr()
            return code, captured.out, captured.err.splitlines()

        return run

    def test_prints_the_points_and_the_step(self, run, stepped):
        code, output, _ = run("tokens_per_second", "--arm", "lora r=8", *stepped)
        assert code == 0
        assert output.count("2026-01-0") == 8
        assert "step from 11,040 to 9,540 (-13.6%) between stack" in output
        assert "torch 2.12.0 -> 2.13.0" in output

    def test_says_when_there_is_none(self, run, stepped):
        assert "no step beyond the noise" in run("trainable_parameters", "--arm", "lora r=8", *stepped)[1]

    def test_says_when_runs_are_too_few(self, run, tmp_path):
        add_run(tmp_path / "tunematrix.db", 0)
        assert "too short to tell a step from noise: 1 of 4" in run("target", "--arm", "lora r=8")[1]

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (("targt", "--arm", "lora r=8"), "targt: no such metric; there are"),
            (("target",), "--arm: name an arm at least"),
            (("target", "--arm", "lora r=9"), "lora r=9: no such arm (known: base · pocket-1m; lora r=8 · pocket-1m)"),
            (("target", "--arm", "lora r=8", "absent.db"), "absent.db: no such results file or snapshot"),
        ],
    )
    def test_tells_a_mistake_in_one_line(self, run, tmp_path, words, says):
        add_run(tmp_path / "tunematrix.db", 0)
        code, _, errors = run(*words)
        assert (code, len(errors)) == (2, 1)
        assert says in errors[0]

    def test_obeys_no_markup_in_a_stacks_facts(self, run, tmp_path):
        for day in range(6):
            facts = {**CPU, "day": day, "torch": "[red]a[/red]\x1b[31m" if day < 3 else "b"}
            add_run(tmp_path / "tunematrix.db", day, facts, seed=day, memory_mib=10.0 if day < 3 else 12.0)
        output = run("memory_bytes", "--arm", "lora r=8")[1]
        assert "torch [red]a[/red]" in output and "\x1b" not in output

    def test_a_file_without_runs_has_no_arms(self, run, tmp_path):
        open_for_writing(tmp_path / "tunematrix.db").close()
        assert "(known: none yet)" in run("target", "--arm", "lora r=8")[2][0]
