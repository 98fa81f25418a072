"""Arms: what a matrix asks for, with bases and data resolved; each gives the cells of its rates and seeds."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import methods.registry
from harness import identity
from harness.bases import Base, layer_shapes, resolve_base
from harness.errors import UserError, collected
from harness.events import Moment
from harness.matrix import Matrix, Variant
from harness.mixes import Mix, MixLibrary
from harness.naming import arm_name
from harness.patches import describe_patch
from harness.paths import located
from harness.plugins import method_source
from harness.selectors import keyed
from harness.settings import LATER_KERNELS, Kernels

Recipe = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """One thing to run."""

    arm: "Arm"
    learning_rate: float | None
    seed: int
    recipe: Recipe
    cell_id: str
    stage_ids: tuple[str, ...]


@dataclass(eq=False)
class Arm:
    """The cells that differ only in learning rate and seed."""

    suite: str
    variant: Variant
    base: Base
    stage: dict[str, Any]  # the last stage, without rate and seed
    execution: dict[str, Any]
    rates: tuple[float, ...]
    seeds: tuple[int, ...]
    mix: Mix | None
    selection_task: str | None
    sources: dict[str, Any]  # where base and data were read; no part of any id
    licences: dict[str, Any]
    parent: "Arm | None" = None
    refusal: str | None = None  # why this machine cannot run it
    _cells: dict[tuple[Any, ...], Cell] = field(default_factory=dict, repr=False)

    @property
    def label(self) -> str:
        """The entry's name in the matrix file."""
        return self.variant.label

    @property
    def trains(self) -> bool:
        """Does anything learn here?"""
        return self.mix is not None

    @property
    def stages(self) -> list[dict[str, Any]]:
        """What is trained, first to last, without rates and seeds."""
        stages: list[dict[str, Any]] = self._recipe(None, None, None)["stages"]
        return stages

    @property
    def moments(self) -> tuple[Moment, ...]:
        """When its cells are scored, as far as the evals ask for it: an adapter once it is merged as well."""
        if not self.trains:
            return ("prompted",) if self.stage["parameters"]["shots"] else ("base",)
        chain = [self.variant]
        while chain[-1].parent is not None:
            chain.append(chain[-1].parent)
        if not any(methods.registry.get(variant.method).result == "adapter" for variant in chain):
            return ("tuned",)
        quantised = methods.registry.get(chain[-1].method).quantised(chain[-1].parameters)
        return ("tuned", "merged", "merged_requantised") if quantised else ("tuned", "merged")

    @property
    def is_plain_base(self) -> bool:
        """The row that gains are measured from."""
        parameters = self.stage["parameters"]
        return not self.trains and parameters["quantisation"] == "none" and parameters["shots"] == 0

    @property
    def short_name(self) -> str:
        """Entry, what it starts from, and rank."""
        return arm_name(self.label, self.parent.label if self.parent else None, self.variant.rank)

    @property
    def name(self) -> str:
        """How the arm is called where people read."""
        return f"{self.short_name} · {self.base.name}"

    @property
    def arm_id(self) -> str:
        """See ``harness.identity``."""
        return identity.arm_id(self._recipe(None, None, None), self.execution)

    def cell(self, learning_rate: float | None, seed: int, parent_rate: float | None = None) -> Cell:
        """The cell at a rate and a seed; ``parent_rate`` is the rate that the parent arm has chosen."""
        key = (learning_rate, seed, parent_rate)
        if key not in self._cells:
            recipe = self._recipe(learning_rate, seed, parent_rate)
            ids = tuple(identity.stage_ids(recipe))
            self._cells[key] = Cell(self, learning_rate, seed, recipe, identity.cell_id(recipe, self.execution), ids)
        return self._cells[key]

    def mixes(self) -> list[Mix | None]:
        """The mix of each stage, first to last."""
        return [*(self.parent.mixes() if self.parent else []), self.mix]

    def _recipe(self, learning_rate: float | None, seed: int | None, parent_rate: float | None) -> Recipe:
        earlier = self.parent._recipe(parent_rate, seed, None)["stages"] if self.parent else []
        own = {**self.stage, "learning_rate": learning_rate, "seed": seed} if self.trains else dict(self.stage)
        return {"base_digest": self.base.digest, "stages": [*earlier, own]}


