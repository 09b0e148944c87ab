"""The rhythm in which funding settles: what it lacks, and what was filled in between."""

import numpy as np
import pandas as pd

from lstm_strategy.support import count_of, format_time

_STEPS_AROUND = 7
_RAREST_CHANCE = 1e-6  # that changes fall on a rhythm which isn't theirs
_STRETCHES = (32, 16)  # changes, where the rhythm isn't the same on all bars
_RAREST_CHANCE_OF_STRETCH = 1e-9  # since there are many of them
_LONGEST_RUN = 15  # of zeros that are equally far apart by chance, in runs
_FEWEST_RATES = 5
_USUAL_SHARE = 0.75
_LONGEST_INTERVAL = pd.Timedelta(days=1)


def repeated_bars(rates: pd.Series) -> int:
    """Find out whether rates were filled forward or back to bars between their settlements.

    Args:
        rates: On the index of the bars, NaN where nothing settles.

    Returns:
        Over how many bars each rate is repeated, or a divisor of that, on all bars or on a long
        stretch of them; 1 where rates aren't repeated, or are too few to tell.

    Example:
        >>> hours = pd.date_range("2024-01-01", periods=240, freq="h")
        >>> every_eight = pd.Series(range(30), hours[::8]).reindex(hours)
        >>> repeated_bars(every_eight), repeated_bars(every_eight.ffill())
        (1, 8)
        >>> repeated_bars(every_eight.ffill(limit=3))
        8
    """
    settled = rates.dropna()
    times = pd.DatetimeIndex(settled.index).as_unit("ns").asi8
    is_change = np.diff(settled.to_numpy()) != 0.0
    changes, steps = times[1:][is_change], np.append(np.diff(times), 0)[1:][is_change]
    n_bars = _bars_of_rhythm(changes, steps, _RAREST_CHANCE)
    if n_bars > 1:
        return n_bars
    for width in _STRETCHES:
        for first in range(0, len(changes) - width + 1, width // 2):
            stretch = slice(first, first + width)
            n_bars = _bars_of_rhythm(changes[stretch], steps[stretch], _RAREST_CHANCE_OF_STRETCH)
            if n_bars > 1:
                return n_bars
    return 1


def _bars_of_rhythm(changes: np.ndarray, steps: np.ndarray, rarest: float) -> int:
    """The rhythm of changes, in bars; 1 where it may be chance.

    Args:
        changes: When the rate changes.
        steps: How long after each change the next row with a rate comes.
        rarest: The chance below which a rhythm is taken for one.
    """
    if len(changes) < 2:
        return 1
    rhythm = int(np.gcd.reduce(np.diff(changes)))
    n_bars = round(rhythm / max(float(np.median(steps)), 1.0))
    return 1 if n_bars < 2 or float(n_bars) ** -(len(changes) - 1) > rarest else n_bars


def zero_filled_bars(rates: pd.Series) -> int:
    """Find out whether the rows between settlements were filled with 0.

    Args:
        rates: On the index of the bars, NaN where nothing settles.

    Returns:
        Every how many bars funding settles, if the rates that aren't 0 come so regularly and all
        between are 0, as a rule or on a long stretch; else 1.

    Example:
        >>> hours = pd.date_range("2024-01-01", periods=240, freq="h")
        >>> every_eight = pd.Series(0.0001, hours[::8]).reindex(hours)
        >>> zero_filled_bars(every_eight), zero_filled_bars(every_eight.fillna(0))
        (1, 8)
    """
    places = np.flatnonzero(rates.dropna().to_numpy())
    if len(places) < _FEWEST_RATES:
        return 1
    steps = np.diff(places)
    usual = int(np.median(steps))
    if np.mean(steps == usual) >= _USUAL_SHARE:
        return usual
    runs = np.split(steps, np.flatnonzero(np.diff(steps)) + 1)
    return max((int(run[0]) for run in runs if len(run) > _LONGEST_RUN), default=1)


def missing_settlements(
    times: pd.DatetimeIndex, *, within: pd.DatetimeIndex | None = None
) -> pd.DatetimeIndex:
    """The settlements that an otherwise regular rhythm lacks.

    Args:
        times: When funding settled, rising. The rhythm is the median of the seven steps around each
            one, so that an interval that changes is no gap.
        within: The times of the bars. Where the record begins after them or ends before them, the
            rhythm of its first or last steps goes on to their ends; by default nothing is due
            there.

    Returns:
        The times at which a settlement was due.

    Example:
        >>> times = pd.date_range("2024-01-01", periods=9, freq="8h").delete(4)
        >>> missing_settlements(times).strftime("%d %H:%M").tolist()
        ['02 08:00']
        >>> hours = pd.date_range("2024-01-01", "2024-01-04 08:00", freq="h")
        >>> missing_settlements(times, within=hours).strftime("%d %H:%M").tolist()
        ['02 08:00', '04 00:00', '04 08:00']
    """
    if len(times) < 2:
        return times[:0]
    steps = pd.Series(np.diff(times.asi8))
    around = steps.rolling(_STEPS_AROUND, center=True, min_periods=min(2, len(steps))).median()
    rhythm = around.to_numpy()
    due = [
        times[row] + pd.Timedelta(int(rhythm[row]), unit=times.unit) * number
        for row in np.flatnonzero(steps > 1.5 * rhythm).tolist()
        for number in range(1, round(steps[row] / rhythm[row]))
    ]
    if within is not None and len(within):
        first, last = (
            pd.Timedelta(int(max(rhythm[row], steps.iloc[row])), unit=times.unit) for row in (0, -1)
        )
        n_before = max(0, (times[0] - within[0]) // first)
        n_after = max(0, (within[-1] - times[-1]) // last)
        due = [times[0] - first * number for number in range(n_before, 0, -1)] + due
        due += [times[-1] + last * number for number in range(1, n_after + 1)]
    return pd.DatetimeIndex(due) if due else times[:0]


def describe_missing_settlements(rates: pd.Series) -> list[str]:
    """How many settlements a column of rates lacks before, between and after those it has.

    Args:
        rates: On the index of the bars, NaN where nothing settles.

    Returns:
        Clauses without a full stop, each naming a time; none where nothing is missing.

    Example:
        >>> hours = pd.date_range("2024-01-01", periods=72, freq="h")
        >>> rates = pd.Series(0.0001, hours, name="funding_rate")[::8].reindex(hours)
        >>> describe_missing_settlements(rates)
        []
        >>> describe_missing_settlements(rates.where(hours < "2024-01-02"))
        ['6 settlements missing from funding_rate after 2024-01-01 16:00:00, where its rates end']
    """
    bars = pd.DatetimeIndex(rates.index)
    times = pd.DatetimeIndex(bars[rates.notna().to_numpy()])
    if len(times) < 2:
        if not len(bars) or bars[-1] - bars[0] < _LONGEST_INTERVAL:
            return []
        only = f" but one, at {format_time(times[0])}," if len(times) else ""
        return [f"all settlements{only} missing from {rates.name}"]
    due = missing_settlements(times, within=bars)
    if (due < times[0]).sum() == 1 and due[0] == bars[0]:
        due = due[1:]  # the record begins with the bars: nobody holds anything as the first opens
    n_before, n_after = int((due < times[0]).sum()), int((due > times[-1]).sum())
    between = due[n_before : len(due) - n_after]
    last_before = times[times < between[0]][-1] if len(between) else None
    clauses = (
        (n_before, f" before {format_time(times[0])}, where its rates begin"),
        (len(between), f", the first after {format_time(last_before)}"),
        (n_after, f" after {format_time(times[-1])}, where its rates end"),
    )
    return [
        f"{count_of(number, 'settlement')} missing from {rates.name}{where}"
        for number, where in clauses
        if number
    ]
