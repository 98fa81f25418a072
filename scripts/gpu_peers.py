"""`make gpu-peers`: the harness' training beside its peers', at the same weights, tokens and recipe.

Every side trains in a process of its own, in turns, for so many seconds; a round is each of them once. What is known is
written after each side of a first round, and after each later round. Steps are timed after warm-up. A peer counts where
its losses and tokens are the harness' own; of the others the reason is told. The harness computes its loss in each way
that it has: in chunks, as it does unless told otherwise, and as its peers do. `--device cpu` takes a small shape.
"""

import argparse
import importlib.util
import json
import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.peers import NOT_RUN, TOLERANCE, Row, Side, row_of, verdict
from benchmarks.stock_side import Commands
from harness.arms import Arm
from harness.errors import UserError
from harness.matrix import load_matrix
from harness.meters.throughput import throughput
from harness.session import Session, open_session
from harness.stack import stack_facts
from scripts.arguments import Options, interpreter, place, seconds, whole
from scripts.gpu_matrix import ROOT, check, picked

COST = ROOT / "suites" / "cost"
TOKENIZER = ROOT / "suites" / "pocket" / "bases" / "pocket-1m"
THREADS = 1  # of each side on a CPU: with other work on the machine, more are many times slower
PEERS = {
    "TRL": ("benchmarks.stock.sft",),
    "TRL with Liger": ("benchmarks.stock.sft", "--liger"),
    "Transformers and PEFT": ("benchmarks.stock.plain",),
    "torchtune": ("benchmarks.stock.tune",),
}
OWN = {  # the harness again, with other settings
    "whole logits": ("--set", "kernels.loss=whole"),
    "Liger's loss": ("--set", "kernels.loss=liger"),
}
ORDER: tuple[str | None, ...] = (None, *PEERS, *OWN)  # the harness as it is first: what the others are held against
METHODS: dict[str, dict[str, Any]] = {
    "lora": {"rank": 16, "learning_rate": 1e-4},
    "full_sft": {"learning_rate": 1e-5},
    "qlora": {"rank": 16, "learning_rate": 1e-4},
}


@dataclass(frozen=True)
class Work:
    """What all sides train: a shape, its data's length, the type of its weights and how many steps are timed."""

    shape: str
    length: int
    dtype: str
    warmup_steps: int
    steps: int
    device: str

    def matrix(self, weights: Path) -> dict[str, Any]:
        """The matrix file of the harness' side, on the weights that all sides load."""
        return {
            "version": 1,
            "suite": "peers",
            "seeds": 1,
            "keep_weights": False,
            "bases": {self.shape: {"path": str(weights)}},
            "data": {"sft": [{"file": str(COST / "data" / f"fixed-{self.length}.jsonl")}]},
            "budget": {"steps": 1},
            "sequence_length": self.length,
            "batch_size": 2,
            "threads": THREADS,
            "precision": {"weights": self.dtype, "compute": self.dtype, "adapter": "float32"},
            "measure": {"warmup_steps": self.warmup_steps, "steps": self.steps},
            "timeout_seconds": 600,
            "methods": METHODS,
        }


WORK = {
    "cuda": Work("llama-3.2-3b", 2048, "bfloat16", 3, 8, "cuda"),
    "cpu": Work("small-llama", 512, "float32", 2, 8, "cpu"),
}


class Script(Commands):
    """A peer's script for a cell, with the examples in the order of the harness' measure run."""

    def write_data(self) -> None:
        """See ``Commands``; the measure run trains its longest batch second, which the others are to do too."""
        from harness.data.tokenise import encode_sft
        from harness.training import longest_batch_second

        super().write_data()
        tokenizer = self.session.library.tokenizer(self.arm.base)
        rows = [json.loads(line) for line in self._data(0).read_text().splitlines()]
        size = self.stages[0]["batch_size"]
        rows = longest_batch_second([{**encode_sft(row, tokenizer), **row} for row in rows], size, size, False)
        texts = [{key: row[key] for key in ("prompt", "completion")} for row in rows]
        self._data(0).write_text("".join(json.dumps(text) + "\n" for text in texts))
        self.tokens = [_digest(rows[start : start + size]) for start in range(0, len(rows), size)]
        self.counts = [sum(len(r["input_ids"]) for r in rows[at : at + size]) for at in range(0, len(rows), size)]


