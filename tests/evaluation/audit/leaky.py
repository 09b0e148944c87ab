"""Strategies and indicators that know too much, each in a way of its own, and some that don't."""

from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd


class ReadsTheNextClose(bt.Strategy):
    def next(self):
        if len(self) >= self.data.buflen():
            return
        wanted = 10 if self.data.close[1] > self.data.close[0] else 0
        if wanted != self.position.size:
            self.order_target_size(target=wanted)


class ReadsTheNextCloseUnguarded(bt.Strategy):
    def next(self):
        if self.data.close[1] > self.data.close[0] and not self.position:
            self.buy(size=1)


class MovesALineBack(bt.Strategy):
    def __init__(self):
        self.tomorrow = self.data.close(1)

    def next(self):
        if self.tomorrow[0] > self.data.close[0] and not self.position:
            self.buy(size=1)


class TurnsTheLineIntoAnArray(bt.Strategy):
    def next(self):
        if not self.position and np.array(self.data.close).mean() > self.data.close[0]:
            self.buy(size=1)
        elif self.position and np.array(self.data.close).mean() < self.data.close[0]:
            self.close()


class WrapsAround(bt.Strategy):
    def next(self):
        if len(self) == 3:
            size = 2 if self.data.close[-4] > self.data.close[0] else 1
            self.buy(size=size)


class AveragesTheWholeRun(bt.Strategy):
    def __init__(self):
        self.mean = sum(self.data.close.array) / self.data.buflen()

    def next(self):
        wanted = 1 if self.data.close[0] < self.mean else 0
        if wanted != self.position.size:
            self.order_target_size(target=wanted)


class PeeksAtTheFrame(bt.Strategy):
    def __init__(self):
        close = self.data.p.dataname["close"]
        self.smooth = close.rolling(11, center=True).mean().to_numpy()

    def next(self):
        smooth = self.smooth[len(self) - 1]
        wanted = 1 if smooth > self.data.close[0] else 0
        if wanted != self.position.size:
            self.order_target_size(target=wanted)


class DecidesAtTheOpenByTheClose(bt.Strategy):
    def next_open(self):
        wanted = 1 if self.data.close[0] > self.data.open[0] else 0
        if wanted != self.position.size:
            self.order_target_size(target=wanted)


class CheatsOnTheClose(bt.Strategy):
    def start(self):
        self.broker.set_coc(True)

    def next(self):
        wanted = 1 if self.data.close[0] > self.data.open[0] else 0
        if wanted != self.position.size:
            self.order_target_size(target=wanted)


class CentredAverage(bt.Indicator):
    lines: Any = ("average",)
    params = (("reach", 2),)

    def once(self, start, end):
        values = pd.Series(self.data.array).rolling(2 * self.p.reach + 1, center=True).mean()
        for i, value in enumerate(values):
            self.lines.average.array[i] = value


class ScalesByTheWholeRun(bt.Indicator):
    lines: Any = ("scaled",)

    def once(self, start, end):
        closes = np.array(self.data.close.array)
        scaled = (closes - closes.mean()) / closes.std()
        for i, value in enumerate(scaled):
            self.lines.scaled.array[i] = value


class RepaintsThePast(bt.Indicator):
    """Marks a peak on the bar where it was, though it is known two bars later."""

    lines: Any = ("peak",)

    def __init__(self):
        self.addminperiod(5)

    def next(self):
        self.lines.peak[0] = 0.0
        highs = [self.data.high[-i] for i in range(5)]
        if highs[2] == max(highs):
            self.lines.peak[-2] = 1.0


class UsesALeakyIndicator(bt.Strategy):
    def __init__(self):
        self.smooth = CentredAverage(self.data.close)
        self.distance = self.smooth - self.data.close

    def next(self):
        if self.distance[0] > 0 and not self.position:
            self.buy(size=1)
        elif self.distance[0] < 0 and self.position:
            self.close()


