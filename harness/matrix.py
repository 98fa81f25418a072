"""The matrix file: parsed, checked all at once, and spread into variants.

A variant is one point of a method entry's axes on one base, before learning rates and seeds: what becomes an arm.
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

import methods.registry
from harness.axes import find_axes, spread
from harness.errors import UserError
from harness.problems import Problems, key_path, moved_to_item, say
from harness.settings import Eval, Measure, Selection, Settings, Strict, Tuning, defaults_merged
from harness.yamlfile import Document, KeyPath, parse_value, read_yaml

Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
ENTRY_KEYS = ("method", "bases", "per_base", "starts_from", "learning_rate")
SETTINGS_KEYS = tuple(Settings.model_fields)


class BaseSpec(Strict):
    """Where a base model comes from: exactly one of embedded, path, hub, config."""

    embedded: Annotated[str | None, Field(description="The name of a base of an installed suite.")] = None
    path: Annotated[str | None, Field(description="A folder with config.json and safetensors.")] = None
    hub: Annotated[str | None, Field(description="An id on the Hugging Face hub, org/name.")] = None
    revision: Annotated[str | None, Field(description="Of a hub base: a branch, a tag or a commit.")] = None
    config: Annotated[str | None, Field(description="A config.json, or its folder: the shape with random weights.")] = (
        None
    )
    init_seed: Annotated[int, Field(description="Of a `config` base: the seed of its weights.")] = 0
    tokenizer: Annotated[
        str | None, Field(description="Of a `config` base: the folder of its tokenizer, if another.")
    ] = None
    pad_token: Annotated[
        str | None, Field(description="A token of the vocabulary, for a tokenizer that names none to pad with.")
    ] = None


class Header(Strict):
    """The keys of a matrix file that are not training settings."""

    version: Annotated[int, Field(ge=1, le=1, description="Of the file's format.")] = 1
    suite: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="What its runs are filed under.")
    ] = "unnamed"
    seeds: Annotated[
        Annotated[int, Field(gt=0, le=1000)] | Annotated[tuple[int, ...], Field(min_length=1)],
        Field(description="How many (3 is 1, 2, 3), or which, as in [1, 5]. A seed sets order, dropout, new weights."),
    ] = 3
    bases: Annotated[dict[str, BaseSpec], Field(min_length=1, description="The base models, each under a name.")]
    methods: Annotated[
        dict[str, dict[str, Any]], Field(min_length=1, description="What is trained: entries, each under a name.")
    ]
    evals: Annotated[tuple[Eval, ...], Field(description="The lm-eval tasks to score.")] = ()
    eval_batch_size: Annotated[int, Field(gt=0, description="Items scored at once: part of the eval's id.")] = 64
    selection: Annotated[Selection, Field(description="By which `validation` task rates are chosen.")] = Selection()
    tuning: Annotated[Tuning, Field(description="How rates are tried.")] = Tuning()
    measure: Annotated[Measure, Field(description="The run that has the device to itself.")] = Measure()
    keep_weights: Annotated[
        bool,
        Field(
            description="Keep what arms have learned, for `export` and tasks that are added later. `false` is for a "
            "matrix without evals: only what a DPO stage starts from is kept then."
        ),
    ] = True
    timeout_seconds: Annotated[float, Field(gt=0, description="Of one run; a longer one ends as `timeout`.")] = 3600.0


@dataclass(frozen=True)
class Variant:
    """One method at one point of its axes on one base. ``parent`` is what a method of preference pairs starts from."""

    label: str
    method: str
    base: str
    parameters: BaseModel
    settings: Settings
    rates: tuple[float, ...]
    parent: "Variant | None" = None

    @property
    def rank(self) -> int | None:
        """The adapter's rank, its parent's where it trains that adapter further."""
        own = getattr(self.parameters, "rank", None)
        return own if own is not None else self.parent.rank if self.parent else None


@dataclass(frozen=True)
class Matrix:
    """A whole matrix file, checked."""

    source: str
    folder: Path  # what relative paths in the file are relative to
    header: Header
    seeds: tuple[int, ...]
    variants: tuple[Variant, ...]

    @property
    def patch_folders(self) -> tuple[str, ...]:
        """Where the module of a patch is looked for, besides the installed ones: beside the file, and here."""
        return (str(self.folder.resolve()), str(Path.cwd()))


def load_matrix(path: Path, overrides: tuple[str, ...] = ()) -> Matrix:
    """Read, override, check and spread ``path``.

    ``overrides`` are ``dotted.key=value`` texts, the value in YAML. Raises UserError with every mistake, each in a
    line that names file, line, key, the bad value and what is allowed.
    """
    return build_matrix(read_yaml(path), path.parent, overrides)


def build_matrix(document: Document, folder: Path, overrides: tuple[str, ...] = ()) -> Matrix:
    """The same from a document that is already parsed."""
    if not isinstance(document.value, dict):
        raise UserError(f"{document.source}: a matrix file is a mapping with `bases` and `methods`")
    raw, overridden = _override(document.value, overrides)
    problems = Problems(document, overridden)
    for key in raw:
        if key not in Header.model_fields and key not in SETTINGS_KEYS:
            problems.unknown((key,), (*Header.model_fields, *SETTINGS_KEYS))
    header = _validated_header(raw, problems)
    settings = {key: raw[key] for key in SETTINGS_KEYS if key in raw}
    variants: list[Variant] = []
    if header is not None:
        entries = {label: _Entry(label, entry, header, problems) for label, entry in header.methods.items()}
        for entry in (*(e for e in entries.values() if not e.starts_from_stage),):
            variants += entry.spread(settings, [None])
        for entry in (*(e for e in entries.values() if e.starts_from_stage),):
            variants += entry.spread(settings, list(entry.parents(variants, entries)))
        for task in (header.selection.sft, header.selection.preference):
            splits = {e.task: e.split for e in header.evals}
            if task is not None and task not in splits:
                problems.add(("selection",), f"{task!r} is not among the evals")
            elif task is not None and splits[task] != "validation":
                problems.add(("selection",), f"{task!r} is an eval of split test: choose rates by one of validation")
        if header.evals and not header.keep_weights:
            problems.add(("keep_weights",), "a matrix with evals keeps its weights: they are what is scored")
        repeated = {e.task for e in header.evals if sum(o.task == e.task for o in header.evals) > 1}
        for task in sorted(repeated):
            problems.add(("evals",), f"task {task!r} stands twice")
        seeds = tuple(range(1, header.seeds + 1)) if isinstance(header.seeds, int) else header.seeds
        if len(set(seeds)) != len(seeds):
            problems.add(("seeds",), f"a seed stands twice in {list(seeds)}")
    problems.raise_if_any()
    assert header is not None
    return Matrix(document.source, folder, header, seeds, tuple(dict.fromkeys(variants)))


class _Entry:
    """One entry under ``methods``: a method's name, its axes and its own settings."""

    def __init__(self, label: str, raw: dict[str, Any], header: Header, problems: Problems) -> None:
        self.label, self.raw, self.header, self.problems = label, raw, header, problems
        self.path: KeyPath = ("methods", label)
        self.method = self._find_method(raw.get("method", label))
        self.starts_from_stage = self.method is not None and self.method.learns_from == "preference"
        if self.method is not None:
            known = (*ENTRY_KEYS, *self.method.Parameters.model_fields, *SETTINGS_KEYS)
            for scope, keys in self._scopes():
                for key in keys:
                    if key not in known or (key == "starts_from" and not self.starts_from_stage):
                        problems.unknown(
                            (*scope, key), tuple(k for k in known if k != "starts_from" or self.starts_from_stage)
                        )
        self.bases = self._find_bases()

    def spread(self, settings: dict[str, Any], parents: list["Variant | None"]) -> list[Variant]:
        """Every variant of this entry, once for each base and parent that it applies to."""
        if self.method is None:
            return []
        found = []
        for base in self.bases:
            mine = defaults_merged(self.raw, self.raw.get("per_base", {}).get(base) or {})
            for parent in parents:
                if parent is None or parent.base == base:
                    found += self._spread_on(base, mine, settings, parent)
        return found

    def parents(self, variants: list[Variant], entries: dict[str, "_Entry"]) -> Iterator[Variant]:
        """The SFT variants that ``starts_from`` names: labels, each with an optional filter on its parameters."""
        on = self.raw.get("starts_from")
        path = (*self.path, "starts_from")
        allowed = [label for label, e in entries.items() if e.method and e.method.learns_from == "sft"]
        if isinstance(on, str):
            on = [on]
        wanted: Any = {label: {} for label in on} if isinstance(on, list) else on
        if not isinstance(wanted, dict) or not wanted:
            self.problems.add(path, f"{on!r}: name the SFT entries it starts from (here: {', '.join(allowed)})")
            return
        for label, where in wanted.items():
            if label not in allowed:
                self.problems.add(path, f"{label!r} is no SFT entry of this file (here: {', '.join(allowed)})")
                continue
            if not isinstance(where, dict | None):
                self.problems.add((*path, label), f"{where!r} is not a mapping of parameters, as in {{rank: 8}}")
                continue
            matching = [v for v in variants if v.label == label and _matches(v, where or {})]
            if not matching and not self.problems.found:
                self.problems.add((*path, label), f"no variant of {label!r} has {where}")
            yield from matching

    def _spread_on(self, base: str, mine: dict[str, Any], settings: dict[str, Any], parent: Any) -> list[Variant]:
        assert self.method is not None
        own = {key: value for key, value in mine.items() if key in self.method.Parameters.model_fields}
        raw = {
            "parameters": own,
            "settings": defaults_merged(settings, {k: v for k, v in mine.items() if k in SETTINGS_KEYS}),
        }
        axes = [(("parameters", *p), v) for p, v in find_axes(own, self.method.Parameters)]
        axes += [(("settings", *p), v) for p, v in find_axes(raw["settings"], Settings)]
        for path, values in axes:
            if not values:
                self.problems.add((*self.path, *path[1:]), "an empty list: nothing to run")
        rates = self._rates(mine)
        found = []
        for point, moved in spread(raw, axes):
            shorter = {path[1:]: to[1:] for path, to in moved.items()}
            parameters = self._validated(self.method.Parameters, point["parameters"], base, shorter)
            chosen = self._validated(Settings, point["settings"], base, shorter)
            if parameters is not None and chosen is not None:
                found.append(Variant(self.label, self.method.name, base, parameters, chosen, rates, parent))
        return found

    def _validated(self, model: type[BaseModel], raw: dict[str, Any], base: str, moved: dict[KeyPath, KeyPath]) -> Any:
        try:
            return model.model_validate(raw)
        except ValidationError as error:
            for item in error.errors():
                path = moved_to_item(key_path(item["loc"]), (), moved)
                self.problems.add(self._place(path, base), say(item))
            return None

    def _place(self, path: KeyPath, base: str) -> KeyPath:
        """Where the file sets ``path``: for this base, for this entry, or for all."""
        lines, overridden = self.problems.document.lines, self.problems.overridden
        for scope in ((*self.path, "per_base", base), self.path, ()):
            if (*scope, *path) in lines or any((*scope, *path)[: len(o)] == o for o in overridden):
                return (*scope, *path)
        for scope in ((*self.path, "per_base", base), self.path, ()):
            if path and (*scope, path[0]) in lines:
                return (*scope, *path)
        return (*self.path, *path)

    def _rates(self, mine: dict[str, Any]) -> tuple[float, ...]:
        assert self.method is not None
        path = (*self.path, "learning_rate")
        if self.method.learns_from == "nothing":
            if "learning_rate" in mine:
                self.problems.add(path, f"{self.method.name} trains nothing and has no learning rate")
            return ()
        given = mine.get("learning_rate")
        if given is None:
            self.problems.add(self.path, "learning_rate is missing: give one rate, or a list to choose from")
            return ()
        values = given if isinstance(given, list) else [given]
        try:
            rates = TypeAdapter(tuple[Rate, ...]).validate_python(values)
        except ValidationError as error:
            self.problems.add_validation(path, error, {})
            return ()
        if not rates:
            self.problems.add(path, "an empty list: nothing to run")
        return tuple(sorted(set(rates)))

    def _find_method(self, name: Any) -> "methods.registry.Method | None":
        try:
            return methods.registry.get(name) if isinstance(name, str) else None
        except (KeyError, TypeError) as error:
            key = (*self.path, "method") if "method" in self.raw else self.path
            if isinstance(error, TypeError):
                self.problems.add(key, str(error))
                return None
            near = difflib.get_close_matches(name, methods.registry.names(), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            self.problems.add(key, f"unknown method {name!r}{hint} (known: {', '.join(methods.registry.names())})")
            return None

    def _find_bases(self) -> list[str]:
        wanted = self.raw.get("bases", list(self.header.bases))
        wanted = [wanted] if isinstance(wanted, str) else wanted
        for key, names in (("bases", wanted), ("per_base", self.raw.get("per_base", {}))):
            if not isinstance(names, list if key == "bases" else dict):
                self.problems.add(
                    (*self.path, key), f"{names!r} is not a {'list' if key == 'bases' else 'mapping'} of bases"
                )
                return []
            for name in names:
                if name not in self.header.bases:
                    self.problems.add(
                        (*self.path, key), f"unknown base {name!r} (known: {', '.join(self.header.bases)})"
                    )
        odd = {name: keys for name, keys in self.raw.get("per_base", {}).items() if not isinstance(keys, dict | None)}
        for name, keys in odd.items():
            self.problems.add((*self.path, "per_base", name), f"{keys!r} is not a mapping of settings")
        return [name for name in wanted if name in self.header.bases and name not in odd]

    def _scopes(self) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
        yield self.path, self.raw
        per_base = self.raw.get("per_base", {})
        for base, keys in per_base.items() if isinstance(per_base, dict) else ():
            if isinstance(keys, dict):
                yield (*self.path, "per_base", base), keys


def _override(raw: dict[str, Any], overrides: tuple[str, ...]) -> tuple[dict[str, Any], set[KeyPath]]:
    changed = dict(raw)
    paths: set[KeyPath] = set()
    for text in overrides:
        key, equals, value = text.partition("=")
        path = _dotted_path(key.strip(), raw)
        if not equals or not all(key.strip().split(".")):
            raise UserError(f"--set {text}: expected KEY=VALUE, as in --set methods.lora.rank=[8,64]")
        nested: Any = parse_value(value)
        for part in reversed(path):
            nested = {part: nested}
        if path[0] == "methods" and len(path) > 1 and path[1] not in (raw.get("methods") or {}):
            raise UserError(f"--set {text}: no method entry {path[1]!r} (here: {', '.join(raw.get('methods') or {})})")
        changed = defaults_merged(changed, nested)
        paths.add(path)
    return changed, paths


def _dotted_path(key: str, raw: dict[str, Any]) -> KeyPath:
    """``key`` parted at its dots, save those in the name of a base or an entry, as in ``bases.pocket-0.2m.path``."""
    named = [raw[section] for section in ("bases", "methods") if isinstance(raw.get(section), dict)]
    whole = sorted((name for names in named for name in names if "." in str(name)), key=len, reverse=True)
    return tuple(re.findall("|".join([*map(re.escape, whole), r"[^.]+"]), key))


def _validated_header(raw: dict[str, Any], problems: Problems) -> Header | None:
    """The header, with something harmless in the place of what is at fault, so that the rest is checked too; None
    where too little is left."""
    said = {key: raw[key] for key in Header.model_fields if key in raw}
    header: Header | None
    try:
        header = Header.model_validate(said)
    except ValidationError as error:
        problems.add_validation((), error, {})
        header = _harmless_header(said, {item["loc"][:2] for item in error.errors()})
    for name, spec in header.bases.items() if header else ():
        given = [key for key in ("embedded", "path", "hub", "config") if getattr(spec, key) is not None]
        if len(given) != 1:
            got = ", ".join(given) or "none"
            problems.add(("bases", name), f"give exactly one of embedded, path, hub, config (got {got})")
        if spec.revision is not None and spec.hub is None:
            problems.add(("bases", name, "revision"), "only a hub base has a revision")
    return header


def _harmless_header(given: dict[str, Any], faults: set[tuple[Any, ...]]) -> Header | None:
    sound = {key: value for key, value in given.items() if (key,) not in faults}
    for key, *inner in (fault for fault in faults if len(fault) > 1):
        if key in ("bases", "methods") and isinstance(sound.get(key), dict):
            sound[key] = {name: value for name, value in sound[key].items() if name != inner[0]}
            if key == "bases":
                sound[key][inner[0]] = {"embedded": str(inner[0])}
        else:
            sound.pop(key, None)
    if "evals" not in sound:
        sound.pop("selection", None)  # it names some of them
    if "bases" not in sound:
        sound["bases"] = {name: {"embedded": name} for name in _bases_named(sound.get("methods"))}
    try:
        return Header.model_validate(sound)
    except ValidationError:
        return None


def _bases_named(entries: Any) -> list[str]:
    """Every base that the entries under ``methods`` speak of, or one that none does."""
    found = ["any"]
    for entry in entries.values() if isinstance(entries, dict) else ():
        for names in (entry.get("bases"), entry.get("per_base")) if isinstance(entry, dict) else ():
            found += [name for name in names if isinstance(name, str)] if isinstance(names, list | dict) else []
    return found


def _matches(variant: Variant, where: dict[str, Any]) -> bool:
    parameters = variant.parameters.model_dump()
    return all(parameters.get(key) in (value if isinstance(value, list) else [value]) for key, value in where.items())
