"""FLOPs of a training step, by formula: every matrix product of the forward and the backward pass.

A product of m x k with k x n is 2 m k n operations, an addition and a multiplication each (Kaplan et al. 2020, section
2.1; ``torch.utils.flop_counter``). Attention's two products are counted whole, as that counter and PaLM's appendix B
(Chowdhery et al. 2022) do, though a causal kernel skips almost half of them. What is element by element is not counted.
**Model** FLOPs are those that the method itself asks for; **hardware** FLOPs also what is computed a second time:
checkpointed layers, the scores in the backward pass of fused attention (Dao 2023, section 3.1), the loss's logits; and
what a mask throws away: scores between examples that share a row.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from harness.predict.layers import FLOAT32
from harness.predict.parameters import adapted_by_layer
from harness.predict.recipe import Batch, Recipe
from harness.predict.shape import Linear, Shape

Part = Literal["linear", "adapters", "attention", "output"]
Role = Literal["forward", "input_gradients", "weight_gradients", "reference", "recomputed", "masked"]


@dataclass(frozen=True)
class Product:
    """``count`` matrix products that are alike: operations, and bytes read and written, of one of them."""

    part: Part
    role: Role
    flops: int
    bytes: int
    size: int  # bytes of an element of its operands
    count: int = 1


@dataclass(frozen=True)
class Flops:
    """Of a step. The first three are of the base's linear layers in decoder layers; the next three have all roles."""

    forward: float = 0
    input_gradients: float = 0
    weight_gradients: float = 0
    adapters: float = 0
    attention: float = 0
    output: float = 0
    reference: float = 0
    recomputed: float = 0
    masked: float = 0

    @property
    def model(self) -> float:
        """What the method asks for: the numerator of a model FLOP utilisation."""
        return self.hardware - self.recomputed - self.masked

    @property
    def hardware(self) -> float:
        """What is computed."""
        return sum(vars(self).values())


def step_flops(shape: Shape, recipe: Recipe, batch: Batch) -> Flops:
    """FLOPs of one forward and backward pass over ``batch``; the optimizer's are element by element."""
    found: Counter[str] = Counter()
    for product in products(shape, recipe, batch):
        apart = product.role in ("reference", "recomputed", "masked") or product.part == "linear"
        found[product.role if apart else product.part] += product.flops * product.count
    return Flops(**found)


def products(shape: Shape, recipe: Recipe, batch: Batch) -> Iterator[Product]:
    """Every matrix product of one forward and backward pass over ``batch``, with DPO's pass of the reference."""
    run = Multiplied(shape, recipe, batch)
    for (adapted, grad), layers in layer_kinds(shape, recipe).items():
        for product in run.layer(adapted, grad):
            yield replace(product, count=layers)
    yield from run.output()
    yield from run.reference()


def layer_kinds(shape: Shape, recipe: Recipe) -> Counter[tuple[tuple[Linear, ...], bool]]:
    """How many layers have which adapters, and whether a gradient flows out of them below.

    Below the first adapter none does; checkpointing needs inputs through which one flows.
    """
    grad = recipe.adapter is None or recipe.checkpointing
    adapted = [()] * shape.layers if recipe.adapter is None else adapted_by_layer(shape, recipe.adapter.targets)
    found: Counter[tuple[tuple[Linear, ...], bool]] = Counter()
    for names in adapted:
        found[names, grad] += 1
        grad = grad or bool(names)
    return found


