"""What every source of bars promises."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import pandas as pd

from lstm_strategy.bars.span import slice_bars


class BarSource(Protocol):
    """A market with its history and its live bars; write one of your own with these members.

    Bars are stamped with the time at which they open, in history and live alike. A source hands
    over closed bars only, unless a bar says `closed: False`.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from lstm_strategy import open_source, sample_bars
        >>> file = Path(tempfile.mkdtemp()) / "index.csv"
        >>> sample_bars("sp500")[:5].to_csv(file)
        >>> source = open_source(f"play:{file}?history=3&pace=0")
        >>> history = source.history()
        >>> [bar["datetime"].day for bar in source.live(after=history.index[-1])]
        [7, 8]
    """

    @property
    def name(self) -> str:
        """What the source is called: the text that opens it."""
        ...

    @property
    def spacing(self) -> pd.Timedelta:
        """The time from the open of one bar to that of the next."""
        ...

    def history(
        self,
        start: pd.Timestamp | str | None = None,
        end: pd.Timestamp | str | None = None,
        *,
        n_bars: int | None = None,
    ) -> pd.DataFrame:
        """The bars that have closed so far, as `validate_bars` returns them.

        Args:
            start: The first date; None for the first that the source has.
            end: The last date, inclusive; None for the last closed bar.
            n_bars: How many bars to keep, the latest ones; None for all.

        Raises:
            BarsError: If the source can't be reached.
            TradingError: If it has no bars there.
        """
        ...

    def live(self, after: pd.Timestamp | None = None) -> Iterator[Mapping[str, Any]]:
        """Hand over each bar as it closes, and wait for the next; ends after `close`.

        Args:
            after: The stamp of the last bar that is known already. Later bars that have closed
                since come first, without waiting. None for bars that close from now on.

        Yields:
            `datetime`, `open` to `volume` and the extra columns of the history, and perhaps
            `closed`, which is False for a bar that still forms.

        Raises:
            BarsError: If the source can't be reached for long.
        """
        ...

    def close(self) -> None:
        """End `live` from any thread, also while it waits; let connections go."""
        ...


def cut_history(
    bars: pd.DataFrame,
    start: pd.Timestamp | str | None,
    end: pd.Timestamp | str | None,
    n_bars: int | None,
) -> pd.DataFrame:
    """Cut a history as `BarSource.history` says.

    Raises:
        TradingError: If a date isn't one, or no bar lies there.
    """
    cut = slice_bars(bars, start=start, end=end)
    return cut if n_bars is None else cut.iloc[max(0, len(cut) - n_bars) :]


def iterate_bars(bars: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The rows of bars as mappings, each with its `datetime`.

    Args:
        bars: Validated bars.

    Example:
        >>> bars = pd.DataFrame({"close": [10.0]}, pd.DatetimeIndex(["2024-01-02"]))
        >>> list(iterate_bars(bars))
        [{'datetime': Timestamp('2024-01-02 00:00:00'), 'close': 10.0}]
    """
    columns = list(bars.columns)
    for moment, *values in bars.itertuples(name=None):
        yield {"datetime": moment, **dict(zip(columns, values, strict=True))}
