"""A whole training step's tape: the embeddings, each decoder layer, the last norm and the loss."""

from harness.predict import layers
from harness.predict.layers import Pass
from harness.predict.parameters import adapted_by_layer
from harness.predict.recipe import Batch, Recipe
from harness.predict.shape import Linear, Shape
from harness.predict.tape import Block, Tensor


def training_step(shape: Shape, recipe: Recipe, batch: Batch) -> list[Block]:
    """What a forward pass of ``batch`` keeps. Layers that are alike are one block that repeats."""
    run = Pass(shape, recipe, batch)
    x = layers.embedding(run)
    run.tape.close()
    adapted = [()] * shape.layers if recipe.adapter is None else adapted_by_layer(shape, recipe.adapter.targets)
    before: tuple[tuple[Linear, ...], bool] | None = None
    for index, names in enumerate(adapted):
        if before == (names, x.grad):
            run.tape.repeat()
            continue
        before = None if index == 0 else (names, x.grad)  # the first layer keeps the rotary angles for all
        x = _layer(run, x, names)
    layers.loss(run, layers.norm(run, x))
    run.tape.close()
    return run.tape.blocks


def _layer(run: Pass, x: Tensor, adapted: tuple[Linear, ...]) -> Tensor:
    """Attention and MLP, each behind a norm and with the stream around it."""
    q, k, v, o, gate, up, down = run.shape.linears

    def linear(part: str, layer: Linear, x: Tensor) -> Tensor:
        return layers.linear(run, part, layer, x, layer in adapted)

    normed = layers.norm(run, x)
    mixed = layers.attention(run, *(linear("attention", layer, normed) for layer in (q, k, v)))
    attended = linear("attention", o, mixed)
    middle = run.stream(x.grad or attended.grad)
    normed = layers.norm(run, middle)
    product = layers.mlp(run, linear("mlp", gate, normed), linear("mlp", up, normed))
    out = linear("mlp", down, product)
    run.tape.close(held=x if run.recipe.checkpointing else None)
    return run.stream(middle.grad or out.grad)
