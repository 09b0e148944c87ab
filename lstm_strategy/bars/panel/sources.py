"""Where the markets of a panel are: a folder, a pattern, files, one file or frame of several."""

import glob
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

import pandas as pd

from lstm_strategy.bars.columns import SeveralMarketsError
from lstm_strategy.bars.files import is_file_of_bars, market_of_file
from lstm_strategy.bars.load import read_bars
from lstm_strategy.bars.panel.panel import Panel, ReadMarket, check_symbols
from lstm_strategy.bars.read import LoadedBars, find_markets
from lstm_strategy.errors import BarsError
from lstm_strategy.support import count_of

Source = (
    str
    | os.PathLike[str]
    | pd.DataFrame
    | Mapping[str, pd.DataFrame | str | os.PathLike[str]]
    | Sequence[str | os.PathLike[str]]
)


ORACLE_FOLDER = "oracle"
"""What simulated markets have beside them, which is no market."""


class FoundMarkets(NamedTuple):
    """The markets of a source.

    Attributes:
        readers: What reads each of them, by symbol.
        notes: What was left out; sentences without a full stop.
    """

    readers: Mapping[str, ReadMarket]
    notes: tuple[str, ...] = ()


def find_sources(source: Source, **reading: Any) -> FoundMarkets:
    """Find the markets of a source, and read none of them unless they are all in one file.

    Args:
        source: As in `load_panel`.
        **reading: The arguments of `load_bars` that hold for every market.

    Raises:
        BarsError: If there is none, or one stands there twice.
    """
    if isinstance(source, Panel):
        return FoundMarkets({symbol: partial(_read_again, source, symbol) for symbol in source})
    if isinstance(source, Mapping):
        check_symbols(source)
        return FoundMarkets(
            {name: partial(_read_given, value, reading) for name, value in source.items()}
        )
    if isinstance(source, pd.DataFrame):
        return _find_in_frame(source, reading)
    if isinstance(source, list | tuple):
        paths = [_to_path(path) for path in source]
        for path in paths:
            if not path.exists():
                raise BarsError(f"there is no file {path}. Check the path.")
        return _find_in_files(paths, "the list", reading)
    return _find_at(_to_path(source), str(source), reading)


def is_of_several_files(source: str) -> bool:
    """Whether a source is a folder, or a pattern and no file of that name.

    Args:
        source: What a user calls the bars.
    """
    path = Path(source)
    return path.is_dir() or (glob.has_magic(source) and not path.exists())


def _to_path(source: object) -> Path:
    if isinstance(source, str | os.PathLike):
        return Path(source)
    raise BarsError(
        "a panel comes from a folder, a pattern such as data/*.csv, a file or a frame of several "
        f"markets, or bars by symbol, got {type(source).__name__}. Pass one of them."
    )


def _find_at(path: Path, name: str, reading: dict[str, Any]) -> FoundMarkets:
    if re.match(r"[A-Za-z]\w+:", name):
        return FoundMarkets({name.partition(":")[2]: partial(read_bars, name, **reading)})
    if path.is_dir():
        return _find_in_files(_list_folder(path), f"the folder {path}", reading)
    if not path.exists() and glob.has_magic(name):
        # that of Path takes no absolute pattern
        paths = [Path(found) for found in sorted(glob.glob(name, recursive=True))]  # noqa: PTH207
        if not paths:
            raise BarsError(f"no file matches {name}. Check the folder and the pattern.")
        return _find_in_files(paths, f"what matches {name},", reading)
    if not path.exists():
        raise BarsError(f"there is no folder and no file {path}. Check the path.")
    found = find_markets(path, **reading)
    if found.readers:
        return FoundMarkets(found.readers, tuple(f"{path}: {note}" for note in found.notes))
    return FoundMarkets({market_of_file(path): partial(read_bars, path, **reading)})


def _list_folder(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise BarsError(f"{folder} can't be read ({error}). Check the path.") from error


def _find_in_frame(frame: pd.DataFrame, reading: dict[str, Any]) -> FoundMarkets:
    found = find_markets(frame, **reading)
    if not found.readers:
        raise BarsError(
            "a frame of several markets needs a column such as Symbol or Ticker that says which "
            f"market a row belongs to (found: {', '.join(map(str, frame.columns))[:200]}). Name it "
            'so, or pass the bars by symbol: {"SPY": bars}.'
        )
    return FoundMarkets(*found)


def _find_in_files(paths: Iterable[Path], where: str, reading: dict[str, Any]) -> FoundMarkets:
    """The markets of files that hold one each; other files and folders are left out."""
    by_symbol: dict[str, Path] = {}
    others = []
    for path in paths:
        if path.name == ORACLE_FOLDER and path.is_dir():
            continue
        if not path.is_file() or not is_file_of_bars(path):
            others.append(path)
            continue
        symbol = market_of_file(path)
        if symbol in by_symbol:
            raise BarsError(
                f"market {symbol} is there twice: {by_symbol[symbol]} and {path}. Keep one of "
                "them, or rename the other."
            )
        by_symbol[symbol] = path
    if not by_symbol:
        raise _no_files(where, others)
    readers = {name: partial(_read_file, path, reading) for name, path in by_symbol.items()}
    return FoundMarkets(readers, _describe_others(others))


def _describe_others(others: Sequence[Path]) -> tuple[str, ...]:
    if not others:
        return ()
    which = "which is no file of bars" if len(others) == 1 else "which are no files of bars"
    return (f"left out {_list_names(others)}, {which}",)


def _no_files(where: str, others: Sequence[Path]) -> BarsError:
    remedy = "Files of bars end in .csv, .txt, .tsv, .parquet, .pq, .feather or .json."
    folders = [path for path in others if path.is_dir()]
    if folders:
        remedy = f"Name the files in its folders by a pattern such as {folders[0].parent}/*/*.csv."
    where = where.rstrip(",")
    if not others:
        return BarsError(f"there is nothing in {where}. {remedy}")
    return BarsError(f"there is no file of bars in {where}, only {_list_names(others)}. {remedy}")


def _list_names(paths: Sequence[Path]) -> str:
    names = ", ".join(path.name for path in paths[:5])
    return names if len(paths) <= 5 else f"{names} and {len(paths) - 5} more"


def _read_file(path: Path, reading: dict[str, Any]) -> LoadedBars:
    try:
        return read_bars(path, **reading)
    except SeveralMarketsError as error:
        raise BarsError(
            f"{path} {_describe_several(error)}, and a panel of several files wants one in each. "
            "Load that file by itself, or split it."
        ) from error


def _read_given(
    value: pd.DataFrame | str | os.PathLike[str], reading: dict[str, Any]
) -> LoadedBars:
    """A market that the user gave by its symbol."""
    if _is_path(value):
        return _read_file(Path(value), reading)
    try:
        return read_bars(value, **reading)
    except SeveralMarketsError as error:
        raise BarsError(
            f"the frame {_describe_several(error)}. Choose one of them by load_bars(frame, symbol="
            f'"{error.markets[0]}"), or load the frame by itself.'
        ) from error


def _describe_several(error: SeveralMarketsError) -> str:
    names = ", ".join(error.markets[:5]) + ", …" * (len(error.markets) > 5)
    return f"holds {count_of(len(error.markets), 'market')} ({names})"


def _is_path(value: object) -> TypeGuard[str | os.PathLike[str]]:
    return isinstance(value, os.PathLike) or (
        isinstance(value, str) and not re.match(r"[A-Za-z]\w+:", value)
    )


def _read_again(panel: Panel, symbol: str) -> LoadedBars:
    return LoadedBars(panel[symbol], ())
