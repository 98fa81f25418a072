"""What a part of the static page is made of: pictures, several that are alike, tables, and sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from leaderboard.pictures import AnyChart
from leaderboard.pictures.panels import Panel
from leaderboard.tables import Column


@dataclass(frozen=True, eq=False)
class Picture:
    """A chart; ``about`` says what it shows, ``read`` how it is read."""

    chart: AnyChart | Panel
    about: str
    read: str = ""


@dataclass(frozen=True, eq=False)
class Panels:
    """Pictures that are alike, beside each other where there is room."""

    panels: Sequence[Panel]
    about: str
    read: str = ""


@dataclass(frozen=True, eq=False)
class Grid:
    """Columns of a frame, under a name."""

    name: str
    frame: pd.DataFrame
    columns: Sequence[Column]


@dataclass(frozen=True)
class Said:
    """A sentence."""

    text: str


Block = Picture | Panels | Grid | Said
