"""What is given as `broker` and isn't BrokerSettings, wherever it is given."""

import pytest
from made_up import random_walk

from lstm_strategy import BASELINES, BrokerSettings, Perpetual, audit, compare, run_backtest
from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.chart import plot_chart

BARS = random_walk(120)
MACD = BASELINES["MACD"]
TAKES_A_BROKER = {
    "run_backtest": lambda broker: run_backtest(MACD, BARS, broker=broker),
    "compare": lambda broker: compare({"MACD": MACD}, BARS, broker=broker),
    "plot_chart": lambda broker: plot_chart(MACD, BARS, broker=broker),
    "audit": lambda broker: audit(BARS, strategy=MACD, broker=broker),
}
OTHERS = {
    "instrument": (Perpetual(leverage=3), r"Write broker=BrokerSettings\(instrument=Perpetual"),
    "number": (0.001, r"Pass BrokerSettings\(\.\.\.\)\."),
    "class": (BrokerSettings, r"Pass BrokerSettings\(\.\.\.\)\."),
}


@pytest.mark.parametrize("taker", TAKES_A_BROKER)
@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_broker_settings_is_refused_with_the_remedy(taker, name):
    broker, remedy = OTHERS[name]
    with pytest.raises(TradingError, match=f"broker must be BrokerSettings, got .*{remedy}"):
        TAKES_A_BROKER[taker](broker)
