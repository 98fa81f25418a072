"""Commands that read what strangers made: a published snapshot, whose rows may be made up."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import UserError


@contextmanager
def rows_of_strangers(*sources: Path | None) -> Iterator[None]:
    """Tell whatever the rows of a snapshot among ``sources`` break in the analysis as a UserError.

    Made-up rows can be of the right types and hash to their ids, and still be nothing that a run could leave behind.
    Where there is no snapshot an error is ours, and shows where it comes from.
    """
    try:
        yield
    except (UserError, OSError):
        raise
    except Exception as error:
        snapshots = [str(source) for source in sources if source is not None and source.is_dir()]
        if not snapshots:
            raise
        told = f"{' or '.join(snapshots)}: its rows are none that runs leave behind: {type(error).__name__}: {error}"
        raise UserError(told) from error
