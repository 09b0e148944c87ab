"""What a benchmark gives: ratios to peers, or the reason why there is none."""

import importlib.util
from dataclasses import dataclass

from rich.console import Console

console = Console(width=130)


@dataclass(frozen=True)
class Figure:
    """One row of the table: how many times as fast as the peer, and the least that is aimed for."""

    peer: str
    aim: float | None = None


class AtLeast(float):
    """A ratio that may be higher: the peer was stopped before it was done."""


class Skipped(str):
    """Why a figure couldn't be measured here."""


Measured = float | AtLeast | Skipped


def reason_without(library: str) -> Skipped | None:
    """The reason to skip what needs a module of the extra `bench`; None if it is installed."""
    if importlib.util.find_spec(library):
        return None
    return Skipped(f"{library} isn't installed: pip install -e .[bench]")


def format_figure(measured: Measured) -> str:
    """Three digits, with ">" before a bound; the reason if nothing was measured."""
    if isinstance(measured, Skipped):
        return f"skipped: {measured}"
    text = f"{measured:,.3g}" if measured < 1e3 else f"{measured:,.0f}"
    return f"> {text}" if isinstance(measured, AtLeast) else text
