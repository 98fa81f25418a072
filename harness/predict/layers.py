"""What each kind of layer keeps, as the formulas of its derivatives ask for it.

Read from torch's ``derivatives.yaml``, Transformers' Llama and Qwen2, PEFT's LoRA layers, bitsandbytes' 4-bit product
and TRL's chunked log-probabilities: a product keeps its input where its weight learns, and its weight (counted with the
model) where its input needs a gradient; an element-wise product keeps each factor that the other's gradient needs.
``scratch`` is the gradients that stand beside a node while the backward pass is at it: an estimate, not an account.
"""

from dataclasses import dataclass, field

from harness.predict.recipe import Batch, Recipe
from harness.predict.shape import Linear, Shape
from harness.predict.tape import Tape, Tensor

INDEX, FLOAT32, BOOL = 8, 4, 1
LOSS_TILE_TOKENS, LOSS_TILE_WIDTH = 4096, 32768  # TRL computes the loss a tile at a time


@dataclass
class Pass:
    """One forward pass that is being recorded."""

    shape: Shape
    recipe: Recipe
    batch: Batch
    tape: Tape = field(default_factory=Tape)

    def __post_init__(self) -> None:
        rotary = self.batch.length * self.shape.head_dim
        self.rotary = (Tensor(rotary, self.recipe.weight_size, False), Tensor(rotary, self.recipe.weight_size, False))

    @property
    def trains_base(self) -> bool:
        """Does every weight learn?"""
        return self.recipe.adapter is None

    def tensor(self, width: int, size: int, grad: bool = True) -> Tensor:
        """``width`` elements for each token."""
        return Tensor(self.batch.tokens * width, size, grad)

    def stream(self, grad: bool = True) -> Tensor:
        """The hidden states between layers: as wide as the weights' type."""
        return self.tensor(self.shape.hidden, self.recipe.weight_size, grad)


def embedding(run: Pass) -> Tensor:
    """The token embeddings keep the tokens where they learn. A tied output layer's gradient waits for theirs."""
    shape, recipe = run.shape, run.recipe
    if not run.trains_base:
        return run.stream(grad=recipe.checkpointing)  # checkpointing needs inputs through which a gradient flows
    table = shape.vocabulary * shape.hidden * recipe.weight_size
    run.tape.keep("embedding", run.tensor(1, INDEX), gradient=table, pending=-table if shape.tied else 0)
    return run.stream()


def norm(run: Pass, x: Tensor) -> Tensor:
    """RMSNorm in float32: its input widened, each token's inverse root mean square, and what its weight scales."""
    hidden = run.shape.hidden
    if x.grad:
        wide = x if x.size == FLOAT32 else run.tensor(hidden, FLOAT32)
        run.tape.keep("norms", wide, run.tensor(1, FLOAT32), scratch=3 * wide.bytes + x.bytes)
    if run.trains_base:
        run.tape.keep(
            "norms", run.tensor(hidden, x.size), gradient=hidden * run.recipe.weight_size, scratch=2 * x.bytes
        )
    return run.tensor(hidden, x.size, x.grad or run.trains_base)


def linear(run: Pass, part: str, layer: Linear, x: Tensor, adapted: bool) -> Tensor:
    """A linear layer, with an adapter beside it where it is ``adapted``."""
    recipe = run.recipe
    grad = x.grad or run.trains_base
    if grad:
        kept = [_lowered(run, x, layer.inputs)] if run.trains_base else []
        if recipe.lowers_weights and x.grad and not recipe.quantised:
            kept.append(Tensor(layer.elements, recipe.compute_size))  # the weight lowered for this product
        learned = (layer.elements + layer.bias * layer.outputs) * recipe.weight_size if run.trains_base else 0
        dense = layer.elements * recipe.compute_size if recipe.quantised else 0
        both = run.batch.tokens * (layer.inputs + layer.outputs) * recipe.compute_size
        run.tape.keep(part, *kept, gradient=learned, scratch=both + dense + run.stream().bytes)
    if adapted:
        _adapter(run, layer, x)
    return run.tensor(layer.outputs, x.size if recipe.quantised else recipe.compute_size, grad or adapted)