def _digest(rows: list[dict[str, Any]]) -> str:
    from benchmarks.stock.watch import digest

    return digest((row["input_ids"], _labels(row)) for row in rows)


def _labels(row: dict[str, Any]) -> list[int]:
    kept = zip(row["input_ids"], row["completion_mask"], strict=True)
    return [token if learned else -100 for token, learned in kept]


class Bench:
    """The sides of one work, in ``folder``."""

    def __init__(self, work: Work, folder: Path, torchtune: Path | None) -> None:
        self.work, self.folder, self.torchtune = work, folder, torchtune
        self.matrix = folder / "matrix.yaml"
        self.matrix.write_text(yaml.safe_dump(work.matrix(folder / "weights")))
        self.session: Session = open_session(load_matrix(self.matrix), folder / "peers.db", device=work.device, jobs=1)

    def arms(self) -> list[Arm]:
        """What is trained."""
        return self.session.arms

    def script(self, arm: Arm, folder: Path) -> Script:
        """The scripts' side of ``arm``, its data written to ``folder``."""
        cell = arm.cell(arm.rates[0], arm.seeds[0], None)
        steps = self.work.warmup_steps + self.work.steps
        stages = [{**stage, "steps": steps} for stage in cell.recipe["stages"]]
        script = Script(self.session, arm, replace(cell, recipe={**cell.recipe, "stages": stages}), folder)
        script.write_data()
        return script

    def missing(self, peer: str) -> str | None:
        """Why ``peer`` can't run here."""
        if "Liger" in peer:
            if self.work.device == "cpu":
                return "its kernels need CUDA"
            return None if importlib.util.find_spec("liger_kernel") else "liger_kernel is not installed"
        return "no interpreter that has it (--torchtune)" if peer == "torchtune" and not self.torchtune else None

    def run(self, arm: Arm, peer: str | None, script: Script) -> Side:
        """One side: a peer's, or the harness' as it is (None) or with one of its other settings. Raises RuntimeError
        where it failed."""
        if peer in PEERS:
            return self.run_peer(peer, script)
        return self.run_harness(arm, script, OWN[peer] if peer else ())

    def run_peer(self, peer: str, script: Script) -> Side:
        """Run a peer's script. Raises RuntimeError with the end of what it printed where it failed."""
        module, *more = PEERS[peer]
        watched = script.folder / "watched.json"
        command = script.training(0)
        command[: command.index("--model")] = [
            *(str(self.torchtune if peer == "torchtune" else sys.executable), "-m", module, *more),
            *("--device", self.work.device, "--dtype", self.work.dtype, "--watch", str(watched)),
        ]
        _run(command, script.folder / "log.txt", {"OMP_NUM_THREADS": str(THREADS)})
        return side_of_script(json.loads(watched.read_text()), script.counts, self.work.warmup_steps)

    def run_harness(self, arm: Arm, script: Script, settings: Sequence[str] = ()) -> Side:
        """An ordinary measure run of ``arm``, with ``settings`` of the command line. Raises RuntimeError where it
        failed."""
        db = script.folder / "harness.db"
        db.unlink(missing_ok=True)  # of other settings: what is read is this run
        words = (
            "run",
            self.matrix,
            "--db",
            db,
            "--device",
            self.work.device,
            "--jobs",
            1,
            "--only",
            f"label={arm.label}",
            *settings,
        )
        _run([sys.executable, "-m", "harness.cli", *map(str, words)], script.folder / "log.txt", {})
        return side_of_harness(db, script.tokens)


def side_of_script(watched: dict[str, Any], counts: list[int], warmup_steps: int) -> Side:
    """From what a script's training was watched for; ``counts`` are the tokens of each step."""
    speed = throughput(watched["step_seconds"], counts, warmup_steps)
    assert speed is not None
    peak = watched.get("peak_allocated_bytes") or watched["rss_peak_bytes"] - watched["rss_start_bytes"]
    return Side(watched["losses"], watched["tokens"], speed.median, peak)


