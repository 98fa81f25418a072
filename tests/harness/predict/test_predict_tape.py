"""The tape on steps so small that they are done by hand."""

from harness.predict.tape import Block, Node, Tape, Tensor, counted_peak, device_peak, kept_by_part


def test_a_storage_counts_once_from_the_first_node_that_keeps_it() -> None:
    tape, x, y = Tape(), Tensor(10, 4), Tensor(5, 2)
    tape.keep("norms", x)
    tape.keep("mlp", x, y, x)
    tape.close()

    assert [node.kept for node in tape.blocks[0].nodes] == [40, 10]
    assert kept_by_part(tape.blocks) == {"norms": 40, "mlp": 10}


def test_tensors_of_equal_size_are_not_the_same_storage() -> None:
    tape = Tape()
    tape.keep("mlp", Tensor(10, 4), Tensor(10, 4))
    tape.close()

    assert tape.blocks[0].kept == 80


def test_activations_larger_than_gradients_peak_as_the_forward_pass_ends() -> None:
    peak = counted_peak([Block((Node("a", kept=100, gradient=30),), repeat=3)])

    assert (peak.activation, peak.gradient) == (300, 0)


def test_gradients_larger_than_activations_peak_as_the_backward_pass_ends() -> None:
    peak = counted_peak([Block((Node("a", kept=10, gradient=30),), repeat=3)])

    assert (peak.activation, peak.gradient) == (0, 90)


def test_the_peak_may_be_in_the_middle() -> None:
    """Backward: the last block lets go of little and completes much, the first the other way round."""
    blocks = [Block((Node("a", kept=100, gradient=1),), repeat=2), Block((Node("b", kept=1, gradient=50),))]

    peak = counted_peak(blocks)

    assert (peak.activation, peak.gradient) == (200, 50)


def test_a_repeated_block_is_its_copies_one_after_the_other() -> None:
    node, last = Node("a", kept=7, gradient=9, scratch=5), Node("b", kept=3, gradient=4)
    together = [Block((last,)), Block((node, last), repeat=4), Block((node,))]
    apart = [Block((last,)), *[Block((node, last))] * 4, Block((node,))]

    assert counted_peak(together) == counted_peak(apart)
    assert device_peak(together) == device_peak(apart)


def test_gradients_of_earlier_micro_batches_stand_all_the_while() -> None:
    blocks = [Block((Node("a", kept=10, gradient=30),), repeat=3)]

    peak = counted_peak(blocks, standing=90)

    assert (peak.activation, peak.gradient) == (30, 90)
    assert device_peak(blocks, standing=90).gradient == 90


def test_a_checkpointed_block_keeps_its_input_and_stands_whole_while_it_is_computed_again() -> None:
    nodes = (Node("a", kept=100), Node("b", kept=50, gradient=8))
    blocks = [Block(nodes, repeat=3, held=10)]

    assert counted_peak(blocks).activation == 30
    assert kept_by_part(blocks) == {"checkpoints": 30}
    assert device_peak(blocks).total == 30 + 150 + 8  # the last block, before it lets go of anything


def test_what_stands_for_a_moment_counts_on_a_device_only() -> None:
    blocks = [Block((Node("a", kept=10, gradient=5, scratch=1000),))]

    assert counted_peak(blocks).counted == 10
    assert device_peak(blocks).total == 10 + 5 + 1000


def test_a_pending_gradient_stands_until_it_is_taken_back() -> None:
    blocks = [
        Block((Node("embedding", gradient=20, pending=-20),)),
        Block((Node("layer", kept=7),)),
        Block((Node("loss", pending=20),)),
    ]

    assert device_peak(blocks).total == 20 + 20  # at the embedding, beside its own half
