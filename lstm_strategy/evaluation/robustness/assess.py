"""What is left of a result when costs rise, orders come late, or another seed is drawn.

Everything here is computed from forecasts that were made before: no network is trained again, and
none has to be loaded. A run is one backtest.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import (
    BacktestResult,
    Failure,
    Job,
    build_result,
    first_bar_after,
    run_backtest,
    run_jobs,
    training_end,
)
from lstm_strategy.evaluation.metrics import (
    bar_returns,
    max_drawdown,
    round_trips,
    sharpe,
    total_return,
    turnover,
)
from lstm_strategy.learning.forecaster import FORECAST_COLUMNS, Forecaster
from lstm_strategy.learning.serving import (
    PrecomputedForecasts,
    open_forecaster,
    precompute_forecasts,
)
from lstm_strategy.support import naive_utc_index
from lstm_strategy.trading.cerebro import BrokerSettings

COMMISSIONS_BPS = (0.0, 5.0, 10.0, 20.0, 50.0)
DELAYS_BARS = (0, 1, 2, 3, 4, 5)
_ONE_BPS = 1e-4
_METRICS = ["sharpe", "total_return", "max_drawdown", "turnover", "costs"]


@dataclass(frozen=True, eq=False)
class Robustness:
    """One strategy under other terms; each table is described at the function that makes it.

    result:          the strategy on its own terms
    costs:           see `cost_break_even`
    delays:          see `delay_break_even`
    folds:           see `fold_table`; None for a model that was trained once
    equity_by_member:  see `member_equities`; None for a model without members
    """

    result: BacktestResult
    costs: pd.DataFrame
    delays: pd.DataFrame
    folds: pd.DataFrame | None = None
    equity_by_member: pd.DataFrame | None = None

    @property
    def break_even_bps(self) -> float:
        """The commission at which the Sharpe ratio is zero, in basis points; see `break_even`."""
        return break_even(self.costs["sharpe"])

    @property
    def delayed_sharpe(self) -> float:
        """The annual Sharpe ratio when every order comes one bar later."""
        return float(self.delays["sharpe"].get(1, math.nan))


def robustness(
    strategy: type,
    bars: pd.DataFrame,
    *,
    model: Forecaster | str | Path,
    start: str | date | None = None,
    end: str | date | None = None,
    broker: BrokerSettings | None = None,
    ledger: pd.DataFrame | None = None,
    forecasts: PrecomputedForecasts | None = None,
    **params: Any,
) -> Robustness:
    """Everything in this module for one strategy; arguments are those of `run_backtest`.

    The model forecasts once, or not at all where its `forecasts` of the bars are given. Without a
    `ledger` that of the model is taken, if it has one. A model with `member_signals` and more than
    one member is also run member by member.
    """
    opened: Any = open_forecaster(model)
    ledger = getattr(opened, "ledger", None) if ledger is None else ledger
    ready = precompute_forecasts(opened, bars) if forecasts is None else forecasts
    terms: dict[str, Any] = {"start": start, "end": end, "broker": broker, **params}
    result = run_backtest(strategy, bars, model=ready, **terms)
    signals = opened.member_signals(bars) if hasattr(opened, "member_signals") else None
    equities = None
    terms["start"] = result.first_tradable  # the same first bar for every run
    if signals is not None and signals.shape[1] > 1:
        equities = member_equities(strategy, bars, signals=signals, **terms)
    return Robustness(
        result=result,
        costs=cost_break_even(strategy, bars, model=ready, **terms),
        delays=delay_break_even(strategy, bars, model=ready, **terms),
        folds=None if ledger is None else fold_table(result, ledger, close=bars["close"]),
        equity_by_member=equities,
    )


def cost_break_even(
    strategy: type,
    bars: pd.DataFrame,
    *,
    model: Forecaster | str | Path,
    start: str | date | None = None,
    end: str | date | None = None,
    broker: BrokerSettings | None = None,
    rates_bps: Iterable[float] = COMMISSIONS_BPS,
    **params: Any,
) -> pd.DataFrame:
    """The strategy at each commission; slippage and all else stay those of `broker`.

    Returns a row a commission, index `commission_bps` in basis points of each trade's value,
    columns sharpe, total_return, max_drawdown, turnover and costs. `break_even` of the column
    sharpe is the commission that eats the whole edge.
    """
    broker, ready = broker or BrokerSettings(), precompute_forecasts(model, bars)
    settings = broker.model_dump()
    variants = {
        rate: {"broker": BrokerSettings(**settings | {"commission_rate": rate * _ONE_BPS})}
        for rate in rates_bps
    }
    terms: dict[str, Any] = {"start": start, "end": end, "model": ready, **params}
    return _metrics_by("commission_bps", _runs(strategy, bars, variants, terms))


def delay_break_even(
    strategy: type,
    bars: pd.DataFrame,
    *,
    model: Forecaster | str | Path,
    start: str | date | None = None,
    end: str | date | None = None,
    broker: BrokerSettings | None = None,
    delays_bars: Iterable[int] = DELAYS_BARS,
    **params: Any,
) -> pd.DataFrame:
    """The strategy with each forecast known some bars late, so that its orders come late too.

    Returns a row a delay, index `delay_bars`, columns as in `cost_break_even`. An edge that needs
    the very next open is gone in the row of one bar. All delays are traded over the same bars.
    Raises `TradingError` for a negative delay, which would look ahead.
    """
    ready = precompute_forecasts(model, bars)
    variants = {
        delay: {"model": delayed_forecasts(ready, bars, delay_bars=delay)} for delay in delays_bars
    }
    terms: dict[str, Any] = {"start": start, "end": end, "broker": broker, **params}
    return _metrics_by("delay_bars", _runs(strategy, bars, variants, terms))


def delayed_forecasts(
    model: PrecomputedForecasts, bars: pd.DataFrame, *, delay_bars: int
) -> PrecomputedForecasts:
    """The forecasts of `bars`, each moved to the bar `delay_bars` later; NaN before the first.

    >>> frame = pd.DataFrame(
    ...     {"signal": [0.1, 0.2], "forecast": 0.5, "uncertainty": 0.0},
    ...     pd.date_range("2024-01-01", periods=2),
    ... )
    >>> known = PrecomputedForecasts(frame, warm_up=0, bars_columns=["close"], training_end=None)
    >>> delayed_forecasts(known, frame, delay_bars=1).frame["signal"].to_list()
    [nan, 0.1]
    """
    if delay_bars < 0:
        raise TradingError(
            f"delay_bars must be 0 or more, got {delay_bars}. A negative delay looks ahead."
        )
    known = model.forecast(bars).set_axis(naive_utc_index(bars.index))
    return replace(model, frame=known.shift(delay_bars))


def break_even(curve: pd.Series, *, level: float = 0.0) -> float:
    """Where a falling curve first reaches `level`, in units of its index; linear between points.

    NaN where it begins at or below the level (there is nothing to lose), inf where it never gets
    there. Undefined values are skipped.

    >>> break_even(pd.Series({0.0: 1.0, 10.0: 0.5, 20.0: -0.5}))
    15.0
    """
    known = curve.dropna().sort_index()
    if known.empty or known.iloc[0] <= level:
        return math.nan
    reached = np.flatnonzero(known.to_numpy() <= level)
    if not len(reached):
        return math.inf
    after = int(reached[0])
    (x0, x1), (y0, y1) = known.index[after - 1 : after + 1], known.iloc[after - 1 : after + 1]
    return float(x0 + (y0 - level) / (y0 - y1) * (x1 - x0))


def fold_table(
    result: BacktestResult, ledger: pd.DataFrame, *, close: pd.Series | None = None
) -> pd.DataFrame:
    """One row a fold of a walk-forward run: how the model of each fold did on its own bars.

    `ledger` is that of the forecaster: its column `fold` says which model forecast which bar.
    Columns: first and last (bars), train_end (if the ledger has it), bars, total_return, sharpe
    (annual), max_drawdown (within the fold), turnover (a year), trades (opened in the fold and
    closed again) and, where the `close` of the bars is given, market_return. Bars outside of the
    ledger and folds without a bar of the result are left out. Raises `TradingError` where that
    leaves nothing.
    """
    by_bar = ledger.set_axis(naive_utc_index(ledger.index))
    fold_of = (
        by_bar["fold"].reindex(naive_utc_index(result.equity.index)).set_axis(result.equity.index)
    )
    if fold_of.isna().all():
        raise TradingError(
            f"The ledger must cover bars of the result, but it ends at {ledger.index[-1]} and the "
            f"result begins at {result.equity.index[0]}. Pass the ledger of the model that ran."
        )
    rows = {
        int(number): _fold_row(result, fold_of == number, close)
        for number in fold_of.dropna().unique()
    }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("fold")
    if "train_end" in by_bar:
        trained = by_bar.groupby("fold")["train_end"].first().reindex(table.index)
        table.insert(2, "train_end", trained)
    return table


def member_equities(
    strategy: type,
    bars: pd.DataFrame,
    *,
    signals: pd.DataFrame,
    start: str | date | None = None,
    end: str | date | None = None,
    broker: BrokerSettings | None = None,
    training_end: pd.Timestamp | None = None,
    **params: Any,
) -> pd.DataFrame:
    """The equity of the strategy for each column of `signals`, on the same bars and terms.

    `signals` has the exposure that each seed asks for, one column a seed, NaN in warm-up, such as
    `forecaster.member_signals(bars)`. Returns equity in units of cash, one column a seed. Without
    `start` the runs begin after `training_end` or, without that too, after the longest warm-up.
    """
    unknown = bars.index.difference(signals.index)
    if len(unknown) or signals.shape[1] == 0:
        missing = f"none for {unknown[0]}" if len(unknown) else "no column"
        raise TradingError(
            f"signals must have a row for every bar and a column for every seed, got {missing}. "
            "Make them from the bars that you trade."
        )
    warm_up = max(_leading_gaps(signals[seed]) for seed in signals)
    variants = {
        seed: {"model": _forecasts_of_signal(signals[seed], warm_up, training_end)}
        for seed in signals
    }
    terms: dict[str, Any] = {"start": start, "end": end, "broker": broker, **params}
    runs = _runs(strategy, bars, variants, terms)
    return pd.DataFrame({seed: run.equity for seed, run in runs.items()}).rename_axis(
        columns="seed"
    )


def _forecasts_of_signal(
    signal: pd.Series, warm_up: int, training_end: pd.Timestamp | None
) -> PrecomputedForecasts:
    frame = pd.DataFrame(
        {"signal": signal.to_numpy(dtype=float)},
        index=naive_utc_index(signal.index),
        columns=FORECAST_COLUMNS,
    )
    return PrecomputedForecasts(frame, warm_up, bars_columns=["close"], training_end=training_end)


def _runs(
    strategy: type,
    bars: pd.DataFrame,
    variants: Mapping[Any, dict[str, Any]],
    terms: dict[str, Any],
) -> dict[Any, BacktestResult]:
    """A run for each variant of the terms, by its key; several at once where that is faster.

    Orders aren't logged: the run on its own terms has said what became of them, once is enough.
    Raises `TradingError` with the reason of the first that failed.
    """
    trained_until = {
        key: training_end({**terms, **changed}, bars) for key, changed in variants.items()
    }
    jobs = []
    for key, changed in variants.items():
        params = {**terms, **changed}
        start, end = params.pop("start"), params.pop("end")
        broker = params.pop("broker") or BrokerSettings()
        if start is None:
            start = first_bar_after(trained_until[key], bars)
        jobs.append(Job(str(key), strategy, params, start, end, broker))
    results = {}
    done = run_jobs(jobs, bars).values()
    for key, job, run in zip(variants, jobs, done, strict=True):
        if isinstance(run, Failure):
            raise TradingError(run.message)
        results[key] = build_result(run, job.broker, trained_until[key])
    return results


def _metrics_by(index_name: str, runs: dict[Any, BacktestResult]) -> pd.DataFrame:
    table = pd.DataFrame.from_dict(
        {key: run.metrics[_METRICS] for key, run in runs.items()}, orient="index"
    )
    return table.rename_axis(index_name)


def _fold_row(
    result: BacktestResult, is_in_fold: pd.Series, close: pd.Series | None
) -> dict[str, Any]:
    index = result.equity.index[is_in_fold]
    first, last = index[0], index[-1]
    returns = bar_returns(result.equity)  # that of the fold's first bar begins at the close before
    returns = returns[returns.index.isin(index)]
    curve = _curve_of(returns)
    fills = result.fills[result.fills.index.isin(index)]
    row = {
        "first": first,
        "last": last,
        "bars": len(index),
        "total_return": total_return(curve),
        "sharpe": sharpe(curve, result.bars_per_year),
        "max_drawdown": max_drawdown(curve),
        "turnover": turnover(fills, result.equity[is_in_fold], result.bars_per_year),
        "trades": round_trips(result.trades[result.trades["entry"].isin(index)]),
    }
    if close is not None:
        row["market_return"] = total_return(_curve_of(close.pct_change().reindex(returns.index)))
    return row


def _curve_of(returns: pd.Series) -> pd.Series:
    """The growth of 1 through the returns, beginning at 1; unknown returns count as zero."""
    grown = (1.0 + returns.fillna(0.0).to_numpy()).cumprod()
    return pd.Series(np.concatenate([[1.0], grown]))


def _leading_gaps(signal: pd.Series) -> int:
    is_known = signal.notna().to_numpy()
    return int(is_known.argmax()) if is_known.any() else len(signal)
