"""Returns and trends in units of volatility: the same size in a calm market and in a wild one.

All of them are 0 where nothing has moved, and at most 5 in size: what lies beyond is a crash or a
bad print, of which a network can't learn more than that it was large.

Source:
    Baz, Granger, Harvey, Le Roux & Rattray, "Dissecting Investment Strategies in the Cross Section
    and Time Series" (2015); Lim, Zohren & Roberts, "Enhancing Time Series Momentum Strategies Using
    Deep Neural Networks" (2019), section 4.
"""

import numpy as np
import pandas as pd

from lstm_strategy.learning.features.kinds.arguments import check_bars, check_order
from lstm_strategy.learning.variance import ewm_volatility

_LARGEST = 5.0
_PRICE_BARS, _TREND_BARS = 63, 252  # over which a MACD is scaled, once and again
_NO_DEVIATION = 1e-8  # nothing moves, and what is left is rounding


def scaled_return(bars: pd.DataFrame, *, length: int = 1, span: int = 60) -> pd.DataFrame:
    """The log return over `length` bars in units of the volatility of so many bars.

    The volatility is the exponentially weighted one of `span` bars times the root of `length`.
    Known at the close of its row.
    """
    check_bars("scaled_return", length=length)
    check_bars("scaled_return", least=2, span=span)
    scaled = _scaled_return(bars, length, span)
    return pd.DataFrame({f"SCALED_RETURN_{length}_{span}": scaled}, bars.index)


def scaled_loss(bars: pd.DataFrame, *, length: int = 1, span: int = 60) -> pd.DataFrame:
    """What `scaled_return` is where it is negative, else 0.

    Volatility rises more after losses than after gains of the same size: the leverage effect.
    Known at the close of its row.

    Source:
        Corsi & Renò, "Discrete-Time Volatility Forecasting with Persistent Leverage Effect and the
        Link with Continuous-Time Volatility Modeling", Journal of Business & Economic Statistics 30
        (2012): losses over 1, 5 and 22 bars.
    """
    check_bars("scaled_loss", length=length)
    check_bars("scaled_loss", least=2, span=span)
    losses = np.minimum(_scaled_return(bars, length, span), 0.0)
    return pd.DataFrame({f"SCALED_LOSS_{length}_{span}": losses}, bars.index)


def scaled_macd(bars: pd.DataFrame, *, fast: int = 8, slow: int = 24) -> pd.DataFrame:
    """The distance between two means of the log price, scaled twice.

    The means are exponentially weighted with the newest bar weighing 1/`fast` and 1/`slow`. Their
    distance is divided by the deviation of the log price over 63 bars, and the result by its own
    deviation over 252 bars. Logs make the value of the mirrored market exactly the opposite. Known
    at the close of its row.
    """
    check_bars("scaled_macd", fast=fast, slow=slow)
    check_order("scaled_macd", fast=fast, slow=slow)
    price = pd.Series(_log_close(bars), bars.index)
    means = [price.ewm(alpha=1 / n_bars, min_periods=slow).mean() for n_bars in (fast, slow)]
    trend = _divide(means[0] - means[1], price.rolling(_PRICE_BARS).std())
    scaled = _divide(trend, pd.Series(trend).rolling(_TREND_BARS).std())
    return pd.DataFrame({f"SCALED_MACD_{fast}_{slow}": _limit(scaled)}, bars.index)


def _scaled_return(bars: pd.DataFrame, length: int, span: int) -> np.ndarray:
    price = _log_close(bars)
    before = np.append(np.full(min(length, len(price)), np.nan), price[:-length])
    volatility = ewm_volatility(bars["close"], span=span) * np.sqrt(length)
    return _limit(_divide(price - before, volatility))


def _log_close(bars: pd.DataFrame) -> np.ndarray:
    """The log of the close over the first one, so that sums of them stay small and exact."""
    close = bars["close"].to_numpy(np.float64)
    logs: np.ndarray = np.log(close / close[:1])
    return logs


def _divide(values: np.ndarray | pd.Series, deviation: pd.Series) -> np.ndarray:
    """Values over their deviation; 0 where there is none."""
    values, size = np.asarray(values), deviation.to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = values / size
    divided: np.ndarray = np.where((size <= _NO_DEVIATION) & ~np.isnan(values), 0.0, quotient)
    return divided


def _limit(values: np.ndarray) -> np.ndarray:
    limited: np.ndarray = np.clip(values, -_LARGEST, _LARGEST)
    return limited