def _adapter(run: Pass, layer: Linear, x: Tensor) -> None:
    """Both products keep their inputs: the layer's, as ``_into_adapter`` hands it on, and the narrow one."""
    recipe = run.recipe
    assert recipe.adapter is not None
    rank = recipe.adapter.rank
    size = recipe.compute_size if recipe.autocast else recipe.adapter_size
    first, second = rank * layer.inputs, layer.outputs * rank
    lowered_first = [Tensor(first, size)] if recipe.lowers_adapter and x.grad else []
    lowered_second = [Tensor(second, size)] if recipe.lowers_adapter else []
    beside = run.batch.tokens * (layer.inputs + layer.outputs) * size + run.stream().bytes
    taken = _into_adapter(run, layer, x, size)
    run.tape.keep("adapters", taken, *lowered_first, gradient=first * recipe.adapter_size, scratch=beside)
    narrow = run.tensor(rank, size)
    run.tape.keep("adapters", narrow, *lowered_second, gradient=second * recipe.adapter_size, scratch=beside)


def _into_adapter(run: Pass, layer: Linear, x: Tensor, size: int) -> Tensor:
    """``x`` in the type of the adapter's products, lifted by PEFT or lowered by autocast, and dropout's parts of it:
    each step that changes anything is a copy. Dropout keeps which parts it dropped."""
    recipe = run.recipe
    x = x if recipe.autocast or x.size == size else run.tensor(layer.inputs, size, x.grad)
    if recipe.adapter is not None and recipe.adapter.dropout:
        mask = BOOL if recipe.device == "cuda" else x.size
        if x.grad:
            run.tape.keep("adapters", run.tensor(layer.inputs, mask, False))
        x = run.tensor(layer.inputs, x.size, x.grad)
    return x if x.size == size else run.tensor(layer.inputs, size, x.grad)


