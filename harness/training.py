"""Train one stage: the order, the job, the built trainer held to its cell, the run itself."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import methods.registry
from harness.assignment import Assignment, StageToRun
from harness.batches import forward_passes, longest_batches
from harness.build import Results, build_model, stage_parameters
from harness.data.order import order
from harness.data.tokenise import encode_preference, encode_sft, lengths
from harness.effective import asked_settings, check, effective_settings
from harness.events import Batches, Event, Measured, Passes, Trained
from harness.meters.energy import EnergyMeter
from harness.meters.logits import project_logits
from harness.meters.memory import MemoryMeter
from harness.meters.parts import Part
from harness.meters.steps import StepMeter
from harness.meters.throughput import throughput
from harness.recorder import Recorder
from harness.settings import LATER_KERNELS
from harness.turns import Alone, TurnTaker
from methods.job import Job

Row = dict[str, list[int]]
_IN_PART: dict[Part, str] = {
    "data": "while a batch was fetched",
    "forward": "in the forward pass",
    "reference": "in the reference's pass",
    "backward": "in the backward pass",
    "optimizer": "in the optimizer's step",
}
LEDGER_STEPS = 2  # the optimizer's state is made in the first step, so the second one is the first whole account


class StageTraining:
    """One stage about to be trained. ``run()`` trains it and says what happened; ``model`` is the result."""

    def __init__(
        self,
        assignment: Assignment,
        stage: StageToRun,
        position: int,
        model: Any,
        tokenizer: Any,
        emit: Callable[[Event], None],
        results: Results,
    ) -> None:
        self.assignment, self.stage, self.position = assignment, stage, position
        self.model, self.results = model, results
        self.measuring = assignment.purpose == "measure" and stage is assignment.stages[-1]
        self.warmup_steps = max(LEDGER_STEPS, assignment.measure_warmup_steps)
        spec = stage.stage
        self.method = methods.registry.get(spec["method"])
        self.steps = self.warmup_steps + assignment.measure_steps if self.measuring else spec["steps"]
        self.rows, self.order_digest = self._rows_in_order(tokenizer)
        step_tokens = _per_step([real_tokens(row) for row in self.rows], spec["batch_size"])
        synchronise = _synchroniser(assignment.device)
        self.recorder = Recorder(stage.stage_id, step_tokens, emit, synchronise, self._turns())
        self.logits: list[float] = []
        self.job = self._job(tokenizer)
        self.meter: StepMeter | None = None

    def run(self, memory: MemoryMeter) -> Trained:
        """Build, check, train; ``memory`` watches the phase that this is.

        Raises Mismatch where the trainer is not what the cell asked for.
        """
        asked = asked_settings(self.job)
        trainer = self.method.trainer(self.job)
        found = effective_settings(trainer)
        check(found, asked)
        watched = self.warmup_steps if self.measuring else 0
        self.meter = StepMeter(trainer, self.assignment.device, memory, watched, self._energy())
        self.recorder.on_begin = self._before_first_step
        self.recorder.before_step, self.recorder.after_step = self.meter.begin_step, self.meter.end_step
        try:
            trainer.train()
        except Exception as error:
            error.add_note(f"({_IN_PART[self.meter.parts.now]})")
            raise
        self.model = trainer.model
        return Trained(
            stage_id=self.stage.stage_id,
            reused=False,
            steps=self.recorder.curve,
            fingerprint=self.recorder.fingerprint,
            logits=self.logits,
            effective=found,
            order_digest=self.order_digest,
            real_tokens=sum(real_tokens(row) for row in self.rows),
            loss_tokens=sum(loss_tokens(row) for row in self.rows),
            trainable_parameters=sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
            total_parameters=_parameter_count(trainer.model),
        )

    def batches(self) -> Batches:
        """The longest forward passes of each kind, the first step apart, in which the optimizer has no state yet; of a
        measure run those that the ledger watches: the stage's longest is among them. And all that are timed."""
        size, micro = self.job.batch_size, self.job.micro_batch_size
        steps = self.warmup_steps if self.measuring else self.steps
        packing = self.job.kernels["packing"]
        longest = longest_batches(self.rows[size : steps * size] or self.rows, size, micro, packing)
        if not self.measuring:
            return Batches(stage_id=self.stage.stage_id, batches=longest)
        timed = Counter(forward_passes(self.rows[steps * size :], size, micro, packing))
        passes = tuple(Passes(batch=batch, count=count) for batch, count in timed.items())
        return Batches(stage_id=self.stage.stage_id, batches=longest, timed=passes, steps=self.steps - steps)

    def figures(self) -> dict[str, Any]:
        """What a measure run adds to the phase: throughput, and the ledger at its peak."""
        if not self.measuring:
            return {}
        speed = throughput(self.recorder.step_seconds, self.recorder.step_tokens, self.warmup_steps)
        ledger = self.meter.ledger if self.meter else None
        figures: dict[str, Any] = ledger.peak.columns() if ledger else {}
        if speed is not None:
            figures |= {
                "tokens_per_second_median": speed.median,
                "tokens_per_second_p25": speed.p25,
                "tokens_per_second_p75": speed.p75,
            }
        return figures

    def measured(self) -> Measured | None:
        """What a measure run says of its steps."""
        if not self.measuring or self.meter is None:
            return None
        return self.meter.measured(self.stage.stage_id, self.recorder.step_tokens)

    def _job(self, tokenizer: Any) -> Job:
        spec = self.stage.stage
        return Job(
            model=self.model,
            tokenizer=tokenizer,
            rows=self.rows,
            parameters=stage_parameters(spec["method"], spec["parameters"]),
            learning_rate=spec["learning_rate"],
            seed=spec["seed"],
            steps=self.steps,
            batch_size=spec["batch_size"],
            micro_batch_size=self._micro_batch_size,
            sequence_length=spec["sequence_length"],
            optimizer=spec["optimizer"],
            precision=spec["precision"],
            kernels=self._kernels,
            device=self.assignment.device,
            folder=Path(self.assignment.folder),
            callbacks=[self.recorder],
            load_reference=self._load_reference,
        )

    @property
    def _kernels(self) -> dict[str, Any]:
        return LATER_KERNELS | self.assignment.execution

    @property
    def _micro_batch_size(self) -> int:
        size: int = self.stage.stage["batch_size"]
        return min(self._kernels["micro_batch_size"] or size, size)

    def _load_reference(self) -> Any:
        reference = build_model(self.assignment, self.position, results=self.results)
        return reference.requires_grad_(False).eval()

    def _rows_in_order(self, tokenizer: Any) -> tuple[list[Row], str]:
        """The stage's examples, tokenised, in the order that the seed fixes, and that order's digest."""
        spec = self.stage.stage
        sources = [_read_examples(Path(source.file)) for source in self.stage.sources]
        picks = order(
            [len(examples) for examples in sources],
            [source.share for source in self.stage.sources],
            self.steps * spec["batch_size"],
            spec["seed"],
        )
        encode = encode_preference if self.method.learns_from == "preference" else encode_sft
        encoded: dict[tuple[int, int], Row] = {}
        for pick in picks:
            if pick not in encoded:
                encoded[pick] = encode(sources[pick[0]][pick[1]], tokenizer)
        rows = [encoded[pick] for pick in picks]
        if max(lengths(rows)) > spec["sequence_length"]:  # a trainer would cut the end token off, and say nothing
            raise ValueError(f"an example of {max(lengths(rows))} tokens; sequence_length is {spec['sequence_length']}")
        digest = hashlib.sha256(json.dumps(picks).encode()).hexdigest()
        if self.measuring:
            rows = longest_batch_second(rows, spec["batch_size"], self._micro_batch_size, self._kernels["packing"])
        return rows, digest

    def _turns(self) -> Alone:
        turns = self.assignment.turns if self.measuring else None
        return TurnTaker(Path(turns.mine), Path(turns.theirs), turns.first) if turns else Alone()

    def _energy(self) -> EnergyMeter | None:
        """Of steps that have the GPU to themselves: its counter can't tell two sides that take turns apart."""
        return EnergyMeter(self.assignment.device) if self.measuring and self.assignment.turns is None else None

    def _before_first_step(self, model: Any, optimizer: Any) -> None:
        if self.meter and self.meter.ledger is not None:
            self.meter.ledger.optimizer, self.meter.ledger.limit_bytes = optimizer, self.assignment.ledger_limit
        if not self.job.kernels["compile"]:  # it would be compiled anew for every length
            self.logits = project_logits(model, [_first_answer(row) for row in self.rows], self.assignment.device)
            if self.meter:
                self.meter.memory.forget()  # what looking at the logits took is no part of training


