"""What one run did, as plain data."""

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd

from lstm_strategy.bars import bars_per_year
from lstm_strategy.trading.backtrader_internals import param_values
from lstm_strategy.trading.cerebro.charges import (
    FUNDING_COLUMNS,
    LIQUIDATION_COLUMNS,
    ROLL_COLUMNS,
    funding_among,
    liquidations_table,
    payments_table,
    rolls_among,
)
from lstm_strategy.trading.cerebro.run_bars import RunBars, money_by_market, sum_markets
from lstm_strategy.trading.cerebro.trades import trades_by_market, trades_from_fills
from lstm_strategy.trading.execution import ORDER_KINDS, ExposureStrategy


@dataclass(frozen=True, eq=False)
class BacktestRun:
    """What one run did. Each series is known at the close of its row, in the bars' own index.

    Attributes:
        name: How tables and legends call the run.
        equity: Cash plus position, in money; starts at `first_tradable` with the cash. Of a panel
            whose markets have one bar a day and close at different hours it has one value a day,
            the last one.
        exposure: Value of the position as a fraction of equity; NaN while equity is not above 0.
            Of a panel a table, one column a market.
        fills: One row an execution: signed `size` in units, `price`, `commission`,
            `slippage_cost` (against the bar's open, never negative), `value` (of the units, never
            negative), `insurance` (what the insurance fund of the exchange bore of a liquidation),
            and what of the commission was `spread` and what `impact`, in money; of a panel with its
            `symbol`.
        trades: One row a round trip: `entry` and `exit` (NaT while open), `size` (the largest
            position held, signed units), `units` (all that were bought, or sold short),
            `entry_price` and `exit_price` (averages of these), `pnl` in money after all costs,
            `return`, `bars`, `commission` and `funding`. Units times the price difference, less
            commission and funding, is the profit. See `trades_from_fills`; of a panel with its
            `symbol`.
        costs: All commission and slippage, and what changes of contract cost, in money.
        order_counts: What became of the orders, see `TargetStrategy`.
        first_tradable: The bar of the first decision; its orders fill at the next open.
        bars_per_year: Annualises what is computed from `equity`: how many values it has in a
            year.
        params: The strategy's parameters; objects are named by their type.
        n_bars_left: Bars after the one on which the strategy ended the run; 0 where it ran them
            all.
        contribution: What each market of a panel has earned so far, in money, commission paid: one
            column a market. With the cash at the start its rows add up to the equity. None for
            one market.
        order_counts_by_market: What became of the orders of each market of a panel.
        funding: One row a payment of funding: the signed `size` that paid it, its `rate` and
            `mark` price, the `amount` in money, below 0 for what was received, and whether it
            settled within the bar (`is_within`) and not as it opened; of a panel with its `symbol`.
            What a short pays to borrow counts as well.
        rolls: One row a change of contract in which a position was held: its `size`, the `price` of
            the contract that was left, and the `amount` it cost; of a panel with its `symbol`.
        liquidations: One row a position that was closed because its margin was used up: the signed
            `size` of the position, the `price`, the `fee` beside the commission, and what of the
            loss the `insurance` fund bore, in money; of a panel with its `symbol`.
        market_notes: What the instruments say of the bars, one sentence each: where funding
            settles, and what of it is missing.
        uses_broker_sizing: Whether its orders keep to `band`, `reserve` and `lot_size`, as those of
            a `TargetStrategy` or a `PortfolioStrategy` do. Any other sizes its orders by itself.
    """

    name: str
    equity: pd.Series
    exposure: pd.Series | pd.DataFrame
    fills: pd.DataFrame
    trades: pd.DataFrame
    costs: float
    order_counts: dict[str, int]
    first_tradable: pd.Timestamp
    bars_per_year: float
    params: dict[str, Any]
    n_bars_left: int = 0
    contribution: pd.DataFrame | None = None
    order_counts_by_market: dict[str, dict[str, int]] = field(default_factory=dict)
    funding: pd.DataFrame = field(default_factory=partial(pd.DataFrame, columns=FUNDING_COLUMNS))
    rolls: pd.DataFrame = field(default_factory=partial(pd.DataFrame, columns=ROLL_COLUMNS))
    liquidations: pd.DataFrame = field(
        default_factory=partial(pd.DataFrame, columns=LIQUIDATION_COLUMNS)
    )
    market_notes: tuple[str, ...] = ()
    uses_broker_sizing: bool = True

    @property
    def funding_paid(self) -> float:
        """All funding, in money; below 0 where more was received."""
        return float(self.funding["amount"].sum())

    @property
    def net_exposure(self) -> pd.Series:
        """Longs less shorts of all markets, as a fraction of equity."""
        return sum_markets(self.exposure)

    @property
    def gross_exposure(self) -> pd.Series:
        """Longs and shorts of all markets, as a fraction of equity."""
        return sum_markets(self.exposure.abs())


