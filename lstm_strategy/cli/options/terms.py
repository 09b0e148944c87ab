"""Options of the terms: what trading costs, and what a strategy may do."""

from functools import partial
from typing import Annotated

import typer

from lstm_strategy.cli.options.checks import complete_from, complete_strategy

_broker = partial(typer.Option, rich_help_panel="Broker")

LongOnly = Annotated[bool, typer.Option("--long-only", help="Never sell short.", show_default="no")]
Cash = Annotated[
    float | None,
    _broker("--cash", metavar="MONEY", help="The money at the start.", show_default="100000"),
]
Commission = Annotated[
    float | None,
    _broker(
        "--commission",
        metavar="FRACTION",
        help="The commission, as a fraction of each trade's value.",
        show_default="0.001",
    ),
]
Instruments = Annotated[
    list[str] | None,
    _broker(
        "--instrument",
        metavar="KIND:NAME=VALUE,...",
        help="What is traded, instead of a commission: spot, future or perpetual with its "
        "settings, such as perpetual:leverage=3. Of several markets "
        "MARKET=KIND:..., once for each. leverage only sets how much exposure is allowed; it "
        "doesn't raise what a strategy asks for. More than the equity is held by a strategy that "
        "asks for it, up to its max_leverage.",
        show_default="something paid in full, at --commission",
        autocompletion=complete_from("spot", "future", "perpetual"),
    ),
]
MoreStrategies = Annotated[
    list[str] | None,
    typer.Option(
        "--strategy",
        metavar="STRATEGY",
        help="One more to compare with, once for each: a backtrader strategy as FILE.py:Class or "
        "FILE.py:Class:name=value,..., or a baseline that isn't among the usual ones.",
        show_default="the LSTM and the baselines alone",
        autocompletion=complete_strategy,
    ),
]
Slippage = Annotated[
    float | None,
    _broker(
        "--slippage",
        metavar="FRACTION",
        help="The loss on each fill, as a fraction of the price.",
        show_default="0.0005",
    ),
]
LatencyBars = Annotated[
    int | None,
    _broker(
        "--latency-bars",
        metavar="N",
        help="Bars from a decision to the close at which its orders leave.",
        show_default="0",
    ),
]
ExecutionBars = Annotated[
    int | None,
    _broker(
        "--execution-bars",
        metavar="N",
        help="The opens over which each order of one market is worked.",
        show_default="1",
    ),
]
Execution = Annotated[
    str | None,
    _broker(
        "--execution",
        metavar="NAME",
        help="How orders are worked over several bars: twap in equal slices, vwap as the volume "
        "of earlier days came.",
        show_default="twap",
        autocompletion=complete_from("twap", "vwap"),
    ),
]
