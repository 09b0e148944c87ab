"""Markets whose right answer is known: a model must find the memory, and nothing in noise."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, overload

import numpy as np
import pandas as pd

from lstm_strategy.bars.panel import Panel, name_market
from lstm_strategy.bars.read import LoadedBars
from lstm_strategy.bars.simulation.rules import KINDS, Draws, Path
from lstm_strategy.errors import BarsError
from lstm_strategy.support import spell, suggest_names

_FIRST_DAY = "1970-01-01"
_FIRST_HOUR = "2020-01-01T00"
_FIRST_OPEN = 100.0
_USUAL_VOLUME = 1_000_000.0
_WICK = 0.25  # of vol: wide enough to look like bars, too narrow to trigger orders often
_MOST_BARS = 2_000_000  # business days since 1970 up to the year 9999, where Python's dates end
_MOST_ASSETS = 10_000
_LARGEST_LOG_PRICE = 600.0  # exp(709) is the end of float64

_ALLOWED = {
    "vol": (1e-6, 0.2),
    "p_news": (0.0, 1.0),
    "strength": (0.0, 5.0),
    "jump": (0.0, 50.0),
    "busy_factor": (1.0, 100.0),
    "news_factor": (1.0, 1000.0),
    "volume_noise": (0.0, 2.0),
    "mean_drift_bars": (3.0, 1e6),
    "mean_vol_bars": (1.0, 1e6),
    "wild_factor": (1.0, 20.0),
    "alpha": (0.0, 1.0),
    "beta": (0.0, 1.0),
    "mean_rush_bars": (1.0, 1e6),
    "delay_bars": (1.0, 10_000.0),
    "rush": (0.0, 0.02),
    "premium_noise": (0.0, 0.01),
    "funding_bars": (1.0, 1_000.0),
}


@dataclass(frozen=True)
class SimulatedMarket:
    """Bars made by a known rule, and the exposure that whoever knows the rule would hold.

    `simulate_bars(m.kind, len(m.bars), seed=m.seed, **m.params)` makes the market `m` again.

    Attributes:
        bars: Open high low close volume on business days, as `validate_bars` wants them; those of
            `perpetual` come every hour in UTC, with mark, spot_close, funding_rate (on settlement
            rows, NaN elsewhere) and open_interest.
        oracle: The exposure to hold over the *next* bar, −1, 0 or 1, on the index of the bars;
            known at the close of its row to whoever knows the rule and the hidden state.
        kind: The rule.
        seed: The number that the draws were made from.
        params: Every parameter of the rule, defaults included.
        variance: The variance of the log return of the *next* bar, as a fraction squared, on the
            index of the bars, known at the close of its row to whoever knows the rule; None for
            `remembered_news`, `regimes` and `perpetual`, which are about the sign of returns.
    """

    bars: pd.DataFrame
    oracle: pd.Series
    kind: str
    seed: int
    params: dict[str, float]
    variance: pd.Series | None = None


@dataclass(frozen=True)
class SimulatedPanel:
    """Markets made by one known rule, and the exposures that whoever knows the rule would hold.

    `simulate_bars(p.kind, n_bars, seed=p.seed, n_assets=len(p.bars), **p.params)` makes the panel
    `p` again.

    Attributes:
        bars: The bars by symbol, `A01`, `A02` and so on.
        oracle: The exposures by symbol, each as in `SimulatedMarket`.
        kind: The rule.
        seed: The number that the draws were made from.
        params: Every parameter of the rule, defaults included.
        variance: The variances by symbol, each as in `SimulatedMarket`; None where there are none.
    """

    bars: Panel
    oracle: dict[str, pd.Series]
    kind: str
    seed: int
    params: dict[str, float]
    variance: dict[str, pd.Series] | None = None


@overload
def simulate_bars(
    kind: str, n_bars: int = ..., *, seed: int = ..., n_assets: None = ..., **params: float
) -> SimulatedMarket: ...


@overload
def simulate_bars(
    kind: str, n_bars: int = ..., *, seed: int = ..., n_assets: int, **params: float
) -> SimulatedPanel: ...


def simulate_bars(
    kind: str,
    n_bars: int = 20_000,
    *,
    seed: int = 0,
    n_assets: int | None = None,
    **params: float,
) -> SimulatedMarket | SimulatedPanel:
    """Make bars of a market whose right answer is known, together with that answer.

    Closes follow from log returns; every open is the close before it. High and low reach beyond
    open and close by a wick of their own draws, of about `vol`/4, that says nothing about any
    other bar; those of `garch` are the extremes of a path of the bar's own variance. The same seed
    always makes the same bars, and a longer market of the same seed begins with the shorter one (as
    long as numpy keeps its random streams).

    With `n_assets` there are as many markets of the same rule. What the rule remembers is the same
    for all of them, and all else is drawn for each: the news of `remembered_news`, drift and
    volatility of `regimes`, the variance of `garch` and the rushes of `perpetual` are shared. More
    markets of the same seed begin with the fewer.

    Args:
        kind: The rule of the market:

            - `remembered_news`: news decides, until the next news, what follows a busy bar. Its
              parameters are `p_news=0.04`, `strength=0.3`, `jump=2.5`, `vol=0.01`,
              `busy_factor=1.5`, `news_factor=6` and `volume_noise=0.1`.
            - `regimes`: a drift up or down and a volatility, calm or wild, that each persist:
              `strength=0.2`, `mean_drift_bars=60`, `mean_vol_bars=40`, `vol=0.01`,
              `wild_factor=3` and `volume_noise=0.1`.
            - `garch`: volatility that clusters, and nothing to forecast: `vol=0.01`, `alpha=0.1`,
              `beta=0.88` and `volume_noise=0.1`.
            - `noise`: a random walk, and nothing to forecast: `vol=0.01` and `volume_noise=0.1`.
            - `perpetual`: hours of a perpetual future with mark, spot, open interest and funding
              tied to the premium over spot. Days after a crowd lifted or lowered that, the price
              goes against it: `strength=0.042`, `mean_rush_bars=120`, `delay_bars=24`,
              `rush=0.002`, `premium_noise=0.0002`, `funding_bars=8`, `vol=0.007` and
              `volume_noise=0.3`. 35,000 bars are four years; make longer ones of them with
              `aggregate_bars`.
        n_bars: From 1 to 2,000,000 bars, one for each business day from 1970 on, or for each hour
            from 2020 on.
        seed: Not negative; another seed makes another market of the same kind.
        n_assets: How many markets to make, from 1 to 10,000. None for one market that is no panel.
        **params: Parameters of the kind, by name. `vol` is the standard deviation of a usual log
            return.

    Returns:
        The bars, the exposure that earns most on them, and for `garch` and `noise` the variance to
        expect; with `n_assets` each of them by symbol.

    Raises:
        BarsError: For an unknown kind or parameter, naming the nearest, or a value out of range.

    Example:
        >>> market = simulate_bars("remembered_news", 5_000, seed=7, strength=0.5)
        >>> next_return = market.bars["close"].pct_change().shift(-1)
        >>> earned = market.oracle * next_return
        >>> bool(earned.mean() > 0.4 * 0.01)
        True
        >>> panel = simulate_bars("remembered_news", 500, seed=7, n_assets=12)
        >>> panel.bars.symbols[:3], len(panel.bars["A12"]), len(panel.oracle["A12"])
        (('A01', 'A02', 'A03'), 500, 500)
    """
    rule = _find_rule(kind)
    settings = _complete_params(kind, rule, params)
    n_bars = _check_whole("n_bars", n_bars, least=1, most=_MOST_BARS)
    seed = _check_whole("seed", seed, least=0)
    shared = Draws.from_seed(n_bars, seed)
    if n_assets is None:
        return _build_market(shared, kind, seed, settings)
    n_assets = _check_whole("n_assets", n_assets, least=1, most=_MOST_ASSETS)
    markets = {}
    for number in range(1, n_assets + 1):
        symbol = f"A{number:02}"
        own = Draws.from_seed(n_bars, [seed, number]).share_state_of(shared)
        with name_market(symbol):
            markets[symbol] = _build_market(own, kind, seed, settings)
    variance = {name: m.variance for name, m in markets.items() if m.variance is not None}
    return SimulatedPanel(
        Panel({name: LoadedBars(market.bars, ()) for name, market in markets.items()}),
        {name: market.oracle for name, market in markets.items()},
        kind,
        seed,
        settings,
        variance or None,
    )


def _build_market(
    draws: Draws, kind: str, seed: int, settings: dict[str, float]
) -> SimulatedMarket:
    path = KINDS[kind](draws, **settings)
    bars = _build_bars(path, draws, wick=_WICK * settings["vol"])
    oracle = pd.Series(path.oracle, bars.index, name="oracle")
    variance = path.variance
    known = None if variance is None else pd.Series(variance, bars.index, name="variance")
    return SimulatedMarket(bars, oracle, kind, seed, settings, known)


def _build_bars(path: Path, draws: Draws, *, wick: float) -> pd.DataFrame:
    log_close = np.cumsum(path.log_return)
    out_of_reach = np.abs(log_close) > _LARGEST_LOG_PRICE
    if out_of_reach.any():
        raise BarsError(
            f"prices must stay within what float64 holds, got {_FIRST_OPEN:g}·exp("
            f"{log_close[out_of_reach][0]:.0f}) at bar {out_of_reach.argmax()}. "
            "Lower vol or n_bars."
        )
    close = _FIRST_OPEN * np.exp(log_close)
    open_ = np.append(_FIRST_OPEN, close[:-1])
    highest, lowest = np.maximum(open_, close), np.minimum(open_, close)
    if path.reach is None:
        upper, lower = np.exp(wick * np.abs(draws.wicks)).T
        high, low = highest * upper, lowest / lower
    else:  # rounding may leave it a hair inside the body
        upper, lower = np.exp(path.reach).T
        high, low = np.maximum(open_ * upper, highest), np.minimum(open_ / lower, lowest)
    columns = {
        "open": open_,
        "high": high,
        "low": low,
        "close": close,
        "volume": _USUAL_VOLUME * path.relative_volume,
    }
    columns |= {name: close * factor for name, factor in path.price_factors.items()}
    return pd.DataFrame({**columns, **path.extras}, index=_build_index(path))


def _build_index(path: Path) -> pd.DatetimeIndex:
    """Hours in UTC or business days; date_range is slow for these, and would end in 2262."""
    count = np.arange(len(path.log_return))
    if path.is_hourly:
        hours = np.datetime64(_FIRST_HOUR, "us") + count.astype("timedelta64[h]")
        return pd.DatetimeIndex(hours, tz="UTC", name="datetime")
    days = np.busday_offset(_FIRST_DAY, count, roll="forward")
    return pd.DatetimeIndex(days.astype("datetime64[us]"), name="datetime")


def _find_rule(kind: Any) -> Callable[..., Path]:
    if not isinstance(kind, str) or kind not in KINDS:
        raise BarsError(
            f"{spell('kind')} must be the rule of a market, got {kind!r}. "
            f"{suggest_names(kind, KINDS)}"
        )
    return KINDS[kind]


def _complete_params(
    kind: str, rule: Callable[..., Path], params: dict[str, float]
) -> dict[str, float]:
    """The parameters of the rule, checked, with the defaults of its signature."""
    signature = inspect.signature(rule).parameters.values()
    defaults = {known.name: known.default for known in signature if known.name != "draws"}
    for name, value in params.items():
        if name not in defaults:
            raise BarsError(f"{kind} has no parameter {name!r}. {suggest_names(name, defaults)}")
        _check_range(name, value)
    return {name: float(params.get(name, default)) for name, default in defaults.items()}


def _check_range(name: str, value: Any) -> None:
    low, high = _ALLOWED[name]
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not (is_number and low <= value <= high):
        raise BarsError(f"{name} must be from {low:g} to {high:g}, got {value!r}. Move it there.")


def _check_whole(name: str, value: Any, *, least: int, most: int | None = None) -> int:
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not is_whole or value < least or (most is not None and value > most):
        upper = "" if most is None else f" to {most:,}"
        raise BarsError(f"{spell(name)} must be a whole number from {least}{upper}, got {value!r}.")
    return int(value)
