"""What autograd keeps for the backward pass, and when it lets go of it.

A training step is a list of blocks of nodes, in the order of the forward pass. A node keeps tensors from the moment it
runs until the backward pass has gone through it, which then completes gradients of parameters. Tensors are storages:
what several nodes keep counts once, from the first to the last of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, eq=False)
class Tensor:
    """One storage; ``grad`` where a gradient flows back through it."""

    elements: int
    size: int  # bytes of an element
    grad: bool = True

    @property
    def bytes(self) -> int:
        """Of the storage."""
        return self.elements * self.size


class Node(NamedTuple):
    """A step of the computation: bytes that it keeps first, of the gradients that it completes, and of what stands only
    while the backward pass is at it."""

    part: str
    kept: int = 0
    gradient: int = 0
    scratch: int = 0
    pending: int = 0  # from here on until another node takes it back: a gradient that waits for its other half


@dataclass(frozen=True)
class Block:
    """Nodes that run ``repeat`` times. A checkpointed block keeps its ``held`` input alone and is computed again."""

    nodes: tuple[Node, ...]
    repeat: int = 1
    held: int | None = None

    @property
    def recomputed(self) -> int:
        """Bytes that it keeps when it is computed again."""
        return 0 if self.held is None else sum(node.kept for node in self.nodes)

    @property
    def kept(self) -> int:
        """Bytes that one copy keeps from its forward to its backward pass."""
        return sum(node.kept for node in self.nodes) if self.held is None else self.held

    @property
    def gradient(self) -> int:
        """Bytes of the gradients that one copy completes."""
        return sum(node.gradient for node in self.nodes)


class Moment(NamedTuple):
    """Bytes that stand at one moment of a step."""

    activation: int
    gradient: int
    temporary: int = 0

    @property
    def counted(self) -> int:
        """What the ledger sees."""
        return self.activation + self.gradient

    @property
    def total(self) -> int:
        """What a device holds."""
        return self.counted + self.temporary


class Tape:
    """Records a forward pass."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._nodes: list[Node] = []
        self._seen: set[Tensor] = set()

    def keep(self, part: str, *tensors: Tensor, gradient: int = 0, scratch: int = 0, pending: int = 0) -> None:
        """A node of ``part`` keeps ``tensors``."""
        fresh = dict.fromkeys(tensor for tensor in tensors if tensor not in self._seen)
        self._seen.update(fresh)
        self._nodes.append(Node(part, sum(tensor.bytes for tensor in fresh), gradient, scratch, pending))

    def close(self, held: Tensor | None = None) -> None:
        """The nodes since the last block are one; with ``held`` a checkpointed one."""
        self.blocks.append(Block(tuple(self._nodes), held=None if held is None else held.bytes))
        self._nodes = []

    def repeat(self) -> None:
        """The last block runs once more."""
        last = self.blocks[-1]
        self.blocks[-1] = Block(last.nodes, last.repeat + 1, last.held)


def kept_by_part(blocks: Sequence[Block]) -> dict[str, int]:
    """Bytes kept at the end of the forward pass, by part; what is computed again counts as ``checkpoints``."""
    found: dict[str, int] = {}
    for block in blocks:
        parts = [(n.part, n.kept) for n in block.nodes] if block.held is None else [("checkpoints", block.held)]
        for part, kept in parts:
            found[part] = found.get(part, 0) + block.repeat * kept
    return {part: kept for part, kept in found.items() if kept}


def counted_peak(blocks: Sequence[Block], standing: int | None = None) -> Moment:
    """The moment at which the ledger's total is highest: as the forward pass ends, or as a gradient is complete.

    ``standing``: bytes of gradients of earlier micro-batches, to which this one adds in place.
    """
    end = Moment(sum(block.kept * block.repeat for block in blocks), standing or 0)
    if standing is not None:
        return end
    return max([end, *(after for _, after in _backward(blocks))], key=lambda moment: moment.counted)


def device_peak(blocks: Sequence[Block], standing: int | None = None) -> Moment:
    """The moment at which a device holds most: what is kept, gradients, and what stands for a moment only."""
    during = [before for before, _ in _backward(blocks)]
    if standing is None:
        return max(during, key=lambda moment: moment.total)
    highest = max(during, key=lambda moment: moment.activation + moment.temporary)
    return Moment(highest.activation, standing, highest.temporary)


def _backward(blocks: Sequence[Block]) -> Iterator[tuple[Moment, Moment]]:
    """Moments of the backward pass at each node: while it is there, and when it is through.

    Of a block that repeats, the first and the last copy: each copy lets go of as much and completes as much as any
    other, so that the highest total is in one of these two.
    """
    kept, gradient, pending = sum(block.kept * block.repeat for block in blocks), 0, 0
    for block in reversed(blocks):
        for copy in {0, block.repeat - 1}:
            yield from _through(block, kept - copy * block.kept, gradient + copy * block.gradient, pending)
        kept -= block.repeat * block.kept
        gradient += block.repeat * block.gradient
        pending += block.repeat * sum(node.pending for node in block.nodes)


def _through(block: Block, kept: int, gradient: int, pending: int) -> Iterator[tuple[Moment, Moment]]:
    again = block.recomputed
    for node in reversed(block.nodes):
        during = Moment(kept, gradient, node.gradient + node.scratch + again + pending)
        if block.held is None:
            kept -= node.kept
        else:
            again -= node.kept
        gradient += node.gradient
        pending += node.pending
        yield during, Moment(kept, gradient)
