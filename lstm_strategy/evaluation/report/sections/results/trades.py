"""The trades one by one."""

import pandas as pd

from lstm_strategy.evaluation.backtests import BacktestResult
from lstm_strategy.evaluation.plots import most_marked, plot_price
from lstm_strategy.evaluation.report.content import ReportContent
from lstm_strategy.evaluation.report.page import (
    SMALL_PERCENT,
    date_texts,
    escape,
    money_form,
    picture_html,
    table_html,
)
from lstm_strategy.support import count_of, digits_text, number_text

_N_TRADES = 5
_WIDE_INCHES, _PHONE_INCHES = 11.0, 5.2


def trades_section(content: ReportContent) -> str:
    """Return the chart of price and trades, as a picture too, and all trades where they are few.

    Of many trades those follow that are still open, and the last, best and worst of the closed.
    """
    tables = _trades_tables(content.result)
    return content.charts.price + _still_price(content) + tables


def _still_price(content: ReportContent) -> str:
    """The picture for print and for readers without scripts; of many markets the first one."""
    views = content.views
    if not views.closes:
        return ""
    market, close = next(iter(views.closes.items()))
    trades, forecast = views.trades_of(market), views.forecasts.get(market)
    where = f" of {market}" if market else ""
    n_long = int((trades["size"] > 0).sum())
    n_profits = int((trades["pnl"] >= 0)[trades["exit"].notna()].sum())
    alt = (
        f"Price{where} between {digits_text(close.min())} and {digits_text(close.max())}, with "
        f"{_count_trades(trades) if len(trades) else 'no trades'} of {content.result.label}: "
        f"{n_long:,} long and {len(trades) - n_long:,} short, {n_profits:,} closed at a profit."
    )
    caption = f"The price{where} and the trades of {content.result.label}."
    if len(trades):
        caption += " A trade of several fills is marked at the first and the last."
    if market and len(views.closes) > 1:
        caption += " It is the market that moved the result most."
    most = most_marked(_WIDE_INCHES)
    if len(trades) > most:
        caption += (
            f" Of {len(trades):,} trades {most:,} are marked (fewer on a phone): those with the "
            "largest profits and losses."
        )
    if forecast is not None:
        alt += " The forecast with its uncertainty is drawn below."
        caption += " The forecast is below, with its uncertainty as a band."
    wide, phone = (
        plot_price(close, trades, forecast=forecast, width_inches=width)
        for width in (_WIDE_INCHES, _PHONE_INCHES)
    )
    return f'<div class="static">{picture_html(wide, alt, caption, on_phone=phone)}</div>'


def _trades_tables(result: BacktestResult) -> str:
    trades = result.trades
    if trades.empty:
        return "<p>No trade was made.</p>"
    money = money_form(result.broker.cash)
    is_few = len(trades) <= _N_TRADES
    chosen = {_count_trades(trades): trades} if is_few else _choose_trades(trades)
    tables = "".join(
        table_html(_readable_trades(rows, money), caption, first="Entry")
        for caption, rows in chosen.items()
    )
    return f"{tables}<p>{escape(_explain_columns(result))}</p>"


def _choose_trades(trades: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """By caption the open trades, and of the closed ones the last, best and worst."""
    is_open = trades["exit"].isna()
    still_open, closed = trades[is_open], trades[~is_open]
    chosen = {}
    if len(still_open):
        which = _count_trades(still_open)
        if len(still_open) > _N_TRADES:
            which = f"The last {_N_TRADES} entered of {which}"
        chosen[which] = still_open.tail(_N_TRADES).iloc[::-1]
    by_exit = closed.sort_values("exit", kind="stable")
    which = _count_trades(closed)
    if len(closed) > _N_TRADES:
        by_profit = closed.sort_values("pnl", kind="stable")
        chosen |= {
            f"The last {_N_TRADES} of {which}, by exit": by_exit.tail(_N_TRADES).iloc[::-1],
            f"The best {_N_TRADES} of {which}, by profit": by_profit.tail(_N_TRADES).iloc[::-1],
            f"The worst {_N_TRADES} of {which}, by profit": by_profit.head(_N_TRADES),
        }
    elif len(closed):
        chosen[which] = by_exit.iloc[::-1]
    return chosen


def _explain_columns(result: BacktestResult) -> str:
    """How the profit and the return of a trade follow from the other columns."""
    trades = result.trades
    paid = "commission and funding" if trades["funding"].any() else "commission"
    instruments = [result.broker.instrument, *(result.broker.instruments or {}).values()]
    has_points = any(each is not None and each.multiplier != 1.0 for each in instruments)
    a_point = ", times what a point of the price is worth" if has_points else ""
    sentences = [
        "A trade lasts from its first fill to its last. Units are all that it bought (or sold "
        "short), added up, and the prices are the averages of its fills: units times the price "
        f"difference{a_point}, less {paid}, is the profit. The return is the profit divided by "
        f"units times the average entry{a_point}."
    ]
    if trades["exit"].isna().any():
        sentences.append("What an open trade still holds is valued at the last close.")
    if not result.liquidations.empty:
        sentences.append("What an exchange's insurance fund bore of a liquidation isn't a loss.")
    return " ".join(sentences)


def _count_trades(trades: pd.DataFrame) -> str:
    """How many there are, and how many of them are open."""
    n_open = int(trades["exit"].isna().sum())
    n_closed = len(trades) - n_open
    still_open = f"{n_open:,} still open" if n_open else ""
    if not n_closed:
        return f"{count_of(n_open, 'trade')}, still open"
    return ", ".join(filter(None, [f"{count_of(n_closed, 'closed trade')}", still_open]))


def _readable_trades(trades: pd.DataFrame, money: str) -> pd.DataFrame:
    market = {"Market": trades["symbol"].to_list()} if "symbol" in trades else {}
    return pd.DataFrame(
        {
            **market,
            "Exit": date_texts(trades["exit"], missing="open"),
            "Side": ["long" if size > 0 else "short" for size in trades["size"]],
            "Units": [digits_text(units) for units in trades["units"]],
            "Average entry": [digits_text(price) for price in trades["entry_price"]],
            "Average exit": [digits_text(price) for price in trades["exit_price"]],
            "Commission": [number_text(value, money) for value in trades["commission"]],
            **_funding_column(trades, money),
            "Profit": [number_text(value, money) for value in trades["pnl"]],
            "Return": [number_text(value, SMALL_PERCENT) for value in trades["return"]],
            "Bars held": [f"{bars:,}" for bars in trades["bars"]],
        },
        index=date_texts(trades["entry"]),
    )


def _funding_column(trades: pd.DataFrame, money: str) -> dict[str, list[str]]:
    if not trades["funding"].any():
        return {}
    return {"Funding paid": [number_text(value, money) for value in trades["funding"]]}
