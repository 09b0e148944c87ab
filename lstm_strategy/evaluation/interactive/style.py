"""The style sheet of the charts and their buttons."""

from functools import cache
from importlib.resources import files


@cache
def chart_style() -> str:
    """Return the style sheet; its colours are those of the page, where the page names any."""
    return files(__package__).joinpath("charts.css").read_text(encoding="utf-8")
