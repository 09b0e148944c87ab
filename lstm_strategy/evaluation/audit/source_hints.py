"""Lines of a user's source that may be why a run knew too much; only the run proves it."""

import ast
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

_LINES = {"open", "high", "low", "close", "volume", "openinterest", "datetime"}
_NO_LINES = {"array", "datas", "params", "p", "env", "stats", "analyzers", "observers"}
_TAKES_ALL = {"array", "asarray", "list", "Series", "mean", "std", "max", "min", "sum", "sorted"}
_AT_OPEN = {"next_open", "nextstart_open", "prenext_open"}
_WHOLE_COLUMN = {"mean", "std", "var", "min", "max", "median", "quantile", "rank", "sum"}
_WINDOWS = {"rolling", "expanding", "ewm"}
_MOST_PLACES = 3
_LIBRARIES = (
    "backtrader.",
    "lstm_strategy.",
    "numpy.",
    "pandas.",
    "pydantic.",
    "sklearn.",
    "builtins",
)


class _Suspicion(NamedTuple):
    """The code, the remedy, how far an index reaches back, and the rank, as in `Hint`."""

    code: str
    remedy: str
    reach: int = 0
    rank: int = 0


@dataclass(frozen=True)
class Hint:
    """One suspicious place.

    Attributes:
        where: File and line.
        code: The code.
        remedy: What to write instead.
        reach: How many bars an index goes back, 0 where none does.
        rank: Of several hints the one of the lowest rank says the most.
    """

    where: str
    code: str
    remedy: str
    reach: int = 0
    rank: int = 0

    def __str__(self) -> str:
        return f"{self.where}: {self.code}"


def find_hints(owners: Iterable[Any]) -> tuple[Hint, ...]:
    """Return what looks suspicious in the source of classes and functions, most telling first.

    Libraries and what has no source are passed over.
    """
    found = dict.fromkeys(hint for owner in owners for hint in _find_hints_in(owner))
    return tuple(sorted(found, key=lambda hint: hint.rank))


def relevant_hints(hints: Iterable[Hint], *, bar: int) -> tuple[Hint, ...]:
    """Return those that can explain a difference that begins at `bar`, counted from 0.

    An index into the past wraps around to the end of the run only where it reaches back beyond
    the first bar.
    """
    return tuple(hint for hint in hints if not hint.reach or bar < hint.reach)


def hint_texts(hints: Iterable[Hint]) -> tuple[str, ...]:
    """Return the first few hints as text, for the source of a finding."""
    return tuple(map(str, hints))[:_MOST_PLACES]


def _find_hints_in(thing: Any) -> Iterator[Hint]:
    for owner in getattr(thing, "__mro__", [thing]):
        if not is_from_user(owner):
            continue
        methods = {f"self.{name}" for name in dir(owner)}
        file, nodes = _nodes_of(owner)
        for node in nodes:
            if isinstance(node, ast.Call) and _text(node.func) in methods:
                continue  # self.addminperiod(5) is no line
            where = f"{file}, line {getattr(node, 'lineno', 0)}"
            yield from (Hint(where, *suspicion) for suspicion in _find_suspicions(node))


def _nodes_of(owner: Any) -> tuple[str, list[ast.AST]]:
    """The file of a class or function, and what of it lies in its lines."""
    try:
        source, first_line = inspect.getsourcelines(owner)
        path = Path(inspect.getsourcefile(owner) or "")
        # the whole file: the lines of a lambda alone may not be a sentence
        tree = _parse_file(path, path.stat().st_mtime_ns)
    except (OSError, TypeError, SyntaxError):
        return "", []
    lines = range(first_line, first_line + len(source))
    return path.name, [node for node in ast.walk(tree) if getattr(node, "lineno", 0) in lines]


@lru_cache(maxsize=16)
def _parse_file(path: Path, changed: int) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def is_from_user(owner: Any) -> bool:
    """Return whether a class or function is the user's own, and no library's.

    Args:
        owner: The class or function.
    """
    module = getattr(owner, "__module__", None) or "builtins"
    return not f"{module}.".startswith(_LIBRARIES)


