"""A session with a store: the broker's account is compared, and orders are on record first."""

from collections import deque

import backtrader as bt
import pandas as pd
import pytest
from made_up import ConstantForecaster, random_walk

from lstm_strategy import ClosedBars, LSTMStrategy
from lstm_strategy.errors import TradingError
from lstm_strategy.trading.live import LiveSession, TradingLimits, read_journal

BARS = random_walk(60, seed=3)


class Store:
    """The exchange: what it holds for us, and what it has heard."""

    def __init__(self, cash=10_000.0, position=0.0):
        self.cash, self.position, self.sent = cash, position, []


class StoreFeed(bt.feed.DataBase):
    """Hands over bars as a store does, with rounds on which nothing comes."""

    params = (("bars", None), ("timeframe", bt.TimeFrame.Days))

    def start(self):
        super().start()
        self._rows = deque(self.p.bars.itertuples())
        self._is_idle = False
        self.put_notification(self.LIVE)

    def islive(self):
        return True

    def _load(self):
        self._is_idle = not self._is_idle
        if self._is_idle:
            return None
        if not self._rows:
            return False
        time, *values = self._rows.popleft()
        self.lines.datetime[0] = bt.date2num(time)
        for name, value in zip(BARS, values, strict=True):
            getattr(self.lines, name)[0] = value
        return True


class StoreBroker(bt.BrokerBase):
    """Fills at the last close on the round after next, on the account of the store."""

    def __init__(self, store, folder):
        super().__init__()
        self._store, self._folder = store, folder
        self._waiting, self._told = deque(), deque()
        self.startingcash = self.startingvalue = store.cash

    def getcash(self):
        return self._store.cash

    def getvalue(self, datas=None):
        return self._store.cash + self._store.position * self._price

    _price = 50.0

    def getposition(self, data):
        return bt.Position(self._store.position, self._price)

    def buy(self, owner, data, size, price=None, plimit=None, **others):
        return self._send(bt.order.BuyOrder, owner, data, size, price, **others)

    def sell(self, owner, data, size, price=None, plimit=None, **others):
        return self._send(bt.order.SellOrder, owner, data, size, price, **others)

    def _send(self, kind, owner, data, size, price, exectype=None, **others):
        written = read_journal(self._folder).orders
        assert written["status"].iloc[-1] == "sent"  # before it leaves
        order = kind(owner=owner, data=data, size=size, price=price, exectype=exectype)
        order.addcomminfo(self.getcommissioninfo(data))
        order.submit(self)
        order.accept(self)
        self._store.sent.append(order.size)
        self._waiting.append(order)
        return order

    def cancel(self, order):
        self._waiting.remove(order)
        order.cancel()
        self._told.append(order.clone())

    def next(self):
        if self._waiting:
            order = self._waiting.popleft()
            self._price = order.data.close[0]
            self._store.cash -= order.size * self._price + 1.0
            self._store.position += order.size
            value = order.size * self._price
            order.execute(
                *(order.data.datetime[0], order.size, self._price, 0, 0.0, 0.0),
                *(order.size, value, 1.0, 0.0, 0.0, self._store.position, self._price),
            )
            order.completed()
            self._told.append(order.clone())

    def get_notification(self):
        return self._told.popleft() if self._told else None


def start(folder, store, bars, *, broker_class=StoreBroker, open_orders=(), **arguments):
    history, live = bars.iloc[:40], bars.iloc[40:]
    feed = StoreFeed(bars=live, dataname="BTCUSDT")
    broker = broker_class(store, folder)
    broker.open_orders = open_orders
    session = LiveSession(
        LSTMStrategy,
        feed,
        folder,
        history=history,
        account=broker,
        model=ConstantForecaster(0.5),
        closed_only=True,
        **arguments,
    )
    return session.run()


def test_orders_go_to_the_store_and_its_fills_into_the_journal(tmp_path):
    store = Store()
    state = start(tmp_path, store, BARS)
    content = read_journal(tmp_path)
    assert store.sent[0] == pytest.approx(0.5 * 10_000 / BARS["close"].iloc[40], rel=1e-4)
    assert content.orders["status"].iloc[:2].tolist() == ["sent", "completed"]
    assert content.fills["size"].sum() == state.account.position == store.position
    assert content.fills["commission"].iloc[0] == 1.0
    assert len(content.accounts) == 20


