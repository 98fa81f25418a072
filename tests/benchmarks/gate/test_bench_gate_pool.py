"""Whole checks are drawn from real runs as the gate would see them: in rounds, chain by chain, with what is planted."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.gate.pool import Plant, Pool, draw
from harness.analysis.gate import Side, judge, match
from harness.analysis.gate.losses import final_losses
from harness.analysis.gate.rules import Rules
from tests.harness.analysis.gate.gate_sides import ARMS, make_side, with_frame

ROUNDS = 6


def variant(number: int) -> Side:
    """A side whose last losses say which variant it is."""

    def mark(frame: pd.DataFrame) -> None:
        frame.loc[frame["step"] == 20, "loss"] = np.exp(number)

    return with_frame(make_side(seed=number, noise=0.02), "losses", mark)


@pytest.fixture(scope="module")
def pool() -> Pool:
    return Pool((make_side(), make_side(seed=1)), [variant(n) for n in range(3)])


def drawn(pool: Pool, plant: Plant | None = None, seed: int = 0) -> tuple[Side, Side]:
    return draw(pool, ROUNDS, plant or Plant(), np.random.default_rng(seed))


def test_both_sides_share_their_rounds(pool):
    pairs = match(*drawn(pool)).pairs
    assert pairs["round"].notna().sum() == ROUNDS * len(ARMS)
    assert pairs["round"].nunique() == ROUNDS


def test_a_round_in_which_a_run_failed_is_not_drawn():
    def fail(runs: pd.DataFrame) -> None:
        runs.loc[runs["run_id"] == "lora-measure-3", "status"] = "crashed"

    pool = Pool((make_side(), with_frame(make_side(), "runs", fail)), [variant(0), variant(1)])
    assert len(pool.measured[0]) == len(pool.measured[1]) == 9


def test_the_runs_of_a_chain_come_from_one_variant_and_the_sides_from_two(pool):
    sides = drawn(pool)
    told = final_losses(*sides, match(*sides))
    apart = told.groupby("chain")["log_ratio"]
    assert (apart.nunique() == 1).all()
    assert (told["log_ratio"] != 0).all()
    assert apart.first().nunique() > 1  # chains draw by themselves


def test_both_sides_answer_the_same_drawn_items(pool):
    """With one variant twice nothing would differ, whatever items are drawn."""
    same = Pool(pool.rounds, [variant(0), variant(0)])
    sides = drawn(same)
    assert sides[0].scores["value"].tolist() == sides[1].scores["value"].tolist()
    assert sides[0].scores["value"].tolist() != variant(0).scores["value"].tolist()


def test_another_seed_draws_another_check(pool):
    assert drawn(pool)[0].scores["value"].tolist() != drawn(pool, seed=1)[0].scores["value"].tolist()


@pytest.mark.parametrize(
    ("plant", "quantity", "change"),
    [
        (Plant(slowdown=0.1), "matrix_speed", -0.1),
        (Plant(memory=0.02), "memory", 0.02),
        (Plant(points=0.1), "matrix_score", -0.1),
    ],
)
def test_what_is_planted_is_what_the_gate_reads(pool, plant, quantity, change):
    found = judge(*drawn(pool, plant), Rules(), (quantity,))[0]
    assert found.change == pytest.approx(change, abs=0.01)
