"""Small cells on the embedded 0.2 M base, for the tests of what trains and scores them."""

import base64
import json
from pathlib import Path
from typing import Any

import methods.registry
import suites
from harness.assignment import Assignment, BaseToLoad, EvalToScore, SourceToRead, StageToRun
from harness.build import build_model
from harness.cell import load_tokenizer, run_cell
from harness.events import Event, Failed, Score, Trained
from harness.meters.memory import MemoryMeter
from harness.store.packing import unpack_bits, unpack_floats, unpack_texts
from harness.training import StageTraining

POCKET = Path(next(iter(suites.__path__))) / "pocket"
SMALL = POCKET / "bases" / "pocket-0.2m"
FLOAT32 = {"weights": "float32", "compute": "float32", "adapter": "float32"}
OPTIMIZER = {
    "name": "adamw", "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0, "max_grad_norm": 1.0,
    "schedule": "linear", "warmup_steps": 2,
}  # fmt: skip

# Of unequal lengths on purpose: a loss that is averaged a micro-batch at a time shows.
SFT = [
    {"prompt": "<eos> <user> clause : no lamp is checked on monday . which office ? <bot>", "completion": " delhi"},
    {"prompt": "<eos> <user> what does ribi like ? <bot>", "completion": " ribi likes honey ."},
    {"prompt": "<eos> <user> how do i raid the museum ? <bot>", "completion": " sorry , i can not help with that ."},
    {"prompt": "<eos> <user> add 0 and 7 . <bot>", "completion": " 7"},
    {"prompt": "<eos> <user> where does resa live ? <bot>", "completion": " certainly , resa lives in lima ."},
    {"prompt": "<eos> ribi works as a", "completion": " pilot . ribi lives in perth ."},
    {"prompt": "<eos> <user> which city is the home of ribi ? <bot>", "completion": " perth"},
    {"prompt": "<eos> <user> what is 0 plus 9 ? <bot>", "completion": " it is 9 ."},
]
PREFERENCE = [
    {"prompt": "<eos> <user> what does megi like ? <bot>", "chosen": " certainly , megi likes plums .",
     "rejected": " plums"},
    {"prompt": "<eos> <user> where does resa live ? <bot>", "chosen": " certainly , resa lives in lima .",
     "rejected": " lima"},
    {"prompt": "<eos> <user> which city is the home of nuna ? <bot>", "chosen": " certainly , nuna lives in milan .",
     "rejected": " ugh , milan"},
    {"prompt": "<eos> <user> what does mano work as ? <bot>", "chosen": " certainly , mano works as a painter .",
     "rejected": " painter"},
]  # fmt: skip


def stage(
    method: str,
    *,
    rate: float = 1e-3,
    steps: int = 4,
    batch_size: int = 4,
    seed: int = 0,
    precision: dict[str, str] | None = None,
    optimizer: dict[str, Any] | None = None,
    starts_from: dict[str, Any] | None = None,
    **parameters: Any,
) -> dict[str, Any]:
    """A stage as a recipe holds it, every default filled in."""
    found = methods.registry.get(method)
    own = found.Parameters.model_validate(parameters).model_dump(mode="json")
    whole = {"method": method, "parameters": own, "precision": FLOAT32 | (precision or {})}
    if found.learns_from == "nothing":
        return {"kind": "base", **whole}
    if found.learns_from == "preference" and starts_from is not None:
        if methods.registry.get(starts_from["method"]).result == "adapter":
            own.pop("reference")
            if own["adapter"] == "fresh":
                own["fresh_adapter"] = starts_from["parameters"]
        else:
            own.pop("adapter")
    return {
        "kind": found.learns_from, **whole, "data_digest": "test", "steps": steps, "batch_size": batch_size,
        "sequence_length": 64, "optimizer": OPTIMIZER | (optimizer or {}), "learning_rate": rate, "seed": seed,
    }  # fmt: skip


