"""Funding: what the columns of the bars say, and who pays it when.

A `funding_rate` on a row settles at the instant at which that bar opens: whoever holds the position
into the bar pays `size * mark * rate`, where the mark is the one of that instant, the last of the
row before. Bars that are longer than the interval between settlements have the others in a column
`funding_payment`: the sum of rate times mark of the settlements strictly inside the bar, in money a
unit, which whoever holds the position after the bar's fills pays.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pandas as pd

from lstm_strategy.bars import HIGHEST_RATE, rate_doubt
from lstm_strategy.errors import TradingError
from lstm_strategy.trading.backtrader_internals import feed_name, keeps_bars, value_of
from lstm_strategy.trading.instruments.funding_checks import check_rates
from lstm_strategy.trading.instruments.instrument import Instrument, InstrumentScheme

PAYMENT_COLUMN = "funding_payment"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FundingTerms:
    """Where the bars have the funding, and when it settles.

    Attributes:
        rate: The column of rates; None where no funding is paid.
        mark: The column of the mark price; None for the close.
        settles: "open" where the rate of a row settles as its bar opens, "within" where it is the
            sum of the settlements in the bar.
    """

    rate: str | None
    mark: str | None
    settles: Literal["open", "within"]


class FundedScheme(InstrumentScheme):
    """The commission scheme of a perpetual: a taker fee, margin by leverage, and funding.

    Backtrader asks `get_credit_interest` for what a position pays before the orders of the bar
    fill, so whoever held it into the bar pays what settles at its open. A broker that isn't an
    `InstrumentBroker` has no such moment after the fills, so there `funding_payment` is paid at
    the next bar, by the same position.

    Args:
        instrument: The perpetual.
        terms: Where the bars have the funding.
        **params: Those of backtrader's `CommissionInfo`.

    Attributes:
        record: Called with the feed, the time of the bar, the size, the mark, the rate and the
            amount of each payment.
        known_marks: The mark of the row before, by feed, where a broker keeps it.
        is_watched: Whether a broker liquidates, and pays after the fills.
        n_missing_marks: Settlements at which the mark was missing, so the close was taken.
    """

    def __init__(self, instrument: Instrument, terms: FundingTerms, **params: Any) -> None:
        super().__init__(instrument, **params)
        self.terms = terms
        self.record: Callable[[Any, datetime, float, float, float, float], None] | None = None
        self.known_marks: dict[Any, float] = {}
        self.is_watched = False
        self.n_missing_marks = 0
        self._lines: dict[Any, _FundingLines] = {}
        self._has_warned = False

    def getsize(self, price: float, cash: float) -> float:
        """Return the units that are worth so much money, in whole lots where there are lots.

        Backtrader's own answer is in whole units, of which many a coin's account holds none.
        """
        lot = self.instrument.lot_size
        units = cash / price
        return units if lot is None else math.floor(units / lot + 1e-9) * lot

    def get_credit_interest(self, data: Any, pos: Any, dt: Any) -> float:
        """Return what a position pays as a bar opens; below 0 for what it is paid.

        Args:
            data: The feed.
            pos: The position held into the bar.
            dt: The time of the bar, as `data.datetime.datetime()` shows it.
        """
        lines = self._lines.get(data) or self._find_lines(data)
        if dt == pos.datetime and pos.adjbase == data.close[0]:
            return 0.0  # another feed woke the broker: this bar is paid, or opened the position
        amount = 0.0
        if lines.after is not None and not self.is_watched:
            amount += self._pay(data, dt, pos.size, *lines.payment_after(-1))
        if lines.at_open is not None:
            rate = value_of(lines.at_open)
            if rate and not math.isnan(rate):
                mark = self._mark_at_open(data, pos, lines)
                if abs(rate) > HIGHEST_RATE:
                    wrong = pd.Series([rate], [_time_of(data)], name=self.terms.rate)
                    check_rates(wrong, symbol=feed_name(data))
                if not (self.is_watched or self._has_warned):
                    self._warn_beyond_margin(data, pos, mark)
                amount += self._pay(data, dt, pos.size, mark, rate)
        return amount

    def settles_at_open(self, data: Any) -> bool:
        """Return whether the present bar has a rate that settles as it opens.

        Args:
            data: The feed.
        """
        line = (self._lines.get(data) or self._find_lines(data)).at_open
        return line is not None and not math.isnan(value_of(line))

    def pays_within(self, data: Any) -> bool:
        """Return whether settlements strictly inside a bar are paid on a feed.

        Args:
            data: The feed.
        """
        return self.terms.settles == "within" or PAYMENT_COLUMN in data.getlinealiases()

    def payment_within(self, data: Any, size: float) -> float:
        """Return what a position pays for the settlements strictly inside the present bar.

        Args:
            data: The feed.
            size: What is held after the fills of the bar, in signed units.
        """
        lines = self._lines.get(data) or self._find_lines(data)
        return self._pay(data, data.datetime.datetime(), size, *lines.payment_after(0))

    def _pay(self, data: Any, time: datetime, size: float, mark: float, rate: float) -> float:
        amount = size * mark * rate
        if amount and self.record is not None:
            self.record(data, time, size, mark, rate, amount)
        return amount

    def _mark_at_open(self, data: Any, pos: Any, lines: "_FundingLines") -> float:
        """The mark of the row before; its close where the mark is missing."""
        mark = self.known_marks.get(data)
        if mark is None:
            mark = math.nan if lines.mark is None else lines.mark[-1]
        if math.isnan(mark):
            self.n_missing_marks += lines.mark is not None
            return float(pos.adjbase)
        if mark <= 0.0:
            raise TradingError(
                f"{self.terms.mark} must be a price above 0 or missing, got {mark:g} before "
                f"{_time_of(data)}. Remove what isn't a price from the column."
            )
        return float(mark)

    def _warn_beyond_margin(self, data: Any, pos: Any, mark: float) -> None:
        price = self.instrument.liquidation_price(pos.size, pos.price)
        if (mark <= price) if pos.size > 0 else (mark >= price):
            self._has_warned = True
            _log.warning(
                "%s at %s: an exchange would have liquidated the position of %g from %g, whose "
                "mark of %g is beyond %g. This broker doesn't: cerebro.broker = "
                "InstrumentBroker({%r: instrument}) does.",
                feed_name(data) or "the data",
                _time_of(data),
                pos.size,
                pos.price,
                mark,
                price,
                feed_name(data),
            )

    def _warn_of_percents(self, frame: pd.DataFrame) -> None:
        if self.terms.settles == "open" and self.terms.rate is not None:
            doubt = rate_doubt(frame[self.terms.rate])
            if doubt is not None:
                _log.warning("%s.", doubt)

    def _find_lines(self, data: Any) -> "_FundingLines":
        frame = getattr(data.p, "dataname", None)
        if isinstance(frame, pd.DataFrame) and {self.terms.rate} <= {*frame.columns, None}:
            self.instrument.check_bars(frame, symbol=feed_name(data))
            self._warn_of_percents(frame)
        if self.terms.rate is not None and (data.resampling or data.replaying):
            raise TradingError(
                f"{feed_name(data) or 'the data'} is resampled or replayed by backtrader, which "
                "carries no funding. Make longer bars that pay the same with "
                "lstm_strategy.bars.aggregate_bars and feed those, or give "
                "Perpetual(funding=None) to leave funding out."
            )
        lines = _FundingLines.of(data, self.terms)
        needed = [line for line in (lines.mark, lines.after) if line is not None]
        if not self.is_watched and not all(keeps_bars(line, 2) for line in needed):
            raise TradingError(
                f"With exactbars=1 {feed_name(data) or 'the data'} keeps one bar, and funding goes "
                "by the mark of the one before. Feed the bars with BarsFeed, which keeps two, or "
                "leave exactbars out."
            )
        self._lines[data] = lines
        return lines


@dataclass(frozen=True)
class _FundingLines:
    """The lines of one feed that funding is read from."""

    at_open: Any
    after: Any
    mark: Any
    close: Any
    is_sum: bool

    @classmethod
    def of(cls, data: Any, terms: FundingTerms) -> "_FundingLines":
        names = data.getlinealiases()
        if terms.rate is not None and terms.rate not in names:
            raise TradingError(
                f"A perpetual pays funding, and {feed_name(data) or 'the data'} has no line "
                f"{terms.rate!r}. Feed bars with that column (BarsFeed makes it a line), or give "
                "Perpetual(funding=None) to leave funding out."
            )
        found = {name: getattr(data.lines, name) for name in names}
        rates = found.get(terms.rate)
        is_sum = terms.settles == "within"
        payments = found.get(PAYMENT_COLUMN) if terms.rate else None
        return cls(
            at_open=None if is_sum else rates,
            after=rates if is_sum else payments,
            mark=found.get(terms.mark),
            close=found["close"],
            is_sum=is_sum,
        )

    def payment_after(self, ago: int) -> tuple[float, float]:
        """The mark and the rate that are paid after the fills of a bar; zeros where nothing is."""
        given = self.after[ago] if self.after is not None else math.nan
        if math.isnan(given):
            return 0.0, 0.0
        if not self.is_sum:
            return float(given), 1.0  # already rate times mark
        mark = math.nan if self.mark is None else self.mark[ago]
        return float(self.close[ago] if math.isnan(mark) else mark), float(given)


def _time_of(data: Any) -> str:
    return str(data.num2date().isoformat(sep=" "))
