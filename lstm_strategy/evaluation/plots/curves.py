"""Backtests and equity curves as lines to draw: one name, one colour and one style for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import pandas as pd

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.looks import Look, choose_looks
from lstm_strategy.evaluation.plots.style import line_style, picture_name
from lstm_strategy.evaluation.thinning import thin_rows
from lstm_strategy.support import in_sample_label, number_text
from lstm_strategy.trading.cerebro import BrokerSettings, sum_markets

PandasObject = TypeVar("PandasObject", pd.Series, pd.DataFrame)


class DrawableResult(Protocol):
    """What a backtest must have to be drawn; a `BacktestResult` has it."""

    @property
    def label(self) -> str:
        """The name for the legend."""
        ...

    @property
    def equity(self) -> pd.Series:
        """Account value at each close."""
        ...

    @property
    def exposure(self) -> pd.Series | pd.DataFrame:
        """Position value as a fraction of equity; of many markets one column each."""
        ...

    @property
    def is_lstm(self) -> bool:
        """Whether the figure is about it."""
        ...

    @property
    def is_buy_and_hold(self) -> bool:
        """Whether it holds the market."""
        ...

    @property
    def in_sample(self) -> bool:
        """Whether its model was trained on these bars."""
        ...

    @property
    def broker(self) -> BrokerSettings:
        """What trading cost."""
        ...


class DrawableSet(Protocol):
    """Several backtests by name; a `ResultSet` and a `Comparison` are that."""

    @property
    def results(self) -> Mapping[str, DrawableResult]:
        """One backtest for each strategy."""
        ...


Drawable = DrawableSet | DrawableResult | Mapping[str, DrawableResult | pd.Series]
"""A comparison, a backtest, or a mapping of names to backtests or equity curves."""


@dataclass(frozen=True)
class Curve:
    """One strategy as it is drawn.

    Attributes:
        name: The name for the legend.
        equity: Account value at each close.
        exposure: Position value as a fraction of equity; None where it isn't known.
        broker: What trading cost; None where it isn't known.
        in_sample: Whether its model was trained on these bars.
        is_highlighted: Whether the figure is about it.
        is_muted: Whether it stays in the background.
        look: How matplotlib draws it.
    """

    name: str
    equity: pd.Series
    exposure: pd.Series | None
    broker: BrokerSettings | None
    in_sample: bool
    is_highlighted: bool
    is_muted: bool
    look: dict[str, Any]

    @property
    def growth(self) -> pd.Series:
        """The equity for each unit of money at the start."""
        growth: pd.Series = self.equity / self.equity.iloc[0]
        return growth

    @property
    def label(self) -> str:
        """The name with the total return."""
        return f"{picture_name(self.name)}  {number_text(self.growth.iloc[-1] - 1, '{:.1%}')}"


def build_curves(source: Drawable, highlight: str | Sequence[str] | None) -> list[Curve]:
    """Return the curves in the order given, each with its colour and line style.

    Args:
        source: What is drawn.
        highlight: The strategies in strong colours; by default the LSTMs, or else the first.

    Raises:
        TradingError: For a name that isn't there, or nothing to draw.
    """
    entries = _entries_of(source)
    names = _choose_highlighted(entries, highlight)
    own = next(name for name in entries if name in names)
    held = [name for name, entry in entries.items() if getattr(entry, "is_buy_and_hold", False)]
    looks = choose_looks(list(entries), own=own, held=held)
    return [
        _build_curve(name, entry, is_highlighted=name in names, look=looks[name])
        for name, entry in entries.items()
    ]


def on_plain_dates(values: PandasObject) -> PandasObject:
    """Return the same values at their local time, which is what matplotlib is to show."""
    index = pd.DatetimeIndex(values.index)
    return values if index.tz is None else values.set_axis(index.tz_localize(None))


def thin_series(values: pd.Series) -> pd.Series:
    """Return at most as many values of a line as a picture can show, its extremes among them.

    See `lstm_strategy.evaluation.thinning.thin_rows`.
    """
    return thin_rows(values.to_frame()).iloc[:, 0]


def thin_band(middle: pd.Series, around: pd.Series) -> pd.DataFrame:
    """Return a line and the band around it as `thin_series` does: the columns low, middle, high.

    Args:
        middle: The line.
        around: How far the band reaches to both sides; NaN for no band.
    """
    width = around.fillna(0.0)
    return thin_rows(
        pd.DataFrame({"low": middle - width, "middle": middle, "high": middle + width})
    )


def _entries_of(source: Any) -> dict[str, DrawableResult | pd.Series]:
    """Backtest or equity curve by name, whatever of the three kinds the source is."""
    entries = getattr(source, "results", source)
    if not isinstance(entries, Mapping):
        return {source.label: source}
    if not entries:
        raise TradingError("A plot needs at least one strategy, got none.")
    return dict(entries)


def _choose_highlighted(
    entries: Mapping[str, DrawableResult | pd.Series], highlight: str | Sequence[str] | None
) -> set[str]:
    if highlight is None:
        lstms = {name for name, entry in entries.items() if getattr(entry, "is_lstm", False)}
        return lstms or {next(iter(entries))}
    by_label = {getattr(entry, "label", name): name for name, entry in entries.items()}
    chosen = [highlight] if isinstance(highlight, str) else highlight
    for name in chosen:
        if name not in entries and name not in by_label:
            raise TradingError(
                f"highlight must name a strategy of the plot, got {name!r}. "
                f"Choose from {', '.join(entries)}."
            )
    return {name if name in entries else by_label[name] for name in chosen}


def _build_curve(
    name: str, entry: DrawableResult | pd.Series, *, is_highlighted: bool, look: Look
) -> Curve:
    result = None if isinstance(entry, pd.Series) else entry
    holds_market = result is not None and result.is_buy_and_hold
    width, zorder = (1.8, 4) if is_highlighted else (1.3, 3) if holds_market else (1.0, 2)
    in_sample = result is not None and result.in_sample
    # a result knows that it is in sample; the name under which it is kept may not
    is_told = result is None or not in_sample or name == result.label
    return Curve(
        name=name if is_told else in_sample_label(name),
        equity=on_plain_dates(entry if isinstance(entry, pd.Series) else entry.equity),
        exposure=None if result is None else on_plain_dates(sum_markets(result.exposure)),
        broker=None if result is None else result.broker,
        in_sample=in_sample,
        is_highlighted=is_highlighted,
        is_muted=not is_highlighted and not holds_market,
        look={"color": look.color, "ls": line_style(look), "lw": width, "zorder": zorder},
    )
