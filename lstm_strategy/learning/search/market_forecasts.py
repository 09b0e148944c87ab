"""Forecasts of the markets of a panel as one table, by symbol and date."""

from collections.abc import Mapping

import pandas as pd

from lstm_strategy.bars import Panel

_SYMBOL, _DATE = "symbol", "datetime"


def join_markets(
    frames: Mapping[str, pd.DataFrame], panel: Panel, *, start: pd.Timestamp
) -> pd.DataFrame:
    """Join what is known of each market from a date on, on the clock of the panel's dates.

    Args:
        frames: A table a market, on the dates of its bars.
        panel: The markets.
        start: The first date to keep.

    Returns:
        The rows of all markets under their symbol and date.

    Example:
        >>> from lstm_strategy.bars import as_panel, sample_bars
        >>> panel = as_panel({"SP": sample_bars("sp500")[:3], "NQ": sample_bars("nasdaq")[:3]})
        >>> signals = {symbol: bars[["close"]] * 0 for symbol, bars in panel.items()}
        >>> len(join_markets(signals, panel, start=panel.dates[1]))
        4
    """
    zone = panel.dates.tz
    own = {symbol: frame.loc[start:] for symbol, frame in frames.items()}
    if zone is not None:
        own = {symbol: frame.tz_convert(zone) for symbol, frame in own.items()}
    return pd.concat(own, names=[_SYMBOL, _DATE])


def split_markets(forecasts: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of each market that `join_markets` joined, in order of their dates.

    Args:
        forecasts: What it returned, or several such tables below each other.

    Example:
        >>> index = pd.MultiIndex.from_tuples(
        ...     [("SP", 1), ("NQ", 1), ("SP", 2)], names=["symbol", "datetime"])
        >>> parts = split_markets(pd.DataFrame({"signal": [0.1, 0.2, 0.3]}, index))
        >>> {symbol: part["signal"].tolist() for symbol, part in parts.items()}
        {'SP': [0.1, 0.3], 'NQ': [0.2]}
    """
    symbols = forecasts.index.get_level_values(_SYMBOL)
    return {
        str(symbol): forecasts[symbols == symbol].droplevel(_SYMBOL) for symbol in symbols.unique()
    }


def dates_of(forecasts: pd.DataFrame) -> pd.Index:
    """The dates of forecasts, of one market or of several, in order and each of them once.

    Example:
        >>> dates_of(pd.DataFrame({"signal": [0.5, 0.7]}, index=[3, 4])).tolist()
        [3, 4]
    """
    if forecasts.index.nlevels == 1:
        return forecasts.index
    return forecasts.index.get_level_values(_DATE).unique().sort_values()


def add_returns(forecasts: pd.DataFrame, returns: pd.Series) -> pd.DataFrame:
    """Keep the returns of the traded forecasts beside them, of a panel on every row of a date."""
    if forecasts.index.nlevels == 1:
        return forecasts.assign(**{"return": returns})
    by_row = returns.reindex(forecasts.index.get_level_values(_DATE))
    return forecasts.assign(**{"return": by_row.to_numpy()})


def returns_by_date(kept: pd.DataFrame) -> pd.Series:
    """The returns that `add_returns` kept, one a date."""
    if kept.index.nlevels == 1:
        return kept["return"]
    return kept["return"].groupby(level=_DATE).first()
