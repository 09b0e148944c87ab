"""Lines of a user's source that may be why a run knew too much; the run itself is the proof."""

import ast
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_LINES = {"open", "high", "low", "close", "volume", "openinterest", "datetime"}
_NO_LINES = {"array", "datas", "params", "p", "env", "stats", "analyzers", "observers"}
_TAKES_ALL = {"array", "asarray", "list", "Series", "mean", "std", "max", "min", "sum", "sorted"}
_AT_OPEN = {"next_open", "nextstart_open", "prenext_open"}
_WHOLE_COLUMN = {"mean", "std", "var", "min", "max", "median", "quantile", "rank", "sum"}
_WINDOWS = {"rolling", "expanding", "ewm"}
_LIBRARIES = ("backtrader.", "lstm_strategy.", "numpy.", "pandas.", "sklearn.", "builtins")

_Suspicion = tuple[str, str, int, int]
"""The code, the remedy, how far an index reaches back, and the rank."""


@dataclass(frozen=True)
class Hint:
    """One suspicious place.

    ``reach`` is how many bars an index goes back, 0 where none does; of several hints the one of
    the lowest ``rank`` says the most.
    """

    where: str
    code: str
    remedy: str
    reach: int = 0
    rank: int = 0

    def __str__(self) -> str:
        return f"{self.where}: {self.code}"


def hints_in(things: Iterable[Any]) -> tuple[Hint, ...]:
    """What looks suspicious in the source of classes and functions, the most telling first.

    Libraries and what has no source are passed over.
    """
    found = dict.fromkeys(hint for thing in things for hint in _hints(thing))
    return tuple(sorted(found, key=lambda hint: hint.rank))


def relevant_hints(hints: Iterable[Hint], *, bar: int) -> tuple[Hint, ...]:
    """Those that can explain a difference that begins at ``bar``, counted from 0.

    An index into the past wraps around to the end of the run only where it reaches back beyond
    the first bar.
    """
    return tuple(hint for hint in hints if not hint.reach or bar < hint.reach)


def _hints(thing: Any) -> Iterator[Hint]:
    for owner in getattr(thing, "__mro__", [thing]):
        if not _is_users(owner):
            continue
        methods = {f"self.{name}" for name in dir(owner)}
        file, nodes = _nodes_of(owner)
        for node in nodes:
            if isinstance(node, ast.Call) and _text(node.func) in methods:
                continue  # self.addminperiod(5) is no line
            for code, remedy, reach, rank in _suspicions(node):
                line = getattr(node, "lineno", 0)
                yield Hint(f"{file}, line {line}", code, remedy, reach, rank)


def _nodes_of(owner: Any) -> tuple[str, list[ast.AST]]:
    """The file of a class or function, and what of it lies in its lines."""
    try:
        source, first_line = inspect.getsourcelines(owner)
        path = Path(inspect.getsourcefile(owner) or "")
        # the whole file: the lines of a lambda alone may not be a sentence
        tree = _parsed(path, path.stat().st_mtime_ns)
    except (OSError, TypeError, SyntaxError):
        return "", []
    lines = range(first_line, first_line + len(source))
    return path.name, [node for node in ast.walk(tree) if getattr(node, "lineno", 0) in lines]


@lru_cache(maxsize=16)
def _parsed(path: Path, changed: int) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _is_users(owner: Any) -> bool:
    module = getattr(owner, "__module__", None) or "builtins"
    return not f"{module}.".startswith(_LIBRARIES)


def _suspicions(node: ast.AST) -> Iterator[_Suspicion]:
    if isinstance(node, ast.Subscript):
        yield from _of_index(node)
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.Attribute) and node.attr == "array" and _is_line(node.value):
        yield _text(node), "A line's array holds the whole run. Use line[0], line[-1], …", 0, 1
    elif isinstance(node, ast.Attribute) and node.attr in {"dataname", "_dataname"}:
        yield _text(node), "The feed's frame holds the whole run. Use the lines of the feed.", 0, 0
    elif isinstance(node, ast.FunctionDef) and node.name in _AT_OPEN:
        yield (
            f"def {node.name}",
            f"{node.name} runs at the open but sees the close, high and low of the same bar (and "
            "indicators made from them). Use [-1] there, and only the open of [0].",
            0,
            0,
        )


