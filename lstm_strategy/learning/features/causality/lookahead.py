"""What is known at bar t must not change when the bars after t are removed or altered."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstm_strategy.bars import name_market
from lstm_strategy.errors import LooksAheadError
from lstm_strategy.learning.features.causality.alteration import alter_bars, pick_evenly
from lstm_strategy.learning.features.causality.evidence import lookahead_evidence
from lstm_strategy.learning.features.feature_set import FeatureSet
from lstm_strategy.learning.features.indicators import bars_columns_of, format_spec
from lstm_strategy.learning.features.input_checks import check_markets_meet
from lstm_strategy.learning.features.once import once_for_bars
from lstm_strategy.learning.features.traits import causal_remedy
from lstm_strategy.support import naive_utc_index

_TOLERANCE = 1e-9  # of a column's standard deviation
_MOST_MARKETS = 12


@dataclass(frozen=True)
class Difference:
    """Where a column first differs between a run that knew the later bars and one that didn't.

    Attributes:
        column: The name of the column.
        bar: The position of the bar, counted from 0.
        time: The time of the bar.
        known: The value when only `n_known` bars were known, or the later ones were others.
        with_later: The value with all the bars.
        n_known: Bars that both runs knew.

    Example:
        >>> Difference("SMA_5", 7, pd.Timestamp("2024-01-09"), 0.1, 0.2, n_known=10).bars_back
        3
    """

    column: str
    bar: int
    time: pd.Timestamp
    known: float
    with_later: float
    n_known: int

    @property
    def bars_back(self) -> int:
        """How far before the first unknown bar the difference begins; 1 is the last known bar."""
        return self.n_known - self.bar


def first_differences(
    known: pd.DataFrame,
    with_later: pd.DataFrame,
    n_known: int,
    *,
    relative: float = _TOLERANCE,
    absolute: float = 0.0,
) -> list[Difference]:
    """Find for each column of both frames the first row that isn't the same.

    Args:
        known: The columns of the run that didn't know the later bars, one row per bar.
        with_later: Those of the run that did.
        n_known: Rows to compare.
        relative: How many standard deviations of the column the values may differ by.
        absolute: How much they may differ by besides. NaN is the same as NaN.

    Returns:
        One difference for each column that has one.

    Example:
        >>> days = pd.date_range("2024-01-01", periods=3)
        >>> then, now = (pd.DataFrame({"x": values}, days) for values in ([1, 2, 3], [1, 2, 4]))
        >>> [difference.bar for difference in first_differences(then, now, 3)]
        [2]
    """
    found = []
    for name in known.columns.intersection(with_later.columns, sort=False):
        then = known[name].to_numpy(np.float64)[:n_known]
        now = with_later[name].to_numpy(np.float64)[:n_known]
        bar = first_unequal(then, now, relative=relative, absolute=absolute)
        if bar is not None:
            found.append(
                Difference(
                    column=str(name),
                    bar=bar,
                    time=with_later.index[bar],
                    known=float(then[bar]),
                    with_later=float(now[bar]),
                    n_known=n_known,
                )
            )
    return found


def first_unequal(
    then: np.ndarray, now: np.ndarray, *, relative: float = _TOLERANCE, absolute: float = 0.0
) -> int | None:
    """Find the first place at which two arrays differ by more than rounding.

    Args:
        then: Values, shape (n,).
        now: Values to compare with; what is beyond the shorter one isn't compared.
        relative: How many standard deviations of `now` they may differ by.
        absolute: How much they may differ by besides. NaN is the same as NaN.

    Returns:
        The position; None if there is no such place.

    Example:
        >>> first_unequal(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.5, 3.0]))
        1
    """
    length = min(len(then), len(now))
    then, now = then[:length], now[:length]
    finite = now[np.isfinite(now)]
    deviation = float(finite.std()) if len(finite) else 0.0
    size = float(np.abs(finite).max(initial=0.0))
    tolerance = relative * deviation + absolute + 1e-13 * size
    with np.errstate(invalid="ignore"):
        same = (np.abs(then - now) <= tolerance) | (then == now) | (np.isnan(then) & np.isnan(now))
    return None if same.all() else int((~same).argmax())


def column_differences(
    compute: Callable[[pd.DataFrame], pd.DataFrame],
    bars: pd.DataFrame,
    cuts: Iterable[int],
    *,
    full: pd.DataFrame | None = None,
    absolute: float = 0.0,
    alter: Callable[[pd.DataFrame, int], pd.DataFrame] = alter_bars,
) -> dict[str, Difference]:
    """Find where columns change when later bars are removed or altered.

    Args:
        compute: Gives columns of bars, one row per bar. It runs on all the bars, and for each cut
            n on the first n alone and on all with those from n on altered.
        bars: The bars.
        cuts: Numbers of known bars to try.
        full: What `compute(bars)` gives, if it is there already.
        absolute: How much values may differ by besides rounding.
        alter: How to alter the bars from a position on.

    Returns:
        The first difference of each column that has one, by column.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> def centred(bars):
        ...     return bars["close"].rolling(5, center=True).mean().to_frame("mean")
        >>> column_differences(centred, sample_bars(), [100])["mean"].bars_back
        2
    """
    full = compute(bars) if full is None else full
    found: dict[str, Difference] = {}
    for n_known in cuts:
        for other in (bars.iloc[:n_known], alter(bars, n_known)):
            for difference in first_differences(compute(other), full, n_known, absolute=absolute):
                found.setdefault(difference.column, difference)
    return found


@once_for_bars
def check_causal(
    features: FeatureSet, bars: pd.DataFrame | Mapping[str, pd.DataFrame], *, horizon: int
) -> None:
    """Refuse features that look ahead on these very bars; runs the features five times.

    Args:
        features: What is tried.
        bars: Valid bars, shape (n_bars, n_columns), or a panel of such by symbol. Of a panel at
            most 12 markets are cut and altered, spread evenly, all at the same times; columns of
            the user's are tried on every market.
        horizon: Bars ahead that the target looks.

    Raises:
        LooksAheadError: Naming the market of a panel, the column, the bar and the remedy. A column
            that the user made is refused where it reveals the next moves themselves, see
            `lookahead_evidence`.
        FeatureError: If a feature looks across the markets, and one of them never meets another.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> check_causal(FeatureSet.preset("default"), sample_bars(), horizon=1)
    """
    if not isinstance(bars, pd.DataFrame):
        _check_panel(features, bars, horizon=horizon)
        return
    cuts = sorted({max(2, len(bars) * share // 10) for share in (5, 8)})
    for difference in column_differences(features.frame, bars, cuts).values():
        _refuse(features, difference)
    _check_own_columns(features, bars, horizon=horizon)


def _check_panel(features: FeatureSet, panel: Mapping[str, pd.DataFrame], *, horizon: int) -> None:
    check_markets_meet(features, panel)
    symbols = list(panel)
    chosen = [symbols[place] for place in pick_evenly(list(range(len(symbols))), _MOST_MARKETS)]
    tried = {symbol: panel[symbol] for symbol in chosen}
    for symbol, difference in _panel_differences(features, tried):
        with name_market(symbol):
            _refuse(features, difference)
    for symbol, bars in panel.items():
        with name_market(symbol):
            _check_own_columns(features, bars, horizon=horizon)


def _panel_differences(
    features: FeatureSet, panel: Mapping[str, pd.DataFrame]
) -> Iterable[tuple[str, Difference]]:
    """Where columns change when the later bars of all markets are removed or altered."""
    full = features.frames(panel)
    times = {symbol: naive_utc_index(bars.index) for symbol, bars in panel.items()}
    all_times = np.unique(np.concatenate([index.to_numpy() for index in times.values()]))
    for share in (5, 8):
        cut = all_times[len(all_times) * share // 10]
        n_known = {symbol: int(index.searchsorted(cut)) for symbol, index in times.items()}
        begun = [symbol for symbol, n_bars in n_known.items() if n_bars]
        for others in (
            {symbol: panel[symbol].iloc[: n_known[symbol]] for symbol in begun},
            {symbol: alter_bars(bars, n_known[symbol]) for symbol, bars in panel.items()},
        ):
            known = features.frames(others)
            for symbol in begun:
                found = first_differences(known[symbol], full[symbol], n_known[symbol])
                yield from ((symbol, difference) for difference in found)


def _refuse(features: FeatureSet, difference: Difference) -> None:
    raise LooksAheadError(
        f"The feature {difference.column} looks ahead: its value at {difference.time} is "
        f"{difference.known:.6g} at the close of that bar and {difference.with_later:.6g} "
        f"once later bars are known. {lookahead_remedy(features, difference.column)}",
        column=difference.column,
        bars_back=difference.bars_back,
    )


def _check_own_columns(features: FeatureSet, bars: pd.DataFrame, *, horizon: int) -> None:
    for name in features.own_columns:
        evidence = lookahead_evidence(bars[name], bars, horizon=horizon)
        if evidence is not None:
            readers = (spec for spec in features.market_specs if name in bars_columns_of(spec))
            raise LooksAheadError(
                f"The feature {format_spec(next(readers))} looks ahead: {evidence}. "
                f"{evidence.remedy}",
                column=name,
            )


def lookahead_remedy(features: FeatureSet, column: str) -> str:
    """Say what to do about a column that looks ahead.

    Args:
        features: The features that it may be one of.
        column: Its name.

    Example:
        >>> lookahead_remedy(FeatureSet.preset("default"), "mine")
        'Compute it from the bars up to its own row only.'
    """
    spec = features.spec_of(column)
    return causal_remedy(spec) if spec else "Compute it from the bars up to its own row only."