def build_arms(matrix: Matrix, library: MixLibrary, device: str) -> list[Arm]:
    """Every arm of a matrix, parents before children. Raises UserError for a base or data that will not do, and with
    every rank that is too large."""
    bases = {
        name: resolve_base(name, spec.model_dump(exclude_defaults=True), relative_to=matrix.folder)
        for name, spec in matrix.header.bases.items()
        if any(variant.base == name for variant in matrix.variants)
    }
    _check_ranks(matrix, bases)
    arms: dict[int, Arm] = {}
    for variant in matrix.variants:
        base = bases[variant.base]
        parent = arms[id(variant.parent)] if variant.parent else None
        arms[id(variant)] = _arm(matrix, variant, base, parent, library, device)
    if not arms:
        raise UserError(f"{matrix.source}: a matrix of zero cells: no method applies to any base")
    return list(arms.values())


def select(arms: list[Arm], only: str | None) -> list[Arm]:
    """The arms that ``only`` names, with the parents that they need and their untrained bases."""
    chosen = named(arms, only)
    needed = {id(a) for arm in chosen for a in (arm, arm.parent) if a is not None}
    based = {arm.base.digest for arm in chosen}
    return [arm for arm in arms if id(arm) in needed or (arm.is_plain_base and arm.base.digest in based)]


def named(arms: list[Arm], only: str | None) -> list[Arm]:
    """The arms that ``key=value,...`` names (keys: method, label, base, rank); all of them for None."""
    if not only:
        return arms
    chosen = [arm for arm in arms if is_named(arm.variant, only)]
    if not chosen:
        raise UserError(f"--only {only}: a matrix of zero cells: nothing matches (there are {_known(arms)})")
    return chosen


def is_named(variant: Variant, only: str) -> bool:
    """Is it one of those that ``key=value,...`` names? Raises UserError where ``only`` is not of that form."""
    wanted = keyed(only)
    if wanted is None:
        raise UserError(f"--only {only}: expected method=, label=, base= or rank=, as in --only method=lora,rank=8")
    return all(_fact(variant, key) & values for key, values in wanted.items())


def _arm(matrix: Matrix, variant: Variant, base: Base, parent: Arm | None, library: MixLibrary, device: str) -> Arm:
    method, settings = methods.registry.get(variant.method), variant.settings
    mix = None if method.learns_from == "nothing" else library.mix(method.learns_from, settings, base)
    selection = None if mix is None else getattr(matrix.header.selection, method.learns_from if mix else "sft")
    if mix is not None and selection is None and len(variant.rates) > 1:
        kind = method.learns_from
        raise UserError(
            f"{matrix.source}: methods.{variant.label}: {len(variant.rates)} learning rates to choose from, but no "
            f"validation task to choose by: set selection.{kind}"
        )
    return Arm(
        suite=matrix.header.suite,
        variant=variant,
        base=base,
        stage=_stage(variant, mix, parent),
        execution=_execution(variant, matrix.patch_folders),
        rates=variant.rates,
        seeds=matrix.seeds if mix is not None else matrix.seeds[:1],
        mix=mix,
        selection_task=selection,
        sources=_sources(matrix, variant, base, mix),
        licences={"base": base.licence, "data": mix.licences if mix else {}},
        parent=parent,
        refusal=_refusal(variant, device),
    )


def _stage(variant: Variant, mix: Mix | None, parent: Arm | None) -> dict[str, Any]:
    """What the last stage's id says, defaults filled in, without what it cannot depend on."""
    method, settings = methods.registry.get(variant.method), variant.settings
    parameters = variant.parameters.model_dump(mode="json")
    precision = settings.precision.model_dump()
    trains_adapter = method.result == "adapter" or _continues_adapter(parent)
    if method.learns_from == "preference":
        parameters = _preference_parameters(parameters, parent)
    if not trains_adapter:
        del precision["adapter"]
    source = method_source(variant.method)
    named = {"method": variant.method, **({"source": source} if source else {})}
    if mix is None:
        return {"kind": "base", **named, "parameters": parameters, "precision": precision}
    return {
        "kind": method.learns_from,
        **named,
        "parameters": parameters,
        "precision": precision,
        "data_digest": mix.data_digest,
        "steps": mix.steps,
        "batch_size": settings.batch_size,
        "sequence_length": settings.sequence_length,
        "optimizer": settings.optimizer.model_dump(),
    }


def _sources(matrix: Matrix, variant: Variant, base: Base, mix: Mix | None) -> dict[str, Any]:
    spec = matrix.header.bases[variant.base].model_dump(exclude_defaults=True)
    for key in ("path", "config", "tokenizer"):
        if key in spec:
            spec[key] = str(located(spec[key], matrix.folder).resolve())
    return {"base": {**spec, "resolved_revision": base.revision}, "data": list(mix.names) if mix else []}


def _continues_adapter(parent: Arm | None) -> bool:
    return parent is not None and methods.registry.get(parent.variant.method).result == "adapter"


