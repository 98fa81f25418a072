"""From a stored run back to a matrix file that reruns it.

Whatever the results file does not hold is said in a comment at its key: where a file or a model lies on another
machine, how a file was parted, what a task is beyond its name.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import yaml

from harness.errors import UserError
from harness.report.words import text as one_line
from harness.settings import LATER_KERNELS
from harness.store.one_run import Stage

# A trained stage's settings as a recipe names them, by their keys in a matrix file.
SETTINGS = ("batch_size", "sequence_length", "precision", "optimizer")
KERNELS = ("attention", "gradient_checkpointing", "compile", "liger", *LATER_KERNELS)
KINDS = ("sft", "preference")
SHOWN_DIGEST = 12

Recipe = Mapping[str, Any]


@dataclass(frozen=True)
class StoredStage:
    """What a results file says of a stage beside its recipe: the entry that trains it, and the files that it read,
    None where neither is recorded."""

    label: str | None
    files: tuple[str, ...] | None


@dataclass(frozen=True)
class Stored:
    """A cell as it is stored. ``stages`` goes with ``recipe``'s, ``base_spec`` is the base's entry in the matrix file
    as it was resolved, ``evals`` are entries for a matrix file's ``evals``."""

    suite: str
    base: str
    seed: int | None
    recipe: Recipe
    execution: Mapping[str, Any]
    base_spec: Mapping[str, Any]
    stages: Sequence[StoredStage]
    evals: Sequence[Mapping[str, Any]] = ()
    eval_batch_size: int | None = None


def stored(run: Mapping[str, Any], stages: Sequence[Stage], scores: pd.DataFrame) -> Stored:
    """What ``one_run`` tells of a run (``about``, ``stages``, ``scores``) as a cell to be run again."""
    sizes = {json.loads(text).get("batch_size") for text in scores["decoding"]}
    size = sizes.pop() if len(sizes) == 1 else None
    return Stored(
        suite=run["suite"],
        base=run["base"],
        seed=run["seed"],
        recipe=run["recipe"],
        execution=run["execution"],
        base_spec=run["sources"].get("base") or {},
        stages=[StoredStage(one.label, _files(one.sources)) for one in stages],
        evals=_evals_of(scores),
        eval_batch_size=size if isinstance(size, int) else None,
    )


def _files(sources: Mapping[str, Any] | None) -> tuple[str, ...] | None:
    listed = (sources or {}).get("data")
    return None if listed is None else tuple(str(file) for file in listed)


def _evals_of(scores: pd.DataFrame) -> list[dict[str, Any]]:
    """Each task that was scored, as a matrix file asks for it; what is as by default is left out."""
    found = []
    merging = scores["moment"].str.startswith("merged").any()
    for (task, metric), rows in scores.groupby(["task", "metric"], sort=False):
        first, moments = rows.iloc[0], set(rows["moment"])
        entry = {"task": task, "role": first["role"], "split": first["split"], "metric": metric}
        entry |= {} if first["higher_is_better"] else {"higher_is_better": False}
        entry |= {} if pd.isna(first["chance"]) else {"chance": float(first["chance"])}
        entry |= {"prompted": True} if "prompted" in moments else {}
        entry |= {"merged": False} if merging and "merged" not in moments else {}
        found.append(entry)
    return found


def matrix_text(cell: Stored) -> str:
    """The matrix file, as YAML. Raises UserError, in a sentence, for a recipe that no matrix file can say: one that
    another program wrote."""
    recipe_stages = cell.recipe.get("stages") or []
    _refuse_foreign(cell, recipe_stages)
    trained = [stage for stage in recipe_stages if stage["kind"] in KINDS]
    shared = _shared(trained)
    blocks = [
        _block({"version": 1, "suite": cell.suite}, _HEAD.format(suite=one_line(cell.suite))),
        _block({"seeds": [cell.seed if cell.seed is not None else 1]}),
        _bases(cell),
        *_data(cell, recipe_stages),
        *(_block({key: value}) for key, value in shared.items()),
        *_execution(cell.execution),
        _methods(cell, recipe_stages, shared),
        *_evals(cell),
    ]
    return "\n".join(block for block in blocks if block)


_HEAD = """Save this in the folder of the suite {suite}: files and tasks are found from there. `tunematrix plan FILE`
says what is missing, and whether it is the same cell: that one is done already, on the stack that it ran on.
Not recorded, so as this version has it by default: steps of the measure run, time limits, what is done with bad
records."""


def _refuse_foreign(cell: Stored, stages: Sequence[Recipe]) -> None:
    needed = ("parameters", "precision")
    for stage in stages:
        wanted = (*needed, "steps", *SETTINGS) if stage.get("kind") in KINDS else needed
        missing = [key for key in dict.fromkeys(wanted) if key not in stage]
        if missing or "method" not in stage:
            raise UserError(
                f"No matrix file reruns this run: its recipe does not say {', '.join(missing or ['method'])}. "
                "Another program wrote it."
            )
    if not stages or len(stages) != len(cell.stages):
        raise UserError("No matrix file reruns this run: its stages are not recorded.")


