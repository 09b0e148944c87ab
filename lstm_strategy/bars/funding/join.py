"""An exchange's record of funding rates, joined to bars."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.bars.columns import plain_name
from lstm_strategy.bars.frequency import bar_spacing
from lstm_strategy.bars.funding.marks import mark_at_open
from lstm_strategy.bars.funding.rates import check_funding_rates, rate_doubt
from lstm_strategy.bars.funding.settlements import missing_settlements
from lstm_strategy.bars.validation import validate_bars
from lstm_strategy.errors import BarsError

PAYMENT = "funding_payment"
"""The column of what settles within a bar, in money for each unit held."""

_log = logging.getLogger(__name__)
_RATE = "funding_rate"
_TOLERANCE = pd.Timedelta(seconds=10)  # exchanges stamp the row some milliseconds late
_TIMES = "funding_time funding_rate_timestamp calc_time timestamp datetime time date"
_RATES = "realized_rate funding_rate last_funding_rate rate"
_MARKS = "mark_price mark"
_SYMBOLS = "symbol inst_id instrument coin"
_UNITS_OF_EPOCH = {"s": 1e8, "ms": 1e11, "us": 1e14, "ns": 1e17}  # the least count since 1973


def add_funding(
    bars: pd.DataFrame,
    rates: pd.Series | pd.DataFrame | Sequence[Mapping[str, Any]],
    *,
    mark: str = "mark",
) -> pd.DataFrame:
    """Join an exchange's record of funding rates to the bars of a perpetual.

    A settlement at the moment at which a bar opens stands in that bar's `funding_rate`, and is paid
    by whoever held the position into the bar. What settles within a bar is in `funding_payment`, in
    money for each unit held long through it: the sum of rate times mark, with the mark of the
    record if it has one, or else that of the row before (its close where it has none). That column
    is there only if it is needed. Settlements in a hole of the bars are paid with the bar before
    the hole.

    Stamps within ten seconds of a whole minute are rounded to it. A settlement that comes twice
    with the same rate counts once. Intervals may change. What was rounded, dropped or seems to be
    missing is logged, and nothing is made up for it.

    Args:
        bars: What `validate_bars` takes, stamped with the times at which they open; left as it is.
        rates: The rates as fractions (0.0001 is one basis point), positive where longs pay: a
            series on their times, or a frame or a list of records as exchanges and ccxt give it,
            with `fundingTime`, `fundingRateTimestamp`, `calc_time` or `timestamp` (counts since
            1970, ISO dates, or the index), `fundingRate`, `realizedRate` or `last_funding_rate`,
            and perhaps `markPrice`.
        mark: The column of mark prices in the bars.

    Returns:
        The bars with `funding_rate`, NaN on rows where nothing settles, and perhaps
        `funding_payment`, money, 0 where nothing does. Both are known at the open of their row and
        at its close.

    Raises:
        BarsError: For invalid bars, rates in percent, rates of more than 10% a settlement, two
            rates for one settlement, or if nothing settles within the bars.

    Example:
        >>> hours = pd.date_range("2024-01-01", periods=10, freq="h", tz="UTC")
        >>> columns = ("open", "high", "low", "close", "volume")
        >>> bars = pd.DataFrame(dict.fromkeys(columns, range(1, 11)), hours)
        >>> records = [{"fundingTime": 1704067200004, "fundingRate": "0.00010000"},
        ...            {"fundingTime": 1704096000000, "fundingRate": "-0.00002500"}]
        >>> add_funding(bars, records)["funding_rate"].dropna()
        datetime
        2024-01-01 00:00:00+00:00    0.000100
        2024-01-01 08:00:00+00:00   -0.000025
        Name: funding_rate, dtype: float64
    """
    valid = validate_bars(bars)
    if _RATE in valid.columns:
        raise BarsError(
            f"the bars have a column {_RATE} already. Drop it first: bars.drop(columns={_RATE!r})."
        )
    index = pd.DatetimeIndex(valid.index)
    records = _read_records(rates)
    records = _on_clock_of(index, records)
    check_funding_rates(records["rate"])
    doubt = rate_doubt(records["rate"], name="the funding rate")
    records, notes = _settle_stamps(records)
    notes += [doubt] if doubt else []
    end = index[-1] + bar_spacing(index)
    inside = records[(records.index >= index[0]) & (records.index < end)]
    if inside.empty:
        raise BarsError(
            f"nothing settles within the bars, {index[0]} to {index[-1]}: the record reaches from "
            f"{records.index[0]} to {records.index[-1]}. Load rates of the same time."
        )
    due = pd.DatetimeIndex([index[0], end - pd.Timedelta(1, unit="s")])
    missing = missing_settlements(pd.DatetimeIndex(inside.index), within=due)
    if len(missing):
        notes.append(f"{len(missing)} seem to be missing, the first at {missing[0]}")
    if notes:
        _log.warning("funding: %s", "; ".join(notes))
    return _join(valid, inside, mark)


def _read_records(
    rates: pd.Series | pd.DataFrame | Sequence[Mapping[str, Any]],
) -> pd.DataFrame:
    """Columns rate and mark, float64, on the times given, in the order given."""
    if isinstance(rates, list | tuple) and all(isinstance(record, Mapping) for record in rates):
        rates = pd.DataFrame(rates, columns=None if len(rates) else ["fundingTime", "fundingRate"])
    if isinstance(rates, pd.Series):
        times: Any = rates.index
        numbers = {"rate": rates, "mark": None}
    elif isinstance(rates, pd.DataFrame):
        _refuse_several_symbols(rates)
        column = _find(rates, _TIMES)
        if column is None and not isinstance(rates.index, pd.DatetimeIndex):
            raise BarsError(_lacks(rates, "times", "fundingTime"))
        times = rates.index if column is None else rates[column]
        rate, mark = _find(rates, _RATES), _find(rates, _MARKS)
        if rate is None:
            raise BarsError(_lacks(rates, "rates", "fundingRate"))
        numbers = {"rate": rates[rate], "mark": None if mark is None else rates[mark]}
    else:
        raise BarsError(
            "funding rates must be a series, a frame or a list of records, got "
            f"{type(rates).__name__}. Read the file first, such as with pd.read_csv."
        )
    if not len(rates):
        raise BarsError("the record of funding rates is empty. Load the rates of the bars' time.")
    read = {
        name: np.nan if values is None else _read_numbers(values, name).to_numpy()
        for name, values in numbers.items()
    }
    return pd.DataFrame(read, index=_read_times(times))


def _find(frame: pd.DataFrame, spellings: str) -> str | None:
    """The column whose name comes first among the spellings."""
    names = {plain_name(str(label)): str(label) for label in reversed(list(frame.columns))}
    return next((names[word] for word in spellings.split() if word in names), None)


def _lacks(frame: pd.DataFrame, what: str, example: str) -> str:
    return (
        f"the record of funding rates has no column of {what}, found: "
        f"{', '.join(map(str, frame.columns))}. Rename that column to {example}."
    )


def _refuse_several_symbols(rates: pd.DataFrame) -> None:
    column = _find(rates, _SYMBOLS)
    if column is None or rates[column].nunique() < 2:
        return
    first, second = rates[column].unique()[:2]
    raise BarsError(
        f"the record of funding rates is of several markets, {first} and {second} among them. "
        f"Choose one: rates[rates[{column!r}] == {first!r}]."
    )


def _read_numbers(values: pd.Series, name: str) -> pd.Series:
    read = pd.to_numeric(values, errors="coerce").astype("float64")
    unread = read.isna() & values.notna() & (values.astype(str).str.strip() != "")
    if unread.any() or np.isinf(read).any():
        bad = values[unread | np.isinf(read)]
        text = str(bad.iloc[0])
        percent = " Divide percents by 100." if "%" in text else ""
        raise BarsError(
            f"the {name} {text[:40]!r} at {bad.index[0]} isn't a number ({len(bad)} in all). "
            f"Turn it into a fraction, such as 0.0001.{percent}"
        )
    return read


def _read_times(times: pd.Series | pd.Index) -> pd.DatetimeIndex:
    if isinstance(times.dtype, pd.DatetimeTZDtype) or pd.api.types.is_datetime64_dtype(times):
        return pd.DatetimeIndex(times)
    counts = pd.to_numeric(pd.Series(times), errors="coerce")
    if counts.notna().all():
        size = counts.abs().median()
        unit = next((u for u, least in reversed(_UNITS_OF_EPOCH.items()) if size >= least), None)
        if unit is None:
            raise BarsError(
                f"the time {times[0] if isinstance(times, pd.Index) else times.iloc[0]} of a "
                "funding rate is no count of seconds or milliseconds since 1970. Give the rates "
                "with their times."
            )
        stamps = counts.to_numpy().astype("int64").astype(f"datetime64[{unit}]")
        return pd.DatetimeIndex(stamps, tz="UTC")
    try:
        return pd.DatetimeIndex(pd.to_datetime(pd.Series(times).to_numpy(), format="ISO8601"))
    except (ValueError, TypeError) as error:
        raise BarsError(
            f"a time of the funding rates can't be read ({error}). Turn the times into dates with "
            "pd.to_datetime first."
        ) from error


def _on_clock_of(index: pd.DatetimeIndex, records: pd.DataFrame) -> pd.DataFrame:
    """The records in the bars' own timezone, oldest first."""
    stamps = pd.DatetimeIndex(records.index)
    n_missing = int(np.count_nonzero(stamps.isna()))
    if n_missing:
        raise BarsError(
            f"{n_missing} funding rates have no time. Drop those rows, or correct them."
        )
    if (index.tz is None) != (stamps.tz is None):
        which, code = ("bars", "bars") if index.tz is None else ("funding rates", "rates")
        raise BarsError(
            f"the {which} have times without a timezone, and the others have one. Say which it is: "
            f'{code}.tz_localize("UTC").'
        )
    return records.set_axis(stamps.tz_convert(index.tz) if index.tz else stamps).sort_index()