def collect_run(strategy: bt.Strategy, *, name: str) -> BacktestRun:
    """Return the result of a strategy that the Cerebro of `build_cerebro` has run.

    Args:
        strategy: What `run` of the Cerebro returned, in whatever mode.
        name: How tables and legends call the run.

    Example:
        >>> from lstm_strategy import BASELINES, sample_bars
        >>> from lstm_strategy.trading.cerebro import build_cerebro
        >>> cerebro = build_cerebro(BASELINES["Buy and hold"], sample_bars("sp500"))
        >>> collect_run(cerebro.run(runonce=False)[0], name="Hold").order_counts["completed"]
        1
    """
    bars = strategy.analyzers.equity_recorder.p.bars
    first = strategy.first_decided_bar - 1
    recorded = strategy.analyzers.equity_recorder
    index = bars.dates[: len(recorded.equity)]  # a strategy may end the run before its last bar
    equity = pd.Series(recorded.equity, index=index, name="equity")
    fills = strategy.analyzers.fill_recorder.frame(index)
    by_market = getattr(strategy, "order_counts_by_market", {}) if bars.is_panel else {}
    payments = payments_table(strategy.broker, bars.indexes)
    rolls = rolls_among(payments)
    counted = bars.counted(index[first:])
    return BacktestRun(
        name=name,
        equity=equity.iloc[first:][counted],
        fills=fills,
        costs=float(
            fills["commission"].sum() + fills["slippage_cost"].sum() + rolls["amount"].sum()
        ),
        order_counts=_order_counts(strategy, is_ruined=bool((equity.iloc[first:] <= 0).any())),
        first_tradable=index[first],
        bars_per_year=bars_per_year(index[bars.counted(index)]),
        params={key: _plain(value) for key, value in param_values(strategy).items()},
        n_bars_left=len(bars.dates) - len(index),
        order_counts_by_market={symbol: dict(counts) for symbol, counts in by_market.items()},
        funding=funding_among(payments),
        rolls=rolls,
        liquidations=liquidations_table(strategy.broker, bars.indexes),
        market_notes=bars.notes,
        uses_broker_sizing=isinstance(strategy, ExposureStrategy),
        **_holdings(strategy, bars, equity, fills, payments, first, counted),
    )


def _holdings(
    strategy: Any,
    bars: RunBars,
    equity: pd.Series,
    fills: pd.DataFrame,
    payments: pd.DataFrame,
    first: int,
    counted: np.ndarray,
) -> dict[str, Any]:
    """Exposure and trades, and of a panel what each market earned."""
    if not bars.is_panel:
        recorded = strategy.analyzers.equity_recorder
        exposure = pd.Series(recorded.exposure, index=equity.index, name="exposure")
        closes = bars.markets[""]["close"].iloc[: len(equity)]
        trades = trades_from_fills(
            fills, closes, payments=payments, multiplier=bars.multiplier_of("")
        )
        return {"exposure": exposure.iloc[first:], "trades": trades}
    values, earned = money_by_market(bars, fills, payments, pd.DatetimeIndex(equity.index))
    held = values.div(equity.where(equity > 0), axis=0)
    return {
        "exposure": held.iloc[first:][counted],
        "contribution": earned.iloc[first:][counted],
        "trades": trades_by_market(
            fills,
            bars.closes_by_market(until=equity.index[-1]),
            payments=payments,
            multipliers={symbol: bars.multiplier_of(symbol) for symbol in bars.markets},
        ),
    }


def _order_counts(strategy: Any, *, is_ruined: bool) -> dict[str, int]:
    if isinstance(strategy, ExposureStrategy):
        return dict(strategy.order_counts)
    # The broker's own list: nobody is notified of an order sent on the last bar.
    orders = strategy.broker.orders
    ended = Counter(order.getstatusname().lower() for order in orders)
    alive = sum(order.alive() for order in orders)
    counts = {kind: ended[kind] for kind in ORDER_KINDS}
    unsized = strategy.analyzers.unsized_recorder.n_orders
    return counts | {
        "unsized": unsized,
        "unfilled_at_end": alive,
        "liquidated": len(getattr(strategy.broker, "liquidations", ())),
        "ruined": int(is_ruined),
    }


def _plain(value: Any) -> Any:
    is_plain = value is None or isinstance(value, str | bool | int | float)
    return value if is_plain else type(value).__name__
