"""Put a model together: the base, and the results of the stages before the one that is to run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import methods.registry
from harness.assignment import Assignment, StageToRun
from harness.loading import keep_four_bit_exact, load_model
from harness.patches import apply_patch
from harness.random_weights import random_model
from methods.parameters import Parameters

Results = Mapping[str, Path]  # where each stage's result lies


def stage_parameters(method: str, values: Mapping[str, Any]) -> Any:
    """The method's own parameters among ``values``, checked; a stage may hold more, such as ``fresh_adapter``."""
    model: type[Parameters] = methods.registry.get(method).Parameters
    return model.model_validate({key: value for key, value in values.items() if key in model.model_fields})


def quantisation_of(assignment: Assignment) -> dict[str, Any] | None:
    """How the base is quantised while this cell trains or is scored: its first stage says it, or it is not."""
    stage = assignment.stages[0].stage
    method = methods.registry.get(stage["method"])
    if not method.quantised(stage_parameters(stage["method"], stage["parameters"])):
        return None
    return {key: stage["parameters"][key] for key in ("quantisation", "double_quantisation")}


def build_model(assignment: Assignment, position: int, *, results: Results) -> Any:
    """The model that stage ``position`` starts from, made ready to train; past the last stage, the tuned model.

    The execution's patch, if it has one, has been applied to it.
    """
    return _patched(assignment, _built(assignment, position, results))


def _patched(assignment: Assignment, model: Any) -> Any:
    apply_patch(model, assignment.execution["patch"], assignment.patch_folders)
    return model


def _built(assignment: Assignment, position: int, results: Results) -> Any:
    model, adapter = _standing(assignment, position, results, quantised=True)
    if position == len(assignment.stages):
        return model if adapter is None else _adapter_on(model, adapter)
    current = assignment.stages[position]
    if _is_fresh(current):
        assert adapter is not None, "a fresh adapter needs an earlier one to merge"
        return _made_trainable(merged_with(model, adapter), current, assignment.stages[position - 1].stage["method"])
    if adapter is not None:
        return _adapter_on(model, adapter, trainable_in=current.stage["precision"]["adapter"])
    return model if current.stage["kind"] == "base" else _made_trainable(model, current, current.stage["method"])


def merged_anew(assignment: Assignment, *, results: Results) -> Any:
    """The tuned adapter folded into the base in full precision: for a 4-bit base, into the base it was made from."""
    plain, adapter = _standing(assignment, len(assignment.stages), results, quantised=False)
    assert adapter is not None
    return _patched(assignment, merged_with(plain, adapter))


def requantised_model(assignment: Assignment, folder: Path) -> Any:
    """The merged model that was saved to ``folder``, as a user would save it, in 4 bit again."""
    return _patched(assignment, _load(assignment, folder, quantised=True))


def save_result(model: Any, folder: Path) -> None:
    """A stage's result as safetensors: the whole model, or its adapter named ``default``."""
    if hasattr(model, "peft_config"):
        model.save_pretrained(folder, selected_adapters=["default"])
    else:
        model.save_pretrained(folder)


def _standing(assignment: Assignment, count: int, results: Results, *, quantised: bool) -> tuple[Any, Path | None]:
    """The model after ``count`` stages, and the adapter that is still to be put on it.

    A result of whole weights takes the base's place, an adapter that continues another takes that one's, and a
    fresh adapter stands on the merged one.
    """
    folder: Path | None = None
    adapters: list[Path] = []
    for stage in assignment.stages[:count]:
        result = results[stage.stage_id]
        if not _is_adapter(result):
            folder, adapters = result, []
        elif _is_fresh(stage):
            adapters = [*adapters, result]
        else:
            adapters = [*adapters[:-1], result]
    model = _load_base(assignment, folder, quantised=quantised)
    for adapter in adapters[:-1]:
        model = merged_with(model, adapter)
    return model, adapters[-1] if adapters else None


def _load_base(assignment: Assignment, folder: Path | None, *, quantised: bool) -> Any:
    if folder is None and assignment.base.init_seed is not None:
        return random_model(
            Path(assignment.base.folder), init_seed=assignment.base.init_seed, **_how(assignment, quantised)
        )
    return _load(assignment, folder or Path(assignment.base.folder), quantised=quantised)


def _load(assignment: Assignment, folder: Path, *, quantised: bool) -> Any:
    return load_model(folder, **_how(assignment, quantised))


def _how(assignment: Assignment, quantised: bool) -> dict[str, Any]:
    return {
        "precision": assignment.stages[0].stage["precision"],
        "attention": assignment.execution["attention"],
        "device": assignment.device,
        "quantisation": quantisation_of(assignment) if quantised else None,
    }


def _adapter_on(model: Any, folder: Path, *, trainable_in: str | None = None) -> Any:
    """``model`` with the adapter in ``folder``, frozen and of the type it was saved in, or trainable in another."""
    import torch
    from peft import PeftConfig, get_peft_model, load_peft_weights, set_peft_model_state_dict

    config = PeftConfig.from_pretrained(str(folder))
    config.inference_mode = trainable_in is None
    weights = load_peft_weights(str(folder), device="cpu")
    dtype = getattr(torch, trainable_in) if trainable_in else next(iter(weights.values())).dtype
    model.requires_grad_(False)
    wrapped = get_peft_model(model, config, autocast_adapter_dtype=False)
    # PEFT makes the tensors of the base's type and would round the saved ones to it.
    for name, parameter in wrapped.named_parameters():
        if ".default." in name:
            parameter.data = parameter.data.to(dtype)
    loaded: Any = set_peft_model_state_dict(wrapped, weights)
    if loaded.unexpected_keys:
        raise ValueError(f"{folder}: not an adapter of this model: it has no {', '.join(loaded.unexpected_keys[:3])}")
    return wrapped


def merged_with(model: Any, adapter: Path) -> Any:
    """``model`` with the adapter in ``adapter`` folded into its weights, rounded to no other type on the way."""
    merged = _adapter_on(model, adapter).merge_and_unload()
    keep_four_bit_exact(merged)
    return merged


def _made_trainable(model: Any, current: StageToRun, attaching: str) -> Any:
    """``model`` as the method ``attaching`` makes it ready: DPO's fresh adapter is made as its SFT stage's was."""
    from transformers import set_seed

    stage = current.stage
    values = stage["parameters"]["fresh_adapter"] if _is_fresh(current) else stage["parameters"]
    set_seed(stage["seed"])
    adapter_dtype = stage["precision"].get("adapter", "float32")
    return methods.registry.get(attaching).attach(model, stage_parameters(attaching, values), adapter_dtype)


def _is_fresh(stage: StageToRun) -> bool:
    return stage.stage["parameters"].get("adapter") == "fresh"


def _is_adapter(folder: Path) -> bool:
    return (folder / "adapter_config.json").is_file()
