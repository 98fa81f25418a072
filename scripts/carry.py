"""What a GPU machine without a network lacks, gathered in a folder to carry there: `python -m scripts.carry FOLDER`.

Of this project's dependencies, with their own, those that `--have` (the machine's `pip freeze`) does not list, in the
versions of requirements.lock, built for that machine's Python. Of bitsandbytes only the library of its CUDA version
stays. The folder goes first on PYTHONPATH there. Exits with 1 where it is larger than can be carried.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LIMIT_BYTES = 64 * 2**20
OPTIONAL = ("liger-kernel",)
LEFT_OUT = ("torch", "altair", "vl-convert-python")  # pictures are drawn where results are brought to
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux_2_24_x86_64")
SOURCES = ("rouge-score", "sqlitedict", "word2number")  # have no wheels; of Python alone, built here
USELESS = ("__pycache__", "tests", "test")  # folders that nothing imports


def needed(have: Collection[str]) -> list[str]:
    """Canonical names of what has to be carried, ``have`` being there."""
    found: set[str] = set()
    waiting = [name for name in _requirements("tunematrix") if name not in LEFT_OUT]
    while waiting:
        name = waiting.pop()
        if name not in found and name not in have and name not in LEFT_OUT:
            found.add(name)
            waiting += _requirements(name)
    return sorted(found)


def _requirements(package: str) -> Iterator[str]:
    for line in metadata.requires(package) or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)


def pinned(names: Collection[str]) -> list[str]:
    """These packages at the versions of requirements.lock."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    versions = {canonicalize_name(line.partition("==")[0]): line for line in lines if "==" in line}
    return [versions.get(canonicalize_name(name), name) for name in names]


def names_of(freeze: str) -> set[str]:
    """The packages that a `pip freeze` lists."""
    found = (re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line) for line in freeze.splitlines())
    return {canonicalize_name(match.group()) for match in found if match}


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
    """Leave bitsandbytes the library of one CUDA version (``130``), and no package its tests or programs."""
    for library in (folder / "bitsandbytes").glob("libbitsandbytes_*"):
        if library.stem != f"libbitsandbytes_cuda{cuda}":
            library.unlink()
    for useless in [path for name in USELESS for path in folder.rglob(name) if path.is_dir()]:
        shutil.rmtree(useless, ignore_errors=True)
    shutil.rmtree(folder / "bin", ignore_errors=True)


def size_of(folder: Path) -> int:
    """Bytes of all its files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--have", type=Path, required=True, help="the machine's `pip freeze`")
    parser.add_argument("--python", default="3.12", help="its Python (3.12)")
    parser.add_argument("--cuda", default="130", help="the CUDA version of its torch, without the dot (130)")
    asked = parser.parse_args()
    have = names_of(asked.have.read_text())
    packages = pinned([*needed(have), *(name for name in OPTIONAL if name not in have)])
    print(f"{len(packages)} packages: {', '.join(packages)}", flush=True)
    fetch(packages, asked.folder, asked.python)
    prune(asked.folder, asked.cuda)
    size = size_of(asked.folder)
    print(f"{asked.folder}: {size / 2**20:.1f} MiB of {LIMIT_BYTES / 2**20:.0f}")
    return 0 if size <= LIMIT_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
