"""Bytes moved by everything that is no matrix product, and how many kernels move them.

Read, operator by operator, from what Transformers' eager Llama and Qwen2, PEFT's LoRA layers, bitsandbytes' 4-bit
product and TRL's loss do without ``torch.compile``, and from PyTorch's ``derivatives.yaml``: each operator reads and
writes memory once. Vectors of one number a token, and kernels that only touch those, are left out of the bytes.
"""

from collections import Counter
from dataclasses import dataclass

from harness.predict.flops import layer_kinds
from harness.predict.layers import FLOAT32, INDEX, LOSS_TILE_TOKENS, LOSS_TILE_WIDTH
from harness.predict.optimizer import learned_parameters
from harness.predict.parameters import adapted_by_layer
from harness.predict.recipe import Batch, Recipe
from harness.predict.shape import Linear, Shape

DEQUANTISING_KERNELS = 3  # the scales of the scales, their mean, the weights
# Of TRL's loss on a CPU (`_forward_tile`, `_backward_tile`): bytes an element of a tile in float32, kernels a tile.
TILE_FORWARD, TILE_FORWARD_KERNELS = 72, 33
TILE_BACKWARD, TILE_BACKWARD_KERNELS = 94, 17
CHUNKED_LOSS_KERNELS = 27  # of TRL's loss beside its tiles, on one number a token: more than the model's own has


@dataclass(frozen=True)
class Traffic:
    """Bytes read and written, kernels launched, and those of the bytes that go through tables of logits or of scores:
    so large that a CPU asks for their memory anew each time."""

    bytes: float = 0.0
    kernels: int = 0
    fresh: float = 0.0

    def __add__(self, other: "Traffic") -> "Traffic":
        return Traffic(self.bytes + other.bytes, self.kernels + other.kernels, self.fresh + other.fresh)

    def __mul__(self, times: int) -> "Traffic":
        return Traffic(self.bytes * times, self.kernels * times, self.fresh * times)


NOTHING = Traffic()


def _through_tables(moved: float, kernels: int) -> Traffic:
    return Traffic(moved, kernels, moved)


def pass_traffic(shape: Shape, recipe: Recipe, batch: Batch) -> Traffic:
    """Of one forward and backward pass over ``batch``, with DPO's pass of the reference."""
    run = Moved(shape, recipe, batch)
    found = run.ends_forward() + run.ends_backward()
    for (adapted, grad), layers in layer_kinds(shape, recipe).items():
        passes = 2 if recipe.checkpointing else 1
        found += (run.layer_forward(adapted) * passes + run.layer_backward(adapted, grad)) * layers
    if recipe.reference not in (None, "precomputed"):
        found += run.ends_forward() + run.reference_layers()
    return found


