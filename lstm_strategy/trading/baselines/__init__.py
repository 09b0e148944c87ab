"""Honest baselines: textbook rules that a forecast must beat on the same terms.

`BASELINES` maps a readable name to the strategy class, and `PORTFOLIO_BASELINES` those for many
markets; each works in plain backtrader too. `PERPETUAL_BASELINES`, `FUTURES_BASELINES` and
`FUTURES_PORTFOLIO_BASELINES` read columns that only derivatives have, and `choose_baselines` gives
all that suit some bars. Lengths that the textbooks give in days or months are
counted in the bars' own frequency, by `bars_per_day` and `bars_per_year`; oscillators and channels
have the same number of bars on bars of any size.
"""

from collections.abc import Mapping

import pandas as pd

from lstm_strategy.support import NamedDict
from lstm_strategy.trading.baselines.bollinger_reversion import BollingerReversion
from lstm_strategy.trading.baselines.buy_and_hold import BuyAndHold
from lstm_strategy.trading.baselines.derivatives import (
    COLUMNS_OF_BASELINES,
    FUTURES_BASELINES,
    FUTURES_PORTFOLIO_BASELINES,
    PERPETUAL_BASELINES,
    BasisReversion,
    CarryAndTrend,
    CarryAndTrendPortfolio,
    CarryPortfolio,
    FundingCarry,
    FundingReversal,
    FuturesCarry,
)
from lstm_strategy.trading.baselines.donchian_breakout import DonchianBreakout
from lstm_strategy.trading.baselines.macd import MACD
from lstm_strategy.trading.baselines.momentum_12_1 import Momentum121
from lstm_strategy.trading.baselines.portfolio import PORTFOLIO_BASELINES, EqualWeight
from lstm_strategy.trading.baselines.random_entries import RandomEntries
from lstm_strategy.trading.baselines.rsi_reversion import RSIReversion
from lstm_strategy.trading.baselines.short_term_reversal import ShortTermReversal
from lstm_strategy.trading.baselines.sma_cross import SMACross
from lstm_strategy.trading.baselines.volatility_target import VolatilityTarget
from lstm_strategy.trading.execution import ExposureStrategy, TargetStrategy

BASELINES: dict[str, type[TargetStrategy]] = NamedDict(
    {
        "Buy and hold": BuyAndHold,
        "SMA cross": SMACross,
        "MACD": MACD,
        "RSI reversion": RSIReversion,
        "Bollinger reversion": BollingerReversion,
        "Donchian breakout": DonchianBreakout,
        "12-1 momentum": Momentum121,
        "Volatility target": VolatilityTarget,
        "Short-term reversal": ShortTermReversal,
        "Random entries": RandomEntries,
    }
)

EVERY_BASELINE: dict[str, type[ExposureStrategy]] = NamedDict(
    {
        **BASELINES,
        **PERPETUAL_BASELINES,
        **FUTURES_BASELINES,
        **PORTFOLIO_BASELINES,
        **FUTURES_PORTFOLIO_BASELINES,
    }
)


def choose_baselines(
    bars: pd.DataFrame | Mapping[str, pd.DataFrame],
) -> dict[str, type[ExposureStrategy]]:
    """All baselines that can be run on bars: the usual ones, and those whose columns are there.

    Args:
        bars: The bars of one market or a panel, of which all markets must have the columns.

    Returns:
        The strategy classes by readable name.

    Example:
        >>> from lstm_strategy import sample_bars, simulate_bars
        >>> list(choose_baselines(simulate_bars("perpetual", 100).bars))[-3:]
        ['Funding carry', 'Funding reversal', 'Basis reversion']
        >>> choose_baselines(sample_bars("sp500")) == BASELINES
        True
    """
    if isinstance(bars, pd.DataFrame):
        columns = set(bars.columns)
        named: list[Mapping[str, type[ExposureStrategy]]]
        named = [BASELINES, PERPETUAL_BASELINES, FUTURES_BASELINES]
    else:
        columns = set.intersection(*(set(market.columns) for market in bars.values()))
        named = [PORTFOLIO_BASELINES, FUTURES_PORTFOLIO_BASELINES]
    return NamedDict(
        {
            name: baseline
            for baselines in named
            for name, baseline in baselines.items()
            if columns.issuperset(COLUMNS_OF_BASELINES.get(baseline, ()))
        }
    )


def suggest_baseline(given: object) -> str:
    """Return a sentence that says how the baseline is written whose name was given for its class.

    Args:
        given: What stands where a strategy class is meant.

    Returns:
        The sentence with a space before it; "" for anything but the name of a baseline.

    Example:
        >>> suggest_baseline("macd"), suggest_baseline("moon phases")
        (' Give BASELINES["MACD"].', '')
    """
    collections = {
        "BASELINES": BASELINES,
        "PORTFOLIO_BASELINES": PORTFOLIO_BASELINES,
        "PERPETUAL_BASELINES": PERPETUAL_BASELINES,
        "FUTURES_BASELINES": FUTURES_BASELINES,
        "FUTURES_PORTFOLIO_BASELINES": FUTURES_PORTFOLIO_BASELINES,
    }
    for collection, baselines in collections.items():
        for name in baselines:
            if isinstance(given, str) and given.casefold() == name.casefold():
                return f' Give {collection}["{name}"].'
    return ""


__all__ = [
    "BASELINES",
    "BasisReversion",
    "BollingerReversion",
    "BuyAndHold",
    "CarryAndTrend",
    "CarryAndTrendPortfolio",
    "CarryPortfolio",
    "DonchianBreakout",
    "EVERY_BASELINE",
    "EqualWeight",
    "FUTURES_BASELINES",
    "FUTURES_PORTFOLIO_BASELINES",
    "FundingCarry",
    "FundingReversal",
    "FuturesCarry",
    "MACD",
    "Momentum121",
    "PERPETUAL_BASELINES",
    "PORTFOLIO_BASELINES",
    "RSIReversion",
    "RandomEntries",
    "SMACross",
    "ShortTermReversal",
    "VolatilityTarget",
    "choose_baselines",
    "suggest_baseline",
]
