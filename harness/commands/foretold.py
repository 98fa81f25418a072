"""What a plan says of the memory that is predicted for it."""

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from harness.arms import Arm
from harness.needs import Forecast
from harness.request import Request
from harness.session import Session
from harness.units import plain_size, size_text

MEMORY = "predicted\nmemory"  # the column's head
_MEANING = {
    "cpu": "tensors, as the ledger counts them; temporaries and libraries come on top",
    "cuda": "a GPU's tensors and temporaries; what its allocator loses and the device's context come on top",
}


def memory_of(arm: Arm, needs: Forecast) -> Text:
    """An arm's peak, marked where there is no room for it."""
    need = needs.needs.get(arm)
    return Text("-" if need is None else size_text(need.peak_bytes), style="red" if arm in needs.unfit else "")


def memory_lines(needs: Forecast) -> Iterator[str]:
    """What the figures are of, and where there is none."""
    for device in dict.fromkeys(need.device for need in needs.needs.values()):
        yield f"predicted memory: not measured, for a batch of an arm's longest examples: {_MEANING[device]}"
    for arm, reason in needs.unknown.items():
        yield f"memory of {arm.name}: {reason}"


def limit_lines(session: Session) -> Iterator[str]:
    """What runs are held to, and which of them."""
    if session.limit is not None and session.device == "cpu":
        yield f"limited to {session.limit.words} of tensors in measure runs; a CPU's other runs can't be limited"
    elif session.limit is not None:
        left = plain_size(session.limit.overhead_bytes)
        yield f"limited to {session.limit.words}, of which {left} are left for the device's context (--overhead)"


def unfit_lines(needs: Forecast, request: Request) -> Iterator[str]:
    """What a card of this size has no room for."""
    if needs.limit is None:
        return
    room = (
        f"{request.vram}, less {request.assumed_overhead} (--overhead)" if needs.limit.overhead_bytes else request.vram
    )
    names = ", ".join(arm.name for arm in needs.unfit) or "none"
    yield f"{'left out, since ' if request.skip_unfit else ''}predicted not to fit into {room}: {names}"


def memory_json(arm: Arm, needs: Forecast) -> dict[str, Any]:
    """Bytes at the peak and by component, null where nothing is trained or predicted; what is temporary is part of a
    GPU's peak alone."""
    need = needs.needs.get(arm)
    known = None if need is None or needs.limit is None else arm not in needs.unfit
    told: dict[str, Any] = {"predicted_memory": None, "not_predicted": needs.unknown.get(arm), "fits": known}
    if need is None:
        return told
    about = {"measure": need.measure, "peak_bytes": need.peak_bytes}
    batch = {"rows": need.batch.rows, "length": need.batch.length}
    parts = {f"{name}_bytes": size for name, size in need.by_component().items()}
    return told | {"predicted_memory": {**about, **batch, **parts}}
