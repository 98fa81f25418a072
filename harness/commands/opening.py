"""From what the user asks of `run`, `plan` and `largest-batch` to a session, with what it will need."""

from harness.errors import UserError
from harness.limits import MemoryLimit
from harness.matrix import Matrix, load_matrix
from harness.matrix_files import matrix_file
from harness.needs import Forecast, forecast
from harness.request import Request
from harness.session import Session, open_session
from harness.stack import device_memory_bytes, pick_device
from harness.units import parse_size, size_text
from harness.workdir import Workdir


def open_request(request: Request) -> tuple[Session, Forecast]:
    """What is to run, and what it will need; without what will not fit, where that is to be skipped.

    A limit of more than the device has limits nothing: the session is then one without a limit.
    """
    device = pick_device(request.device)  # before anything is read: it is the quickest thing to be wrong about
    limit = _limit(request, device)
    imposed = limit if limit and limit.vram_bytes <= device_memory_bytes(device) else None
    session = open_session(
        _matrix(request), request.db, device=device, jobs=request.jobs, only=request.only, limit=imposed
    )
    needs = forecast(session.arms, device, limit)
    if request.skip_unfit:
        session.arms = [arm for arm in session.arms if arm not in needs.unfit]
    return session, needs


def refuse_large_limit(request: Request, session: Session) -> None:
    """Raises UserError where a limit is asked for that the device cannot show anything of."""
    if request.vram is not None and session.limit is None:
        has = size_text(device_memory_bytes(session.device))
        what = "machine" if session.device == "cpu" else "GPU"
        raise UserError(
            f"--vram {request.vram}: this {what} has {has}, so no run on it shows what fits into more; "
            "`tunematrix plan` and `fit` predict it"
        )


def _limit(request: Request, device: str) -> MemoryLimit | None:
    if request.vram is None:
        if request.skip_unfit:
            raise UserError("--skip-unfit: say what is to fit into, as in --vram 24GB")
        return None
    vram, overhead = parse_size("--vram", request.vram), parse_size("--overhead", request.overhead)
    if device == "cpu":
        return MemoryLimit(vram)
    if overhead >= vram:
        raise UserError(f"--overhead {request.overhead}: leaves nothing of --vram {request.vram}")
    return MemoryLimit(vram, overhead)


def _matrix(request: Request) -> Matrix:
    if request.base is None and not request.data:
        return load_matrix(matrix_file(request.matrix or "pocket"), request.overrides)
    if request.matrix is not None:
        raise UserError(
            f"{request.matrix}: either a matrix, or --base and --data without one; another base or file for a matrix "
            "is --set bases.NAME.path=FOLDER, --set data.sft=[{file: FILE}]"
        )
    from harness.own import own_matrix

    return own_matrix(request.base, list(request.data), request.overrides, Workdir.beside(request.db))
