"""The stock side: the same recipe as commands that a user would type, each a process of its own."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import clock
from harness.arms import Arm, Cell
from harness.data.order import order
from harness.data.render import render
from harness.session import Session

ROOT = Path(__file__).resolve().parent.parent

Stage = dict[str, Any]


@dataclass
class Stock:
    """What the stock way took for a cell: its scripts one after another, then lm-eval."""

    scripts: list[dict[str, float]] = field(default_factory=list)  # wall_seconds, train_seconds, mean_loss, steps
    evaluation: dict[str, Any] = field(default_factory=dict)  # wall_seconds, score_seconds, scores

    @property
    def wall_seconds(self) -> float:
        """All of its processes, one after another."""
        return sum(script["wall_seconds"] for script in self.scripts) + float(self.evaluation["wall_seconds"])

    @property
    def train_seconds(self) -> float:
        """Inside ``trainer.train()``."""
        return sum(script["train_seconds"] for script in self.scripts)


class Commands:
    """A cell as commands; its files lie in ``folder``."""

    def __init__(self, session: Session, arm: Arm, cell: Cell, folder: Path) -> None:
        self.session, self.arm, self.cell, self.folder = session, arm, cell, folder
        assert arm.base.folder is not None
        self.base = str(arm.base.folder)
        self.stages: list[Stage] = cell.recipe["stages"]
        self.four_bit = "quantisation" in self.stages[0]["parameters"]

    def write_data(self) -> None:
        """Each stage's examples in the order in which the harness sees them, as JSON lines."""
        tokenizer = self.session.library.tokenizer(self.arm.base)
        for place, (stage, mix) in enumerate(zip(self.stages, self.arm.mixes(), strict=True)):
            assert mix is not None
            self.session.library.keep(mix)
            sources = [[json.loads(line) for line in Path(file).read_text().splitlines()] for file, _ in mix.files]
            shares = [share for _, share in mix.files]
            picks = order([len(s) for s in sources], shares, stage["steps"] * stage["batch_size"], stage["seed"])
            rows = [render(sources[source][example], tokenizer) for source, example in picks]
            self._data(place).write_text("".join(json.dumps(row) + "\n" for row in rows))

    def training(self, place: int) -> list[str]:
        """The script of stage ``place`` with its options."""
        stage = self.stages[place]
        kind = "dpo" if stage["kind"] == "preference" else "sft"
        parameters, optimizer = stage["parameters"], stage["optimizer"]
        command = [
            *(sys.executable, "-m", f"benchmarks.stock.{kind}"),
            *("--model", self.base, "--data", self._data(place), "--output", self.result(place)),
            *("--timings", self._timings(place), "--steps", stage["steps"], "--batch-size", stage["batch_size"]),
            *("--learning-rate", stage["learning_rate"], "--schedule", optimizer["schedule"]),
            *("--warmup-steps", optimizer["warmup_steps"], "--weight-decay", optimizer["weight_decay"]),
            *("--max-length", stage["sequence_length"], "--seed", stage["seed"]),
        ]
        if kind == "dpo":
            command += ["--adapter", self.result(place - 1), "--beta", parameters["beta"]]
        elif "rank" in parameters:
            alpha = parameters["alpha"] or parameters["alpha_per_rank"] * parameters["rank"]
            command += ["--lora-rank", parameters["rank"], "--lora-alpha", alpha]
            command += ["--lora-targets", parameters["target_modules"]]
        if self.four_bit:
            command.append("--four-bit")
        return [str(word) for word in command]

    def scoring(self) -> list[str]:
        """lm-eval's command line over all the suite's tasks."""
        result = self.result(len(self.stages) - 1)
        arguments = {"pretrained": self.base, "dtype": "float32"}
        if "rank" in self.stages[0]["parameters"]:
            arguments["peft"] = str(result)
        else:
            arguments["pretrained"] = str(result)
        if self.four_bit:
            arguments["pretrained"] = str(self.result(0) / "base")
            arguments["tokenizer"] = self.base
        return [
            *(sys.executable, "-m", "benchmarks.stock.lm_eval_timed", "run", "--model", "hf", "--device", "cpu"),
            *("--model_args", ",".join(f"{key}={value}" for key, value in arguments.items())),
            *("--include_path", str(self.session.tasks_folder)),
            *("--tasks", ",".join(e.task for e in self.session.evals)),
            *("--batch_size", str(self.session.matrix.header.eval_batch_size)),
            *("--output_path", str(self.folder / "scores")),
        ]

    def result(self, place: int) -> Path:
        """Where the stage's model or adapter is saved."""
        return self.folder / f"stage-{place}"

    def trained(self, place: int) -> dict[str, float]:
        """What the script noted."""
        noted: dict[str, float] = json.loads(self._timings(place).read_text())
        return noted

    def scores(self) -> dict[str, float]:
        """Each task's score, by the metric that the suite reads."""
        (path,) = (self.folder / "scores").rglob("results_*.json")
        results = json.loads(path.read_text())["results"]
        return {
            e.task: next(v for key, v in results[e.task].items() if key.split(",")[0] == e.metric)
            for e in self.session.evals
        }

    def _data(self, place: int) -> Path:
        return self.folder / f"stage-{place}.jsonl"

    def _timings(self, place: int) -> Path:
        return self.folder / f"stage-{place}.json"


def run_stock(commands: Commands) -> Stock:
    """Run a cell's commands one after another. Raises RuntimeError with the end of what one that failed printed."""
    found = Stock()
    for place, stage in enumerate(commands.stages):
        seconds = _run(commands.training(place), commands.folder)
        found.scripts.append({"wall_seconds": seconds, "steps": stage["steps"], **commands.trained(place)})
    clock_file = commands.folder / "clock.jsonl"
    seconds = _run(commands.scoring(), commands.folder, {clock.VARIABLE: str(clock_file)})
    spent = clock.read(clock_file)
    found.evaluation = {
        "wall_seconds": seconds,
        "score_seconds": spent.seconds.get("score", 0.0),
        "model_calls": spent.calls.get("score", 0),
        "scores": commands.scores(),
    }
    return found


def _run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> float:
    log = folder / "log.txt"
    began = time.perf_counter()
    with log.open("w") as file:
        everything = {**os.environ, **(environment or {})}
        ended = subprocess.run(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, check=False, env=everything)
    seconds = time.perf_counter() - began
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)}\nended with {ended.returncode}:\n{log.read_text()[-2000:]}")
    return seconds
