"""A kernel of one's own, for example: every RMSNorm in one operator of torch's, which a GPU has a fused kernel for."""

from types import MethodType
from typing import Any


def fused(model: Any) -> None:
    """``kernels.patch: suites.cost.norms:fused``."""
    for module in model.modules():
        if type(module).__name__.endswith("RMSNorm"):
            module.forward = MethodType(_forward, module)


def _forward(norm: Any, hidden_states: Any) -> Any:
    from torch.nn.functional import rms_norm

    return rms_norm(hidden_states, norm.weight.shape, norm.weight, norm.variance_epsilon)
