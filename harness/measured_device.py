"""What a device can do, from runs that measured it: the ceilings in a results file or a snapshot."""

import json
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from harness.errors import UserError
from harness.events import Ceilings, Event
from harness.foretold import profile_of
from harness.predict.devices import Device
from harness.stack import hardware

_CEILINGS = """
SELECT stack_id, ceilings.*
FROM ceilings JOIN runs USING (run_id) JOIN stacks USING (stack_id) WHERE runs.status = 'ok'
ORDER BY json_extract(stacks.facts, '$.memory_limit_bytes') IS NULL, runs.started_at
"""
_COLUMNS = Ceilings.model_fields.keys() - Event.model_fields.keys() - {"type"}


def measured_device(path: Path) -> Device:
    """The device of the newest measure runs in ``path`` (of those that no limit held, if there are any), by the median
    of what they reached; without memory where it is a CPU. Raises UserError where no run measured one."""
    from harness.sources import open_source

    db = open_source(path).db
    rows = list(db.query(_CEILINGS))
    if not rows:
        raise UserError(f"--card {path}: no run in it measured its device; measure runs of `tunematrix run` do")
    newest = [row for row in rows if row["stack_id"] == rows[-1]["stack_id"]]
    facts = json.loads(next(db.query("SELECT facts FROM stacks WHERE stack_id = ?", [rows[-1]["stack_id"]]))["facts"])
    memory = facts.get("memory_limit_bytes") or facts.get("gpu_memory_gib", 0) * 2**30
    name = hardware(facts)
    measured = Ceilings.model_validate({column: _median(row[column] for row in newest) for column in _COLUMNS})
    profile = profile_of(measured, f"{name} as {len(newest)} runs in {path.name} measured it")
    return Device(name, memory or None, profile, measured=True, kernels=facts.get("device", "cuda"))


def _median(values: Iterable[float | None]) -> float | None:
    """Of those that were measured: an older run did not measure all."""
    found = [value for value in values if value is not None]
    return median(found) if found else None
