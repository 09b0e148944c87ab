"""What the report says of trades, months and years: the numbers of the results, by one rule."""

import dataclasses
import re
from html import unescape

import pandas as pd
import pytest
from made_up import random_walk

from lstm_strategy.evaluation.comparison import compare
from lstm_strategy.evaluation.metrics import drawdown_periods, yearly_returns
from lstm_strategy.evaluation.report import ReportContent, report_html
from lstm_strategy.evaluation.report.sections.results.calendar import (
    _incomplete_parts,
    calendar_section,
)
from lstm_strategy.evaluation.report.sections.results.drawdowns import drawdowns_section
from lstm_strategy.evaluation.report.sections.results.strategies import strategies_section
from lstm_strategy.evaluation.report.sections.results.trade_statistics import (
    trade_statistics_section,
)
from lstm_strategy.evaluation.report.sections.results.trades import trades_section
from lstm_strategy.trading.baselines import MACD, BuyAndHold
from lstm_strategy.trading.cerebro import BrokerSettings

BARS = random_walk(300)


@pytest.fixture(scope="module")
def content():
    comparison = compare({"MACD": MACD, "Buy and hold": BuyAndHold}, BARS)
    return ReportContent(comparison, comparison.assess(), BARS)


def cells_of(section):
    """The cells of each row by its name."""
    rows = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', section)
    return {
        unescape(name): [unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
        for name, row in rows
    }


def headings_of(section):
    return re.findall(r'<th scope="col"[^>]*>(.*?)</th>', section)[1:]


def test_a_table_of_less_than_a_year_says_what_it_is_extrapolated_from(content):
    assert "are extrapolated from" in strategies_section(content)
    longer = compare({"MACD": MACD}, random_walk(600))
    section = strategies_section(ReportContent(longer, longer.assess(), BARS))
    assert "are extrapolated from" not in section


def test_every_strategy_has_its_trade_statistics(content):
    section = trade_statistics_section(content)
    found = content.result.trade_statistics
    row = dict(zip(headings_of(section), cells_of(section)["MACD"], strict=True))
    assert row["Closed trades"] == f"{found['closed_trades']:.0f}"
    assert row["Win rate"] == f"{found['win_rate']:.1%}"
    assert row["Profit factor"] == f"{found['profit_factor']:.2f}"
    assert row["Expectancy"] == f"{found['expectancy']:.2%}"
    assert row["Time in market"] == f"{found['exposure_time']:.1%}"
    held = dict(zip(headings_of(section), cells_of(section)["Buy and hold"], strict=True))
    assert (held["Closed trades"], held["Still open"], held["Win rate"]) == ("0", "1", "n/a")


def test_headings_say_how_profit_factor_and_expectancy_weigh_trades(content):
    section = trade_statistics_section(content)
    helps = dict(re.findall(r'<th scope="col" title="(.*?)">(.*?)</th>', section))
    by_heading = {heading: text for text, heading in helps.items()}
    assert "in money" in by_heading["Profit factor"]
    assert "each trade counts alike" in by_heading["Expectancy"]
    assert "highest return" in by_heading["Best trade"]
    assert "lowest return" in by_heading["Worst trade"]


@pytest.mark.usefixtures("no_pictures")
def test_units_are_never_written_as_powers_of_ten():
    cheap = BARS.assign(**{name: BARS[name] * 1e-7 for name in ("open", "high", "low", "close")})
    dear = BARS.assign(**{name: BARS[name] * 1e7 for name in ("open", "high", "low", "close")})
    for bars in (cheap, dear):
        comparison = compare({"MACD": MACD}, bars)
        table = trades_section(ReportContent(comparison, comparison.assess(), bars))
        units = [row[2] for row in cells_of(table).values()]
        assert units
        assert not any("e" in text for text in units)


@pytest.mark.parametrize(
    ("first", "last", "parts"),
    [
        ("2014-01-02", "2018-12-31", []),
        ("2014-01-03", "2018-12-28", ["the first month and year"]),
        ("2014-06-02", "2018-11-30", ["the first year", "the last year"]),
        ("2014-01-15", "2018-12-14", ["the first month and year", "the last month and year"]),
    ],
)
def test_only_months_and_years_that_lack_days_are_called_incomplete(first, last, parts):
    assert _incomplete_parts(pd.bdate_range(first, last)) == parts


def test_a_market_without_weekends_has_no_holidays():
    days = pd.date_range("2023-01-02", "2023-12-31")
    assert _incomplete_parts(days) == ["the first month and year"]


@pytest.mark.usefixtures("no_pictures")
def test_closed_trades_are_the_same_number_everywhere(content):
    strategies, statistics = strategies_section(content), trade_statistics_section(content)
    of_strategies = cells_of(strategies)["MACD"][headings_of(strategies).index("Closed trades")]
    of_statistics = cells_of(statistics)["MACD"][headings_of(statistics).index("Closed trades")]
    n_closed = int(content.result.trades["exit"].notna().sum())
    assert of_strategies == of_statistics == f"{n_closed}"
    assert f"The last 5 of {n_closed} closed trades" in trades_section(content)


def test_the_columns_of_a_trade_multiply_to_its_profit_and_its_return(content):
    section = trades_section(content)
    closed = content.result.trades.dropna(subset="exit").reset_index(drop=True)
    last = closed.iloc[-1]
    assert "units times the price difference, less commission, is the profit" in section
    table = section.split("<span>The last 5 of")[1]
    headings = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', table)[1:]
    row = dict(zip(headings, next(iter(cells_of(table).values())), strict=False))
    numbers = {
        name: float(row[name].replace(",", ""))
        for name in ("Units", "Average entry", "Average exit", "Commission", "Profit")
    }
    side = 1 if row["Side"] == "long" else -1
    moved = side * numbers["Units"] * (numbers["Average exit"] - numbers["Average entry"])
    assert moved - numbers["Commission"] == pytest.approx(numbers["Profit"], abs=2.0)
    put_on = numbers["Units"] * numbers["Average entry"]
    assert row["Return"] == f"{last['pnl'] / put_on:.2%}"


def test_the_profits_of_a_small_account_are_more_than_zero():
    comparison = compare({"MACD": MACD}, BARS, broker=BrokerSettings(cash=1.0))
    section = trades_section(ReportContent(comparison, comparison.assess(), BARS))
    table = section.split("<span>The best 5 of")[1]
    headings = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', table)[1:]
    row = dict(zip(headings, next(iter(cells_of(table).values())), strict=False))
    trades = comparison.results["MACD"].trades
    best = trades["pnl"][trades["exit"].notna()].max()
    assert row["Profit"] == f"{best:.4f}" != "0.0000"


def test_what_a_drawdown_counts_is_said(content):
    section = drawdowns_section(content)
    assert "Bars from peak to recovery" in section
    periods = drawdown_periods(content.result.equity)
    assert ("counted to the last bar" in section) == periods["recovered"].isna().any()


def test_a_trade_that_is_open_is_called_that():
    comparison = compare({"Buy and hold": BuyAndHold}, BARS)
    section = trades_section(ReportContent(comparison, comparison.assess(), BARS))
    assert "<span>1 trade, still open</span>" in section


def profits_by_caption(section):
    """The profit of each row, as text, by the caption of its table."""
    tables = re.findall(r"<caption><span>(.*?)</span></caption>(.*?)</table>", section, re.DOTALL)
    found = {}
    for caption, table in tables:
        column = headings_of(table).index("Profit")
        rows = re.findall(r'<th scope="row">.*?</th>(.*?)</tr>', table)
        found[unescape(caption)] = [re.findall(r"<td[^>]*>(.*?)</td>", row)[column] for row in rows]
    return found


def tables_of_trades(content, exits, profits):
    """The tables of made-up trades, entered day by day; None is the exit of an open one."""
    trades = pd.DataFrame(
        {
            "entry": pd.date_range("2024-01-01", periods=len(exits)),
            "exit": pd.to_datetime([day and f"2024-02-{day:02}" for day in exits]),
            **dict.fromkeys(("size", "units", "entry_price", "exit_price", "return"), 1.0),
            "pnl": profits,
            **dict.fromkeys(("bars", "commission", "funding"), 0),
        }
    )
    result = dataclasses.replace(content.result, trades=trades)
    own = dataclasses.replace(content.results, results={content.name: result})
    return profits_by_caption(trades_section(dataclasses.replace(content, results=own)))


@pytest.mark.usefixtures("no_pictures")
def test_open_trades_stand_apart_from_the_last_the_best_and_the_worst_closed(content):
    exits = [9, 3, None, 4, 5, 6, 7, None]
    profits = [1.0, 2.0, 900.0, 3.0, 6.0, 5.0, 4.0, -900.0]
    assert tables_of_trades(content, exits, profits) == {
        "2 trades, still open": ["-900", "900"],
        "The last 5 of 6 closed trades, by exit": ["1", "4", "5", "6", "3"],
        "The best 5 of 6 closed trades, by profit": ["6", "5", "4", "3", "2"],
        "The worst 5 of 6 closed trades, by profit": ["1", "2", "3", "4", "5"],
    }


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(
    ("exits", "expected"),
    [
        pytest.param(
            [3, None, 2, None, None, None],
            {"4 trades, still open": ["6", "5", "4", "2"], "2 closed trades": ["1", "3"]},
            id="a few closed",
        ),
        pytest.param(
            [None] * 6,
            {"The last 5 entered of 6 trades, still open": ["6", "5", "4", "3", "2"]},
            id="many open",
        ),
        pytest.param([3, None], {"1 closed trade, 1 still open": ["1", "2"]}, id="all in one"),
    ],
)
def test_captions_of_few_trades_say_what_is_listed(content, exits, expected):
    profits = [float(number) for number in range(1, len(exits) + 1)]
    assert tables_of_trades(content, exits, profits) == expected


def test_months_and_years_stand_in_one_table_beside_holding(content):
    section = calendar_section(content)
    years, held = (yearly_returns(each.equity) for each in content.results.results.values())
    cells = cells_of(section)
    assert list(cells) == [str(year) for year in years.index]
    for year, row in cells.items():
        assert row[-2:] == [
            f"{each[int(year)]:.1%}".replace("-0.0", "0.0") for each in (years, held)
        ]
    assert headings_of(section)[0] == "Jan"
    months = pd.Series(cells[str(years.index[0])][:12])
    assert months.ne("").sum() > 3
    assert re.search(r'class="(gain|loss)-[1-4]"', section)


@pytest.mark.parametrize("name", ["Year", "Jan"])
def test_holding_has_its_own_column_whatever_it_is_called(content, name):
    comparison = compare({"MACD": MACD, name: BuyAndHold}, BARS)
    section = calendar_section(ReportContent(comparison, comparison.assess(), BARS))
    assert cells_of(section) == cells_of(calendar_section(content))
    assert headings_of(section)[-2:] == ["Year", f"{name} (held)"]


@pytest.mark.usefixtures("no_pictures")
def test_no_zero_of_a_page_has_a_sign(content):
    assert not re.search(r"[>( ][-+]0(\.0+)?%?[<, ]", report_html(content))