def _of_index(node: ast.Subscript) -> Iterator[_Suspicion]:
    index = _number(node.slice)
    if index is None or not _is_line(node.value):
        return
    if index > 0:
        yield (
            _text(node),
            "A positive index is a later bar: [0] is the present, [-1] the last.",
            0,
            0,
        )
    elif index < 0 and isinstance(node.ctx, ast.Store):
        yield (
            _text(node),
            "This rewrites the past. Write at [0], on the bar where it is known.",
            0,
            0,
        )
    elif index < 0:
        yield (
            _text(node),
            f"Before bar {-index + 1} this index wraps around to the end of the run. Call "
            f"self.addminperiod({-index + 1}).",
            int(-index),
            0,
        )


def _of_call(node: ast.Call) -> Iterator[_Suspicion]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else _text(node.func)
    first = _number(node.args[0]) if node.args else None
    given = {word.arg: word.value for word in node.keywords}
    text = _text(node)
    if name in _TAKES_ALL and node.args and _is_line(node.args[0]):
        yield (
            text,
            "This runs from the present bar to the end of the run. Use line.get(size=n) for "
            "the last n values.",
            0,
            0,
        )
    elif first is not None and first > 0 and _is_line(node.func):
        yield text, "A line called with a positive number holds later values. Use (-n).", 0, 0
    elif name == "get" and (_number(given.get("ago")) or 0) > 0:
        yield text, "A positive ago ends in a later bar. Use ago=0 or less.", 0, 0
    elif name in {"set_coc", "set_coo"}:
        yield text, "Decide at the close and fill at the next open: leave it out.", 0, 0
    elif name == "buflen":
        yield text, "Live, the number of bars isn't known. Decide by date.", 0, 3
    yield from _of_pandas_call(node, name, first, given, text)


def _of_pandas_call(
    node: ast.Call, name: str, first: float | None, given: dict[Any, ast.expr], text: str
) -> Iterator[_Suspicion]:
    periods = first if first is not None else _number(given.get("periods"))
    center = given.get("center")
    if name in {"shift", "diff", "pct_change"} and periods is not None and periods < 0:
        yield text, "A negative shift brings later rows back. Use a positive one.", 0, 0
    elif isinstance(center, ast.Constant) and center.value is True:
        yield text, "A centred window holds later rows. Leave center=True out.", 0, 0
    elif name in {"bfill", "backfill", "interpolate"}:
        yield text, "This fills gaps with later values. Use ffill().", 0, 1
    elif name in _WHOLE_COLUMN and isinstance(node.func, ast.Attribute):
        chain = _text(node.func.value)
        is_windowed = any(f".{window}(" in chain for window in _WINDOWS)
        is_numpy = chain in {"np", "numpy", "bt.ind", "bt.indicators", "math"}
        if not is_windowed and not is_numpy and "axis" not in given:
            yield text, "A statistic of the whole column. Use rolling(n) or expanding().", 0, 2
    elif name in {"fit_transform", "fit"}:
        yield text, "Fit on the training rows only.", 0, 1


def _is_line(node: ast.AST) -> bool:
    """Whether an expression reads like a line: close, self.data.close, self.sma …"""
    if isinstance(node, ast.Name):
        return node.id in _LINES
    if not isinstance(node, ast.Attribute) or node.attr in _NO_LINES:
        return False
    return node.attr in _LINES or _text(node).startswith("self.")


def _number(node: ast.AST | None) -> float | None:
    try:
        value = ast.literal_eval(node) if node is not None else None
    except ValueError:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else None


def _text(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 80 else f"{text[:77]}..."
