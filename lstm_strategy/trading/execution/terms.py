"""What Cerebro and its broker must offer a strategy of exposures, checked at the start."""

from typing import Any

import backtrader as bt

from lstm_strategy.errors import TradingError
from lstm_strategy.trading.backtrader_internals import strategies_of_last_run
from lstm_strategy.trading.execution.order_log import log

_MANY = 1e6  # units, at a price that makes any fixed fee small
_USUAL_TERMS = {"margin": None, "mult": 1.0, "leverage": 1.0}


def check_commission(commission: Any) -> None:
    """Refuse a commission scheme with which exposure isn't size times price over equity.

    Args:
        commission: The commission scheme of the broker for a feed.

    Raises:
        TradingError: If it has a margin, a multiplier or leverage, or takes more than there is.
    """
    given = [
        f"{name}={getattr(commission.p, name, usual)!r}"
        for name, usual in _USUAL_TERMS.items()
        if getattr(commission.p, name, usual) not in (usual, 0.0)
    ]
    if given or not commission.stocklike:
        raise TradingError(
            "TargetStrategy trades instruments paid in full, at their price, and the broker's "
            f"commission scheme has {', '.join(given) or 'a margin'} (futures). Leave margin, mult "
            "and leverage out of broker.setcommission, all of them, and give the commission as a "
            "fraction of the value: broker.setcommission(commission=0.001). The results are then "
            "those of the price itself, without contracts."
        )
    share = commission.getcommission(_MANY, _MANY) / _MANY**2
    if share >= 1.0:
        raise TradingError(
            f"The broker takes {share:.0%} of the value of each order as commission. Give a "
            "fraction such as broker.setcommission(commission=0.001)."
        )


class RivalWatch:
    """Logs once in a run that strategies on the same feed share one position.

    Strategies of the kind trade for certain, which is said as the run begins; any other one may
    only look on until it sends an order.

    Args:
        strategy: A strategy of that kind whose run begins.
        kind: The class of the strategies that take every position of the feeds that their
            `traded_datas` returns for their own.
    """

    def __init__(self, strategy: Any, kind: type[bt.Strategy]) -> None:
        others = strategies_of_last_run(strategy.cerebro)
        self._strategy, self._kind = strategy, kind
        self._orders = getattr(strategy.broker, "orders", [])
        self._n_seen = len(self._orders)
        self._traded = {id(data) for data in strategy.traded_datas()}
        same = [s for s in others if isinstance(s, kind) and self._shares(s)]
        speaks_for_all = bool(same) and same[0] is strategy
        if speaks_for_all and len(same) > 1:
            self._say(same)
        self._has_to_look = speaks_for_all and len(same) < len(others)

    def look(self) -> None:
        """Say it where a strategy of another kind has sent an order for the feed."""
        if not self._has_to_look:
            return
        sent, self._n_seen = self._orders[self._n_seen :], len(self._orders)
        for order in sent:
            if id(order.data) in self._traded and not isinstance(order.owner, self._kind):
                self._has_to_look = False
                self._say([self._strategy, order.owner])
                return

    def _shares(self, other: Any) -> bool:
        return any(id(data) in self._traded for data in other.traded_datas())

    def _say(self, rivals: list[bt.Strategy]) -> None:
        log.warning(
            "%s trade the same data in one Cerebro, where backtrader gives them one position: each "
            "undoes what the other does, and the results mean nothing. Give each a Cerebro of its "
            "own, as compare does.",
            " and ".join(type(rival).__name__ for rival in rivals),
        )


def trades_one_unit(strategy: bt.Strategy) -> bool:
    """Whether orders without a size trade one unit: backtrader's default sizer is in place.

    Args:
        strategy: A strategy that backtrader has made.

    Example:
        >>> from lstm_strategy import BASELINES, sample_bars
        >>> from lstm_strategy.trading.cerebro import run_for_chart
        >>> trades_one_unit(run_for_chart(BASELINES["MACD"], sample_bars("sp500")[:"1999"]))
        True
    """
    sizer = strategy.getsizer()
    return type(sizer) is bt.sizers.FixedSize and bool(sizer.p.stake == 1)


def note_one_unit(owner: Any) -> None:
    """Log that backtrader's own strategy for signals will trade one unit per order.

    Args:
        owner: What an indicator was made in.
    """
    if isinstance(owner, bt.SignalStrategy) and trades_one_unit(owner):
        log.warning(
            "%s trades one unit per order, as backtrader's default sizer does, whatever the signal "
            "and the cash. Add a sizer: cerebro.addsizer(bt.sizers.PercentSizer, percents=95); or "
            "let LSTMStrategy hold the exposure that the signal asks for.",
            type(owner).__name__,
        )


def note_settings(strategy: Any) -> None:
    """Log what the broker or Cerebro was told that works otherwise than one may expect.

    Args:
        strategy: A strategy whose run begins.
    """
    broker, name = strategy.broker, type(strategy).__name__
    if strategy.cerebro.sizers:
        log.warning(
            "The sizer %s has no effect on %s, whose sizes follow from the exposure it asks for. "
            "Lower band or lot_size for finer steps, or scale target_exposure.",
            type(strategy.getsizer()).__name__,
            name,
        )
    if not isinstance(broker, bt.brokers.BackBroker):
        return
    if not broker.p.shortcash and not strategy.p.long_only:
        log.warning(
            "With shortcash=False the broker refuses short sales for which there is no cash: %s "
            "can't go short with all of its equity. Leave set_shortcash(False) out, or give "
            "long_only=True.",
            name,
        )
    if broker.p.coc:
        log.warning(
            "With cheat-on-close the orders of %s fill at the close from which they were decided, "
            "which nobody can trade. Leave set_coc(True) out.",
            name,
        )