def _settle_stamps(records: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """One record a settlement on its whole minute, and what was done for it."""
    notes = []
    is_empty = records["rate"].isna()
    if is_empty.any():
        first = records.index[is_empty][0]
        notes.append(f"left out {int(is_empty.sum())} without a rate, the first at {first}")
        records = records[~is_empty]
    stamps = pd.DatetimeIndex(records.index)
    minutes = stamps.round("min")
    is_near = np.abs((minutes - stamps).to_numpy()) <= _TOLERANCE.to_timedelta64()
    n_rounded = int(np.count_nonzero(is_near & (minutes != stamps)))
    if n_rounded:
        notes.append(f"rounded the times of {n_rounded} to the minute")
    records = records.set_axis(pd.DatetimeIndex(minutes.where(is_near, stamps)))
    repeated = records.index.duplicated(keep="first")
    if repeated.any():
        _refuse_contradictions(records)
        notes.append(f"{int(repeated.sum())} came twice and count once")
    return records[~repeated], notes


def _refuse_contradictions(records: pd.DataFrame) -> None:
    spread = records.groupby(level=0)["rate"].agg(["min", "max"])
    differ = spread[spread["min"] != spread["max"]]
    if len(differ):
        low, high = differ.iloc[0]
        raise BarsError(
            f"two funding rates settle at {differ.index[0]}, {low:.6g} and {high:.6g} "
            f"({len(differ)} such times in all). Keep the right one."
        )


def _join(valid: pd.DataFrame, records: pd.DataFrame, mark: str) -> pd.DataFrame:
    index = pd.DatetimeIndex(valid.index)
    is_at_open = records.index.isin(index)
    joined = valid.assign(**{_RATE: records["rate"][is_at_open].reindex(index)})
    within = records[~is_at_open]
    if len(within):
        row = index.searchsorted(pd.DatetimeIndex(within.index), side="right") - 1
        known = within["mark"].fillna(
            pd.Series(mark_at_open(valid, mark).to_numpy()[row], within.index)
        )
        paid = np.bincount(row, weights=within["rate"] * known, minlength=len(index))
        joined[PAYMENT] = paid
    return joined