def side_of_harness(db: Path, tokens: list[str]) -> Side:
    """From the measure run that ``db`` holds. On a CPU what resident memory grew by since before the model's load."""
    with closing(sqlite3.connect(db)) as rows:
        (run,) = rows.execute("SELECT run_id FROM runs WHERE purpose = 'measure' AND status = 'ok'").fetchone()
        losses = rows.execute("SELECT loss FROM steps WHERE run_id = ? ORDER BY step", (run,)).fetchall()
        query = """
        SELECT tokens_per_second_median, coalesce(peak_allocated_bytes, rss_peak_bytes - (
            SELECT rss_start_bytes FROM phases WHERE run_id = :run AND phase = 'load'))
        FROM phases WHERE run_id = :run AND phase = 'train'"""
        speed, peak = rows.execute(query, {"run": run}).fetchone()
    return Side([loss for (loss,) in losses], tokens, speed, peak)


def draw_weights(work: Work, folder: Path) -> None:
    """The weights that every side loads, as safetensors, with a tokenizer: in a process of its own, for its memory."""
    process = multiprocessing.get_context("spawn").Process(target=_draw, args=(work, folder))
    process.start()
    process.join()
    if process.exitcode:
        raise UserError(f"the weights of {work.shape} could not be drawn: see above")


def _draw(work: Work, folder: Path) -> None:
    from harness.random_weights import random_model

    folder.mkdir()
    shutil.copy(COST / "shapes" / f"{work.shape}.json", folder / "config.json")
    precision = {"weights": work.dtype, "compute": work.dtype}
    model = random_model(folder, init_seed=0, precision=precision, attention="sdpa", device=work.device)
    model.save_pretrained(folder)
    for file in TOKENIZER.glob("*token*"):
        shutil.copy(file, folder)


class Comparison:
    """The sides of a bench in turns, until time is up: one is begun where as long a one as the longest so far would
    end in time."""

    def __init__(self, bench: Bench, ends: float) -> None:
        self.bench, self.ends, self.longest, self.time_is_up = bench, ends, 0.0, False
        self.pairs: dict[
            tuple[str, str], list[tuple[Side, Side]]
        ] = {}  # of an arm and a peer: the harness' and its own
        self.failed: dict[tuple[str, str], str] = {}

    def run(self, arms: Sequence[Arm], rounds: int) -> Iterator[tuple[str, str, list[Row]]]:
        """An arm's name, what has run, and the arm's rows: after each side of its first round, and after each round
        that follows, which counts where all of it was in time."""
        for number in range(1, rounds + 1):
            for arm in arms:
                for ran in self._first(arm) if number == 1 else self._again(arm, number):
                    yield arm.short_name, f"round {number}, {ran}", self.rows(arm)
                if self.time_is_up:
                    return

    def rows(self, arm: Arm) -> list[Row]:
        """What is known of each peer, the fastest first."""
        name, tolerance = arm.short_name, TOLERANCE[self.bench.work.dtype]
        rows = []
        for peer in (*PEERS, *OWN):
            pairs = self.pairs.get((name, peer))
            why = self.bench.missing(peer) or self.failed.get((name, peer)) or (None if pairs else NOT_RUN)
            row = row_of(name, peer, pairs, tolerance) if pairs and not why else Row(name, peer, reason=why)
            rows.append(replace(row, own=peer in OWN))
        return sorted(rows, key=lambda row: -(row.speed or 0))

    def _first(self, arm: Arm) -> Iterator[str]:
        harness: Side | None = None
        for peer, side in self._sides(arm, ORDER):
            if peer is None:
                harness = side
            elif side and harness:
                self.pairs[arm.short_name, peer] = [(harness, side)]
            yield f"{arm.short_name}, {peer or 'the harness'}"

    def _again(self, arm: Arm, number: int) -> Iterator[str]:
        sides = dict(self._sides(arm, ORDER if number % 2 else ORDER[::-1]))
        if self.time_is_up:
            return
        harness = sides.pop(None)
        for peer, side in sides.items():
            if peer and side and harness:
                self.pairs[arm.short_name, peer].append((harness, side))
        yield arm.short_name

    def _sides(self, arm: Arm, order: Sequence[str | None]) -> Iterator[tuple[str | None, Side | None]]:
        """Each that can run, in order; nothing for one that fails. Raises RuntimeError where the harness' own does."""
        with tempfile.TemporaryDirectory(dir=self.bench.folder) as made:
            script = self.bench.script(arm, Path(made))
            for peer in order:
                if peer and (self.bench.missing(peer) or (arm.short_name, peer) in self.failed):
                    continue
                if time.monotonic() + self.longest > self.ends:
                    self.time_is_up = True
                    return
                yield peer, self._side(arm, peer, script)

    def _side(self, arm: Arm, peer: str | None, script: Script) -> Side | None:
        began = time.monotonic()
        try:
            return self.bench.run(arm, peer, script)
        except RuntimeError as error:
            if peer is None:
                raise
            self.failed[arm.short_name, peer] = f"failed: {error}"
            return None
        finally:
            self.longest = max(self.longest, time.monotonic() - began)


