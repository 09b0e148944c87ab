"""Results of portfolios: what each market did, by hand."""

import pandas as pd
import pytest

from lstm_strategy import BASELINES, BrokerSettings, PortfolioStrategy, run_backtest
from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.metrics import contribution_by_market

DAYS = pd.date_range("2024-01-01", periods=4, name="datetime")
BROKER = BrokerSettings(
    cash=1000, commission_rate=0.01, slippage_rate=0, reserve=0, lot_size=1, band=0
)


def bars_of(closes):
    close = pd.Series(closes, DAYS[: len(closes)], dtype=float)
    open_ = close.shift(fill_value=close.iloc[0])
    table = {"open": open_, "high": close.combine(open_, max), "low": close.combine(open_, min)}
    return pd.DataFrame({**table, "close": close, "volume": 1.0})


PANEL = {"A": bars_of([10, 10, 12, 12]), "B": bars_of([20, 20, 18, 20])}


class Plays(PortfolioStrategy):
    """Holds A for one day, and B from the first to the last."""

    def target_exposures(self):
        return {"A": 0.4 if len(self) == 1 else 0.0, "B": 0.2}


@pytest.fixture(scope="module")
def result():
    return run_backtest(Plays, PANEL, broker=BROKER, band=0.3)


def test_each_market_has_its_contribution_turnover_and_costs(result):
    # A: 40 at 10 and sold again at 10, 4 of commission each. B: 10 at 20, 2 of commission.
    years = 3 / 252
    expected = pd.DataFrame(
        {
            "exposure": [400 / 994 / 4, (200 / 994 + 180 / 970 + 200 / 990) / 4],
            "contribution": [-0.008, -0.002],
            "turnover": [800 / 988.5 / years, 200 / 988.5 / years],
            "costs": [0.008, 0.002],
            "funding": [0.0, 0.0],
            "trades": [1.0, 0.0],
        },
        index=pd.Index(["A", "B"], name="symbol"),
    )
    pd.testing.assert_frame_equal(result.by_market, expected, check_dtype=False)


def test_the_metrics_are_those_of_the_whole(result):
    assert result.metrics["turnover"] == pytest.approx(result.by_market["turnover"].sum())
    assert result.metrics["costs"] == pytest.approx(0.01)
    assert result.metrics["total_return"] == pytest.approx(-0.01)
    assert result.metrics["trades"] == 1
    assert result.metrics["exposure"] == pytest.approx(result.by_market["exposure"].sum())


def test_a_panel_is_drawn_and_saved_with_its_markets(result, tmp_path):
    folder = result.save(tmp_path / "out")
    assert {file.name for file in folder.iterdir()} == {
        "equity.csv",
        "equity.png",
        "markets.csv",
        "metrics.csv",
        "trades.csv",
    }
    assert pd.read_csv(folder / "markets.csv", index_col="symbol").index.tolist() == ["A", "B"]
    assert pd.read_csv(folder / "trades.csv")["symbol"].tolist() == ["A", "B"]


def test_a_result_of_one_market_has_no_table_of_markets():
    class Holds(PortfolioStrategy):
        def target_exposures(self):
            return {"data0": 0.5}

    result = run_backtest(Holds, PANEL["A"], broker=BROKER)
    assert result.by_market.empty
    assert "symbol" not in result.fills


def test_an_empty_panel_is_refused():
    with pytest.raises(ValueError, match="must hold at least one market"):
        run_backtest(Plays, {})


def test_a_start_after_the_last_date_is_refused():
    with pytest.raises(TradingError, match='no bar at or after start="2025"'):
        run_backtest(Plays, PANEL, start="2025")


def test_contributions_over_time_add_up_to_the_change_of_the_equity(result):
    # A: 40 bought at the open of 10 for 4, sold at that of 10 for 4. B: 10 at 20, falls to 18.
    expected = {"A": [0.0, -0.004, -0.008, -0.008], "B": [0.0, -0.002, -0.022, -0.002]}
    earned = contribution_by_market(result)
    assert earned.to_dict("list") == {name: pytest.approx(each) for name, each in expected.items()}
    change = result.equity / 1000 - 1
    pd.testing.assert_series_equal(earned.sum(axis=1), change, check_names=False)


def test_contributions_of_all_but_the_largest_are_one_column(result):
    earned = contribution_by_market(result, most=1)
    assert list(earned) == ["A", "1 other market"]
    assert earned["1 other market"].tolist() == pytest.approx([0.0, -0.002, -0.022, -0.002])


def test_one_market_has_no_contributions():
    alone = run_backtest(BASELINES["Buy and hold"], PANEL["A"], broker=BROKER)
    assert contribution_by_market(alone).shape[1] == 0
