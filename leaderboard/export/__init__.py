"""A static page of results: the board's pictures and tables in one file, with no server and no network."""

from leaderboard.export.write import export_page

__all__ = ["export_page"]