def attention(run: Pass, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Rotary embeddings keep their angles; then one of the two ways in which attention is computed."""
    shape = run.shape
    grad = query.grad or key.grad or value.grad
    if query.grad or key.grad:
        run.tape.keep("attention", *run.rotary)
    out = run.tensor(shape.heads * shape.head_dim, run.recipe.compute_size, grad)
    if grad:
        _eager(run, out) if run.recipe.attention == "eager" else _fused(run, out, value)
    return out


def _fused(run: Pass, out: Tensor, value: Tensor) -> None:
    """Keeps its inputs, its output and a log-sum a head and token; masked, its own mask and copies of the key heads.

    A single key head is read by all heads where it lies, unless it is lowered. FlashAttention 2 takes the padding out
    first: its output, which is put back in, is a second one, taken here to be as long.
    """
    shape, batch, size = run.shape, run.batch, run.recipe.compute_size
    masked = run.recipe.masks(batch)
    if batch.padded and not masked:
        out = run.tensor(shape.heads * shape.head_dim, size)

    def heads(lowered: bool) -> int:
        return shape.heads if masked and (shape.kv_heads > 1 or lowered) else shape.kv_heads

    widths = (shape.heads, heads(run.recipe.lowers_weights), heads(value.size != size))
    query, key, value = (run.tensor(width * shape.head_dim, size) for width in widths)
    sums = run.tensor(shape.heads, FLOAT32)
    mask = [Tensor(batch.rows * batch.length**2, size, False)] if masked else []
    scratch = 2 * query.bytes + key.bytes + value.bytes + run.stream().bytes
    run.tape.keep("attention", query, key, value, out, sums, *mask, scratch=scratch)


def _eager(run: Pass, out: Tensor) -> None:
    """Keeps every head's probabilities in float32, again in a lower type, and copies of its inputs."""
    shape, batch, size = run.shape, run.batch, run.recipe.compute_size
    square = batch.rows * shape.heads * batch.length**2
    inputs = [run.tensor(shape.heads * shape.head_dim, size) for _ in range(3)]
    probabilities = [Tensor(square, FLOAT32), *([] if size == FLOAT32 else [Tensor(square, size)])]
    run.tape.keep("attention", *inputs, *probabilities, scratch=2 * square * FLOAT32 + 3 * out.bytes)


def mlp(run: Pass, gate: Tensor, up: Tensor) -> Tensor:
    """SiLU keeps its input, the product after it both factors."""
    width, size = run.shape.intermediate, gate.size
    scratch = 3 * gate.bytes + run.stream().bytes
    if gate.grad:
        run.tape.keep("mlp", gate, scratch=scratch)
    kept = ([run.tensor(width, size)] if up.grad else []) + ([up] if gate.grad else [])
    if kept:
        run.tape.keep("mlp", *kept, scratch=scratch)
    return run.tensor(width, size, gate.grad or up.grad)


def loss(run: Pass, x: Tensor) -> None:
    """The output layer and the loss over the vocabulary, in one of the three ways in which they are computed."""
    {"chunked": _chunked_loss, "whole": _whole_loss, "liger": _liger_loss}[run.recipe.loss](run, x)


def _whole_loss(run: Pass, x: Tensor) -> None:
    """The output layer keeps what a linear layer does, the loss all logarithms of probabilities in float32. Its
    backward pass makes a gradient as large of each of its two steps."""
    shape, recipe, batch = run.shape, run.recipe, run.batch
    table, logits = shape.vocabulary * shape.hidden, batch.tokens * shape.vocabulary
    kept = [_lowered(run, x, shape.hidden)] if run.trains_base else []
    kept += [Tensor(table, recipe.compute_size)] if recipe.lowers_weights else []
    learned = table * recipe.weight_size if run.trains_base else 0
    waiting = learned * shape.tied
    scratch = logits * recipe.compute_size + x.bytes + waiting
    run.tape.keep("loss", *kept, gradient=learned - waiting, pending=waiting, scratch=scratch)
    run.tape.keep("loss", Tensor(logits, FLOAT32), run.tensor(1, INDEX), scratch=2 * logits * FLOAT32)


def _liger_loss(run: Pass, x: Tensor) -> None:
    """Liger computes gradients as it goes forward: that of its input and of a weight that learns are all it keeps.

    Its logits are of so many tokens at a time that they take about as much as its input.
    """
    shape, recipe, batch = run.shape, run.recipe, run.batch
    learned = Tensor(shape.vocabulary * shape.hidden if run.trains_base else 0, recipe.weight_size)
    waiting = learned.bytes * shape.tied
    at_once = -(-batch.tokens // -(-shape.vocabulary // shape.hidden))
    tile = min(batch.tokens, 1 << (at_once - 1).bit_length()) * shape.vocabulary * recipe.compute_size
    run.tape.keep("loss", gradient=learned.bytes - waiting)
    run.tape.keep("loss", run.tensor(shape.hidden, x.size), learned, pending=waiting, scratch=tile)


def _chunked_loss(run: Pass, x: Tensor) -> None:
    """TRL's fused output layer and loss: hidden states, targets and two sums a token, but no logits.

    The last position of each row predicts nothing. Two masks of the tokens without loss are kept beside. Its backward
    pass sums gradients in float32; a tied output layer's waits for the embedding's.
    """
    shape, recipe, batch = run.shape, run.recipe, run.batch
    tokens = batch.rows * (batch.length - 1)
    copied = batch.rows > 1 or recipe.device == "cuda"  # else the rows' states without their last are a view
    hidden = Tensor(tokens * shape.hidden, x.size) if copied else x
    table = shape.vocabulary * shape.hidden if run.trains_base else 0
    gradient, waiting = table * recipe.weight_size * (not shape.tied), table * recipe.weight_size * shape.tied
    summed = tokens * shape.hidden * FLOAT32 + (0 if recipe.weight_size == FLOAT32 else table * FLOAT32)
    tile = min(tokens, LOSS_TILE_TOKENS) * LOSS_TILE_WIDTH * recipe.compute_size
    run.tape.keep(
        "loss",
        hidden,
        Tensor(tokens, INDEX),
        Tensor(tokens, FLOAT32),
        Tensor(tokens, FLOAT32),
        gradient=gradient,
        pending=waiting,
        scratch=tile + summed + waiting,
    )
    run.tape.keep("loss", Tensor(tokens, BOOL), Tensor(tokens, BOOL))


def held_by_checkpoints(shape: Shape, recipe: Recipe, batch: Batch) -> int:
    """Bytes of mask and angles, which checkpointed layers hold for later beside autograd, out of the ledger's sight."""
    if not recipe.checkpointing:
        return 0
    size = recipe.weight_size if recipe.attention == "eager" else BOOL
    mask = batch.rows * batch.length**2 * size if recipe.masks(batch) or recipe.attention == "eager" else 0
    return mask + 2 * batch.length * shape.head_dim * recipe.weight_size


def _lowered(run: Pass, x: Tensor, width: int) -> Tensor:
    """``x`` in the type of the product that takes it: autocast makes a copy for each."""
    return x if x.size == run.recipe.compute_size else run.tensor(width, run.recipe.compute_size, x.grad)
