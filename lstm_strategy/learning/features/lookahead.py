"""What is known at bar t must not change when the bars after t are removed or altered."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from lstm_strategy.errors import BarsError, LooksAheadError
from lstm_strategy.learning.features.traits import Column, causal_remedy, written

PRICES = ("open", "high", "low", "close")
ALTERATIONS = ("mirrored", "rally", "crash", "reordered")
"""Ways to alter later bars; the first one turns every later move around."""

_MIRROR = -1.5
_LARGEST_LOG_MOVE = 4.0
_TREND_A_BAR = 0.01
_MOST_CORRELATION = 0.5
_TOLERANCE = 1e-9  # of a column's standard deviation


class ComputesColumns(Protocol):
    """A set of features: all that this module needs of it."""

    specs: list[dict[str, Any]]

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is known of each column."""
        ...

    @property
    def bars_columns(self) -> list[str]:
        """The columns that it reads."""
        ...

    def spec_of(self, name: str) -> dict[str, Any]:
        """The feature that gives a column."""
        ...

    def frame(self, bars: pd.DataFrame) -> pd.DataFrame:
        """Its columns for every bar."""
        ...


@dataclass(frozen=True)
class Difference:
    """Where a column first differs between a run that knew the later bars and one that didn't.

    ``bar`` counts from 0; ``known`` is the value when only ``n_known`` bars were known (or the
    later ones were others), ``with_later`` the value with all the bars.
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


def alter_bars(
    bars: pd.DataFrame, n_known: int, *, how: str = "mirrored", keeps_open: bool = False
) -> pd.DataFrame:
    """Valid bars of the same length that differ in every bar from position ``n_known`` on.

    ``how``: "mirrored" turns all later moves around and makes them half as large again, "rally"
    and "crash" add a steady trend, "reordered" lets the later bars come in the opposite order.
    Volumes and extra columns change too. ``keeps_open`` leaves the open of the first later bar:
    what is known when that bar has just begun.
    """
    altered = bars.copy()
    later = bars.iloc[n_known:]
    if later.empty:
        return altered
    anchor = float(bars["close"].iloc[max(n_known - 1, 0)])
    moves = np.log(later[list(PRICES)].to_numpy(np.float64) / anchor)
    prices = anchor * np.exp(_altered_moves(moves, how))
    if keeps_open:
        prices[0, 0] = later["open"].iloc[0]
    prices[:, 1], prices[:, 2] = prices.max(axis=1), prices.min(axis=1)
    for name in bars.columns.difference(list(PRICES)):
        altered[name] = _altered_extra(bars[name], n_known)
    for name, values in zip(PRICES, prices.T, strict=True):
        known = bars[name].to_numpy(np.float64)[:n_known]
        altered[name] = np.concatenate([known, values])
    return altered


def _altered_moves(moves: np.ndarray, how: str) -> np.ndarray:
    if how == "mirrored":
        largest = np.abs(moves).max(initial=0.0)
        return moves * max(_MIRROR, -_LARGEST_LOG_MOVE / max(largest, 1e-12))
    if how == "reordered":
        return moves[::-1]
    if how not in ALTERATIONS:
        raise ValueError(f"how must be one of {', '.join(ALTERATIONS)}, got {how!r}.")
    steps = np.arange(1, len(moves) + 1)[:, None]
    trend = np.minimum(_TREND_A_BAR * steps, _LARGEST_LOG_MOVE / 2)
    return moves / 2 + (trend if how == "rally" else -trend)


def _altered_extra(column: pd.Series, n_known: int) -> pd.Series:
    values = column.to_numpy(np.float64).copy()
    later = values[n_known:]
    if column.name == "volume":
        values[n_known:] = 3 * later[::-1] + np.arange(len(later)) % 7
    else:
        known = values[:n_known][np.isfinite(values[:n_known])]
        last = known[-1] if len(known) else 0.0
        values[n_known:] = 2 * last - 1.5 * later  # NaN stays NaN
    return pd.Series(values, index=column.index, name=column.name)


def first_differences(
    known: pd.DataFrame,
    with_later: pd.DataFrame,
    n_known: int,
    *,
    relative: float = _TOLERANCE,
    absolute: float = 0.0,
) -> list[Difference]:
    """For each column of both frames the first of its ``n_known`` rows that isn't the same.

    Values are the same within ``relative`` standard deviations of the column plus ``absolute``;
    NaN is the same as NaN. The frames have one row a bar.
    """
    found = []
    for name in known.columns.intersection(with_later.columns, sort=False):
        then = known[name].to_numpy(np.float64)[:n_known]
        now = with_later[name].to_numpy(np.float64)[:n_known]
        bar = first_unequal(then, now, relative=relative, absolute=absolute)
        if bar is not None:
            place = int(bar)
            found.append(
                Difference(
                    column=str(name),
                    bar=place,
                    time=with_later.index[place],
                    known=float(then[place]),
                    with_later=float(now[place]),
                    n_known=n_known,
                )
            )
    return found


def first_unequal(
    then: np.ndarray, now: np.ndarray, *, relative: float = _TOLERANCE, absolute: float = 0.0
) -> int | None:
    """The first place at which two arrays differ by more than rounding; None where nowhere."""
    length = min(len(then), len(now))
    then, now = then[:length], now[:length]
    finite = now[np.isfinite(now)]
    spread = float(finite.std()) if len(finite) else 0.0
    size = float(np.abs(finite).max(initial=0.0))
    tolerance = relative * spread + absolute + 1e-13 * size
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
    """The first difference of each column of ``compute(bars)``, by column.

    ``compute`` runs on all the bars, and for each cut n on the first n alone and on all with those
    from n on altered.
    """
    full = compute(bars) if full is None else full
    found: dict[str, Difference] = {}
    for n_known in cuts:
        for other in (bars.iloc[:n_known], alter(bars, n_known)):
            differences = first_differences(compute(other), full, n_known, absolute=absolute)
            for difference in differences:
                found.setdefault(difference.column, difference)
    return found


def check_causal(features: ComputesColumns, bars: pd.DataFrame, *, horizon: int) -> None:
    """Refuse features that look ahead on these very bars; runs the features five times.

    Raises:
        LooksAheadError: naming the column, the bar and the remedy. A column that the user made
            is refused where it tells the next moves themselves, see `lookahead_evidence`.
    """
    cuts = sorted({max(2, len(bars) * share // 10) for share in (5, 8)})
    for difference in column_differences(features.frame, bars, cuts).values():
        raise LooksAheadError(
            f"The feature {difference.column} looks ahead: its value at {difference.time} is "
            f"{difference.known:.6g} at the close of that bar and {difference.with_later:.6g} "
            f"once later bars are known. {lookahead_remedy(features, difference.column)}"
        )
    for spec in features.specs:
        if spec["kind"] == "column":
            told = lookahead_evidence(bars[spec["column"]], bars, horizon=horizon)
            if told is not None:
                raise LooksAheadError(f"The feature {written(spec)} looks ahead: {told}")


def lookahead_remedy(features: ComputesColumns, column: str) -> str:
    """What to do about a column that looks ahead."""
    spec = features.spec_of(column)
    return causal_remedy(spec) if spec else "Compute it from the bars up to its own row only."


def lookahead_evidence(column: pd.Series, bars: pd.DataFrame, *, horizon: int = 1) -> str | None:
    """What a column of the user's tells of the bars to come, in words; None if nothing.

    Removing bars can't show where a finished column came from, so the column itself is set
    beside the moves that follow: the level, its distance from the close and its change against
    the next returns and their sizes. No honest column comes near a correlation of 0.5 with
    them; with few bars (n) looking k ahead the bar is raised to 6 / sqrt(n / k).
    """
    values = column.astype(float).ffill()
    forms = {
        "it": values,
        "its distance from the close": values / bars["close"] - 1,
        "its change": values.diff(),
    }
    for n_ahead in sorted({1, 2, 3, 5, 10, horizon}):
        answers = _answers(bars, n_ahead)
        for form, told in forms.items():
            for answer, truth in answers.items():
                correlation, n_rows = _correlation(told, truth)
                if abs(correlation) > max(_MOST_CORRELATION, 6 / np.sqrt(max(n_rows / n_ahead, 1))):
                    return (
                        f"{form} has a correlation of {correlation:.2f} with the {answer} "
                        f"{n_ahead} bar{'s' if n_ahead > 1 else ''} later. Shift the column so "
                        "that each row holds what was known at its close."
                    )
    return None


def _answers(bars: pd.DataFrame, n_ahead: int) -> dict[str, pd.Series]:
    returns = bars["close"].shift(-n_ahead) / bars["close"] - 1
    return {"return": returns, "size of the return": returns.abs()}


def _correlation(told: pd.Series, truth: pd.Series) -> tuple[float, int]:
    pair = np.column_stack([told.to_numpy(np.float64), truth.to_numpy(np.float64)])
    pair = pair[np.isfinite(pair).all(axis=1)]
    if len(pair) < 30 or (pair.std(axis=0) < 1e-12).any():
        return 0.0, len(pair)
    return float(np.corrcoef(pair.T)[0, 1]), len(pair)


def cut_points(
    bars: pd.DataFrame, *, first: int, n_random: int = 3, edges: Iterable[int] = (), seed: int = 0
) -> list[int]:
    """Numbers of known bars worth trying: adversarial ones and some at random.

    Right after the warm-up (``first`` bars), before the largest moves, at the given edges of
    folds, one bar before the end, and ``n_random`` others, sorted.

    Raises:
        BarsError: if no bar is left to remove after the first ``first`` ones.
    """
    last = len(bars) - 1
    if first > last:
        raise BarsError(
            f"An audit needs more than {first + 1:,} bars, which is the warm-up and a bar to "
            f"remove, got {len(bars):,}. Load more history."
        )
    moves = np.log(bars["close"]).diff().abs().to_numpy()[first:]
    largest = first + np.argsort(np.nan_to_num(moves))[::-1][:2]
    random = np.random.default_rng(seed).integers(first, last + 1, n_random)
    wanted = [first, first + 1, *largest, last, *random, *edges]
    return sorted({int(n) for n in wanted if first <= n <= last})


def pick_evenly(values: list[int], n_wanted: int) -> list[int]:
    """At most ``n_wanted`` of the values: the first, the last, and evenly between.

    >>> pick_evenly([1, 2, 3, 4, 5], 3)
    [1, 3, 5]
    """
    places = np.linspace(0, len(values) - 1, min(n_wanted, len(values))).round().astype(int)
    return [values[place] for place in places]
