"""What a GPU machine without a network lacks, gathered in a folder to carry there: `python -m scripts.carry FOLDER`.

Of this project's dependencies, with their own, those that `--have` (the machine's `pip freeze`) does not list, or lists
in a version that will not do: in the versions of requirements.lock, built for that machine's Python. What nothing uses
is left out: bitsandbytes' libraries of other CUDA versions, lm-eval's own tasks. FOLDER.tar.xz, beside the folder, is
all of it in one file; unpacked there, it goes first on PYTHONPATH. Exits with 1 where the folder is more than can be
carried.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Collection, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LIMIT_BYTES = 64 * 2**20
OPTIONAL = ("liger-kernel",)
LEFT_OUT = ("torch", "altair", "vl-convert-python")  # pictures are drawn where results are brought to
NEVER_REPLACED = ("torch", "transformers", "numpy")  # what else is there is built on them
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux_2_24_x86_64")
SOURCES = ("rouge-score", "sqlitedict", "word2number")  # have no wheels; of Python alone, built here
USELESS = ("__pycache__", "tests", "test")  # folders that nothing imports


def needed(have: Mapping[str, str | None]) -> tuple[list[str], list[str]]:
    """Canonical names of what has to be carried, ``have`` (packages, with a version where it is known) being there; and
    a line for each version there that will not do and is not replaced."""
    found: set[str] = set()
    unfit: set[str] = set()
    waiting = ["tunematrix"]
    while waiting:
        asking = waiting.pop()
        for wanted in _requirements(asking):
            name = canonicalize_name(wanted.name)
            if name in found or (name in have and _suits(have[name], wanted)):
                continue
            if name in have and name in NEVER_REPLACED:
                unfit.add(f"{name} {have[name]} is there, {asking} asks for {wanted.specifier}: it is not replaced")
            elif name not in LEFT_OUT:
                found.add(name)
                waiting.append(name)
    return sorted(found), sorted(unfit)


def _suits(version: str | None, wanted: Requirement) -> bool:
    return version is None or wanted.specifier.contains(version, prereleases=True)


def _requirements(package: str) -> Iterator[Requirement]:
    for line in metadata.requires(package) or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement


def pinned(names: Collection[str]) -> list[str]:
    """These packages at the versions of requirements.lock."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    versions = {canonicalize_name(line.partition("==")[0]): line for line in lines if "==" in line}
    return [versions.get(canonicalize_name(name), name) for name in names]


def versions_of(freeze: str) -> dict[str, str | None]:
    """The packages that a `pip freeze` lists, with the version where a line tells it."""
    found = (re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:==(\S+))?", line) for line in freeze.splitlines())
    return {canonicalize_name(match[1]): match[2] for match in found if match}


def fetch(packages: Collection[str], folder: Path, python: str) -> None:
    """Unpack the wheels of ``packages`` for Python ``python`` on Linux into ``folder``."""
    built = [one for one in packages if canonicalize_name(one.partition("==")[0]) in SOURCES]
    wheels = [one for one in packages if one not in built]
    platforms = [word for name in PLATFORMS for word in ("--platform", name)]
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder))
    there = ("--only-binary", ":all:", "--python-version", python, *platforms)
    subprocess.run([*pip, *there, *wheels], check=True)
    if built:
        subprocess.run([*pip, *built], check=True)


def prune(folder: Path, cuda: str) -> None:
    """Leave bitsandbytes the library of one CUDA version (``130``), lm-eval none of its 15,000 files of tasks, of which
    the harness loads none, and no package its tests or programs."""
    for library in (folder / "bitsandbytes").glob("libbitsandbytes_*"):
        if library.stem != f"libbitsandbytes_cuda{cuda}":
            library.unlink()
    for tasks in [path for path in (folder / "lm_eval" / "tasks").glob("*") if path.is_dir()]:
        shutil.rmtree(tasks)
    for useless in [path for name in USELESS for path in folder.rglob(name) if path.is_dir()]:
        shutil.rmtree(useless, ignore_errors=True)
    shutil.rmtree(folder / "bin", ignore_errors=True)


def size_of(folder: Path) -> int:
    """Bytes of all its files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def pack(folder: Path) -> Path:
    """The folder as one file beside it."""
    packed = folder.with_name(f"{folder.name}.tar.xz")
    with tarfile.open(packed, "w:xz") as file:
        file.add(folder, arcname=folder.name)
    return packed


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--have", type=Path, required=True, help="the machine's `pip freeze`")
    parser.add_argument("--python", default="3.12", help="its Python (3.12)")
    parser.add_argument("--cuda", default="130", help="the CUDA version of its torch, without the dot (130)")
    asked = parser.parse_args()
    have = versions_of(asked.have.read_text())
    names, unfit = needed(have)
    for line in unfit:
        print(f"carry: {line}", file=sys.stderr)
    packages = pinned([*names, *(name for name in OPTIONAL if name not in have)])
    print(f"{len(packages)} packages: {', '.join(packages)}", flush=True)
    fetch(packages, asked.folder, asked.python)
    prune(asked.folder, asked.cuda)
    size = size_of(asked.folder)
    print(f"{asked.folder}: {size / 2**20:.1f} MiB of {LIMIT_BYTES / 2**20:.0f}", flush=True)
    if size > LIMIT_BYTES:
        return 1
    packed = pack(asked.folder)
    print(f"{packed}: {packed.stat().st_size / 2**20:.1f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
