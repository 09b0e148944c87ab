"""What rates of funding can't be: percents, beyond any exchange's cap, or filled in between."""

import pandas as pd

from lstm_strategy.bars.frequency import bar_spacing
from lstm_strategy.bars.funding.settlements import repeated_bars, zero_filled_bars
from lstm_strategy.errors import BarsError
from lstm_strategy.support import count_of, format_time

HIGHEST_RATE = 0.1
"""Of the notional in one settlement; exchanges cap theirs well below."""

_HIGHEST_USUAL_RATE = 0.002  # twenty times the usual 0.01%, a fifth of it written in percent
_DOUBTFUL_RATE = 0.01  # most exchanges cap theirs at a few percents
_FEWEST_RATES = 9  # that make a size usual
_MANY_RATES = 20  # that make it usual beyond a doubt
_INTERVAL = pd.Timedelta(hours=8)  # between the settlements of most markets


def check_funding_rates(rates: pd.Series, *, name: str = "the funding rate") -> None:
    """Refuse rates on their times that `funding_offence` finds wrong.

    Args:
        rates: Fractions on their times; NaN where nothing settles.
        name: What the rates are called in the message.

    Raises:
        BarsError: With the date and the remedy.

    Example:
        >>> days = pd.to_datetime(["2024-01-01", "2024-01-02"])
        >>> check_funding_rates(pd.Series([0.0001, -0.0002], days))
    """
    offence = rate_offence(rates, name=name)
    if offence is not None:
        raise BarsError(offence)


def funding_offence(
    rates: pd.Series, *, name: str | None = None, is_sum: bool = False
) -> str | None:
    """What is wrong with a column of funding rates, in words.

    Args:
        rates: On the index of the bars, NaN where nothing settles.
        name: What the rates are called; the name of the series by default.
        is_sum: Whether a rate is the sum of the settlements within its bar.

    Returns:
        A sentence with the date and the remedy where a rate is beyond 10% of the notional, the
        median size of nine or more rates that aren't 0 is above 0.002, or the rows between
        settlements were filled with the last rate or with 0; None where nothing is wrong.

    Example:
        >>> days = pd.date_range("2024-01-01", periods=9)
        >>> funding_offence(pd.Series([0.01, 0.012, 0.008] * 3, days, name="funding_rate"))
        'funding_rate looks like percent: its usual size is 0.01 from 2024-01-01 on, where \
fractions are about 0.0001. Divide the column by 100: 0.01% is 0.0001. Where these few are right, \
load the bars around them as well.'
        >>> funding_offence(pd.Series([0.0001, 0.0002, 0.0001] * 3, days)) is None
        True
    """
    name = str(rates.name) if name is None else name
    if is_sum:
        spacing = bar_spacing(pd.DatetimeIndex(rates.index)) if len(rates) > 1 else _INTERVAL
        return rate_offence(rates, name=name, n_times=max(1.0, spacing / _INTERVAL))
    return rate_offence(rates, name=name) or _filled_between(rates, name)


def rate_offence(rates: pd.Series, *, name: str, n_times: float = 1.0) -> str | None:
    """What is wrong with the size of rates, in words; see `funding_offence`.

    Args:
        rates: Fractions on their times; NaN where none is known.
        name: What the rates are called.
        n_times: How many settlements a rate is the sum of.

    Example:
        >>> rate_offence(pd.Series([0.5], pd.to_datetime(["2024-01-01"])), name="predicted")
        'predicted is 0.5 at 2024-01-01, more than 10% of the notional in one settlement. Correct \
it; if the rates are percents, divide the column by 100: 0.01% is 0.0001.'
    """
    settled = rates.dropna()
    sizes = settled[settled != 0.0].abs()
    remedy = "ivide the column by 100: 0.01% is 0.0001"
    if len(sizes) >= _FEWEST_RATES and sizes.median() > _HIGHEST_USUAL_RATE * n_times:
        doubt = " Where these few are right, load the bars around them as well."
        return (
            f"{name} looks like percent: its usual size is {sizes.median():.3g} from "
            f"{format_time(sizes.index[0])} on, where fractions are about 0.0001. D{remedy}."
            f"{doubt if len(sizes) < _MANY_RATES else ''}"
        )
    too_high = settled[settled.abs() > HIGHEST_RATE * n_times]
    if len(too_high):
        most = "10% of the notional in one settlement"
        if n_times > 1:
            most = f"{HIGHEST_RATE * n_times:.0%} of the notional in one bar"
        return (
            f"{name} is {too_high.iloc[0]:.6g} at {format_time(too_high.index[0])}, more than "
            f"{most}. Correct it; if the rates are percents, d{remedy}."
        )
    return None


def rate_doubt(rates: pd.Series, *, name: str | None = None) -> str | None:
    """What is doubtful about rates that aren't refused by their size.

    A day or two of rates above 0.2% are most often percents, and single rates of 1% among usual
    ones a slip, but the wildest days of small coins have such fractions, so nobody can tell: it is
    said, and the user knows.

    Args:
        rates: Fractions on their times; NaN where nothing settles.
        name: What the rates are called; the name of the series by default.

    Returns:
        A sentence without a full stop, with the first time and the remedy, where there are fewer
        than nine rates that aren't 0 and their median size is above 0.002, or where single rates
        are 0.01 and more; else None.

    Example:
        >>> rate_doubt(pd.Series([0.01], pd.to_datetime(["2024-01-01"]), name="funding_rate"))
        'funding_rate has 1 rate of about 0.01 in size, at 2024-01-01, which is common in percent \
and rare in fractions: if it is in percent, divide the column by 100'
        >>> rate_doubt(pd.Series([0.0001], pd.to_datetime(["2024-01-01"]))) is None
        True
    """
    name = str(rates.name) if name is None else name
    sizes = rates[rates.fillna(0.0) != 0.0].abs()
    if 0 < len(sizes) < _FEWEST_RATES and sizes.median() > _HIGHEST_USUAL_RATE:
        where = "at" if len(sizes) == 1 else "the first at"
        return (
            f"{name} has {count_of(len(sizes), 'rate')} of about {sizes.median():.3g} in size, "
            f"{where} {format_time(sizes.index[0])}, which is common in percent and rare in "
            "fractions: if it is in percent, divide the column by 100"
        )
    high = rates[rates.abs() >= _DOUBTFUL_RATE]
    if high.empty:
        return None
    return (
        f"{name} is 1% or more in {count_of(len(high), 'settlement')}, first {high.iloc[0]:.3g} "
        f"at {format_time(high.index[0])}, and {sizes.median():.2g} in size as a rule: check that "
        "these are right, since a rate is a fraction and 0.01% is 0.0001"
    )


def _filled_between(rates: pd.Series, name: str) -> str | None:
    first = format_time(rates.first_valid_index())
    keep = "Keep the rate on the row at whose open it settles, and NaN on the others"
    n_bars = repeated_bars(rates)
    if n_bars > 1:
        return (
            f"{name} repeats every rate in runs of {n_bars} bars or a multiple, from {first} on, "
            f"and each row would count as a settlement. {keep}."
        )
    n_bars = zero_filled_bars(rates)
    if n_bars > 1:
        return (
            f"{name} is 0 on the rows between settlements, which come every {n_bars} bars, from "
            f"{first} on, and each row would count as a settlement. {keep}: "
            f"column.where(column != 0)."
        )
    return None
