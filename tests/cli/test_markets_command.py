"""Commands on several markets: a folder, a quoted pattern, a file of several, a universe."""

import re
from pathlib import Path

import pandas as pd
import pytest
from printed import rows_of

from lstm_strategy import LSTMForecaster, load_panel, simulate_bars


@pytest.fixture(scope="module")
def panel_model(tmp_path_factory):
    """A tiny model of three simulated markets."""
    panel = simulate_bars("remembered_news", 300, seed=7, n_assets=3).bars
    folder = tmp_path_factory.mktemp("models") / "panel"
    features = [{"kind": "log_return", "length": 1}, {"kind": "rsi", "length": 5}]
    forecaster = LSTMForecaster(features=features, units=(4,), lookback=10, epochs=1, members=1)
    forecaster.fit(panel, progress=False).save(folder)
    return folder


@pytest.fixture
def markets(here):
    """A folder of three markets, of which the last is short."""
    Path("markets").mkdir()
    for symbol, bars in simulate_bars("remembered_news", 300, seed=7, n_assets=3).bars.items():
        bars.iloc[: 12 if symbol == "A03" else 300].to_csv(f"markets/{symbol}.csv")
    return here


def test_a_folder_trains_one_model(results, markets):
    Path("two.txt").write_text("A01  # the first\nA02\n")
    words = ("train", "markets", "--config", "tiny.toml", "--end", "1970-12")
    shown = results(*words, "--universe", "two.txt")
    assert "markets: training on 2 markets with 522 bars from 1970-01-01 to 1970-12-31." in shown
    model = LSTMForecaster.load("model")
    assert model.takes_panels
    assert str(model.training_end.date()) == "1970-12-31"


def test_forecasts_of_a_panel_are_shown_by_market_and_written_by_date(
    results, markets, panel_model
):
    words = ("forecast", "markets/*.csv", "--model", panel_model, "--out", "f")
    shown = results(*words, "--symbols", "A02,A01")
    panel = load_panel("markets", symbols=["A02", "A01"])
    expected = LSTMForecaster.load(panel_model).forecast(panel)
    last = {symbol: [f"{v:.4f}" for v in frame.iloc[-1]] for symbol, frame in expected.items()}
    rows = rows_of(shown)
    assert {symbol: rows[symbol][1:] for symbol in ("A02", "A01")} == last
    kept = pd.read_csv("f/forecast.csv", index_col="datetime", parse_dates=True)
    assert kept.index.is_monotonic_increasing
    for symbol, frame in expected.items():
        own = kept[kept["symbol"] == symbol].drop(columns="symbol")
        pd.testing.assert_frame_equal(own, frame, check_freq=False, check_index_type=False)
    assert "IN-SAMPLE up to 1971-02-24" in shown


def test_markets_without_a_forecast_are_named(results, markets, panel_model):
    shown = results("forecast", "markets", "--model", panel_model)
    assert "No forecast for want of bars: A03 (of " in shown
    assert "A03" not in rows_of(shown)


@pytest.mark.parametrize("command", ["forecast", "backtest"])
def test_a_model_of_one_market_is_not_for_several(refusal, markets, model_folder, command):
    message = refusal(command, "markets", "--model", model_folder)
    assert "trained on one market, and BARS holds 3. Choose one, such as --symbol A01" in message


def test_a_model_of_several_markets_forecasts_one(results, markets, panel_model):
    shown = results("forecast", "markets/A01.csv", "--model", panel_model)
    frame = LSTMForecaster.load(panel_model).forecast(load_panel("markets")["A01"])
    assert rows_of(shown)["1971-02-24"] == [f"{v:.4f}" for v in frame.iloc[-1]]


@pytest.mark.slow
def test_settings_are_searched_on_several_markets(results, markets):
    Path("space.toml").write_text(f"{Path('tiny.toml').read_text()}\n[space]\nunits = [2, 3]\n")
    words = ("tune", "markets", "--symbols", "A01,A02", "--config", "space.toml", "--trials", 1)
    shown = results(*words, "--folds", 1, "--out", "found")
    assert "markets: 2 markets with 600 bars from 1970-01-01 to 1971-02-24; 1 trial" in shown
    assert re.search(r"compare markets --start 19\S+ --config found/best.toml", shown)


