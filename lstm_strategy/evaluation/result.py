"""One backtest as its user gets it: the run, its metrics, its figure, and whether it was honest.

A backtest is out of sample when it starts after the last bar that its model was trained on. That is
the default here; a backtest that isn't carries IN-SAMPLE in its name, so that every table, legend
and title shows it.
"""

import dataclasses
import html
import io
import os
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lstm_strategy.bars.dates import span_dates
from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.metrics import metrics_of
from lstm_strategy.trading.backtest import BacktestRun, BrokerSettings, run_cerebro

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PERCENT_METRICS = (
    "total_return", "cagr", "volatility", "max_drawdown", "exposure", "costs",
)  # fmt: skip

_ORDER_TROUBLES = {
    "margin": "refused for cash",
    "rejected": "rejected by the broker",
    "expired": "not filled by the next close and decided anew",
    "too_small": "smaller than one lot",
    "unfilled_at_end": "sent on the last bar, so never filled",
    "ruined": "equity fell to zero and all was closed",
}


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class BacktestResult(BacktestRun):
    """A `BacktestRun` with the broker it ran on, its metrics and its figure.

    `in_sample` is true when the first bar of the equity curve belongs to the bars that the model
    was trained on; the `name` then ends in "(IN-SAMPLE)".
    """

    broker: BrokerSettings = dataclasses.field(default_factory=BrokerSettings)
    in_sample: bool = False

    @cached_property
    def metrics(self) -> pd.Series:
        """The metrics of `lstm_strategy.evaluation.metrics`, as fractions; NaN where undefined."""
        return metrics_of(self)

    def figure(self) -> "Figure":
        """Equity, drawdown and exposure of this run, one above the other."""
        from lstm_strategy.evaluation.plots import plot_equity

        return plot_equity(self)

    def save(self, folder: str | Path) -> Path:
        """Write metrics.csv, equity.csv, trades.csv and equity.png, each whole or not at all."""
        metrics = self.metrics.to_frame(self.name).T.astype({"trades": int})
        tables = {
            "metrics.csv": metrics.rename_axis("strategy"),
            "equity.csv": self.equity.to_frame("equity").rename_axis("datetime"),
            "trades.csv": self.trades.set_index("entry"),
        }
        return write_results(folder, tables, self.figure())

    def __repr__(self) -> str:
        return (
            f"BacktestResult({self.name!r}, {span_text(self.equity)}: "
            f"total return {self.metrics['total_return']:.1%}, "
            f"Sharpe {self.metrics['sharpe']:.2f}, "
            f"max drawdown {self.metrics['max_drawdown']:.1%})"
        )

    def _repr_html_(self) -> str:
        table = readable_metrics(self.metrics.to_frame().T)
        return f"<p><b>{html.escape(self.name)}</b>, {span_text(self.equity)}</p>{table.to_html()}"


def run_backtest(
    strategy: type,
    bars: pd.DataFrame,
    *,
    start: str | date | None = None,
    end: str | date | None = None,
    broker: BrokerSettings | None = None,
    name: str | None = None,
    **params: Any,
) -> BacktestResult:
    """Run one strategy over bars and return its result; orders fill at the next bar's open.

    Bars before `start` only warm up the strategy. Without `start`, a strategy with a trained
    `model` starts at the first bar after the model's training. `params` go to the strategy. Raises
    `TradingError` when no bar is left to trade.
    """
    broker = broker or BrokerSettings()
    params = with_loaded_model(params, bars)
    trained_until = training_end(params, bars)
    if start is None:
        start = first_bar_after(trained_until, bars)
    run = run_cerebro(strategy, bars, start=start, end=end, broker=broker, name=name, **params)
    return result_of(run, broker, trained_until)


def result_of(
    run: BacktestRun, broker: BrokerSettings, trained_until: pd.Timestamp | None
) -> BacktestResult:
    """The run as a result; it is called in-sample if it starts within the model's training span."""
    fields = {f.name: getattr(run, f.name) for f in dataclasses.fields(BacktestRun)}
    in_sample = trained_until is not None and run.first_tradable <= trained_until
    if in_sample:
        fields["name"] = f"{run.name} (IN-SAMPLE)"
    return BacktestResult(**fields, broker=broker, in_sample=in_sample)


