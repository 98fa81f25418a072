"""From what the user asks of `run`, `plan` and `largest-batch` to a session, with what it will need."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.errors import UserError
from harness.gpu import refuse_unfit
from harness.limits import MemoryLimit
from harness.matrix import Matrix, load_matrix
from harness.matrix_files import matrix_file
from harness.needs import Forecast, forecast
from harness.request import Request
from harness.session import Session, open_session
from harness.stack import device_memory_bytes, pick_device
from harness.store.database import refuse_place
from harness.units import parse_size, size_text
from harness.workdir import Workdir


def open_to_run(request: Request) -> tuple[Session, Forecast]:
    """What is to run, and what it will need; without what will not fit, where that is to be skipped.

    Raises UserError, as where a limit is asked for that the device cannot show anything of, or a GPU is in use; what is
    quick to find wrong is found before anything is read.
    """
    device, limit = _asked(request)
    if limit is not None and limit.vram_bytes > device_memory_bytes(device):
        what = "machine" if device == "cpu" else "GPU"
        raise UserError(
            f"--vram {request.vram}: this {what} has {size_text(device_memory_bytes(device))}, so no run on it shows "
            "what fits into more; `tunematrix plan` and `fit` predict it"
        )
    session, needs = _open(request, device, limit, Workdir.beside(request.db))
    if device == "cuda":
        refuse_unfit(measuring=session.matrix.header.measure.enabled)
    return session, needs


@contextmanager
def open_to_look(request: Request) -> Iterator[tuple[Session, Forecast]]:
    """The same for as long as it is looked at, and nothing is left of it.

    A limit of more than the device has limits nothing: the session is then one without a limit.
    """
    device, limit = _asked(request)
    with TemporaryDirectory() as folder:
        yield _open(request, device, limit, Workdir(Path(folder), request.db.name))


def refuse_overhead_alone(request: Request) -> None:
    """Raises UserError for an overhead that would be taken from nothing."""
    if request.overhead is not None and request.vram is None:
        raise UserError(f"--overhead {request.overhead}: say what it is left of, as in --vram 24GB")


def _asked(request: Request) -> tuple[str, MemoryLimit | None]:
    device = pick_device(request.device)
    refuse_place(request.db)
    return device, _limit(request, device)


def _open(request: Request, device: str, limit: MemoryLimit | None, own: Workdir) -> tuple[Session, Forecast]:
    imposed = limit if limit and limit.vram_bytes <= device_memory_bytes(device) else None
    session = open_session(
        _matrix(request, own), request.db, device=device, jobs=request.jobs, only=request.only, limit=imposed
    )
    needs = forecast(session.arms, device, limit)
    if request.skip_unfit:
        session.arms = [arm for arm in session.arms if arm not in needs.unfit]
    return session, needs


def _limit(request: Request, device: str) -> MemoryLimit | None:
    if request.vram is None:
        if request.skip_unfit:
            raise UserError("--skip-unfit: say what is to fit into, as in --vram 24GB")
        return None
    vram, overhead = parse_size("--vram", request.vram), parse_size("--overhead", request.assumed_overhead)
    if device == "cpu":
        return MemoryLimit(vram)
    if overhead >= vram:
        raise UserError(f"--overhead {request.assumed_overhead}: leaves nothing of --vram {request.vram}")
    return MemoryLimit(vram, overhead)


def _matrix(request: Request, own: Workdir) -> Matrix:
    """A suite's; or one of own base and data, written into ``own``."""
    if request.base is None and not request.data:
        return load_matrix(matrix_file(request.matrix or "pocket"), request.overrides)
    if request.matrix is not None:
        raise UserError(
            f"{request.matrix}: either a matrix, or --base and --data without one; another base or file for a matrix "
            "is --set bases.NAME.path=FOLDER, --set data.sft=[{file: FILE}]"
        )
    from harness.own import own_matrix

    return own_matrix(request.base, list(request.data), request.overrides, own)
