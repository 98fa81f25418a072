"""What a script's training is watched for."""

import json

import torch

from benchmarks.stock.watch import Watch, digest


def test_a_step_is_known_by_its_tokens_and_by_those_that_carry_loss():
    assert digest([([1, 2], [-100, 2])]) != digest([([1, 3], [-100, 3])])
    assert digest([([1, 2], [-100, 2])]) != digest([([1, 2], [1, 2])])


def test_padding_is_no_part_of_it():
    watch = Watch("cpu")
    watch.saw(torch.tensor([[1, 2, 0]]), torch.tensor([[-100, 2, -100]]), torch.tensor([[1, 1, 0]]))
    assert watch.tokens == [digest([([1, 2], [-100, 2])])]


def test_a_batch_that_was_fetched_and_not_trained_on_is_left_out(tmp_path):
    watch = Watch("cpu")
    watch.begin()
    for token in (1, 2):
        watch.saw(torch.tensor([[token]]), torch.tensor([[token]]))
    watch.end_step()
    watch.write(tmp_path / "watched.json")
    noted = json.loads((tmp_path / "watched.json").read_text())
    assert noted["tokens"] == [digest([([1], [1])])]
    assert len(noted["step_seconds"]) == 1
    assert noted["rss_peak_bytes"] > 0
