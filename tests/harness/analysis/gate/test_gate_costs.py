"""Memory is exact, speed is judged over rounds, and neither is compared across machines unasked."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.analysis.gate import Finding, exit_code
from tests.harness.analysis.gate.gate_sides import ARMS, FACTS, findings, make_side, rules, verdicts, with_frame


def faster(share: float, arm: str = "", **options):
    def change(frame: pd.DataFrame) -> None:
        frame.loc[frame["run_id"].str.startswith(arm), "tokens_per_second_median"] *= 1 + share

    return with_frame(make_side(seed=1, **options), "phases", change)


def heavier(share: float, part: str = "activation"):
    def change(frame: pd.DataFrame) -> None:
        more = (share * frame["ledger_peak_bytes"]).astype(int)
        frame["ledger_peak_bytes"] += more
        frame[f"ledger_{part}_bytes"] += more

    return with_frame(make_side(), "phases", change)


class TestMemory:
    def test_the_same_passes(self):
        assert verdicts(make_side(), make_side(), "memory") == ["pass"] * len(ARMS)

    @pytest.mark.parametrize(("share", "verdict"), [(0.02, "regressed"), (-0.02, "improved"), (0.005, "pass")])
    def test_two_per_cent_are_found_and_half_a_per_cent_is_let_pass(self, share, verdict):
        assert set(verdicts(make_side(), heavier(share), "memory")) == {verdict}

    def test_the_part_that_grew_is_named(self):
        assert {one.why for one in findings(make_side(), heavier(0.5, "optimizer"), "memory")} == {
            "optimizer +0.50 MiB"
        }

    def test_a_measure_that_one_side_lacks_is_not_compared(self):
        def on_cuda(frame: pd.DataFrame) -> None:
            frame["peak_allocated_bytes"] = 2**30

        found = findings(make_side(), with_frame(make_side(), "phases", on_cuda), "memory")
        assert {one.detail for one in found} == {"train, ledger"}

    def test_a_peak_that_the_candidate_alone_lacks_is_missing(self):
        def lost(frame: pd.DataFrame) -> None:
            frame.loc[frame["run_id"].str.startswith("qlora"), "ledger_peak_bytes"] = None

        found = findings(make_side(), with_frame(make_side(), "phases", lost), "memory")
        assert [one.where for one in found if one.verdict == "missing"] == ["qlora"]

    def test_bytes_out_of_none_have_regressed(self):
        empty = with_frame(make_side(), "phases", lambda frame: frame.assign(ledger_peak_bytes=0))
        assert set(verdicts(empty, empty, "memory")) == {"pass"}
        assert {(one.verdict, one.change) for one in findings(empty, make_side(), "memory")} == {("regressed", None)}

    def test_no_measure_in_common_is_not_measured(self):
        def nothing(frame: pd.DataFrame) -> None:
            frame["ledger_peak_bytes"] = None

        assert set(verdicts(make_side(), with_frame(make_side(), "phases", nothing), "memory")) == {"not measured"}


class TestSpeed:
    def test_the_same_code_passes_by_arm_and_over_the_matrix(self):
        assert set(verdicts(make_side(), make_side(seed=1), "speed")) == {"pass"}
        assert verdicts(make_side(), make_side(seed=1), "matrix_speed") == ["pass"]

    @pytest.mark.parametrize(("share", "verdict"), [(-0.03, "regressed"), (0.03, "improved")])
    def test_three_per_cent_everywhere_are_found_over_the_matrix(self, share, verdict):
        assert verdicts(make_side(), faster(share), "matrix_speed") == [verdict]

    def test_one_slow_arm_is_found_by_name(self):
        found = findings(make_side(), faster(-0.05, "qlora"), "speed")
        assert [one.where for one in found if one.verdict == "regressed"] == ["qlora"]

    def test_the_change_is_said_in_tokens_a_second(self):
        found = findings(make_side(), faster(-0.1), "matrix_speed")[0]
        assert found.change == pytest.approx(-0.1, abs=0.01)
        assert found.low < found.change < found.high < 0

    def test_a_difference_that_is_certain_but_too_small_to_matter_passes(self):
        assert verdicts(make_side(), faster(-0.1), "matrix_speed", rules(matrix_speed={"minimum": 0.2})) == ["pass"]

    def test_too_few_rounds_are_inconclusive_and_say_how_many_more(self):
        found = findings(make_side(rounds=3), make_side(rounds=3, seed=1), "speed")
        assert {one.verdict for one in found} == {"inconclusive"}
        assert {one.why for one in found} == {"3 rounds; 7 more would do"}  # of four arms none can be told with 9

    def test_rounds_with_which_no_outcome_could_be_beyond_chance_never_pass(self):
        def sides(rounds: int):
            return make_side(rounds=rounds), make_side(rounds=rounds)

        assert set(verdicts(*sides(6), "speed")) == {"inconclusive"}
        assert verdicts(*sides(6), "matrix_speed") == ["inconclusive"]
        assert {one.why for one in findings(*sides(6), "speed")} == {"6 rounds; 4 more would do"}
        assert set(verdicts(*sides(10), "speed")) == {"pass"}

    def test_the_more_arms_the_more_rounds_it_takes(self):
        eight = [make_side(arms=tuple(f"arm{n}" for n in range(8))) for _ in range(2)]
        found = findings(*eight, "speed")
        assert {(one.verdict, one.why) for one in found} == {("inconclusive", "10 rounds; 1 more would do")}
        assert verdicts(*eight, "matrix_speed") == ["pass"]

    def test_arms_of_a_round_are_one_value(self):
        """Twelve arms in three rounds are three values, however many arms a disturbed round slows."""
        many = {"rounds": 3, "arms": tuple(f"arm{n}" for n in range(12))}
        found = findings(make_side(**many), faster(-0.1, **many), "matrix_speed")[0]
        assert (found.verdict, found.detail) == ("inconclusive", "3 rounds")

    @pytest.mark.parametrize("quantity", ["speed", "matrix_speed"])
    def test_sides_that_took_no_turns_are_told_apart_by_nothing(self, quantity):
        before = with_frame(make_side(), "runs", lambda runs: runs.assign(source="local"))
        found = findings(before, faster(-0.3), quantity)
        assert {one.verdict for one in found} == {"inconclusive"}
        assert all(one.why.startswith("not measured in turn") for one in found)
        assert found[0].change == pytest.approx(-0.3, abs=0.02)
        assert exit_code([*found, Finding("memory", "lora", "pass")], [quantity]) == 0

    def test_a_machine_that_is_too_restless_is_inconclusive(self):
        def restless(frame: pd.DataFrame) -> None:
            frame["tokens_per_second_median"] *= np.exp(0.3 * np.random.default_rng(5).standard_normal(len(frame)))

        found = findings(make_side(), with_frame(make_side(), "phases", restless), "matrix_speed")[0]
        assert found.verdict == "inconclusive"
        assert "more would do" in found.why

    def test_one_disturbed_round_changes_no_verdict(self):
        def disturb(frame: pd.DataFrame) -> None:
            frame.loc[frame["run_id"].str.endswith("measure-0"), "tokens_per_second_median"] /= 5

        disturbed = with_frame(make_side(rounds=20, seed=1), "phases", disturb)
        assert verdicts(make_side(rounds=20), disturbed, "matrix_speed") == ["pass"]


class TestHardware:
    def other(self):
        return replace(make_side(seed=1), facts={**FACTS, "processor": "Another CPU"})

    @pytest.mark.parametrize("quantity", ["memory", "speed", "matrix_speed"])
    def test_of_another_machine_costs_are_not_compared(self, quantity):
        found = findings(make_side(), self.other(), quantity)
        assert [one.verdict for one in found] == ["not measured"]
        assert found[0].why == "different hardware: processor Test CPU against Another CPU"

    def test_unless_it_is_asked_for(self):
        assert verdicts(make_side(), self.other(), "matrix_speed", other_hardware=True) == ["pass"]

    def test_scores_are_compared_anyway(self):
        assert set(verdicts(make_side(), self.other(), "score")) == {"pass"}
