"""How many parameters a base has, also where no run on it came far enough to count them."""

from collections.abc import Sequence
from functools import cache

import pandas as pd

from harness.bases.config import read_config
from harness.claims.held import Held
from harness.predict.parameters import total
from harness.predict.shape import shape_of
from harness.predict.shapes import shape_files


def base_parameters(held: Held, arm: str, results: Sequence[Held]) -> int | None:
    """Of an arm's base: as its own suite and stack counted them, else any of ``results`` of the same weights, else as
    the project's shape of that name has. None where nothing tells."""
    assert held.side
    own = held.side.costs[arm]
    told = (
        cost["base_parameters"]
        for side in (held.side, *(other.side for other in results if other.side))
        for cost in side.costs.values()
        if cost["base_digest"] == own["base_digest"] and pd.notna(cost["base_parameters"])
    )
    counted = next(told, None)
    return _of_shape(str(own["base"])) if counted is None else int(counted)


@cache
def _of_shape(name: str) -> int | None:
    file = shape_files().get(name)
    return None if file is None else total(shape_of(read_config(file), name))