def optimizer_traffic(shape: Shape, recipe: Recipe) -> Traffic:
    """Of clipping and one step: gradients read for their norm and scaled, then each parameter, its gradient and its
    moments read, and all but the gradient written. Fused AdamW goes through lists of tensors, 8-bit one at a time."""
    learned = learned_parameters(shape, recipe)
    elements, tensors = sum(p.elements * p.count for p in learned), sum(p.count for p in learned)
    size = recipe.learned_size
    moments = 4 * size if recipe.optimizer == "adamw" else 4  # read and written, of two; a byte each in 8 bit
    kernels = -(-tensors // 64) * 3 if recipe.optimizer == "adamw" else tensors
    return Traffic(elements * (3 * size + 3 * size + moments), kernels)


def accumulation_traffic(shape: Shape, recipe: Recipe) -> Traffic:
    """Of adding a micro-batch's gradients to those that stand."""
    learned = learned_parameters(shape, recipe)
    return Traffic(3 * recipe.learned_size * sum(p.elements * p.count for p in learned), sum(p.count for p in learned))


@dataclass(frozen=True)
class Moved:
    """What each kind of layer moves over one batch."""

    shape: Shape
    recipe: Recipe
    batch: Batch

    @property
    def trains_base(self) -> bool:
        """Does every weight learn?"""
        return self.recipe.adapter is None

    def layer_forward(self, adapted: tuple[Linear, ...]) -> Traffic:
        """Two norms, rotary embeddings, attention, the MLP's product, two additions to the stream; what linear layers
        lower, take out of 4 bit, and add of their adapters."""
        shape, recipe = self.shape, self.recipe
        found = self._norm() * 2
        found += self._rotary()
        found += self._each(shape.intermediate, 5 * recipe.compute_size, 2)  # silu(gate) up
        found += self._each(shape.hidden, 3 * recipe.weight_size, 1) * 2
        for layer in shape.linears:
            found += self._weight(layer) + self._lowered(layer)
            if layer in adapted:
                found += self._adapter(layer)
        return found + self._eager()

    def layer_backward(self, adapted: tuple[Linear, ...], grad: bool) -> Traffic:
        """The same in reverse; a tensor that several layers read gets their gradients added up."""
        shape, recipe = self.shape, self.recipe
        if not (grad or adapted):
            return NOTHING
        stream = 3 * recipe.weight_size
        found = self._norm_backward() * (2 if grad else 1)
        found += self._rotary_backward()
        found += self._each(shape.intermediate, 9 * recipe.compute_size, 3)
        found += self._each(shape.hidden, stream, 1) * (5 if grad else 2)  # two of the stream, three of the norms
        for layer in shape.linears:
            found += self._dequantised(layer) + self._cast(shape.hidden, 1)
            if self.trains_base:
                found += self._raised(layer) + self._each(layer.outputs * layer.bias, recipe.compute_size, layer.bias)
            if layer in adapted:
                found += self._adapter_backward(layer)
        return found + self._eager_backward()

    def reference_layers(self) -> Traffic:
        """The layers of DPO's reference, forward only."""
        recipe, shape = self.recipe, self.shape
        frozen_copy = recipe.adapter if recipe.reference == "frozen_copy" else None
        adapted = Counter(adapted_by_layer(shape, frozen_copy.targets) if frozen_copy else [()] * shape.layers)
        return sum((self.layer_forward(names) * layers for names, layers in adapted.items()), NOTHING)

    def ends_forward(self) -> Traffic:
        """The embeddings, the last norm, and the loss."""
        shape, recipe = self.shape, self.recipe
        looked_up = self._each(shape.hidden, 2 * recipe.weight_size, 1)
        return looked_up + self._norm() + self.logits_forward()

    def ends_backward(self) -> Traffic:
        """TRL's loss sums gradients in float32; a table that learns gets its own from every token."""
        shape, recipe, table = self.shape, self.recipe, self.shape.vocabulary * self.shape.hidden
        found = self.logits_backward() + self._norm_backward()
        if recipe.loss == "chunked":
            found += self._each(shape.hidden, 2 * FLOAT32 + recipe.weight_size, 2) + Traffic(0, CHUNKED_LOSS_KERNELS)
            found += Traffic(table * (2 * FLOAT32 + recipe.weight_size), 2) if self.trains_base else NOTHING
        if not self.trains_base:
            return found
        found += Traffic(table * recipe.weight_size, 2) + self._each(shape.hidden, 3 * recipe.weight_size + INDEX, 1)
        return found + (Traffic(3 * table * recipe.weight_size, 1) if shape.tied else NOTHING)

    def logits_forward(self) -> Traffic:
        """Each tile of logits is read once by one kernel of TRL's (a CPU has none and goes through it operator by
        operator); Liger's is read again and turned into its gradient; whole ones are raised to float32, and their
        logarithms of probabilities written."""
        size = self.recipe.compute_size
        if self.recipe.loss == "whole":
            return self._whole_logits(self._raised_logits + 2 * FLOAT32, 1 + (size != FLOAT32))
        if self.recipe.loss == "chunked" and self.recipe.device == "cpu":
            return self._logits(self._raised_logits + TILE_FORWARD, TILE_FORWARD_KERNELS + (size != FLOAT32))
        return self._logits(3 * size if self.recipe.loss == "liger" else size)

    def logits_backward(self) -> Traffic:
        """Each tile is turned into its gradient where it lies; Liger has done it. Of whole ones two gradients are
        written, the second from the first, and lowered again."""
        size = self.recipe.compute_size
        if self.recipe.loss == "whole":
            return self._whole_logits(4 * FLOAT32 + self._raised_logits, 2 + (size != FLOAT32))
        if self.recipe.loss == "chunked" and self.recipe.device == "cpu":
            raised = 1 + 1 + self.trains_base if size != FLOAT32 else 0  # for its own gradient, and for each product
            return self._logits(raised * self._raised_logits + TILE_BACKWARD + size, TILE_BACKWARD_KERNELS + raised)
        return NOTHING if self.recipe.loss == "liger" else self._logits(2 * size)

    @property
    def _raised_logits(self) -> int:
        size = self.recipe.compute_size
        return size + FLOAT32 if size != FLOAT32 else 0

    def _norm(self) -> Traffic:
        """Widened, squared, averaged, scaled, narrowed, and weighted."""
        size = self.recipe.weight_size
        narrow, kernels = (4 * size, 8) if size != FLOAT32 else (2 * size, 6)
        wide = 7 if size != FLOAT32 else 5
        return self._each(self.shape.hidden, narrow + wide * FLOAT32, kernels)

    def _norm_backward(self) -> Traffic:
        size, hidden = self.recipe.weight_size, self.shape.hidden
        narrow, kernels = (4 * size, 14) if size != FLOAT32 else (2 * size, 12)
        wide = 19 if size != FLOAT32 else 17
        weight = self._each(hidden, 4 * size, 2) if self.trains_base else NOTHING
        return self._each(hidden, narrow + wide * FLOAT32, kernels) + weight

    def _weight(self, layer: Linear) -> Traffic:
        """A weight before its product: out of 4 bit, or lowered by autocast, which the backward pass remembers."""
        recipe = self.recipe
        if not recipe.lowers_weights or recipe.quantised:
            return self._dequantised(layer)
        return Traffic(layer.elements * (recipe.weight_size + recipe.compute_size), 1 + layer.bias)

    def _dequantised(self, layer: Linear) -> Traffic:
        """Read in 4 bit, and written for the product to read: each time."""
        recipe = self.recipe
        size = 0.5 + recipe.compute_size
        return Traffic(layer.elements * size, DEQUANTISING_KERNELS) if recipe.quantised else NOTHING

    def _lowered(self, layer: Linear) -> Traffic:
        """Autocast lowers what a norm gives to each product that takes it, and raises its gradient again."""
        return self._cast(layer.inputs, 1) if self._reads_the_stream(layer) else NOTHING

    def _reads_the_stream(self, layer: Linear) -> bool:
        _, _, _, o, _, _, down = self.shape.linears
        return layer not in (o, down)

    def _cast(self, width: int, kernels: int) -> Traffic:
        """From the stream's type to the products', or the other way."""
        recipe = self.recipe
        both = recipe.weight_size + recipe.compute_size
        return self._each(width, both, kernels) if recipe.lowers_weights and not recipe.quantised else NOTHING

    def _rotary(self) -> Traffic:
        """x cos + rotated x sin, of queries and keys; angles are of the weights' type, and so is the outcome."""
        wide, size = self.recipe.weight_size, self.recipe.compute_size
        return self._each(self._rotated, 5 * wide + 5 * size, 10) + self._cast(self._rotated, 2)

    def _rotary_backward(self) -> Traffic:
        """Each half's gradient is put into zeros; a copy in the order of tokens comes last."""
        wide, size = self.recipe.weight_size, self.recipe.compute_size
        lowered = self._cast(self._rotated, 2) * 3
        return self._each(self._rotated, 4 * wide + 13 * size, 20) + lowered

    def _raised(self, layer: Linear) -> Traffic:
        """Under autocast a weight's gradient goes back to the weight's type."""
        recipe = self.recipe
        size = recipe.compute_size + recipe.weight_size
        return Traffic(layer.elements * size, 1 + layer.bias) if recipe.lowers_weights else NOTHING

    def _adapter(self, layer: Linear) -> Traffic:
        """The input brought to the type of the products, the outcome scaled, added, and lowered."""
        compute, size = self.recipe.compute_size, self._adapter_size
        lowered = self._each(layer.outputs, size + compute, 1) if size != compute else NOTHING
        return self._into_adapter(layer) + lowered + self._each(layer.outputs, compute + 4 * size, 2)

    def _adapter_backward(self, layer: Linear) -> Traffic:
        """The gradient lifted and lowered, scaled, and the input's added to that of the layer."""
        compute, size = self.recipe.compute_size, self._adapter_size
        split = self._each(layer.outputs, 2 * (size + compute), 2) if size != compute else NOTHING
        scaled = self._each(layer.outputs, 2 * size, 1)
        added = self._each(layer.inputs, 3 * self.recipe.weight_size, 1)
        return self._into_adapter(layer) + split + scaled + added

    def _into_adapter(self, layer: Linear) -> Traffic:
        """The input in the type of the adapter's products, lifted by PEFT or lowered by autocast, which lowers both of
        the adapter's weights too; gradients go the same way back."""
        recipe, size = self.recipe, self._adapter_size
        found = self._each(layer.inputs, recipe.weight_size + size, 1) if recipe.weight_size != size else NOTHING
        if recipe.lowers_adapter and recipe.adapter is not None:
            weights = recipe.adapter.rank * (layer.inputs + layer.outputs)
            found += Traffic(weights * (recipe.adapter_size + size), 2)
        return found

    @property
    def _adapter_size(self) -> int:
        """Bytes of one element of the adapter's products."""
        return self.recipe.compute_size if self.recipe.autocast else self.recipe.adapter_size

    def _eager(self) -> Traffic:
        """Eager attention scales, masks and normalises every head's table of scores in float32, one after the other;
        fused attention moves none."""
        size = self.recipe.compute_size
        lifted = 2 * (size + FLOAT32) if size != FLOAT32 else 0
        return self._scores(4 * size + lifted + 2 * FLOAT32, 5 if lifted else 3) + self._copied(2, 0)

    def _eager_backward(self) -> Traffic:
        size = self.recipe.compute_size
        lifted = 2 * (size + FLOAT32) if size != FLOAT32 else 0
        return self._scores(2 * size + lifted + 3 * FLOAT32, 4 if lifted else 2) + self._copied(1, 1)

    def _copied(self, queries: int, keys: int) -> Traffic:
        """Copies of so many tensors in another order, and keys and values repeated for their heads."""
        if self.recipe.attention != "eager":
            return NOTHING
        shape, size = self.shape, self.recipe.compute_size
        repeats = 2 if shape.kv_heads < shape.heads else 0
        widths = (2 * queries + repeats) * shape.heads + (2 * keys + repeats) * shape.kv_heads
        return self._each(widths * shape.head_dim, size, queries + keys + repeats)

    def _scores(self, size: int, kernels: int) -> Traffic:
        if self.recipe.attention != "eager":
            return NOTHING
        return _through_tables(self.batch.rows * self.shape.heads * self.batch.length**2 * size, kernels)

    def _whole_logits(self, size: int, kernels: int) -> Traffic:
        return _through_tables(self.batch.tokens * self.shape.vocabulary * size, kernels)

    def _logits(self, size: int, kernels: int = 1) -> Traffic:
        tokens = self.batch.rows * (self.batch.length - 1)
        tiles = -(-tokens // LOSS_TILE_TOKENS) * -(-self.shape.vocabulary // LOSS_TILE_WIDTH)
        return _through_tables(tokens * self.shape.vocabulary * size, tiles * kernels)

    @property
    def _rotated(self) -> int:
        return (self.shape.heads + self.shape.kv_heads) * self.shape.head_dim

    def _each(self, width: int, size: int, kernels: int) -> Traffic:
        """``size`` bytes for each of ``width`` elements of each token."""
        return Traffic(self.batch.tokens * width * size, kernels)
