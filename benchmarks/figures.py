"""What a benchmark gives: ratios against peers, and what to say where there is none."""

import importlib.util
from dataclasses import dataclass

from rich.console import Console

console = Console(width=130)


@dataclass(frozen=True)
class Figure:
    """One row of the table: how many times as fast as ``peer``, at least ``aim`` if all is well."""

    peer: str
    aim: float | None = None


class AtLeast(float):
    """A ratio that may be higher: the peer was stopped before it was done."""


class Skipped(str):
    """Why a figure couldn't be measured here."""


Measured = float | AtLeast | Skipped


def without(library: str) -> Skipped | None:
    """The reason to skip what needs a module of the extra ``bench`` where it isn't installed."""
    if importlib.util.find_spec(library):
        return None
    return Skipped(f"{library} isn't installed: pip install -e .[bench]")


def shown(measured: Measured) -> str:
    """Three digits, with ">" before a bound; the reason where nothing was measured."""
    if isinstance(measured, Skipped):
        return f"skipped: {measured}"
    text = f"{measured:,.3g}" if measured < 1e3 else f"{measured:,.0f}"
    return f"> {text}" if isinstance(measured, AtLeast) else text
