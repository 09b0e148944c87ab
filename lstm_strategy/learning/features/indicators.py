"""One indicator at a time, pandas-ta's or our own: find it, check its arguments, compute it."""

import dataclasses
import inspect
import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import FeatureError, lacks_memory
from lstm_strategy.learning.features.kinds import (
    COLUMN_ROLES,
    MARKET_WIDE_KINDS,
    MIRRORED_COLUMNS,
    OWN_KINDS,
    ColumnRole,
    MarketWide,
)
from lstm_strategy.support import suggest_names

FeatureSpec = Mapping[str, Any]
"""One feature as plain data: its `kind` and the arguments of that kind."""

FeatureSpecs = Sequence[FeatureSpec]
"""Features as plain data: `[{"kind": "rsi", "length": 14}]`."""

BASE_COLUMNS = ("open", "high", "low", "close", "volume")
"""The columns that all bars have."""

_SHARED_ARGUMENTS = (*BASE_COLUMNS, "prefix", "suffix", "col_numbers")
_LIBRARIES = {"pandas_ta_classic": "pandas-ta-classic", "pandas_ta": "pandas-ta"}


@cache
def indicator_library() -> tuple[ModuleType, str, str]:
    """Find the installed pandas-ta.

    Returns:
        Its module, its name and its version.

    Raises:
        FeatureError: If neither pandas-ta-classic nor pandas-ta is installed.

    Example:
        >>> indicator_library()[1].startswith("pandas-ta")
        True
    """
    for module_name, library in _LIBRARIES.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return import_module(module_name), library, version(library)
        except ImportError:
            continue
    raise FeatureError(
        "Features need pandas-ta, and none is installed. Run: pip install pandas-ta-classic"
    )


def read_library(saved: Mapping[str, Any]) -> tuple[str, str]:
    """The name and the version of the library of saved features, which people may install.

    Raises:
        ValueError: If it isn't one of pandas-ta's two, or the version isn't one.
    """
    library, library_version = saved["library"], saved["library_version"]
    if library not in _LIBRARIES.values() or not re.fullmatch(r"\d[\w.+]*", library_version):
        raise ValueError(f"there is no feature library {library!r} {library_version!r}")
    return library, library_version


@cache
def known_kinds() -> tuple[str, ...]:
    """List the names that the `kind` of a feature of one market may have.

    Returns:
        Those of the installed pandas-ta and our own, sorted; not those in `MARKET_WIDE_KINDS`.

    Example:
        >>> {"rsi", "column", "relative_volume"} <= set(known_kinds())
        True
    """
    library, _, _ = indicator_library()
    kinds = (kind for kinds in library.Category.values() for kind in kinds)
    return tuple(sorted({*kinds, *OWN_KINDS}))


def format_spec(spec: FeatureSpec) -> str:
    """Write a feature as a call, for messages.

    Args:
        spec: One feature.

    Example:
        >>> format_spec({"kind": "rsi", "length": 14})
        'rsi(length=14)'
    """
    arguments = ", ".join(
        f"{name}={format_spec(value) if isinstance(value, Mapping) else repr(value)}"
        for name, value in spec.items()
        if name != "kind"
    )
    return f"{spec['kind']}({arguments})"


def is_market_wide(spec: FeatureSpec) -> bool:
    """Whether a feature looks across the markets of a panel."""
    return spec["kind"] in MARKET_WIDE_KINDS


def build_market_wide(spec: FeatureSpec) -> MarketWide:
    """A feature that looks across the markets, from its checked spec."""
    arguments = {name: value for name, value in spec.items() if name != "kind"}
    return MARKET_WIDE_KINDS[spec["kind"]](**arguments)


def market_spec(spec: FeatureSpec) -> FeatureSpec:
    """The feature of one market that a market-wide feature is made of; any other as it is."""
    return build_market_wide(spec).market_spec if is_market_wide(spec) else spec


def check_spec(spec: FeatureSpec) -> dict[str, Any]:
    """A copy of one feature's spec, with its kind and the names of its arguments checked.

    Raises:
        FeatureError: Naming what is wrong and the nearest known names.
    """
    if not isinstance(spec, Mapping) or "kind" not in spec:
        raise FeatureError(
            f'A feature must be a dict with a "kind", got {spec!r}. '
            'Write for example {"kind": "rsi", "length": 14}.'
        )
    kind = spec["kind"]
    if not isinstance(kind, str):
        raise FeatureError(
            f'The "kind" of a feature must be a name such as "rsi", got {kind!r:.100}. Write one.'
        )
    if kind in MARKET_WIDE_KINDS:
        return _check_market_wide(spec)
    if kind not in known_kinds():
        kinds = (*known_kinds(), *MARKET_WIDE_KINDS)
        raise FeatureError(f"Unknown feature kind {kind!r}. {suggest_names(kind, kinds)}")
    _check_arguments(kind, spec)
    return dict(spec)


