"""Training mixes made ready: each source read once, normalised, counted in tokens, and kept by its digest."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness import identity
from harness.bases import Base, load_tokenizer
from harness.bases.licence import licence_of
from harness.data.digest import examples_digest
from harness.data.formats import accept, read_examples
from harness.data.tokenise import encode_preference, encode_sft, lengths, sequence_lengths
from harness.errors import UserError
from harness.parts import part_together
from harness.paths import located, missing_hint
from harness.settings import Budget, Mixes, Settings, Source

Kind = Literal["sft", "preference"]

_HUB_FILE = re.compile(r"hub:(?P<repo>[\w.-]+/[\w.-]+)(?:/(?P<file>[^@]+))?(?:@(?P<revision>[\w./-]+))?")


@dataclass(frozen=True)
class Prepared:
    """A source for one base and sequence length: its usable examples, their digest and their lengths in tokens."""

    name: str
    digest: str
    examples: list[dict[str, Any]]
    token_counts: list[int]
    shortest: int  # sequence
    longest: int
    real_tokens: int
    dropped_long: int
    dropped_bad: int
    format: str


@dataclass(frozen=True)
class Mix:
    """What a stage learns from, and for how long: everything that its id needs of its data."""

    data_digest: str
    steps: int
    files: tuple[tuple[str, float], ...]  # normalised JSONL, share
    names: tuple[str, ...]  # the files as the matrix names them
    licences: dict[str, str | None]
    shortest: int  # tokens of a sequence in it
    longest: int


class MixLibrary:
    """Prepares mixes once each; what a run is to read is kept in ``folder``, as normalised files under their digest."""

    def __init__(self, folder: Path, relative_to: Path) -> None:
        self.folder, self.relative_to = folder, relative_to
        self._tokenizers: dict[str, Any] = {}
        self._prepared: dict[tuple[str, ...], Prepared] = {}
        self._read: dict[tuple[str, str], Any] = {}

    def mix(self, kind: Kind, settings: Settings, base: Base) -> Mix:
        """The mix of ``settings`` for a stage of ``kind`` on ``base``. Raises UserError for data that will not do."""
        sources: Sequence[Source] = getattr(settings.data, kind)
        if not sources:
            raise UserError(f"data.{kind}: no file given, and a method learns from {kind} data")
        shares = _shares(sources)
        used = [(s, share) for s, share in zip(sources, shares, strict=True) if share > 0]
        prepared = [self.prepare(source, kind, settings, base) for source, _ in used]
        described = [
            {"examples": p.digest, "share": share, "role": source.role}
            for p, (source, share) in zip(prepared, used, strict=True)
        ]
        steps = _steps(settings.budget, prepared, [share for _, share in used], settings.batch_size)
        files = tuple((str(self._file(p)), share) for p, (_, share) in zip(prepared, used, strict=True))
        names = tuple(source.file for source, _ in used)
        licences = {name: licence_of(_folder_of(self._locate(name), name)) for name in names}
        shortest, longest = min(p.shortest for p in prepared), max(p.longest for p in prepared)
        return Mix(identity.mix_digest(described), steps, files, names, licences, shortest, longest)

    def keep(self, mix: Mix) -> None:
        """Write the files of ``mix`` that are not there yet."""
        prepared = {str(self._file(p)): p for p in self._prepared.values()}
        for file, _ in mix.files:
            _write(Path(file), prepared[file].examples)

    def prepare(self, source: Source, kind: Kind, settings: Settings, base: Base) -> Prepared:
        """One source, checked against the sequence length with the base's tokenizer."""
        rules = (settings.on_bad_record, settings.on_long_record, str(settings.sequence_length))
        parting = settings.data.model_dump_json() if source.split else ""
        key = (source.file, kind, base.digest, *rules, source.split or "", parting)
        if key not in self._prepared:
            self._prepared[key] = self._prepare(source, kind, settings, base)
        return self._prepared[key]

    def tokenizer(self, base: Base) -> Any:
        """The base's tokenizer, loaded once."""
        if base.digest not in self._tokenizers:
            self._tokenizers[base.digest] = load_tokenizer(base)
        return self._tokenizers[base.digest]

    def _prepare(self, source: Source, kind: Kind, settings: Settings, base: Base) -> Prepared:
        found = self._examples(source.file, kind)
        accept(found, settings.on_bad_record)
        encode = encode_preference if kind == "preference" else encode_sft
        tokenizer = self.tokenizer(base)
        examples = found.examples if source.split is None else self._part(source, kind, settings.data)
        encoded = [encode(example, tokenizer) for example in examples]
        counts = lengths(encoded)
        long = [i for i, count in enumerate(counts) if count > settings.sequence_length]
        if long and settings.on_long_record == "error":
            raise UserError(
                f"{found.path}: {len(long)} of {len(counts)} records are longer than sequence_length "
                f"{settings.sequence_length} (first: record {long[0] + 1}, {counts[long[0]]} tokens); raise "
                "sequence_length, or set on_long_record: drop"
            )
        dropped = set(long)
        examples = [example for i, example in enumerate(examples) if i not in dropped]
        if not examples:
            raise UserError(f"{found.path}: every record is longer than sequence_length {settings.sequence_length}")
        encoded = [row for i, row in enumerate(encoded) if i not in dropped]
        sequences = [length for row in encoded for length in sequence_lengths(row)]
        return Prepared(
            name=source.file,
            digest=examples_digest(examples),
            examples=examples,
            token_counts=lengths(encoded),
            shortest=min(sequences),
            longest=max(sequences),
            real_tokens=sum(_real_tokens(row) for row in encoded),
            dropped_long=len(long),
            dropped_bad=len(found.problems),
            format=found.format,
        )

    def _part(self, source: Source, kind: Kind, mixes: Mixes) -> list[dict[str, Any]]:
        """One part of a file. Every file of which a part is used, of either kind, is parted with it."""
        kinds: tuple[Kind, ...] = ("sft", "preference")
        parted = list(dict.fromkeys((s.file, k) for k in kinds for s in getattr(mixes, k) if s.split is not None))
        parts = part_together([self._examples(file, k).examples for file, k in parted], mixes.split)
        return parts[parted.index((source.file, kind))][source.split or "train"]

    def _examples(self, file: str, kind: Kind) -> Any:
        if (file, kind) not in self._read:
            self._read[file, kind] = read_examples(self._locate(file), kind)
        return self._read[file, kind]

    def _locate(self, file: str) -> Path:
        return data_path(file, self.relative_to)

    def _file(self, prepared: Prepared) -> Path:
        return self.folder / f"{prepared.digest}.jsonl"