@dataclass(frozen=True)
class Multiplied:
    """The products of each kind of layer over one batch."""

    shape: Shape
    recipe: Recipe
    batch: Batch

    def layer(self, adapted: tuple[Linear, ...], grad: bool) -> Iterator[Product]:
        """A decoder layer's, forward and backward; ``grad`` if its input needs a gradient."""
        q, k, v, o, gate, up, down = self.shape.linears
        flows = {layer: grad or self.recipe.adapter is None or layer in adapted for layer in (q, k, v)}
        attended = any(flows.values())
        middle = attended or o in adapted
        product = middle or gate in adapted or up in adapted
        inputs = dict.fromkeys((q, k, v), grad) | {o: attended, gate: middle, up: middle, down: product}
        for layer, needed in inputs.items():
            yield from self._linear(layer, needed)
            if layer in adapted:
                yield from self._adapter(layer, needed)
        yield from self._attention("forward")
        yield from self._attention_backward(flows[q], flows[k], flows[v])
        if self.recipe.checkpointing:
            yield from self._again(adapted)

    def _linear(self, layer: Linear, grad: bool) -> Iterator[Product]:
        """y = x W' once; dL/dx = dL/dy W where the input needs it; dL/dW = (dL/dy)' x where the weight learns."""
        roles: list[Role] = ["forward"]
        roles += ["input_gradients"] if grad else []
        roles += ["weight_gradients"] if self.recipe.adapter is None else []
        for role in roles:
            yield self._linear_product(layer, role)

    def _linear_product(self, layer: Linear, role: Role) -> Product:
        return _product("linear", role, self.batch.tokens, layer.inputs, layer.outputs, self.recipe.compute_size)

    def _adapter(self, layer: Linear, grad: bool) -> Iterator[Product]:
        """Two narrow products (Hu et al. 2021), whose weights learn; the second's input always needs a gradient."""
        for role in ("forward", "input_gradients", "weight_gradients"):
            first, second = self._adapter_products(layer, role)
            if grad or role != "input_gradients":
                yield first
            yield second

    def _adapter_products(self, layer: Linear, role: Role) -> tuple[Product, Product]:
        recipe, tokens = self.recipe, self.batch.tokens
        assert recipe.adapter is not None
        rank, size = recipe.adapter.rank, recipe.compute_size if recipe.autocast else recipe.adapter_size
        return (
            _product("adapters", role, tokens, layer.inputs, rank, size),
            _product("adapters", role, tokens, rank, layer.outputs, size),
        )

    def _attention(self, role: Role) -> Iterator[Product]:
        """Queries with keys, and probabilities with values."""
        moved = self._tables_bytes(2) if self.recipe.attention == "eager" else self._heads_bytes(2, 2)
        yield from self._scores(role, 2, moved)

    def _attention_backward(self, query: bool, key: bool, value: bool) -> Iterator[Product]:
        """Fused attention computes every gradient, and the scores again; eager attention what is asked for."""
        if not (query or key or value):
            return
        if self.recipe.attention == "eager":
            number = query + key + (query or key) + value
            yield from self._scores("input_gradients", number, self._tables_bytes(number))
            return
        yield from self._scores("input_gradients", 4, self._heads_bytes(4, 4))
        yield from self._scores("recomputed", 1, 0)

    def _scores(self, role: Role, number: int, moved: int) -> Iterator[Product]:
        """``number`` products over all pairs of tokens; where examples share a row, over those of different ones too,
        unless the kernel knows their bounds."""
        batch, size = self.batch, self.recipe.compute_size
        each = 2 * number * self.shape.heads * self.shape.head_dim
        yield Product("attention", role, each * batch.pairs, moved, size)
        if batch.packed and self.recipe.masks(batch):
            yield Product("attention", "masked", each * (batch.rows * batch.length**2 - batch.pairs), 0, size)

    def _heads_bytes(self, of_queries: int, of_keys: int) -> int:
        """Bytes of so many tensors as wide as the queries, and as the keys."""
        heads = of_queries * self.shape.heads + of_keys * self.shape.kv_heads
        return self.batch.tokens * heads * self.shape.head_dim * self.recipe.compute_size

    def _tables_bytes(self, number: int) -> int:
        """Bytes of ``number`` products with every head's table of scores on one side."""
        size, heads = self.recipe.compute_size, self.shape.heads
        table = self.batch.rows * heads * self.batch.length**2
        sides = 2 * self.batch.tokens * heads * self.shape.head_dim
        return number * (table + sides) * size

    def _again(self, adapted: tuple[Linear, ...]) -> Iterator[Product]:
        """A checkpointed layer's forward pass once more.

        PyTorch stops it once it has the last tensor that the backward pass asks for: what the last product takes.
        """
        *_, down = self.shape.linears
        yield from self._attention("recomputed")
        for layer in self.shape.linears:
            own = [self._linear_product(layer, "recomputed")]
            own += self._adapter_products(layer, "recomputed") if layer in adapted else []
            yield from own[:-1] if layer == down else own

    def output(self) -> Iterator[Product]:
        """The output layer; TRL's chunked loss keeps no logits and computes them again, and on a CPU lifts them to
        float32 for its gradients' products."""
        chunked, compute = self.recipe.loss == "chunked", self.recipe.compute_size
        gradients = FLOAT32 if chunked and self.recipe.device == "cpu" else compute
        yield self._output_product("forward", compute)
        if chunked:
            yield self._output_product("recomputed", compute)
        yield self._output_product("input_gradients", gradients)
        if self.recipe.adapter is None:
            yield self._output_product("weight_gradients", gradients)

    def _output_product(self, role: Role, size: int) -> Product:
        """The last position of each row predicts nothing: TRL leaves it out, the model itself does not."""
        left_out = self.batch.rows if self.recipe.loss == "chunked" else 0
        tokens = self.batch.tokens - left_out
        return _product("output", role, tokens, self.shape.hidden, self.shape.vocabulary, size)

    def reference(self) -> Iterator[Product]:
        """DPO's forward pass of the reference: with the adapter's frozen copy, or without any; none if precomputed."""
        recipe, shape = self.recipe, self.shape
        if recipe.reference in (None, "precomputed"):
            return
        frozen_copy = recipe.adapter if recipe.reference == "frozen_copy" else None
        adapted = adapted_by_layer(shape, frozen_copy.targets) if frozen_copy else [()] * shape.layers
        for names, layers in Counter(adapted).items():
            for product in self._reference_layer(names):
                yield replace(product, count=layers)
        yield self._output_product("reference", recipe.compute_size)

    def _reference_layer(self, adapted: Iterable[Linear]) -> Iterator[Product]:
        for layer in self.shape.linears:
            yield self._linear_product(layer, "reference")
        for layer in adapted:
            yield from self._adapter_products(layer, "reference")
        yield from self._attention("reference")


def _product(part: Part, role: Role, rows: int, inner: int, columns: int, size: int) -> Product:
    """A gradient's product is of the same three sizes in another order."""
    moved = (rows * inner + inner * columns + rows * columns) * size
    return Product(part, role, 2 * rows * inner * columns, moved, size)