def _check_market_wide(spec: FeatureSpec) -> dict[str, Any]:
    kind = spec["kind"]
    fields = dataclasses.fields(MARKET_WIDE_KINDS[kind])  # type: ignore[arg-type]
    known = [field.name for field in fields]
    for name in spec.keys() - {"kind", *known}:
        raise FeatureError(f"{kind} has no argument {name!r}. {suggest_names(name, known)}")
    checked = dict(spec)
    if "of" in known:
        if "of" not in spec:
            raise FeatureError(
                f'kind "{kind}" needs the feature of one market that it is made of: '
                f'{{"kind": "{kind}", "of": {{"kind": "rsi", "length": 14}}}}.'
            )
        checked["of"] = check_spec(spec["of"])
        if is_market_wide(checked["of"]):
            raise FeatureError(
                f'{kind}: "of" must be a feature of one market, got '
                f"{format_spec(checked['of'])}, which looks across all markets already."
            )
    build_market_wide(checked)
    return checked


def _check_arguments(kind: str, spec: FeatureSpec) -> None:
    known = _argument_names(kind)
    if kind == "column" and "column" not in spec:
        raise FeatureError(
            'kind "column" needs the name of a column of the bars: '
            '{"kind": "column", "column": "funding_rate"}.'
        )
    for name in spec.keys() - {"kind", *known}:
        # pandas-ta takes any extra argument and ignores it, so that a typo would go unnoticed;
        # but some of its functions read options that only their source names.
        if kind in OWN_KINDS or name not in _options_in_source(kind):
            raise FeatureError(f"{kind} has no argument {name!r}. {suggest_names(name, known)}")
    if kind == "column" and spec.get("mirrored", "same") not in MIRRORED_COLUMNS:
        raise FeatureError(
            f"column: mirrored must be one of {', '.join(MIRRORED_COLUMNS)}, got "
            f"{spec['mirrored']!r}. It says what becomes of the column where rises become falls."
        )
    for name in spec.keys() & COLUMN_ROLES.keys() if kind in OWN_KINDS else ():
        if not isinstance(spec[name], str) or spec[name] in BASE_COLUMNS:
            raise FeatureError(
                f"{kind}: {name} must be the name of a column of the bars beside "
                f"{', '.join(BASE_COLUMNS)}, got {spec[name]!r}."
            )
    length = spec.get("length")
    if length is not None and not (isinstance(length, int) and length >= 1):
        raise FeatureError(f"{kind}: length must be a whole number of bars, got {length!r}.")


@cache
def _options_in_source(kind: str) -> frozenset[str]:
    """The options that an indicator takes from its `kwargs`, read off its source."""
    library, _, _ = indicator_library()
    source = inspect.getsource(inspect.unwrap(getattr(library, kind)))
    return frozenset(re.findall(r"""kwargs(?:\.get|\.pop)?[\[(]\s*["'](\w+)["']""", source))


def _argument_names(kind: str) -> tuple[str, ...]:
    if kind in OWN_KINDS:
        return tuple(inspect.signature(OWN_KINDS[kind]).parameters)[1:]
    library, _, _ = indicator_library()
    names = inspect.signature(getattr(library, kind)).parameters
    return (*(name for name in names if name not in {"kwargs", "open_"}), *_SHARED_ARGUMENTS)


def bars_columns_of(spec: FeatureSpec) -> list[str]:
    """The columns beyond open, high, low, close and volume that a feature reads from the bars."""
    spec = market_spec(spec)
    names = [spec.get("column"), *(spec.get(column) for column in BASE_COLUMNS)]
    own = [name for name in names if isinstance(name, str) and name not in BASE_COLUMNS]
    return [*own, *column_roles(spec)]


def column_roles(spec: FeatureSpec) -> dict[str, ColumnRole]:
    """What columns of the bars are to a kind that knows what it reads, by their names.

    Such a kind sees the column as it stands: NaN where it isn't known, or where nothing happened.

    Example:
        >>> list(column_roles({"kind": "premium"}))
        ['spot_close']
    """
    spec = market_spec(spec)
    usual = _usual_columns(spec["kind"])
    named = {name: spec.get(name, column) for name, column in usual.items()}
    return {column: COLUMN_ROLES[name] for name, column in named.items() if column is not None}


