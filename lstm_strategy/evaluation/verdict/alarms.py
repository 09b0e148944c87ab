"""What a good-looking backtest may be instead of skill, by the number that gives it away.

Each detector looks for one disguise and returns an `Alarm` or None. An alarm isn't a proof: it says
what to look at before the result is believed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstm_strategy.evaluation.backtests import BacktestResult
from lstm_strategy.evaluation.metrics import bar_returns, sharpe, total_return
from lstm_strategy.trading.cerebro import sum_markets

ALWAYS_INVESTED = 0.98  # mean size of the exposure
STEADY = 0.05  # standard deviation of the exposure, as a fraction of equity
SAME_AS_MARKET = 0.98  # correlation of bar returns
ONE_BAR_EXPLAINS = 0.7  # share of the variance
HARDLY_VARIES = 0.01  # standard deviation against the scale of what is forecast
BEST_TRADES = 3
MOST_FILLS_A_TRADE = 10
VANISHED = 0.25  # share of the Sharpe ratio that is left one bar later
_ROUNDING = 1e-9  # of a mean: below, values that are meant to be equal differ
_LARGE_PROFIT = 100.0  # from which on money needs no decimals
_LOOK_AT_THE_LOSS = (
    "If the loss never fell in training, train longer or with a higher learning rate. Otherwise "
    "there may be nothing to learn here."
)
_FEWEST_BARS = 50  # below, correlations and shares of variance say nothing


@dataclass(frozen=True)
class Alarm:
    """One reason to doubt a result.

    Attributes:
        name: What the result may be instead of skill, in a few words.
        message: What was found, with the number that raised the alarm.
        remedy: What that means and what to do.

    Example:
        >>> print(Alarm("lucky member", "1 of 2 members lost money.", "Average more members."))
        lucky member: 1 of 2 members lost money. Average more members.
    """

    name: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.name}: {self.message} {self.remedy}"


def find_alarms(
    result: BacktestResult,
    close: pd.Series,
    *,
    forecast: pd.Series | None = None,
    signals_kept: Sequence[float] = (),
    is_policy: bool = False,
    folds: pd.Series | None = None,
    equity_by_member: pd.DataFrame | None = None,
    delayed_sharpe: float | None = None,
) -> list[Alarm]:
    """Return every alarm that a result raises; the more is known, the more can be looked at.

    Args:
        result: A backtest.
        close: The closes of the bars that it ran on.
        forecast: What the model forecast, a return or a probability, known at the close of its row.
        signals_kept: The share of its signal that each training of the model kept, by how its
            forecasts held up on held-out bars; none where that isn't known.
        is_policy: Whether the model forecasts positions instead of returns or probabilities.
        folds: The number of the fold that each bar belongs to.
        equity_by_member: The equity of the same strategy with each member of the ensemble alone,
            one column for each.
        delayed_sharpe: The annual Sharpe ratio of the same strategy acting one bar later.

    Returns:
        The alarms in a fixed order; none where nothing speaks against the result.

    Example:
        >>> from lstm_strategy import BASELINES, run_backtest, sample_bars
        >>> bars = sample_bars("sp500")
        >>> held = run_backtest(BASELINES["Buy and hold"], bars)
        >>> [alarm.name for alarm in find_alarms(held, bars["close"])]
        ['always invested', 'buy and hold', 'few lucky trades']
    """
    equity = result.equity
    raised = [
        always_invested(sum_markets(result.exposure)),
        market_in_disguise(equity, close),
        lagged_close(sum_markets(result.exposure), close),
        few_lucky_trades(result.trades, result.fills),
    ]
    if forecast is not None:
        raised += [
            lagged_forecast(forecast, close),
            frozen_forecast(forecast, close, signals_kept=signals_kept, is_policy=is_policy),
        ]
    if folds is not None:
        raised.append(one_lucky_fold(equity, folds))
    if equity_by_member is not None and total_return(equity) > 0:  # else no profit is claimed
        raised.append(lucky_member(equity_by_member))
    if delayed_sharpe is not None:
        own_sharpe = sharpe(equity, result.bars_per_year)
        raised.append(gone_one_bar_later(own_sharpe, delayed_sharpe))
    return [alarm for alarm in raised if alarm is not None]


def always_invested(exposure: pd.Series) -> Alarm | None:
    """Raise an alarm for an exposure that is full and hardly changes after the first position."""
    since_first = exposure.dropna().loc[lambda held: held.ne(0.0).cummax()]
    if len(since_first) < 2:
        return None
    size, variation = float(since_first.abs().mean()), float(since_first.std())
    if size <= ALWAYS_INVESTED or variation >= STEADY:
        return None
    return Alarm(
        "always invested",
        f"It held {size:.0%} of its equity on average, and that varied by only {variation:.1%}.",
        "Its forecasts change nothing. Look at its signal, and at the thresholds that turn the "
        "signal into exposure.",
    )


def market_in_disguise(equity: pd.Series, close: pd.Series) -> Alarm | None:
    """Raise an alarm for returns of the market, held or sold short, at whatever size."""
    market = close.reindex(equity.index).pct_change(fill_method=None)
    moves = pd.DataFrame({"own": bar_returns(equity), "market": market}).dropna()
    correlation = _correlation(moves["own"], moves["market"])
    if not abs(correlation) > SAME_AS_MARKET:
        return None
    trade = "buying and holding" if correlation > 0 else "selling short and holding"
    return Alarm(
        "buy and hold",
        f"The correlation of its returns with those of the market is {correlation:.3f}.",
        f"It is {trade} under another name: what it earned is the market's, less its costs.",
    )


def lagged_close(exposure: pd.Series, close: pd.Series) -> Alarm | None:
    """Raise an alarm for an exposure that only repeats the bar before it.

    The exposure of a bar was decided on the close before it. The alarm is raised where the return
    of that bar alone, in twenty groups of equal size, explains most of the variance of the
    exposure: so it finds the sign as well as the size, and either direction.

    Source:
        The correlation ratio η² of Pearson (1905): the variance between groups over all variance.
    """
    if not exposure.std() > STEADY:  # `always_invested` is the detector for these
        return None
    explained = _variance_explained(exposure, close.pct_change().shift(1))
    return _lag_alarm("exposure", explained)


def lagged_forecast(forecast: pd.Series, close: pd.Series) -> Alarm | None:
    """Raise an alarm for a forecast that only repeats its own bar; found as by `lagged_close`."""
    return _lag_alarm("forecast", _variance_explained(forecast, close.pct_change()))


def frozen_forecast(
    forecast: pd.Series,
    close: pd.Series,
    *,
    signals_kept: Sequence[float] = (),
    is_policy: bool = False,
) -> Alarm | None:
    """Raise an alarm for a forecast that hardly varies on its own scale.

    The scale of a probability is its mean, near one half; that of a return is the standard
    deviation of bar returns. The larger of both is taken.

    Args:
        forecast: What the model forecast.
        close: The closes of the same bars.
        signals_kept: The share of its signal that each training kept, as in `find_alarms`; where
            these are known, they say why the forecast hardly varies.
        is_policy: Whether the forecast is the position of a policy before it is scaled by
            volatility; the alarm then says so, as the exposure beside it is another number.
    """
    values = forecast.dropna()
    if len(values) < 2:
        return None
    scale = max(float(close.pct_change().std()), abs(float(values.mean())))
    if not scale > 0:
        return None
    deviation = float(values.std())
    if deviation >= HARDLY_VARIES * scale:
        return None
    share = f"{deviation / scale:.2%}"
    found = (
        f"It is {values.mean():.2g} on every bar."
        if share == "0.00%"  # what is left is how numbers are rounded
        else f"Its standard deviation is {deviation:.2g}, only {share} of its scale of {scale:.2g}."
    )
    if is_policy:
        found += " The forecast of a policy is the position before volatility scaling."
    return Alarm("frozen forecast", found, _explain_frozen(signals_kept))


def _explain_frozen(signals_kept: Sequence[float]) -> str:
    """Why a forecast hardly varies, as far as the trainings know it, and what to do."""
    n_dropped = sum(kept == 0 for kept in signals_kept)
    if n_dropped and n_dropped == len(signals_kept):
        return (
            "The signal was dropped, because nothing that was learned held up on held-out bars; a "
            "policy then stays at its prior. There may be nothing to learn here."
        )
    if n_dropped:
        return (
            f"In {n_dropped} of {len(signals_kept)} trainings the signal was dropped, because "
            "nothing that was learned held up on held-out bars; a policy then stays at its prior. "
            f"{_LOOK_AT_THE_LOSS}"
        )
    if signals_kept:
        return f"No training dropped its signal, so little was learned. {_LOOK_AT_THE_LOSS}"
    return (
        "Either nothing was learned, or what was learned was dropped because it didn't pay on "
        f"held-out bars; a policy then stays at its prior. {_LOOK_AT_THE_LOSS}"
    )


def few_lucky_trades(trades: pd.DataFrame, fills: pd.DataFrame) -> Alarm | None:
    """Raise an alarm for a profit that is none without the three best trades.

    An open trade counts at its current value. Where a trade has more than ten fills on average,
    positions are resized rather than opened and closed: trades aren't the bets there, and no alarm
    is raised. Nor is it for several markets of which each was entered once at most.
    """
    profits = trades["pnl"].dropna()
    if len(fills) > MOST_FILLS_A_TRADE * len(profits):
        return None
    if "symbol" in trades and trades["symbol"].nunique() > 1 and trades["symbol"].is_unique:
        return None
    total, best = float(profits.sum()), profits.nlargest(BEST_TRADES)
    rest = total - float(best.sum())
    if not total > 0 or rest > 0:
        return None
    form = "{:,.0f}" if total >= _LARGE_PROFIT else "{:,.4g}"
    return Alarm(
        "few lucky trades",
        f"{len(best)} of {len(profits)} trades made {form.format(best.sum())}, all trades "
        f"{form.format(total)}.",
        "Without these there is no profit, and three trades aren't a sample. Test a longer span or "
        "more markets.",
    )


def one_lucky_fold(equity: pd.Series, folds: pd.Series) -> Alarm | None:
    """Raise an alarm for a profit that comes from one fold alone.

    Bars without a fold are left out. Returns are logarithmic, so that those of the folds add up.
    """
    growth = np.log1p(bar_returns(equity).clip(lower=-0.999999)).dropna()
    by_fold = growth.groupby(folds.reindex(growth.index)).sum()
    if len(by_fold) < 2:
        return None
    best = by_fold.idxmax()
    rest = float(by_fold.drop(best).sum())
    if not by_fold.sum() > 0 or rest > 0:
        return None
    return Alarm(
        "one lucky fold",
        f"Fold {best} returned {math.expm1(by_fold[best]):.1%}, the other {len(by_fold) - 1} "
        f"together {math.expm1(rest):.1%}.",
        "What works in one period only is luck of that period. See what the market did then.",
    )


def lucky_member(equity_by_member: pd.DataFrame) -> Alarm | None:
    """Raise an alarm for a profit with one network of an ensemble and a loss with another.

    Args:
        equity_by_member: One equity curve for each member alone.

    Example:
        >>> lucky_member(pd.DataFrame({0: [100.0, 112.0], 1: [100.0, 95.0]})).message
        '1 of 2 members lost money; the returns range from -5.0% to 12.0%.'
    """
    returns = pd.Series(
        {member: total_return(equity_by_member[member]) for member in equity_by_member}
    )
    losing = int((returns < 0).sum())
    if not 0 < losing < len(returns) or not (returns > 0).any():
        return None
    return Alarm(
        "lucky member",
        f"{losing} of {len(returns)} members lost money; the returns range from "
        f"{returns.min():.1%} to {returns.max():.1%}.",
        "The random start of each network made the difference. Average more members, and judge "
        "their average.",
    )


def gone_one_bar_later(own_sharpe: float, delayed_sharpe: float) -> Alarm | None:
    """Raise an alarm for a Sharpe ratio of which little is left one bar later."""
    if not own_sharpe > 0 or not delayed_sharpe < VANISHED * own_sharpe:
        return None
    return Alarm(
        "gone one bar later",
        f"The Sharpe ratio is {own_sharpe:.2f}, and {delayed_sharpe:.2f} one bar later.",
        "Either the forecast sees a price that it can't have yet (run an audit), or the edge is "
        "gone before a real order fills.",
    )


def _lag_alarm(what: str, explained: float) -> Alarm | None:
    """The alarm for an exposure or a forecast that the last return explains."""
    if not explained > ONE_BAR_EXPLAINS:
        return None
    return Alarm(
        "lagged close",
        f"The last bar's return alone explains {explained:.0%} of the {what}.",
        "It repeats the last move, as a one-line rule could. Give it other features, or trade "
        "the rule.",
    )


def _variance_explained(values: pd.Series, returns: pd.Series, n_groups: int = 20) -> float:
    """The share of the variance between groups of equal size by return; NaN if unknown."""
    both = pd.DataFrame({"value": values, "return": returns}).dropna()
    if len(both) < _FEWEST_BARS:
        return math.nan
    total = float(both["value"].var(ddof=0))
    if not total > (_ROUNDING * float(both["value"].mean())) ** 2:
        return math.nan
    group = pd.qcut(both["return"].rank(method="first"), n_groups, labels=False)
    means = both["value"].groupby(group).transform("mean")
    return float(means.var(ddof=0)) / total


def _correlation(a: pd.Series, b: pd.Series) -> float:
    if len(a) < _FEWEST_BARS or not a.std() > 0 or not b.std() > 0:
        return math.nan
    return float(a.corr(b))