def _settings(stage: Recipe) -> dict[str, Any]:
    return {"budget": {"steps": stage["steps"]}, **{key: stage[key] for key in SETTINGS}}


def _shared(trained: Sequence[Recipe]) -> dict[str, Any]:
    """What all trained stages have alike."""
    if not trained:
        return {}
    first, *others = map(_settings, trained)
    return {key: value for key, value in first.items() if all(other[key] == value for other in others)}


def _bases(cell: Stored) -> str:
    spec = {key: value for key, value in cell.base_spec.items() if key != "resolved_revision" and value is not None}
    if cell.base_spec.get("resolved_revision") and "hub" in spec:
        spec["revision"] = cell.base_spec["resolved_revision"]
    digest = str(cell.recipe.get("base_digest", ""))[:SHOWN_DIGEST]
    comments = []
    if not {"embedded", "path", "hub", "config"} & set(spec):
        spec["path"] = cell.base
        comments.append(f"Where the base was read is not recorded: put its folder or hub id here. Digest {digest}...")
    for key in ("path", "config", "tokenizer"):
        if key in spec and "/" not in str(spec[key]) and not comments:
            comments.append(f"{key}: only the last part is known; put the whole path here. Digest {digest}...")
    return _block({"bases": {cell.base: spec}}, *comments)


def _data(cell: Stored, stages: Sequence[Recipe]) -> list[str]:
    mixes: dict[str, Any] = {}
    comments = []
    for stage, stored in zip(stages, cell.stages, strict=True):
        if stage["kind"] not in KINDS:
            continue
        digest = str(stage.get("data_digest", ""))[:SHOWN_DIGEST]
        files = stored.files or ()
        mixes[stage["kind"]] = [{"file": file} for file in files] or [{"file": f"{stage['kind']}.jsonl"}]
        if not files:
            comments.append(f"{stage['kind']}: which file it read is not recorded; put it here. Digest {digest}...")
        elif len(files) > 1:
            comments.append(f"{stage['kind']}: the files' shares are not recorded; give each its share.")
    if not mixes:
        return []
    comments.append("Not recorded: roles of files, and whether a part of a file was taken (split).")
    return [_block({"data": mixes}, *comments)]


def _execution(execution: Mapping[str, Any]) -> list[str]:
    kernels = {key: execution[key] for key in KERNELS if key in execution}
    comments = []
    if patch := execution.get("patch"):
        kernels["patch"] = patch.get("name")
        source = str(patch.get("source", ""))[:SHOWN_DIGEST]
        comments.append(f"patch: its module goes beside this file; the SHA-256 of its source began with {source}.")
    own = {key: execution[key] for key in ("micro_batch_size", "threads") if execution.get(key) is not None}
    blocks = [_block({key: value}) for key, value in own.items()]
    return [*blocks, _block({"kernels": kernels}, *comments)] if kernels else blocks


def _methods(cell: Stored, stages: Sequence[Recipe], shared: Mapping[str, Any]) -> str:
    entries: dict[str, Any] = {}
    comments = []
    previous: str | None = None
    for stage, stored in zip(stages, cell.stages, strict=True):
        label = stored.label or stage["method"]
        label = label if label not in entries else f"{label}-{len(entries) + 1}"
        if stored.label is None:
            comments.append(f"{one_line(label)}: what the entry was called is not recorded.")
        parameters = {key: value for key, value in stage["parameters"].items() if key != "fresh_adapter"}
        entry = {"method": stage["method"], **{k: v for k, v in parameters.items() if v is not None}}
        if stage["kind"] in KINDS:
            entry["learning_rate"] = stage["learning_rate"]
            entry |= {key: value for key, value in _settings(stage).items() if key not in shared}
        else:
            entry["precision"] = stage["precision"]
        if stage["kind"] == "preference" and previous is not None:
            entry["starts_from"] = previous
        entries[label] = entry
        previous = label
    return _block({"methods": entries}, *comments)


def _evals(cell: Stored) -> list[str]:
    if not cell.evals:
        return []
    size = [] if cell.eval_batch_size is None else [_block({"eval_batch_size": cell.eval_batch_size})]
    comment = "The tasks lie in the folder `tasks` beside this file. Not recorded: which are scored with examples."
    return [*size, _block({"evals": [dict(one) for one in cell.evals]}, comment)]


def _block(value: Mapping[str, Any], *comments: str) -> str:
    """A part of the file under its comments; a comment is no place for a line break of somebody else's."""
    lines = [f"# {one_line(line)}\n" for comment in comments for line in comment.splitlines()]
    flat = not any(isinstance(one, Mapping | list) for one in value.values())
    style = False if flat else None  # None: a line for each mapping or list of plain values
    text: str = yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True, width=110, default_flow_style=style)
    return "".join(lines) + text