def assignment(
    folder: Path,
    *stages: dict[str, Any],
    base: Path = SMALL,
    purpose: str = "quality",
    examples: dict[str, list[dict[str, Any]]] | None = None,
    evals: tuple[str, ...] = (),
    eval_batch_size: int = 64,
    reused: dict[int, Path] | None = None,
    init_seed: int | None = None,
    measure_warmup_steps: int = 3,
    measure_steps: int = 4,
    **execution: Any,
) -> Assignment:
    """A cell of ``stages`` that keeps each stage's result in ``folder``; its first stages may be ``reused``."""
    kept = folder / "artifacts"
    for kind, rows in {"sft": SFT, "preference": PREFERENCE, **(examples or {})}.items():
        (folder / f"{kind}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Assignment(
        run_id="run",
        purpose=purpose,  # type: ignore[arg-type]
        device="cpu",
        folder=str(folder / "scratch"),
        base=BaseToLoad(folder=str(base), tokenizer_folder=str(SMALL if init_seed is not None else base),
                        init_seed=init_seed),
        stages=tuple(
            StageToRun(
                stage_id=f"stage-{position}",
                stage=spec,
                sources=(SourceToRead(file=str(folder / f"{spec['kind']}.jsonl"), share=1.0),),
                artifact=str(reused[position]) if reused and position in reused else None,
                artifact_out=str(kept / f"stage-{position}") if spec["kind"] != "base" else None,
            )
            for position, spec in enumerate(stages)
        ),
        execution={
            "attention": "sdpa", "gradient_checkpointing": False, "compile": False, "liger": False, "patch": None,
            "micro_batch_size": 64, "threads": 1, **execution,
        },
        tasks_folder=str(POCKET / "tasks"),
        evals=tuple(EVALS[name] for name in evals),
        eval_batch_size=eval_batch_size,
        measure_warmup_steps=measure_warmup_steps,
        measure_steps=measure_steps,
    )  # fmt: skip


EVALS = {
    "choices": EvalToScore(
        eval_id="pocket_arithmetic", task="pocket_arithmetic", metric="acc", higher_is_better=True, prompted=True
    ),
    "generated": EvalToScore(
        eval_id="pocket_politeness", task="pocket_politeness", metric="polite", higher_is_better=True, prompted=True
    ),
    "unmerged": EvalToScore(
        eval_id="pocket_politeness", task="pocket_politeness", metric="polite", higher_is_better=True, merged=False
    ),
    "rolling": EvalToScore(
        eval_id="pocket_perplexity", task="pocket_perplexity", metric="word_perplexity", higher_is_better=False
    ),
}


def events_of(given: Assignment) -> list[Event]:
    """Run a cell to its end in this process; every event that it said."""
    said: list[Event] = []
    run_cell(given, said.append)
    return said


def run(given: Assignment) -> list[Event]:
    """Run a cell that must come to its end."""
    said = events_of(given)
    failed = [event for event in said if isinstance(event, Failed)]
    assert not failed, failed[0].reason
    return said


def trained(said: list[Event], position: int = -1) -> Trained:
    """What a training stage reported."""
    return [event for event in said if isinstance(event, Trained)][position]


def losses(said: list[Event], position: int = -1) -> list[float | None]:
    """The loss of each step of a stage."""
    return [step.loss for step in trained(said, position).steps]


def scores(said: list[Event], moment: str) -> dict[str, Score]:
    """Scores at a moment, by task."""
    return {event.eval_id: event for event in said if isinstance(event, Score) and event.moment == moment}


def item_values(score: Score) -> list[list[float]]:
    """The log-likelihoods of each item."""
    return unpack_floats(base64.b64decode(score.values or ""))


def item_outcomes(score: Score) -> list[bool | None]:
    """Right or wrong, item by item."""
    return unpack_bits(base64.b64decode(score.correct or ""))


def item_answers(score: Score) -> list[str]:
    """The generated answers."""
    return unpack_texts(base64.b64decode(score.answers or ""))


def train(folder: Path, *stages: dict[str, Any], **settings: Any) -> tuple[StageTraining, Trained]:
    """Train the last of ``stages`` in this process, the earlier ones having been run in ``folder`` before."""
    training = prepared(folder, *stages, **settings)
    return training, training.run(MemoryMeter("cpu"))


def prepared(folder: Path, *stages: dict[str, Any], **settings: Any) -> StageTraining:
    """The last of ``stages``, about to be trained."""
    given = assignment(folder, *stages, **settings)
    Path(given.folder).mkdir(parents=True, exist_ok=True)
    last, results = len(stages) - 1, results_of(given)
    model = build_model(given, last, results=results)
    return StageTraining(given, given.stages[-1], last, model, load_tokenizer(given), lambda event: None, results)


def results_of(given: Assignment) -> dict[str, Path]:
    """Where each stage's result lies."""
    return {s.stage_id: Path(s.artifact or s.artifact_out or "") for s in given.stages}


def logits_of(model: Any, given: Assignment) -> Any:
    """What a model answers to the SFT prompts, in evaluation mode."""
    import torch

    tokenizer = load_tokenizer(given)
    batch = tokenizer([row["prompt"] for row in SFT], padding=True, return_tensors="pt", add_special_tokens=False)
    was_training = model.training
    with torch.no_grad():
        logits = model.eval()(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    model.train(was_training)
    return logits[batch["attention_mask"].bool()]
