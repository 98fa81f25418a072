"""Faults to plant in real runs: each a patch, as a user's kernel would be (``kernels.patch``)."""

import time
from typing import Any

import torch

SLEEP_SECONDS = 0.003  # a step of the small base takes some 30 ms; one arm alone varies by a tenth a round


def sleeps(model: Any) -> None:
    """Every forward pass takes three milliseconds longer."""
    model.register_forward_pre_hook(lambda module, inputs: time.sleep(SLEEP_SECONDS))


def keeps_a_copy(model: Any) -> None:
    """Autograd keeps a second copy of what enters each block."""
    for layer in _layers(model):
        layer.register_forward_pre_hook(lambda module, inputs: (_Kept.apply(inputs[0]), *inputs[1:]))


def rounds_a_layer(model: Any) -> None:
    """What leaves the second block goes through bfloat16."""
    _layers(model)[1].register_forward_hook(lambda module, inputs, output: _rounded(output))


def rounds_another_layer(model: Any) -> None:
    """What leaves the first block goes through bfloat16."""
    _layers(model)[0].register_forward_hook(lambda module, inputs, output: _rounded(output))


def scales_a_gradient(model: Any) -> None:
    """The gradient of one block is 1.01 times what it should be: AdamW hides it from the loss."""
    for parameter in _layers(model)[1].parameters():
        if parameter.requires_grad:
            parameter.register_hook(lambda gradient: gradient * 1.01)


def drops_a_token(model: Any) -> None:
    """The last token of each answer, its end token, carries no loss."""

    def cut(module: Any, inputs: Any, named: dict[str, Any]) -> Any:
        labels = named.get("labels")
        if labels is not None:
            labels = labels.clone()
            for row in labels:
                learned = (row != -100).nonzero()
                if len(learned):
                    row[learned[-1]] = -100
            named = {**named, "labels": labels}
        return inputs, named

    model.register_forward_pre_hook(cut, with_kwargs=True)


class _Kept(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x.clone())
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        return gradients[0]


def _layers(model: Any) -> Any:
    return next(module.layers for module in model.modules() if hasattr(module, "layers"))


def _rounded(output: Any) -> Any:
    if isinstance(output, tuple):
        return (_rounded(output[0]), *output[1:])
    return output.bfloat16().to(output.dtype)