def test_a_restart_warms_the_model_with_the_journal_and_sends_nothing_again(tmp_path):
    store = Store()
    start(tmp_path, store, BARS.iloc[:50])
    sent = list(store.sent)
    state = start(tmp_path, store, pd.concat([BARS.iloc[:40], BARS.iloc[50:]]))
    assert store.sent == sent
    assert state.n_bars == 20
    assert read_journal(tmp_path).bars[list(BARS)].equals(BARS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"position": 3.0}, "holds 3 units of the market, and the journal", id="units"),
        pytest.param({"cash": 9_000.0}, "has cash of 9,000.00, and the journal says", id="cash"),
    ],
)
def test_an_account_that_is_not_the_journals_stops_the_session(change, message, tmp_path):
    store = Store()
    start(tmp_path, store, BARS.iloc[:50])
    vars(store).update(change)
    sent = list(store.sent)
    later = pd.concat([BARS.iloc[:40], BARS.iloc[50:]])
    with pytest.raises(TradingError, match=message):
        start(tmp_path, store, later)
    assert store.sent == sent
    start(tmp_path, store, later, adopt_account=True)
    assert read_journal(tmp_path).accounts["position"].iloc[-1] == store.position


class AskedBroker(StoreBroker):
    """One that can say which orders wait at the store."""

    open_orders = ()

    def get_orders_open(self):
        return self.open_orders


STOP_ORDER = {"symbol": "BTC/USDT:USDT", "side": "sell", "amount": 3.0, "remaining": 2.0}


def limit_order(dataname):
    """An order of a broker that speaks of backtrader's, for five units at 101."""
    data = StoreFeed(bars=BARS, dataname=dataname)
    return bt.order.BuyOrder(
        data=data, size=5, price=101.0, exectype=bt.Order.Limit, simulated=True
    )


@pytest.mark.parametrize(
    ("orders", "message"),
    [
        pytest.param([STOP_ORDER], r"this market, -2 units, which", id="of ccxt"),
        pytest.param([STOP_ORDER | {"price": 99.5}], "-2 units at 99.5", id="with a price"),
        pytest.param([limit_order("BTCUSDT")], r"\+5 units at 101,", id="of backtrader"),
        pytest.param(["number 17", STOP_ORDER], "number 17, .* one of 2. Cancel", id="unknown"),
    ],
)
def test_an_open_order_stops_the_session_before_anything_is_sent(orders, message, tmp_path):
    store = Store()
    with pytest.raises(TradingError, match=message):
        start(tmp_path, store, BARS, broker_class=AskedBroker, open_orders=orders)
    assert store.sent == []
    start(tmp_path, store, BARS, broker_class=AskedBroker, open_orders=orders, adopt_account=True)
    assert store.sent


def test_an_open_order_of_another_market_stops_nothing(tmp_path):
    orders = [STOP_ORDER | {"symbol": "ETH/USDT"}, limit_order("SPY")]
    store = Store()
    start(tmp_path, store, BARS, broker_class=AskedBroker, open_orders=orders)
    assert store.sent
    assert read_journal(tmp_path).notes.empty


def test_a_broker_that_can_not_say_which_orders_are_open_is_noted(tmp_path):
    start(tmp_path, Store(), BARS)
    [note] = read_journal(tmp_path).notes["text"]
    assert note.startswith("StoreBroker has no get_orders_open")


def test_a_run_is_begun_without_a_position(tmp_path):
    with pytest.raises(TradingError, match=r"holds 2 units of the market, and the journal says 0"):
        start(tmp_path, Store(position=2.0), BARS)


def test_nothing_leaves_for_the_store_while_the_kill_switch_is_there(tmp_path):
    store = Store()
    (tmp_path / "STOP").touch()
    start(tmp_path, store, BARS, limits=TradingLimits())
    assert store.sent == []
    assert set(read_journal(tmp_path).orders["status"]) == {"refused"}


def test_a_feed_that_is_in_order_already_is_not_taken(tmp_path):
    feed = ClosedBars(StoreFeed(bars=BARS.iloc[40:]), history=BARS.iloc[:40])
    with pytest.raises(TradingError, match="puts its bars in order itself"):
        LiveSession(LSTMStrategy, feed, tmp_path, history=BARS.iloc[:40])