def _preference_parameters(parameters: dict[str, Any], parent: Arm | None) -> dict[str, Any]:
    """A reference is chosen for whole weights alone, a fresh or continued adapter where there is one."""
    if not _continues_adapter(parent):
        return {key: value for key, value in parameters.items() if key != "adapter"}
    parameters = {key: value for key, value in parameters.items() if key != "reference"}
    if parameters["adapter"] == "fresh" and parent is not None:
        parameters["fresh_adapter"] = parent.stage["parameters"]
    return parameters


def _execution(variant: Variant, folders: tuple[str, ...]) -> dict[str, Any]:
    settings = variant.settings
    asked = settings.kernels.model_dump()
    kernels = {name: value for name, value in asked.items() if (name, value) not in LATER_KERNELS.items()}
    patch = kernels.pop("patch")
    split = settings.micro_batch_size != settings.batch_size  # one piece is the same however it is asked for
    return {
        **kernels,
        "patch": describe_patch(patch, folders) if patch else None,
        "micro_batch_size": settings.micro_batch_size if split else None,
        "threads": settings.threads,
    }


def _refusal(variant: Variant, device: str) -> str | None:
    """Why this machine cannot run a variant, in words; None if it can."""
    kernels, on_cpu = variant.settings.kernels, device == "cpu"
    if kernels.attention == "flash_attention_2":
        if on_cpu:
            return "kernels.attention: flash_attention_2 needs a CUDA device"
        if find_spec("flash_attn") is None:
            return "kernels.attention: flash_attention_2 needs the package flash-attn"
        if variant.settings.precision.compute == "float32":
            return "kernels.attention: flash_attention_2 computes in bfloat16 or float16, precision.compute is float32"
    if (kernels.liger or kernels.loss == "liger") and (on_cpu or find_spec("liger_kernel") is None):
        return f"kernels.{'liger' if kernels.liger else 'loss: liger'} needs a CUDA device and the package liger-kernel"
    if kernels.compile and on_cpu and not _has_compiler():
        return "kernels.compile needs a C++ compiler on a CPU"
    if variant.settings.optimizer.name != "adamw" and on_cpu:
        return f"optimizer.name: {variant.settings.optimizer.name} needs a CUDA device"
    return _refusal_of_pairs(kernels) if variant.parent is not None else None


def _refusal_of_pairs(kernels: Kernels) -> str | None:
    if kernels.packing:
        return "kernels.packing: TRL packs no preference pairs"
    if kernels.loss != "chunked":
        return f"kernels.loss: {kernels.loss}: TRL computes DPO's loss chunked"
    return None


def _has_compiler() -> bool:
    import shutil

    return any(shutil.which(name) for name in ("g++", "clang++", "c++"))


def _check_ranks(matrix: Matrix, bases: Mapping[str, Base]) -> None:
    too_large: list[str] = []
    shapes: dict[str, dict[str, tuple[int, int]]] = {}
    for variant in matrix.variants:
        if getattr(variant.parameters, "rank", None):
            base = bases[variant.base]
            with collected(too_large):
                _check_rank(variant, shapes.setdefault(base.digest, layer_shapes(base)), matrix.source)
    if too_large:
        raise UserError(*dict.fromkeys(too_large))


def _check_rank(variant: Variant, shapes: dict[str, tuple[int, int]], source: str) -> None:
    targets = getattr(variant.parameters, "target_modules", "all-linear")
    smallest = min((min(shape) for name, shape in shapes.items() if _is_target(name, targets)), default=0)
    if smallest and variant.rank and variant.rank > smallest:
        raise UserError(
            f"{source}: methods.{variant.label}.rank: {variant.rank} is larger than a layer of {variant.base} "
            f"({smallest} wide); the largest that fits is {smallest}"
        )


def _is_target(layer: str, targets: str | tuple[str, ...]) -> bool:
    """As PEFT reads ``target_modules``: all linear layers, a pattern of the whole name, or the ends of names."""
    if isinstance(targets, str):
        return targets == "all-linear" or re.fullmatch(targets, layer) is not None
    return any(layer == target or layer.endswith(f".{target}") for target in targets)


def _fact(variant: Variant, key: str) -> set[str]:
    return {variant.method, variant.label} if key == "method" else {str(getattr(variant, key))}


def _known(arms: list[Arm]) -> str:
    def names(key: str) -> Iterator[str]:
        return iter(dict.fromkeys(value for arm in arms for value in sorted(_fact(arm.variant, key))))

    return f"methods {', '.join(names('method'))}; bases {', '.join(names('base'))}"