def _find_suspicions(node: ast.AST) -> Iterator[_Suspicion]:
    if isinstance(node, ast.Subscript):
        yield from _suspect_index(node)
    elif isinstance(node, ast.Call):
        yield from _suspect_call(node)
        yield from _suspect_pandas_call(node)
    elif isinstance(node, ast.Attribute) and node.attr == "array" and _is_line(node.value):
        remedy = "A line's array holds the whole run. Use line[0], line[-1], …"
        yield _Suspicion(_text(node), remedy, rank=1)
    elif isinstance(node, ast.Attribute) and node.attr in {"dataname", "_dataname"}:
        remedy = "The feed's frame holds the whole run. Use the lines of the feed."
        yield _Suspicion(_text(node), remedy)
    elif isinstance(node, ast.FunctionDef) and node.name in _AT_OPEN:
        yield _Suspicion(
            f"def {node.name}",
            f"{node.name} runs at the open but sees the close, high and low of the same bar (and "
            "indicators made from them). Use [-1] there, and only the open of [0].",
        )


def _suspect_index(node: ast.Subscript) -> Iterator[_Suspicion]:
    index, text = _number(node.slice), _text(node)
    if not index:
        return
    if not _is_line(node.value):
        if index > 0 and isinstance(node.value, ast.Name):
            remedy = "If this is a line, a positive index is a later bar: [0] is the present."
            yield _Suspicion(text, remedy, rank=2)
        return
    if index > 0:
        remedy = "A positive index is a later bar: [0] is the present, [-1] the last."
        yield _Suspicion(text, remedy)
    elif isinstance(node.ctx, ast.Store):
        yield _Suspicion(
            text, "This rewrites the past. Write at [0], on the bar where it is known."
        )
    else:
        yield _Suspicion(
            text,
            f"Before bar {-index + 1} this index wraps around to the end of the run. Call "
            f"self.addminperiod({-index + 1}).",
            reach=int(-index),
        )


def _suspect_call(node: ast.Call) -> Iterator[_Suspicion]:
    name, text, first = _called_name(node), _text(node), _first_number(node)
    if name in _TAKES_ALL and node.args and _is_line(node.args[0]):
        remedy = (
            "This runs from the present bar to the end of the run. Use line.get(size=n) for the "
            "last n values."
        )
        yield _Suspicion(text, remedy)
    elif first is not None and first > 0 and _is_line(node.func):
        remedy = "A line called with a positive number holds later values. Use (-n)."
        yield _Suspicion(text, remedy)
    elif name == "get" and (_number(_keywords(node).get("ago")) or 0) > 0:
        yield _Suspicion(text, "A positive ago ends in a later bar. Use ago=0 or less.")
    elif name in {"set_coc", "set_coo"}:
        yield _Suspicion(text, "Decide at the close and fill at the next open: leave it out.")
    elif name == "buflen":
        remedy = "Live, the number of bars isn't known. Decide by date."
        yield _Suspicion(text, remedy, rank=3)


def _suspect_pandas_call(node: ast.Call) -> Iterator[_Suspicion]:
    name, text, keywords = _called_name(node), _text(node), _keywords(node)
    first = _first_number(node)
    periods = first if first is not None else _number(keywords.get("periods"))
    center = keywords.get("center")
    if name in {"shift", "diff", "pct_change"} and periods is not None and periods < 0:
        yield _Suspicion(text, "A negative shift brings later rows back. Use a positive one.")
    elif isinstance(center, ast.Constant) and center.value is True:
        yield _Suspicion(text, "A centred window holds later rows. Leave center=True out.")
    elif name in {"bfill", "backfill", "interpolate"}:
        yield _Suspicion(text, "This fills gaps with later values. Use ffill().", rank=1)
    elif name in {"fit_transform", "fit"}:
        yield _Suspicion(text, "Fit on the training rows only.", rank=1)
    elif name in _WHOLE_COLUMN and isinstance(node.func, ast.Attribute):
        chain = _text(node.func.value)
        is_windowed = any(f".{window}(" in chain for window in _WINDOWS)
        is_numpy = chain in {"np", "numpy", "bt.ind", "bt.indicators", "math"}
        if not is_windowed and not is_numpy and "axis" not in keywords:
            remedy = "A statistic of the whole column. Use rolling(n) or expanding()."
            yield _Suspicion(text, remedy, rank=2)


def _called_name(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else _text(node.func)


def _first_number(node: ast.Call) -> float | None:
    return _number(node.args[0]) if node.args else None


def _keywords(node: ast.Call) -> dict[str | None, ast.expr]:
    return {keyword.arg: keyword.value for keyword in node.keywords}


def _is_line(node: ast.AST) -> bool:
    """Whether an expression reads like a line: close, self.data.close, self.sma."""
    if isinstance(node, ast.Name):
        return node.id in _LINES
    if not isinstance(node, ast.Attribute) or node.attr in _NO_LINES:
        return False
    text = _text(node)
    return node.attr in _LINES or text.startswith(("self.", "data.")) or ".data." in text


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
