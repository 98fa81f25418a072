"""Put a model together: the base, and the results of the stages before the one that is to run."""

import tempfile
from pathlib import Path
from typing import Any

import methods.registry
from harness.assignment import Assignment, StageToRun
from harness.loading import keep_four_bit_exact, load_model, random_model


def quantisation_of(assignment: Assignment) -> dict[str, Any] | None:
    """How the base is quantised while this cell trains or is scored: its first stage says it, or it is not."""
    stage = assignment.stages[0].stage
    method = methods.registry.get(stage["method"])
    parameters = method.Parameters.model_validate(stage["parameters"])
    if not method.quantised(parameters):
        return None
    return {key: stage["parameters"][key] for key in ("quantisation", "double_quantisation")}


def build_model(assignment: Assignment, position: int, *, results: dict[str, Path]) -> Any:
    """The model that stage ``position`` starts from, made ready to train; past the last stage, the tuned model.

    An earlier stage of whole weights is loaded in the base's place, an adapter is put onto it.
    """
    stages = assignment.stages
    earlier = stages[:position]
    whole = [s for s in earlier if not _is_adapter(results[s.stage_id])]
    folder = results[whole[-1].stage_id] if whole else None
    model = _load_base(assignment, folder)
    current = stages[position] if position < len(stages) else None
    for stage in earlier:
        if _is_adapter(results[stage.stage_id]):
            model = _with_adapter(model, assignment, stage, current, results[stage.stage_id])
    if current is not None and current.stage["kind"] != "base":
        model = _made_trainable(model, current)
    return model


def merged_model(assignment: Assignment, model: Any, *, results: dict[str, Path]) -> Any:
    """The tuned adapter folded into the base in full precision: for a 4-bit base, into the base it was made from."""
    if quantisation_of(assignment) is not None:
        plain = _load_base(assignment, None, quantised=False)
        with tempfile.TemporaryDirectory(dir=assignment.folder) as folder:
            save_result(model, Path(folder))
            model = _adapter_on(plain, Path(folder), trainable=False)
    return model.merge_and_unload()


def requantised_model(assignment: Assignment, merged: Any) -> Any:
    """A merged model in 4 bit again, through the files that a user would write."""
    first = assignment.stages[0].stage
    with tempfile.TemporaryDirectory(dir=assignment.folder) as folder:
        merged.save_pretrained(folder)
        return load_model(
            Path(folder),
            precision=first["precision"],
            attention=assignment.execution["attention"],
            device=assignment.device,
            quantisation=quantisation_of(assignment),
        )


def save_result(model: Any, folder: Path) -> None:
    """A stage's result as safetensors: the whole model, or its adapter named ``default``."""
    if hasattr(model, "peft_config"):
        model.save_pretrained(folder, selected_adapters=["default"])
    else:
        model.save_pretrained(folder)


def _load_base(assignment: Assignment, folder: Path | None, quantised: bool = True) -> Any:
    first, execution = assignment.stages[0].stage, assignment.execution
    if folder is None and assignment.base.init_seed is not None:
        return _random_base(assignment)
    return load_model(
        folder or Path(assignment.base.folder),
        precision=first["precision"],
        attention=execution["attention"],
        device=assignment.device,
        quantisation=quantisation_of(assignment) if quantised else None,
    )


def _random_base(assignment: Assignment) -> Any:
    """Random weights, written once to the cell's scratch so that they load like any other base's."""
    folder = Path(assignment.folder) / "random"
    if not (folder / "config.json").is_file():
        assert assignment.base.init_seed is not None
        first, execution = assignment.stages[0].stage, assignment.execution
        model = random_model(
            Path(assignment.base.folder),
            init_seed=assignment.base.init_seed,
            precision=first["precision"],
            attention=execution["attention"],
            device=assignment.device,
        )
        model.save_pretrained(folder)
        del model
    return _load_base(assignment, folder)


def _with_adapter(model: Any, assignment: Assignment, stage: StageToRun, current: Any, folder: Path) -> Any:
    fresh = current is not None and current.stage["parameters"].get("adapter") == "fresh"
    if fresh:
        merged = _adapter_on(model, folder, trainable=False).merge_and_unload()
        keep_four_bit_exact(merged)
        return merged
    return _adapter_on(model, folder, trainable=current is not None)


def _adapter_on(model: Any, folder: Path, *, trainable: bool) -> Any:
    from peft import PeftModel

    model.requires_grad_(False)
    return PeftModel.from_pretrained(
        model, str(folder), is_trainable=trainable, autocast_adapter_dtype=False, low_cpu_mem_usage=False
    )


def _made_trainable(model: Any, current: StageToRun) -> Any:
    from transformers import set_seed

    stage = current.stage
    method = methods.registry.get(stage["method"])
    parameters = method.Parameters.model_validate(stage["parameters"])
    if hasattr(model, "peft_config"):
        return model  # a continued adapter is trainable as it was loaded
    set_seed(stage["seed"])
    if method.learns_from == "preference":
        return _started_afresh(model, stage)
    return method.attach(model, parameters, stage["precision"].get("adapter", "float32"))


def _started_afresh(model: Any, stage: dict[str, Any]) -> Any:
    """DPO on whole weights, or with a new adapter on a merged SFT stage."""
    if stage["parameters"].get("adapter") != "fresh":
        model.requires_grad_(True)
        return model
    from methods.adapters import add_adapter
    from methods.parameters import LoraParameters

    own = {k: v for k, v in stage["parameters"]["fresh_adapter"].items() if k in LoraParameters.model_fields}
    return add_adapter(model, LoraParameters.model_validate(own), stage["precision"]["adapter"])


def _is_adapter(folder: Path) -> bool:
    return (folder / "adapter_config.json").is_file()
