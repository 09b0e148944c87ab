"""What Cerebro and its broker must offer a strategy of exposures, checked at the start."""

import math
from collections.abc import Mapping
from typing import Any

import backtrader as bt

from lstm_strategy.errors import TradingError
from lstm_strategy.trading.backtrader_internals import strategies_of_last_run
from lstm_strategy.trading.execution.order_log import log
from lstm_strategy.trading.instruments import spell_instrument

_MANY = 1e6  # units, at a price that makes any fixed fee small
_TWO_PRICES = (1.0, 2.0)
_ROUNDING = 1.0 + 1e-9
_USUAL_TERMS = {"margin": None, "mult": 1.0, "leverage": 1.0}


def check_commission(commission: Any) -> None:
    """Refuse a commission scheme with which nobody knows what a position is worth.

    Those of our instruments say it; with any other, exposure must be size times price over equity.

    Args:
        commission: The commission scheme of the broker for a feed.

    Raises:
        TradingError: If it has a margin, a multiplier or leverage, or takes more than there is.
    """
    if hasattr(commission, "instrument"):
        return
    given = [
        f"{name}={getattr(commission.p, name, usual)!r}"
        for name, usual in _USUAL_TERMS.items()
        if getattr(commission.p, name, usual) not in (usual, 0.0)
    ]
    if given or not commission.stocklike:
        raise TradingError(
            "TargetStrategy can't tell what a position is worth, since the broker's commission "
            f"scheme has {', '.join(given) or 'a margin'}. Give the broker an instrument instead: "
            "broker.addcommissioninfo(Future(multiplier=50, initial_margin=12_000)"
            ".commission_info()), or Perpetual(leverage=3); or give a commission alone, "
            "broker.setcommission(commission=0.001), for the results of the price itself."
        )
    share = commission.getcommission(_MANY, _MANY) / _MANY**2
    if share >= 1.0:
        raise TradingError(
            f"The broker takes {share:.0%} of the value of each order as commission. Give a "
            "fraction such as broker.setcommission(commission=0.001)."
        )


def check_leverage(name: str, max_leverage: float, instruments: Mapping[str, Any]) -> None:
    """Refuse a `max_leverage` that none of the instruments allows.

    What a `Future` allows depends on its price, and is found out when it is traded.

    Args:
        name: The class of the strategy, for messages.
        max_leverage: The largest exposure, in multiples of equity.
        instruments: The instrument of each market by name, "" for the only one; None where the
            commission scheme isn't that of an instrument.

    Raises:
        TradingError: If it is.
    """
    if max_leverage <= 1.0:
        return
    allowed = {symbol: _leverage_of(instrument) for symbol, instrument in instruments.items()}
    best = max(allowed, key=lambda symbol: allowed[symbol])
    if max_leverage <= allowed[best] * _ROUNDING:
        return
    kind = type(instruments[best]).__name__ if instruments[best] is not None else "the broker"
    whose = f"{kind} of market {best}" if best else kind
    if allowed[best] > 1.0:
        raise TradingError(
            f"max_leverage of {name} is {max_leverage:g}, and the {whose} allows "
            f"{allowed[best]:g} at most. Lower max_leverage, or give the instrument a higher "
            "leverage."
        )
    raise TradingError(
        f"max_leverage of {name} is {max_leverage:g}, and {whose} gives no credit: all is paid in "
        "full. Leave max_leverage out, or trade an instrument on margin, such as "
        f"{_spell_terms(max_leverage)}."
    )


def _spell_terms(leverage: float) -> str:
    instrument = spell_instrument("Perpetual", leverage=leverage)
    return instrument if instrument.startswith("-") else f"BrokerSettings(instrument={instrument})"


def check_tiers(instrument: Any, *, most_held: float, market: str = "") -> None:
    """Refuse a position that may grow into a maintenance tier which doesn't allow its leverage.

    Args:
        instrument: What is traded; None where the commission scheme isn't that of an instrument.
        most_held: The largest position that a strategy may hold at the start, in money.
        market: What the market is called; "" for the only one.

    Raises:
        TradingError: If it may.
    """
    largest = getattr(instrument, "largest_value", math.inf)
    if most_held < largest:
        return
    where = f" in market {market}" if market else ""
    raise TradingError(
        f"a position may be worth {most_held:,.2f}{where}, and the maintenance tiers allow a "
        f"leverage of {instrument.leverage:g} below {largest:,.2f} only. Lower the leverage of the "
        "instrument, the largest exposure, or the cash."
    )


def _leverage_of(instrument: Any) -> float:
    """What an instrument allows at any price; infinite where that depends on the price."""
    if instrument is None:
        return 1.0
    low, high = (float(instrument.leverage_at(price)) for price in _TWO_PRICES)
    return low if low == high else math.inf


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
    schemes = [broker.getcommissioninfo(data) for data in strategy.traded_datas()]
    is_watched = all(hasattr(scheme, "instrument") for scheme in schemes)
    if not (broker.p.shortcash or is_watched or strategy.p.long_only):
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
