"""Packages that add methods, installed as pip would leave them."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from methods import registry


@contextmanager
def installed(site: Path, files: Mapping[str, str], points: Mapping[str, str]) -> Iterator[Path]:
    """``files`` (by name) in a new folder ``site`` that Python looks in, and entry points of methods to them."""
    tops = {name.partition("/")[0].removesuffix(".py") for name in files}
    metadata = site / "added-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: added\nVersion: 1.0\n")
    lines = [f"{name} = {where}\n" for name, where in points.items()]
    (metadata / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{''.join(lines)}")
    for name, text in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    sys.path.insert(0, str(site))
    registry.get.cache_clear()
    try:
        yield site
    finally:
        sys.path.remove(str(site))
        registry.get.cache_clear()
        for module in [m for m in sys.modules if m.partition(".")[0] in tops]:
            del sys.modules[module]