def real_tokens(row: Row) -> int:
    """Tokens that the attention mask keeps: for a pair, both answers with their prompt."""
    if "input_ids" in row:
        return len(row["input_ids"])
    return 2 * len(row["prompt_ids"]) + len(row["chosen_ids"]) + len(row["rejected_ids"])


def _first_answer(row: Row) -> list[int]:
    return row["input_ids"] if "input_ids" in row else row["prompt_ids"] + row["chosen_ids"]


def loss_tokens(row: Row) -> int:
    """Tokens that carry loss: an answer's, its end token included."""
    if "completion_mask" in row:
        return sum(row["completion_mask"])
    return len(row["chosen_ids"]) + len(row["rejected_ids"])


def longest_batch_second(rows: list[Row], batch_size: int, micro_batch_size: int, packing: bool) -> list[Row]:
    """The batch with the most tokens in a forward pass, padding included, moved to the second step: the optimizer's
    state is there by then."""
    batches = [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]

    def most_tokens(index: int) -> int:
        return max(batch.tokens for batch in forward_passes(batches[index], batch_size, micro_batch_size, packing))

    longest = max(range(len(batches)), key=most_tokens)
    batches.insert(min(1, len(batches) - 1), batches.pop(longest))
    return [row for batch in batches for row in batch]


def _per_step(tokens: list[int], batch_size: int) -> list[int]:
    return [sum(tokens[start : start + batch_size]) for start in range(0, len(tokens), batch_size)]


def _parameter_count(model: Any) -> int:
    """Parameters of base and adapter, a reference's copy apart; a 4-bit tensor holds two in each byte."""
    total = 0
    for name, parameter in model.named_parameters():
        if ".ref." in name:
            continue
        state = getattr(parameter, "quant_state", None)
        total += state.shape.numel() if state is not None else parameter.numel()
    return total


def _read_examples(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _synchroniser(device: str) -> Callable[[], None]:
    if not device.startswith("cuda"):
        return lambda: None
    import torch

    return torch.cuda.synchronize
