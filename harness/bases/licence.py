"""Under which licence a base comes, as far as its folder says."""

import re
from pathlib import Path

import yaml

_KNOWN_TEXTS = (
    (r"Apache License\s+Version 2\.0", "apache-2.0"),
    (r"MIT License|Permission is hereby granted, free of charge", "mit"),
    (r"BSD 3-Clause", "bsd-3-clause"),
    (r"BSD 2-Clause", "bsd-2-clause"),
    (r"GNU AFFERO GENERAL PUBLIC LICENSE\s+Version 3", "agpl-3.0"),
    (r"GNU GENERAL PUBLIC LICENSE\s+Version 3", "gpl-3.0"),
    (r"Creative Commons Attribution 4\.0|Attribution 4\.0 International", "cc-by-4.0"),
    (r"CC0 1\.0 Universal", "cc0-1.0"),
)
_READ_CHARACTERS = 20_000
_LONGEST_LINE = 100


def licence_of(folder: Path) -> str | None:
    """The licence named by README.md's front matter, else by a LICENSE file; None where neither says.

    Known texts give their lower-case SPDX name, as the hub writes them; another text its first line.
    """
    return _from_readme(folder / "README.md") or _from_licence_file(folder)


def _from_readme(readme: Path) -> str | None:
    match = re.match(r"---\s*\n(.*?)\n---\s*(\n|$)", _read(readme), re.DOTALL)
    if not match:
        return None
    try:
        front = yaml.safe_load(match[1])
    except yaml.YAMLError:
        return None
    licence = front.get("license") if isinstance(front, dict) else None
    if licence == "other":  # the hub's way to say: see license_name
        licence = front.get("license_name") or licence
    if isinstance(licence, list):
        licence = ", ".join(str(item) for item in licence)
    return str(licence) if licence else None


def _from_licence_file(folder: Path) -> str | None:
    for file in sorted(folder.glob("LICEN[SC]E*")):
        text = _read(file)
        for pattern, name in _KNOWN_TEXTS:
            if re.search(pattern, text, re.IGNORECASE):
                return name
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if lines:
            return lines[0][:_LONGEST_LINE]
    return None


def _read(file: Path) -> str:
    """The start of ``file``, or nothing: a licence that cannot be read is an unknown one, never a failure."""
    try:
        with file.open(encoding="utf-8", errors="replace") as stream:
            return stream.read(_READ_CHARACTERS)
    except OSError:
        return ""
