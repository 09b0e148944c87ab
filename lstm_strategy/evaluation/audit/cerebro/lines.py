"""The lines of a strategy and of the indicators in it, under the names that a reader would use."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import backtrader as bt
import numpy as np

from lstm_strategy.trading import operands_of


@dataclass
class RecordedLine:
    """One line of one object, and its values where it is read bar by bar.

    Attributes:
        name: What a reader of the strategy would call it: "self.sma.sma".
        line: backtrader's line buffer.
        home: The class of the object.
        is_stepped: Whether its values are written down bar by bar, and not read at the end.
        ids: Of the object and of its lines.
        input_ids: Of what it is made from.
        values: One value per bar so far.
    """

    name: str
    line: Any
    home: type
    is_stepped: bool
    ids: frozenset[int]
    input_ids: frozenset[int] = frozenset()
    values: list[float] = field(default_factory=list)

    def column(self) -> np.ndarray:
        """Return one value per bar."""
        return np.array(self.values if self.is_stepped else self.line.array, np.float64)


def find_lines(strategy: bt.Strategy, *, is_stepped: bool) -> Iterator[RecordedLine]:
    """Yield the lines of a strategy and of every indicator in it, each under a name of its own."""
    taken: Counter[str] = Counter()
    for line, alias in zip(*_lines_of(strategy), strict=True):
        if alias != "datetime":
            name = f"{type(strategy).__name__}.lines.{alias}"
            yield RecordedLine(name, line, type(strategy), True, frozenset({id(line)}))
    for place, thing, children in _indicators(strategy, "", taken):
        lines, aliases = _lines_of(thing)
        ids = frozenset({id(thing), *map(id, lines)})
        inputs = frozenset(_input_ids(thing)) | {id(child) for child in children}
        for line, alias in zip(lines, aliases, strict=True):
            name = f"{place}.{alias}" if alias else place
            yield RecordedLine(name, line, type(thing), is_stepped, ids, inputs)


def _indicators(
    owner: Any, path: str, taken: Counter[str]
) -> Iterator[tuple[str, Any, Sequence[Any]]]:
    names = dict(_attributes(owner))
    for thing in _children(owner):
        place = path + names.get(id(thing), type(thing).__name__)
        taken[place] += 1
        place += f"#{taken[place]}" if taken[place] > 1 else ""
        yield place, thing, _children(thing)
        if not type(thing).__module__.startswith("backtrader."):  # their insides are known
            yield from _indicators(thing, f"{place}/", taken)


def _children(owner: Any) -> Sequence[Any]:
    """The indicators that an object has made; an operation on lines makes none."""
    return list(owner.getindicators()) if isinstance(owner, bt.LineIterator) else []


def _input_ids(thing: Any) -> Iterator[int]:
    for operand in operands_of(thing):
        yield id(operand)
        if hasattr(operand, "lines"):
            yield from map(id, getattr(operand.lines, "lines", operand.lines))


def _lines_of(thing: Any) -> tuple[list[Any], list[str]]:
    """The line buffers of an indicator or strategy and their names."""
    if isinstance(thing, bt.linebuffer.LineBuffer):  # an operation is a line itself
        return [thing], [""]
    aliases = list(thing.lines.getlinealiases())
    return list(thing.lines.lines)[: len(aliases)], aliases


def _attributes(thing: Any) -> Iterator[tuple[int, str]]:
    prefix = "self." if isinstance(thing, bt.Strategy) else ""
    for name, value in getattr(thing, "__dict__", {}).items():
        if name.startswith(("_", "data")) or name in {"lines", "l"}:
            continue
        if isinstance(value, list | tuple):
            yield from ((id(item), f"{prefix}{name}[{i}]") for i, item in enumerate(value))
        elif isinstance(value, dict):
            yield from ((id(item), f"{prefix}{name}[{key!r}]") for key, item in value.items())
        else:
            yield id(value), f"{prefix}{name}"
