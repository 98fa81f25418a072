"""The folder beside a results file where a runner keeps what is not a result: artifacts, data, logs, scratch."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from harness.errors import UserError

FOLDER = ".tunematrix"


@dataclass(frozen=True)
class Workdir:
    """``.tunematrix/`` beside the database; removing it loses no result."""

    root: Path
    name: str

    @classmethod
    def beside(cls, db: Path) -> "Workdir":
        """The one that belongs to ``db``."""
        return cls(db.resolve().parent / FOLDER, db.name)

    @property
    def artifacts(self) -> Path:
        """Stage results."""
        return self.root / "artifacts"

    @property
    def data(self) -> Path:
        """Normalised training files, by digest."""
        return self.root / "data"

    @property
    def logs(self) -> Path:
        """What libraries print in workers; kept for runs that failed."""
        return self.root / "logs" / self.name

    @property
    def scratch(self) -> Path:
        """One folder a run, removed when it ends."""
        return self.root / "scratch" / self.name

    @property
    def own(self) -> Path:
        """The suites that are made of somebody's own base and data."""
        return self.root / "own"

    @contextmanager
    def undone_if_refused(self) -> Iterator[None]:
        """Where what is done inside ends in an error, the suites that it made of own data go again."""
        before = set(self.own.glob("*"))
        try:
            yield
        except BaseException:
            for path in set(self.own.glob("*")) - before:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            with suppress(OSError):  # not empty, or not there
                self.own.rmdir()
                self.root.rmdir()
            raise

    def lock(self) -> IO[str]:
        """Take the right to write to this database; raises UserError where another runner has it."""
        self.root.mkdir(parents=True, exist_ok=True)
        file = (self.root / f"{self.name}.lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise UserError(
                f"--db {self.name}: another run (process {holder}) is writing to it; wait for it, or use another --db"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        return file

    def clear_scratch(self) -> None:
        """Remove what a dead runner left."""
        shutil.rmtree(self.scratch, ignore_errors=True)
