"""A peer is compared where it did the same work, and told apart where it did not."""

from dataclasses import replace

import pytest

from benchmarks.peers import NOT_RUN, Row, Side, best, other_work, row_of, verdict

HARNESS = Side([8.31, 8.25, 8.20], ["a", "b", "c"], 1000.0, 400)


def test_the_same_losses_and_tokens_are_the_same_work():
    assert other_work(HARNESS, replace(HARNESS, losses=[8.312, 8.25, 8.203]), 1e-3) is None


def test_another_first_loss_is_told_with_both_numbers():
    peer = replace(HARNESS, losses=[8.36, 8.25, 8.20])
    assert other_work(HARNESS, peer, 1e-3) == "another loss at step 1: 8.3600, the harness 8.3100: not compared"
    assert other_work(HARNESS, peer, 1e-2) is None


def test_a_peer_that_begins_alike_and_learns_otherwise_is_found_at_the_last_step():
    peer = replace(HARNESS, losses=[8.31, 8.25, 8.30])
    assert "another loss at step 3" in str(other_work(HARNESS, peer, 1e-3))


def test_a_loss_that_is_no_number_agrees_with_nothing():
    assert "another loss" in str(other_work(HARNESS, replace(HARNESS, losses=[float("nan")] * 3), 1e-2))


def test_tokens_are_compared_beside_losses_since_losses_of_drawn_weights_are_all_alike():
    peer = replace(HARNESS, tokens=["a", "x", "c"])
    assert other_work(HARNESS, peer, 1e-2) == "other tokens at step 2: not compared"


def test_fewer_steps_are_other_work():
    assert "other steps: 2" in str(other_work(HARNESS, replace(HARNESS, losses=[8.31, 8.25]), 1e-3))


def test_ratios_are_of_one_round_each_and_their_median_counts():
    slow = replace(HARNESS, tokens_per_second=100.0)  # a round in which the machine was busy
    rounds = [
        (HARNESS, replace(HARNESS, tokens_per_second=900.0, peak_bytes=800)),
        (slow, replace(slow, tokens_per_second=80.0)),
        (HARNESS, replace(HARNESS, tokens_per_second=2000.0)),
    ]
    row = row_of("lora", "TRL", rounds, 1e-3)
    assert row.speeds == pytest.approx([0.9, 0.8, 2.0])
    assert row.speed == pytest.approx(0.9)
    assert row.memory == pytest.approx(1.0)


def test_one_round_of_other_work_leaves_the_peer_out():
    other = replace(HARNESS, tokens=["x", "b", "c"])
    row = row_of("lora", "TRL", [(HARNESS, HARNESS), (HARNESS, other)], 1e-3)
    assert (row.speed, row.memory, row.losses) == (None, None, (8.31, 8.20))
    assert row.reason == "other tokens at step 1: not compared"


def test_the_verdict_is_of_the_fastest_peer_that_is_compared():
    rows = [
        Row("lora", "slower", speed=0.5),
        Row("lora", "fastest", speed=0.8),
        Row("lora", "other", reason="another loss"),
    ]
    assert best(rows) is rows[1]
    assert verdict(rows) == "the harness is 1.25x (no slower) the best peer at equal loss (fastest)"


def test_a_harness_that_is_slower_is_told_as_such():
    assert verdict([Row("lora", "TRL", speed=1.25)]) == (
        "the harness is 0.80x (slower) the best peer at equal loss (TRL)"
    )


def test_other_settings_of_the_harness_are_no_peers_and_are_told_where_they_are_faster():
    rows = [Row("lora", "TRL", speed=1.25), Row("lora", "whole logits", speed=1.5, own=True)]
    assert verdict(rows) == (
        "the harness is 0.80x (slower) the best peer at equal loss (TRL); with whole logits 1.20x (no slower)"
    )
    assert verdict([rows[0], replace(rows[1], speed=0.9)]) == verdict(rows[:1])
    assert verdict(rows[1:]) == "no peer at equal loss"


def test_where_no_peer_is_compared_there_is_no_ratio():
    assert verdict([Row("lora", "TRL", reason="not installed")]) == "no peer at equal loss"


def test_a_verdict_before_all_have_run_names_those_that_have_not():
    rows = [Row("lora", "TRL", speed=0.5), Row("lora", "torchtune", reason=NOT_RUN), Row("lora", "x", reason="failed")]
    assert verdict(rows).endswith("the best peer at equal loss (TRL); not run yet: torchtune")
    assert verdict(rows[1:]) == "no peer at equal loss; not run yet: torchtune"