def left_out_columns(spec: FeatureSpec, bars: pd.DataFrame) -> dict[str, str]:
    """The columns of the bars without which a kind's numbers are wrong, and that it doesn't read.

    Returns:
        The columns by the arguments that would name them.

    Example:
        >>> bars = pd.DataFrame({"funding_payment": [0.0, 0.3]})
        >>> left_out_columns({"kind": "funding_sum"}, bars)
        {'payment': 'funding_payment'}
    """
    spec = market_spec(spec)
    left_out = {}
    for name in _usual_columns(spec["kind"]):
        column = COLUMN_ROLES[name].usual_name
        if column in bars and spec.get(name) is None and bars[column].fillna(0.0).any():
            left_out[name] = str(column)
    return left_out


@cache
def _usual_columns(kind: str) -> dict[str, str | None]:
    """The columns that a kind reads unless it is told otherwise, by the name of the argument."""
    if kind not in OWN_KINDS:
        return {}
    arguments = inspect.signature(OWN_KINDS[kind]).parameters
    return {name: arguments[name].default for name in arguments if name in COLUMN_ROLES}


def indicator_columns(spec: FeatureSpec, bars: pd.DataFrame) -> pd.DataFrame:
    """What pandas-ta answers for one spec, as float columns on the index of the bars.

    Returns:
        Shape (n_bars, k); no columns at all where pandas-ta doesn't answer with one value per bar,
        as it does where there are too few bars.

    Raises:
        FeatureError: If pandas-ta raises.
    """
    answer = _ask(spec, bars)
    if answer is None:
        return pd.DataFrame(index=bars.index)
    return (answer.to_frame() if isinstance(answer, pd.Series) else answer).astype(float)


def indicator_values(spec: FeatureSpec, bars: pd.DataFrame) -> dict[str, np.ndarray]:
    """The columns of `indicator_columns` by name, without the price of a frame around them."""
    answer = _ask(spec, bars)
    if answer is None:
        return {}
    columns = [(answer.name, answer)] if isinstance(answer, pd.Series) else answer.items()
    return {str(name): column.to_numpy(np.float64) for name, column in columns}


def _ask(spec: FeatureSpec, bars: pd.DataFrame) -> pd.DataFrame | pd.Series | None:
    """What a kind answers; None where that isn't one value per bar."""
    arguments = {name: value for name, value in spec.items() if name != "kind"}
    if spec["kind"] in OWN_KINDS:
        try:
            return OWN_KINDS[spec["kind"]](bars, **arguments)
        except FeatureError:
            raise
        except (TypeError, ValueError, OverflowError) as error:
            reason = str(error).removesuffix(".")
            raise FeatureError(f"{format_spec(spec)} can't be computed: {reason}.") from error
    answer = _ask_pandas_ta(spec["kind"], arguments, bars)
    if isinstance(answer, tuple):  # ichimoku: the second frame lies in the future
        answer = answer[0]
    if not isinstance(answer, pd.DataFrame | pd.Series) or len(answer) != len(bars):
        return None
    if isinstance(answer, pd.DataFrame) and {"open", "close"} <= set(answer.columns):
        return None  # pandas-ta hands back the bars
    return answer


@cache
def _may_use_talib(kind: str) -> bool:
    library, _, _ = indicator_library()
    return "talib" in inspect.signature(getattr(library, kind)).parameters


def _ask_pandas_ta(kind: str, arguments: dict[str, Any], bars: pd.DataFrame) -> Any:
    if _may_use_talib(kind):
        # TA-Lib's numbers differ slightly: a model must not depend on whether it is installed.
        arguments = {"talib": False, **arguments}
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"), _silence_on_one_bar(bars):
            warnings.simplefilter("ignore")
            return getattr(bars.copy().ta, kind)(**arguments)
    except Exception as error:
        if lacks_memory(error):
            raise
        raise FeatureError(
            f"{kind} can't be computed with {arguments or 'no arguments'}: {error}. "
            "See its arguments in the pandas-ta documentation."
        ) from error


@contextmanager
def _silence_on_one_bar(bars: pd.DataFrame) -> Iterator[None]:
    """Let pandas-ta not log of a single bar that it isn't in the order of time, as vwap does."""
    if len(bars) != 1:
        yield
        return
    library, _, _ = indicator_library()
    log = logging.getLogger(library.__name__)
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)