def with_loaded_model(params: dict[str, Any], bars: pd.DataFrame) -> dict[str, Any]:
    """The params with a model given by its folder replaced by that model's forecasts of `bars`."""
    if not isinstance(params.get("model"), str | PathLike):
        return params
    from lstm_strategy.learning.models import ready_forecasts

    return params | {"model": ready_forecasts(params["model"], bars)}


def training_end(params: dict[str, Any], bars: pd.DataFrame) -> pd.Timestamp | None:
    """Last bar that the strategy's model has learned from, on the bars' clock; None if unknown."""
    known = getattr(params.get("model"), "training_end", None)
    if known is None:
        return None
    moment, zone = pd.Timestamp(known), getattr(bars.index, "tz", None)
    if (moment.tz is None) == (zone is None):
        return moment
    # One of both is without a time zone: that one counts as UTC, as everywhere in the package.
    return moment.tz_localize("UTC") if zone else moment.tz_convert("UTC").tz_localize(None)


def first_bar_after(moment: pd.Timestamp | None, bars: pd.DataFrame) -> pd.Timestamp | None:
    """The first bar later than `moment`, or None without a moment."""
    if moment is None:
        return None
    later = bars.index[bars.index > moment]
    if later.empty:
        raise TradingError(
            f"A backtest starts after the last training bar, which is {moment}, but the bars end "
            f"at {bars.index[-1]}. Fit on fewer bars or load later ones; or pass start=... "
            "to see an in-sample result, marked as such."
        )
    return later[0]


def write_results(
    folder: str | Path, tables: Mapping[str, pd.DataFrame], equity_figure: "Figure"
) -> Path:
    """Write the tables by file name and equity.png, each whole or not at all, and say where."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    contents = {file_name: table.to_csv().encode() for file_name, table in tables.items()}
    for file_name, content in (contents | {"equity.png": _png(equity_figure)}).items():
        write_whole(target / file_name, content)
    return target


def write_picture(path: str | Path, figure: "Figure") -> Path:
    """Write a figure as a PNG, whole or not at all, and return its path."""
    return write_whole(path, _png(figure))


def _png(figure: "Figure") -> bytes:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    return picture.getvalue()


def write_whole(path: str | Path, content: bytes) -> Path:
    """Write a file, and the folder it is in, whole or not at all, and return its path."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # under a temporary name first: a reader sees the old file or the new, never half
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def order_troubles(order_counts: Mapping[str, int]) -> str:
    """What became of the orders that did not fill as asked, in words; "" without any.

    >>> order_troubles({"completed": 5, "expired": 2, "too_small": 1})
    '2 not filled by the next close and decided anew; 1 smaller than one lot'
    """
    counts = {kind: order_counts.get(kind, 0) for kind in _ORDER_TROUBLES}
    return "; ".join(f"{count} {_ORDER_TROUBLES[kind]}" for kind, count in counts.items() if count)


def is_buy_and_hold(name: str) -> bool:
    """Whether a strategy goes by the name of buy and hold, however it is spelled."""
    return "".join(c for c in name.lower() if c.isalpha()) in {"buyandhold", "buyhold", "bh"}


def span_text(equity: pd.Series | pd.DataFrame) -> str:
    """The dates of a curve in words: "2013-01-02 to 2018-12-31, 1,510 bars"."""
    first, last = span_dates(equity.index)
    return f"{first} to {last}, {len(equity):,} bars"


def readable_metrics(table: pd.DataFrame) -> pd.DataFrame:
    """The metrics as text for a reader: fractions in percent, ratios with two digits."""
    formats = dict.fromkeys(table.columns, "{:.2f}")
    formats |= dict.fromkeys(_PERCENT_METRICS, "{:.1%}") | {"trades": "{:.0f}"}
    columns = {
        column: [formats[column].format(v) if pd.notna(v) else "n/a" for v in table[column]]
        for column in table.columns
    }
    return pd.DataFrame(columns, index=table.index)