@pytest.mark.slow
def test_a_model_of_several_markets_is_compared_with_the_portfolio_baselines(results, markets):
    words = ("compare", "markets", "--symbols", "A01,A02", "--config", "tiny.toml")
    shown = results(*words, "--target", "policy", "--out", "found")
    assert "markets: training on 2 markets with 420 bars from 1970-01-01 to 1970-10-21." in shown
    assert re.search(r"Out of sample, 197\d-\d\d-\d\d to 1971-02-24", shown)
    assert {"LSTM", "Equal weight", "Minimum variance"} <= set(rows_of(shown))
    assert LSTMForecaster.load("found/model").takes_panels
    assert {"report.html", "metrics.csv"} <= {path.name for path in Path("found").iterdir()}


def test_a_permutation_test_is_for_one_market(refusal, markets):
    message = refusal("compare", "markets", "--permutations", 20)
    assert "--permutations shuffles the bars of one market, and BARS holds several" in message


HALVES = """
from lstm_strategy import PortfolioStrategy

class Halves(PortfolioStrategy):
    def target_exposures(self):
        return {"A01": 0.5, "A02": -0.25}
"""


def test_a_portfolio_of_several_markets_is_shown_and_written_market_by_market(results, markets):
    Path("halves.py").write_text(HALVES)
    words = ("backtest", "markets", "--strategy", "halves.py:Halves", "--out", "held")
    shown = results(*words, "--symbols", "A01,A02")
    assert "Wrote markets.csv, metrics.csv, equity.csv, trades.csv and equity.png to held/" in shown
    kept = pd.read_csv("held/markets.csv", index_col="symbol")
    assert kept["exposure"].to_dict() == pytest.approx({"A01": 0.5, "A02": 0.25}, abs=0.02)
    rows = rows_of(shown)
    for symbol, exposure in kept["exposure"].items():
        assert rows[symbol][0] == f"{exposure:.1%}"


def test_a_strategy_of_one_market_is_not_for_several(refusal, results, markets):
    message = refusal("backtest", "markets", "--strategy", "MACD")
    assert (
        "one market is wanted here, and markets holds 3 (A01, A02, A03). Choose one: --s" in message
    )
    message = refusal("backtest", "markets", "--strategy", "MACD", "--symbols", "A02,A01")
    assert "MACD trades one market, and was given 2. Choose one: --symbol A02. Or" in message
    assert (
        "Sharpe" in results("backtest", "markets", "--strategy", "MACD", "--symbol", "A01").title()
    )


def test_a_model_of_several_markets_is_traded_on_them(results, refusal, markets, panel_model):
    words = ("backtest", "markets", "--symbols", "A01,A02", "--start", "1970-06", "--model")
    shown = results(*words, panel_model)
    assert shown.startswith("LSTM (IN-SAMPLE), ")
    assert {"A01", "A02"} <= set(rows_of(shown))


def test_a_portfolio_baseline_is_found_by_its_name(results, markets):
    shown = results("backtest", "markets", "--symbols", "A01,A02", "--strategy", "equal weight")
    exposures = [float(rows_of(shown)[symbol][0].rstrip("%")) for symbol in ("A01", "A02")]
    assert exposures == pytest.approx([50, 50], abs=3)


REFUSALS = {
    "an empty folder": (["empty"], "there is nothing in the folder empty"),
    "no match": (["none/*.csv"], "no file matches none/*.csv"),
    "an unknown symbol": (
        ["markets", "--symbols", "A01,B01"],
        "no market 'B01' among the 3 of the source. Did you mean A01? Or leave it out: --on-bad d",
    ),
    "a universe": (
        ["markets", "--universe", "unknown.txt"],
        "2 of the markets asked for aren't among the 3 of the source: B01, C01",
    ),
    "a bad market": (["bad"], "market BAD: bad/BAD.csv: line 2: high 9 is below open 10"),
    "no common dates": (["apart"], "market A has no date in common with any other: it has 2 bars"),
    "two choices": (
        ["markets", "--symbols", "A01", "--universe", "unknown.txt"],
        "--symbols and --universe both choose markets",
    ),
    "one market": (["bars.csv", "--on-bad", "drop"], "--on-bad drop is for several markets, and b"),
    "on_bad": (["markets", "--on-bad", "skip"], "--on-bad must be one of raise, drop, got 'skip'"),
}
HEADER = "Date,Open,High,Low,Close,Volume\n"


