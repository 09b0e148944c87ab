"""Options of the bars: where they come from, how they are read, and which of them count."""

from pathlib import Path
from typing import Annotated

import typer

from lstm_strategy.cli.options.checks import choose_from, complete_bars

_BARS_HELP = (
    "A price file (CSV, Parquet and what most exporters write), sample:sp500 or sample:nasdaq, or "
    "a download: yahoo:SPY, ccxt:binance:BTC/USDT:USDT:1h."
)
_MARKETS_HELP = (
    f"{_BARS_HELP} Or several markets: a folder or a quoted pattern such as 'data/*.csv', whose "
    "files hold one each, or a file of several."
)

Bars = Annotated[str, typer.Argument(metavar="BARS", help=_BARS_HELP, autocompletion=complete_bars)]
BarsOrMarkets = Annotated[
    str, typer.Argument(metavar="BARS", help=_MARKETS_HELP, autocompletion=complete_bars)
]
OptionalBars = Annotated[
    str | None,
    typer.Argument(
        metavar="BARS", help=_BARS_HELP, show_default="made up", autocompletion=complete_bars
    ),
]
OptionalMarkets = Annotated[
    str | None,
    typer.Argument(
        metavar="BARS", help=_MARKETS_HELP, show_default="none", autocompletion=complete_bars
    ),
]
FirstBar = Annotated[
    str | None,
    typer.Option(
        "--start", metavar="DATE", help="The first bar to use.", show_default="the first there is"
    ),
]
LastBar = Annotated[
    str | None,
    typer.Option(
        "--end", metavar="DATE", help="The last bar to use.", show_default="the last there is"
    ),
]
TrainStart = Annotated[
    str | None,
    typer.Option(
        "--start",
        metavar="DATE",
        help="The first bar to learn from.",
        show_default="the first there is",
    ),
]
TrainEnd = Annotated[
    str | None,
    typer.Option(
        "--end",
        metavar="DATE",
        help="The last bar to learn from. Test the model on later ones.",
        show_default="the last there is",
    ),
]
Start = Annotated[
    str | None,
    typer.Option(
        "--start",
        metavar="DATE",
        help="The first bar to trade, such as 2013-01-02. Earlier bars warm up.",
        show_default="the first after the training; without a model, the first that can be traded",
    ),
]
ComparisonStart = Annotated[
    str | None,
    typer.Option(
        "--start",
        metavar="DATE",
        help="The first bar to trade, such as 2013-01-02. Earlier bars warm up.",
        show_default="the first after the training, which takes 70% of the bars",
    ),
]
End = Annotated[
    str | None,
    typer.Option(
        "--end",
        metavar="DATE",
        help="The last bar to trade, such as 2018-12-31.",
        show_default="the last there is",
    ),
]
Adjusted = Annotated[
    bool,
    typer.Option("--adjusted", help="Scale the prices by the column Adj Close.", show_default="no"),
]
Symbol = Annotated[
    str | None,
    typer.Option(
        "--symbol",
        metavar="SYMBOL",
        help="The market to take from a file that holds several.",
        show_default="all of them",
    ),
]
Symbols = Annotated[
    str | None,
    typer.Option(
        "--symbols",
        metavar="SYMBOL,...",
        help="The markets to take from a folder, a pattern or a file of several.",
        show_default="all of them",
    ),
]
Universe = Annotated[
    Path | None,
    typer.Option(
        "--universe",
        metavar="FILE",
        help="A file that names these markets, one on each line; # begins a comment.",
        show_default="none",
    ),
]
OnBad = Annotated[
    str,
    typer.Option(
        "--on-bad",
        help="What becomes of a market among several that is missing or can't be read: raise an "
        "error, or drop it and say why.",
        **choose_from("--on-bad", "raise", "drop"),
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="NAME=COLUMN,...",
        help="Where to find columns of other names, such as open=open_perp,close=close_perp.",
        show_default="by their usual names",
    ),
]
Repair = Annotated[
    bool,
    typer.Option(
        "--repair",
        help="Drop or correct rows that aren't valid bars instead of refusing them, and say which.",
        show_default="no",
    ),
]
