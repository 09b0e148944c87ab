"""Commission schemes, fillers and brokers that know too much, each in a way of its own."""

import math

import backtrader as bt

from lstm_strategy import Perpetual
from lstm_strategy.trading.instruments import InstrumentScheme


class PaysTheNextFunding(bt.CommissionInfo):
    def get_credit_interest(self, data, pos, dt):
        if len(data) == data.buflen():
            return 0.0
        rate = data.funding_rate[1]
        return 0.0 if math.isnan(rate) else pos.size * data.close[0] * rate


class PaysTheNextFundingOfALine(bt.CommissionInfo):
    def get_credit_interest(self, data, pos, dt):
        line = data.funding_rate
        return 0.0 if len(line) == line.buflen() else pos.size * max(0.0, line[1])


class PaysTheNextFundingUnguarded(bt.CommissionInfo):
    def get_credit_interest(self, data, pos, dt):
        rate = data.funding_rate[1]
        return 0.0 if math.isnan(rate) else pos.size * data.close[0] * rate


class ChargesByTheNextClose(bt.CommissionInfo):
    """Remembers the feed that it was asked about, and looks at it when an order fills."""

    data = None

    def get_credit_interest(self, data, pos, dt):
        self.data = data
        return 0.0

    def _getcommission(self, size, price, pseudoexec):
        if self.data is None or len(self.data) == self.data.buflen():
            return 0.0
        return 0.001 * abs(size) * self.data.close[1]


class ChargesByTheWholeRun(bt.CommissionInfo):
    def get_credit_interest(self, data, pos, dt):
        return 1e-4 * abs(pos.size) * max(data.close.array)


class LooksAheadInItsFrame(bt.CommissionInfo):
    def __init__(self, bars):
        super().__init__()
        self.later = bars["close"].shift(-1).ffill()

    def get_credit_interest(self, data, pos, dt):
        return 1e-4 * abs(pos.size) * self.later.iloc[len(data) - 1]


class ValuesByTheNextClose(bt.CommissionInfo):
    """Its positions are worth what they will be."""

    data = None

    def get_credit_interest(self, data, pos, dt):
        self.data = data
        return 0.0

    def getvaluesize(self, size, price):
        if self.data is None or len(self.data) == self.data.buflen():
            return size * price
        return size * self.data.close[1]


class PeekingPerpetual(Perpetual):
    def commission_info(self):
        return PeekingScheme(self, commission=self.taker_rate)


class PeekingScheme(InstrumentScheme):
    data = None

    def get_credit_interest(self, data, pos, dt):
        self.data = data
        return 0.0

    def _getcommission(self, size, price, pseudoexec):
        if self.data is None or len(self.data) == self.data.buflen():
            return 0.0
        return self.fee * abs(size) * self.data.close[1]


def fill_by_the_next_volume(order, price, ago):
    size = abs(order.executed.remsize)
    if len(order.data) == order.data.buflen():
        return size
    return size if order.data.volume[1] > order.data.volume[0] else size / 2


class SlipsToTheNextClose(bt.brokers.BackBroker):
    def _slip_up(self, pmax, price, doslip=True, lim=False):
        del doslip, lim
        data = self.cerebro.datas[0]
        is_last = len(data) == data.buflen()
        return price if is_last else max(price, min(pmax, data.close[1]))


class LiquidatesByTheNextLow(bt.brokers.BackBroker):
    """Sells what the next bar would ruin."""

    def next(self):
        super().next()
        data = self.cerebro.datas[0]
        position = self.getposition(data)
        if position.size > 0 and len(data) < data.buflen() and data.low[1] < position.price * 0.999:
            owner = self.cerebro.runningstrats[0]
            self.sell(owner, data, position.size)


class PaysTheSettledFunding(bt.CommissionInfo):
    """An honest one."""

    def get_credit_interest(self, data, pos, dt):
        rate = data.funding_rate[0]
        return 0.0 if math.isnan(rate) else pos.size * data.close[-1] * rate
