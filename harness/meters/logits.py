"""A fingerprint of a model's logits before its first step: sums under fixed random signs.

A norm hides what rounding does, since its errors cancel. A sum of n logits under random signs does not: its size is
that of the logits' norm, so an error of a share e in every logit moves it by about e of that (Johnson and Lindenstrauss
1984; with signs, Achlioptas 2003, Journal of Computer and System Sciences 66). Each example is read alone, unpadded, so
that how a batch is split changes nothing.
"""

import math
from collections.abc import Sequence
from typing import Any

from harness.errors import NotANumber

EXAMPLES = 4
SIGNS = 4  # sums an example
POSITIONS_AT_ONCE = 128  # a large vocabulary's logits in float32 for a few positions at a time


def project_logits(model: Any, examples: Sequence[Sequence[int]], device: str) -> list[float]:
    """``SIGNS`` sums for each of the first ``EXAMPLES`` token sequences, each over the norm of that one's logits.

    The model is read in evaluation mode without gradients and left as it was. Raises NotANumber for logits that are
    not finite.
    """
    import torch

    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            return [
                value
                for tokens in examples[:EXAMPLES]
                for value in _sums(model(input_ids=torch.tensor([tokens], device=device), use_cache=False).logits[0])
            ]
    finally:
        model.train(training)


def _sums(logits: Any) -> list[float]:
    import torch

    positions, vocabulary = logits.shape
    generator = torch.Generator().manual_seed(0)
    of_token = _signs((vocabulary, SIGNS), generator).to(logits.device)
    of_position = _signs((positions, SIGNS), generator).to(logits.device)
    sums, squares = torch.zeros(SIGNS, dtype=torch.float64), 0.0
    for start in range(0, positions, POSITIONS_AT_ONCE):
        piece = logits[start : start + POSITIONS_AT_ONCE].float()
        sums += ((piece @ of_token) * of_position[start : start + len(piece)]).double().sum(dim=0).cpu()
        squares += float(piece.double().pow(2).sum())
    if not math.isfinite(squares):
        raise NotANumber("logits before the first step are not finite")
    return [] if squares == 0 else (sums / squares**0.5).tolist()


def _signs(shape: tuple[int, int], generator: Any) -> Any:
    import torch

    return torch.randint(0, 2, shape, generator=generator).float() * 2 - 1