def table(rows: list[Row]) -> Table:
    """For people."""
    shown = Table("arm", "peer", "loss, first and last", "tokens/s", "speed", "of rounds", "memory", "why not")
    for row in rows:
        losses = "{:.4f} {:.4f}".format(*row.losses) if row.losses else ""
        speed = f"{row.speed:.2f}x" if row.speed else ""
        spread = f"{min(row.speeds):.2f} to {max(row.speeds):.2f}" if row.speeds else ""
        memory = f"{row.memory:.2f}x" if row.memory else ""
        rate = f"{row.tokens_per_second:,.0f}" if row.tokens_per_second else ""
        name = f"the harness, {row.peer}" if row.own else row.peer
        shown.add_row(row.arm, name, losses, rate, speed, spread, memory, row.reason or "")
    return shown


def main() -> int:
    """Exit code 0: measured, whatever came out; 1: the harness' own side failed, or no time was left; 2: wrong use."""
    asked = _parsed()
    try:
        labels = picked("--only", asked.only, list(METHODS))
        for line in check(asked.device):
            print(line)
        rows = _measured(asked, labels)
    except UserError as error:
        print(f"gpu-peers: {error}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        print(f"gpu-peers: the harness' own side failed: {error}", file=sys.stderr)
        return 1
    if not rows:
        print("gpu-peers: nothing was measured: time was up once the weights were drawn", file=sys.stderr)
        return 1
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table([row for one in rows.values() for row in one]))
    for arm, one in rows.items():
        print(f"{arm}: {verdict(one)}")
    return 0


def _measured(asked: argparse.Namespace, labels: Sequence[str]) -> dict[str, list[Row]]:
    work = replace(WORK[asked.device], **({"steps": asked.steps} if asked.steps else {}))
    rows: dict[str, list[Row]] = {}
    ends = time.monotonic() + asked.budget
    with tempfile.TemporaryDirectory(prefix="peers-") as made:
        draw_weights(work, Path(made) / "weights")
        bench = Bench(work, Path(made), asked.torchtune)
        arms = [arm for arm in bench.arms() if arm.label in labels]
        for arm, ran, found in Comparison(bench, ends).run(arms, asked.rounds):
            rows[arm] = found
            _write(asked.out, rows, asked.device)
            print(f"{ran}: {verdict(found)}", flush=True)
    return rows


def _write(out: Path, rows: dict[str, list[Row]], device: str) -> None:
    found = {
        "machine": stack_facts(device),
        "load_average": os.getloadavg(),
        "verdicts": {arm: verdict(one) for arm, one in rows.items()},
        "rows": [row.as_json() for one in rows.values() for row in one],
    }
    out.write_text(json.dumps(found, indent=2) + "\n")


def _parsed() -> argparse.Namespace:
    parser = Options("gpu-peers", description=__doc__)
    parser.add_argument("--out", type=place, default="peers.json", help="where all of it is written (peers.json)")
    parser.add_argument("--budget", type=seconds, default=540.0, metavar="SECONDS", help="how long (540)")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--only", metavar="METHOD,...", help=f"of {', '.join(METHODS)} these alone")
    parser.add_argument("--rounds", type=whole, default=3, help="how often each side runs, at most (3)")
    parser.add_argument("--steps", type=whole, help="that are timed, after warm-up (8)")
    parser.add_argument("--torchtune", type=interpreter, metavar="PYTHON", help="an interpreter that has torchtune")
    return parser.parse_args()


def _run(command: list[str], log: Path, environment: dict[str, str]) -> None:
    with log.open("w") as file:
        everything = {**os.environ, **environment}
        ended = subprocess.run(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, check=False, env=everything)
    if ended.returncode:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        raise RuntimeError(lines[-1] if lines else f"ended with {ended.returncode}")


if __name__ == "__main__":
    sys.exit(main())
