"""Results files with as many runs as one wants: a few suites drawn run by run (``factory``), then run again, as other
stacks would, by copying rows. Seeded, realistic in shape, and made at tens of thousands of runs a second."""

from dataclasses import replace
from pathlib import Path

from sqlite_utils import Database

from harness.store.database import open_for_writing
from tests.factory import ARMS, CPU, Truth, make_database

RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
RANKS = (1, 2, 4, 8, 16, 32, 64)

# Each run of a suite's first stack, once more on another stack; answers that are right or wrong say enough.
_COPIES = (
    "INSERT INTO stacks SELECT :stack, json_set(facts, '$.torch', :torch, '$.processor', :processor), code_digest "
    "FROM stacks WHERE stack_id = :first",
    "CREATE TEMP TABLE copied AS SELECT run_id FROM runs WHERE stack_id = :first",
    "CREATE INDEX temp.copied_runs ON copied (run_id)",
    """INSERT INTO runs (run_id, cell_id, stack_id, purpose, exclusive, status, reason, failed_phase, started_at,
           ended_at, heartbeat_at, wall_seconds, real_tokens, loss_tokens, trainable_parameters, total_parameters,
           base_run_id)
       SELECT :prefix || run_id, cell_id, :stack, purpose, exclusive, status, reason, failed_phase,
           :year || substr(started_at, 5), :year || substr(ended_at, 5), heartbeat_at, wall_seconds * :slower,
           real_tokens, loss_tokens, trainable_parameters, total_parameters, :prefix || base_run_id
       FROM runs WHERE stack_id = :first ORDER BY base_run_id IS NOT NULL""",
    """INSERT INTO phases (run_id, stage_id, phase, wall_seconds, ledger_weights_bytes, ledger_activation_bytes,
           rss_start_bytes, rss_peak_bytes, tokens_per_second_median)
       SELECT :prefix || run_id, stage_id, phase, wall_seconds * :slower, ledger_weights_bytes,
           ledger_activation_bytes, rss_start_bytes, rss_peak_bytes, tokens_per_second_median / :slower
       FROM phases JOIN copied USING (run_id)""",
    """INSERT INTO steps SELECT :prefix || run_id, stage_id, step, loss, gradient_norm, tokens_seen, seconds
       FROM steps JOIN copied USING (run_id)""",
    """INSERT INTO scores SELECT :prefix || run_id, moment, eval_id, metric, value, n_items, higher_is_better
       FROM scores JOIN copied USING (run_id)""",
    """INSERT INTO items SELECT :prefix || run_id, moment, eval_id, correct,
           CASE WHEN correct IS NULL THEN "values" END, NULL FROM items JOIN copied USING (run_id)""",
    "DROP TABLE temp.copied",
)


def many_arms() -> dict[str, Truth]:
    """Twenty arms: the untrained ones, full SFT, LoRA and QLoRA at every rank, DPO on a LoRA."""
    arms = {label: truth for label, truth in ARMS.items() if truth.method == "base"}
    arms["full_sft"] = replace(ARMS["full_sft"], rates=RATES, best_rate=3e-4)
    for n, rank in enumerate(RANKS):
        for label in ("lora", "qlora"):
            truth = replace(ARMS[label], rank=rank, rates=RATES, best_rate=3e-3, memory_mib=8.0 + rank / 4, fails={})
            arms[f"{label}-{rank}"] = replace(truth, target=0.60 + 0.04 * n, general=0.95 - 0.01 * n)
    arms["dpo-lora"] = replace(ARMS["dpo-lora"], rates=RATES, best_rate=1e-3, parent="lora-8")
    return arms


def make_many(path: Path, suites: int = 5, stacks: int = 20, seeds: int = 5, seed: int = 0) -> Path:
    """A results file at ``path`` of ``suites`` suites on ``stacks`` stacks each: about 850 runs at five seeds in every
    section; a hundred and twenty make 100,000 runs."""
    arms = many_arms()
    for n in range(suites):
        facts = {**CPU, "torch": "2.13.0", "suite_number": n}
        make_database(path, seed + n, arms, seeds=range(1, seeds + 1), suite=f"suite-{n:02d}", facts=facts)
    db = open_for_writing(path)
    db.execute("PRAGMA synchronous = OFF")
    firsts = [str(row["stack_id"]) for row in db.query("SELECT DISTINCT stack_id FROM runs ORDER BY stack_id")]
    for first in firsts:
        for k in range(1, stacks):
            _copy(db, first, k)
    db.conn.close()
    return path


def _copy(db: Database, first: str, k: int) -> None:
    values = {
        "first": first,
        "stack": f"{k:03d}-{first}",
        "prefix": f"{k:03d}-",
        "torch": f"2.13.{k}",
        "processor": f"Test CPU {k % 4}",
        "year": str(2026 - k) if k < 1000 else "1000",
        "slower": 1 + 0.01 * k,
    }
    with db.conn:
        for statement in _COPIES:
            db.conn.execute(statement, {name: value for name, value in values.items() if f":{name}" in statement})