def _write(path: Path, examples: list[dict[str, Any]]) -> None:
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    lines = (json.dumps(example, ensure_ascii=False) for example in examples)
    temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    temporary.rename(path)


def data_path(file: str, relative_to: Path) -> Path:
    """Where a training file lies: a local path, or ``hub:org/name[/file][@revision]``, fetched. Raises UserError."""
    if not file.startswith("hub:"):
        path = located(file, relative_to)
        if not path.is_file():
            raise UserError(f"{path}: no such data file{missing_hint(file)}")
        return path
    from harness.bases.hub import download_dataset_file

    named = _HUB_FILE.fullmatch(file)
    if named is None:
        raise UserError(f"{file}: expected hub:org/name, hub:org/name/file or either with @revision")
    found = download_dataset_file(named["repo"], named["revision"], named["file"])
    if len(found) != 1:
        listed = ", ".join(path.relative_to(_folder_of(path, file)).as_posix() for path in found) or "no such file"
        raise UserError(f"{file}: {len(found)} data files ({listed}); name one, as in hub:{named['repo']}/train.jsonl")
    return found[0]


def _folder_of(path: Path, file: str) -> Path:
    """The folder that says under which licence ``path`` comes: a hub's data set lies deeper than its papers."""
    if not file.startswith("hub:"):
        return path.parent
    return next((folder for folder in path.parents if folder.parent.name == "snapshots"), path.parent)


def _shares(sources: Sequence[Source]) -> list[float]:
    """Each source's share; those without one divide equally what the others leave."""
    given = sum(source.share for source in sources if source.share is not None)
    open_ = sum(source.share is None for source in sources)
    rest = (1 - given) / open_ if open_ else 0.0
    return [rest if source.share is None else source.share for source in sources]


def _steps(budget: Budget, prepared: list[Prepared], shares: list[float], batch_size: int) -> int:
    """Optimizer steps that a budget buys. An epoch is as many examples as the sources hold together.

    Real tokens are turned into steps by the mix's mean length, so that every seed takes the same number of steps.
    """
    if budget.steps is not None:
        return budget.steps
    if budget.epochs is not None:
        return max(1, round(budget.epochs * sum(len(p.examples) for p in prepared) / batch_size))
    assert budget.real_tokens is not None
    mean = sum(share * p.real_tokens / len(p.examples) for p, share in zip(prepared, shares, strict=True))
    return max(1, round(budget.real_tokens / mean / batch_size))


def _real_tokens(row: dict[str, list[int]]) -> int:
    if "input_ids" in row:
        return len(row["input_ids"])
    return 2 * len(row["prompt_ids"]) + len(row["chosen_ids"]) + len(row["rejected_ids"])