def test_markets_that_are_too_short_to_learn_from_are_dropped_where_the_user_says_so(run, markets):
    words = ("train", "markets", "--config", "tiny.toml")
    refused = run(*words)
    assert refused.code == 2
    assert "market A03: it has 12 bars" in refused.err
    assert "on_bad" not in refused.err
    done = run(*words, "--on-bad", "drop")
    assert done.code == 0
    assert "note: the training leaves out 1 of 3 markets: market A03: it has 12" in done.err


@pytest.mark.parametrize("case", REFUSALS)
def test_markets_that_cannot_be_used_are_refused_in_one_line(refusal, markets, case):
    for folder in ("empty", "bad", "apart"):
        Path(folder).mkdir()
    Path("bad/GOOD.csv").write_text(f"{HEADER}2024-01-02,10,12,9,11,5\n2024-01-03,10,12,9,10,5\n")
    Path("bad/BAD.csv").write_text(f"{HEADER}2024-01-02,10,9,9,11,5\n2024-01-03,10,12,9,10,5\n")
    for year, name in ((2023, "A"), (2024, "B")):
        rows = f"{year}-01-02,10,12,9,11,5\n{year}-01-03,10,12,9,10,5\n"
        Path(f"apart/{name}.csv").write_text(HEADER + rows)
    Path("unknown.txt").write_text("A01\nB01\nC01\n")
    words, message = REFUSALS[case]
    assert message in refusal("train", *words)


def test_a_pattern_that_the_shell_expanded_is_to_be_quoted(refusal, markets):
    message = refusal("train", *sorted(Path("markets").glob("*.csv")))
    assert "Quote a pattern of files, such as 'data/*.csv'" in message
    assert message.endswith("such as --force. See lstm-strategy train --help.\n")


def test_a_value_after_an_option_that_takes_none_is_named_with_the_remedy(refusal, markets):
    message = refusal("backtest", "markets", "--report", "report.html")
    assert "too many arguments: report.html. Quote" in message
    assert "give no value to an option that takes none" in message


def test_markets_without_common_dates_are_dropped_where_the_user_says_so(run, markets):
    rows = "1950-01-02,10,12,9,11,5\n1950-01-03,11,12,9,10,5\n1950-01-04,10,12,9,11,5\n"
    Path("markets/OLD.csv").write_text(HEADER + rows)
    words = ("backtest", "markets", "--strategy", "equal weight")
    refused = run(*words)
    assert "market OLD has no date in common with any other: it has 3 bars" in refused.err
    assert "Or leave out such markets: --on-bad drop." in refused.err
    done = run(*words, "--on-bad", "drop")
    assert (done.code, "markets: dropped 1 of 4 markets: market OLD has" in done.err) == (0, True)


def test_bad_and_unknown_markets_are_dropped_and_counted_where_the_user_says_so(results, markets):
    Path("markets/BAD.csv").write_text(f"{HEADER}2024-01-02,10,9,9,11,5\n")
    words = ("train", "markets", "--symbols", "A01,A02,BAD,NONE", "--config", "tiny.toml")
    shown = results(*words, "--on-bad", "drop")
    assert "markets: dropped 2 of 4 markets: NONE (the source has no such market); BAD (" in shown
    assert "training on 2 markets with 600 bars" in shown


def test_a_portfolio_of_several_markets_is_audited(results, refusal, markets):
    words = ("audit", "markets", "--symbols", "A01,A02")
    shown = results(*words, "--strategy", "equal weight")
    assert "2 markets with 600 bars" in shown
    assert "Clean: nothing looked ahead" in shown
    assert "MACD trades one market, and was given 2" in refusal(*words, "--strategy", "MACD")


def test_a_file_of_several_markets_is_named_once_in_what_is_said_of_it(results, here):
    panel = simulate_bars("remembered_news", 60, seed=7, n_assets=2).bars
    table = pd.concat(bars.assign(symbol=name) for name, bars in panel.items())
    Path("long.csv").write_text(table.assign(why="x").to_csv() + "Source: nobody,,,,,,,\n")
    shown = results("backtest", "long.csv", "--strategy", "Equal weight")
    (line,) = [line for line in shown.splitlines() if "long.csv: left out" in line]
    assert line.count("long.csv") == 1
