"""Write an arm's adapter or weights to a folder, with a model card that says where they come from."""

import json
import shutil
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from harness import artifacts
from harness.bases import Base, resolve_base
from harness.errors import UserError
from harness.naming import arm_name
from harness.selectors import Named, select
from harness.store.database import open_for_reading
from harness.workdir import Workdir

_ARMS = """
SELECT runs.*, cells.recipe_id, cells.recipe, cells.sources, cells.licences, parents.label AS parent_label,
       CASE scores.higher_is_better WHEN 0 THEN -scores.value ELSE scores.value END AS validation
FROM chosen_runs AS runs JOIN cells USING (cell_id)
LEFT JOIN (SELECT arm_id, max(label) AS label FROM cells GROUP BY arm_id) AS parents
       ON parents.arm_id = runs.parent_arm_id
LEFT JOIN evals ON evals.task = runs.selection_task
LEFT JOIN scores ON scores.run_id = runs.run_id AND scores.eval_id = evals.eval_id AND scores.moment = 'tuned'
WHERE runs.purpose = 'quality' AND runs.method != 'base' AND (evals.eval_id IS NULL OR scores.run_id IS NOT NULL)
ORDER BY runs.started_at DESC
"""
_SCORES = """
SELECT evals.task, evals.role, evals.split, scores.moment, scores.metric, scores.value, scores.n_items
FROM scores JOIN evals USING (eval_id) WHERE scores.run_id = ? ORDER BY evals.role, evals.task, scores.moment
"""


def export_arm(db_path: Path, arm: str, folder: Path, *, merged: bool, seed: int | None) -> Path:
    """Write the arm's result at its chosen rate to ``folder``; returns the folder.

    ``arm`` is its name in the report (``lora r=8``, ``dpo-lora on lora r=8``), its entry's label, either with
    `` · base``, or the start of its id (see ``selectors``); of its seeds the best on validation is written, unless
    ``seed`` says which.
    Raises UserError where ``arm`` names none or several, or where its weights are no longer kept.
    """
    if folder.exists():
        raise UserError(f"{folder}: exists already; name a folder that does not")
    db = open_for_reading(db_path)
    run = _pick(list(db.query(_ARMS)), arm, seed)
    source = _kept(db, run, Workdir.beside(db_path))
    if merged and (source / "adapter_config.json").is_file():
        _write_merged(run, source, folder)
    else:
        shutil.copytree(source, folder)
    _copy_tokenizer(run, folder)
    (folder / "README.md").write_text(model_card(run, list(db.query(_SCORES, [run["run_id"]])), _stack(db, run)))
    return folder


def model_card(run: dict[str, Any], scores: list[dict[str, Any]], stack: dict[str, Any]) -> str:
    """Markdown that states recipe, stack, scores and licences."""
    licences = json.loads(run["licences"])
    facts = [f"- {key}: {value}" for key, value in stack.items() if value is not None]
    table = ["| task | role | split | moment | metric | score | items |", "|---|---|---|---|---|---|---|"]
    for s in scores:
        value = "" if s["value"] is None else f"{s['value']:.4f}"
        cells = (s["task"], s["role"], s["split"], s["moment"], s["metric"], value, s["n_items"])
        table.append("| " + " | ".join(_cell(c) for c in cells) + " |")
    return "\n".join(
        [
            "---",
            f"license: {json.dumps(licences.get('base') or 'unknown')}",
            "tags: [tunematrix]",
            "---",
            f"# {_cell(run['label'])} on {_cell(run['base'])}",
            "",
            f"Trained and scored by tunematrix in run `{run['run_id']}` (arm `{run['arm_id'][:16]}`, "
            f"seed {run['seed']}, learning rate {run['learning_rate']:g}, chosen on validation data). "
            f"The base's licence is {_cell(licences.get('base') or 'not stated')}; the data's: "
            f"{_cell(_data_licences(licences))}.",
            "",
            "## Scores",
            "",
            *table,
            "",
            "## Recipe",
            "",
            "```json",
            json.dumps(json.loads(run["recipe"]), indent=2),
            "```",
            "",
            "## Stack",
            "",
            *facts,
            "",
        ]
    )


def _pick(runs: list[dict[str, Any]], arm: str, seed: int | None) -> dict[str, Any]:
    arms = {run["arm_id"]: _named(run) for run in runs}
    found = select(list(arms.values()), arm)
    if len(found) > 1:
        several = "; ".join(f"{one.full_name} ({one.arm_id[:10]})" for one in found)
        raise UserError(f"{arm}: names several arms: {several}; give more of the name, or the start of an id")
    matching = [run for run in runs if run["arm_id"] == found[0].arm_id]
    of_seed = [run for run in matching if seed is None or run["seed"] == seed]
    if not of_seed:
        raise UserError(f"--seed {seed}: the arm has seeds {', '.join(sorted(str(run['seed']) for run in matching))}")
    return min(of_seed, key=lambda run: (-(run["validation"] or 0.0), run["seed"]))


def _named(run: dict[str, Any]) -> Named:
    name = arm_name(run["label"], run["parent_label"], run["rank"])
    return Named(run["arm_id"], name, run["label"], run["method"], run["base"], run["rank"])


def _kept(db: Database, run: dict[str, Any], workdir: Workdir) -> Path:
    row = next(
        db.query(
            "SELECT * FROM artifacts WHERE stage_id = ? AND execution_id = ? AND stack_id = ?",
            [run["recipe_id"], run["execution_id"], run["stack_id"]],
        ),
        None,
    )
    folder = workdir.artifacts / row["path"] if row else None
    if (
        row is None
        or folder is None
        or folder.parent != workdir.artifacts
        or not artifacts.is_sound(folder, row["sha256"])
    ):
        raise UserError(
            f"{_named(run).full_name}: its weights are not kept any more (evicted, or the folder {workdir.root} was "
            f"removed); train it again: tunematrix run --only label={run['label']} with another --db"
        )
    return folder


def _write_merged(run: dict[str, Any], adapter: Path, folder: Path) -> None:
    from harness.build import merged_with
    from harness.loading import load_model

    recipe = json.loads(run["recipe"])
    if any(stage["parameters"].get("adapter") == "fresh" for stage in recipe["stages"]):
        raise UserError("--merged: an adapter on a merged stage has two bases; export it as an adapter")
    base = _base(run)
    assert base.folder is not None
    precision = recipe["stages"][0]["precision"]
    model = load_model(base.folder, precision=precision, attention="sdpa", device="cpu", quantisation=None)
    merged_with(model, adapter).save_pretrained(folder)


def _base(run: dict[str, Any]) -> Base:
    spec = {k: v for k, v in json.loads(run["sources"])["base"].items() if k != "resolved_revision"}
    base = resolve_base(run["base"], spec)
    if base.digest != run["base_digest"]:
        raise UserError(f"base {run['base']}: is not the one that the run was trained on any more")
    return base


def _copy_tokenizer(run: dict[str, Any], folder: Path) -> None:
    source = _base(run).tokenizer_folder
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"):
        if source is not None and (source / name).is_file():
            shutil.copy(source / name, folder / name)


def _data_licences(licences: dict[str, Any]) -> str:
    listed = (licences.get("data") or {}).items()
    return ", ".join(f"{name} {licence or 'not stated'}" for name, licence in listed) or "not stated"


def _stack(db: Database, run: dict[str, Any]) -> dict[str, Any]:
    row = next(db.query("SELECT facts FROM stacks WHERE stack_id = ?", [run["stack_id"]]))
    facts: dict[str, Any] = json.loads(row["facts"])
    return facts


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")