class OnlyNextModeLeaks(bt.Strategy):
    """Reads beyond the present only where indicators are computed bar by bar."""

    def __init__(self):
        self.sma = bt.ind.SMA(period=5)

    def next(self):
        if self.cerebro._dorunonce or len(self) + 3 > self.data.buflen():
            return
        wanted = 1 if self.data.close.get(ago=3, size=3)[-1] > self.sma[0] else 0
        if wanted != self.position.size:
            self.order_target_size(target=wanted)


class UnseededLuck(bt.Strategy):
    def __init__(self):
        self.luck = np.random.default_rng()

    def next(self):
        self.order_target_size(target=int(self.luck.integers(0, 5)))


class GlobalLuck(bt.Strategy):
    def next(self):
        self.order_target_size(target=int(np.random.randint(0, 5)))


class SeededLuck(bt.Strategy):
    params = (("seed", 3),)

    def __init__(self):
        self.luck = np.random.default_rng(self.p.seed)

    def next(self):
        self.order_target_size(target=int(self.luck.integers(0, 5)))


class KeepsNotes(bt.Strategy):
    """Stores what it saw on itself and in its class, and acts on it."""

    seen = []
    n_runs = 0

    def __init__(self):
        type(self).n_runs += 1
        self.best = 0.0

    def next(self):
        self.seen.append(self.data.close[0])
        self.best = max(self.best, self.data.close[0])
        wanted = len(self.seen) % 7 + self.n_runs if self.data.close[0] == self.best else 0
        if wanted != self.position.size:
            self.order_target_size(target=wanted)


class TradesNearTheEnd(bt.Strategy):
    params = (("from_date", "2001-04-01"),)

    def next(self):
        if str(self.data.datetime.date(0)) >= self.p.from_date and not self.position:
            self.buy(size=1)


class ClosesOnTheLastBar(bt.Strategy):
    def next(self):
        if len(self) == 5:
            self.buy(size=1)
        if len(self) == self.data.buflen() - 1:
            self.close()


class KeepsLimitOrders(bt.Strategy):
    """Its last orders never fill."""

    def next(self):
        if not self.position and len(self) % 10 == 0:
            self.buy(size=1, exectype=bt.Order.Limit, price=self.data.close[0] * 0.99)
        elif self.position:
            self.sell(size=1, exectype=bt.Order.Stop, price=self.data.close[0] * 0.98)


class TrailsItsStop(bt.Strategy):
    """The price of a trailing stop moves on after it was sent."""

    def __init__(self):
        self.cross = bt.ind.CrossOver(self.data.close, bt.ind.EMA(period=10))

    def next(self):
        if self.cross[0] > 0 and not self.position:
            self.buy(size=1)
            self.sell(size=1, exectype=bt.Order.StopTrail, trailpercent=0.02)


class SendsBrackets(bt.Strategy):
    def __init__(self):
        self.rsi = {"fast": bt.ind.RSI_Safe(period=5)}

    def next(self):
        if self.rsi["fast"][0] < 30 and not self.position:
            close = self.data.close[0]
            self.buy_bracket(size=1, price=close, stopprice=close * 0.97, limitprice=close * 1.03)


class DecidesAtTheOpenByTheOpen(bt.Strategy):
    def next_open(self):
        wanted = 1 if self.data.open[0] > self.data.close[-1] else 0
        if wanted != self.position.size:
            self.order_target_size(target=wanted)


class Fails(bt.Strategy):
    def next(self):
        if len(self) == 20:
            raise RuntimeError("no money left")


class FailsAtOnce(bt.Strategy):
    def __init__(self):
        self.period = self.p.period


class DepositsMoney(bt.Strategy):
    """Pays money in, and would call it profit."""

    def next(self):
        if len(self) == 60:
            self.broker.add_cash(50_000)
        self.order_target_size(target=len(self) // 50 % 2)


class TradesForFree(bt.Strategy):
    """Trades without the costs that were stated."""

    def __init__(self):
        self.broker.setcommission(0.0)

    def next(self):
        self.order_target_size(target=len(self) // 50 % 2)
