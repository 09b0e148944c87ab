"""What a finished column reveals of the bars to come."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

_LARGEST_CORRELATION = 0.5
_MARGIN_OVER_THE_PAST = 0.2
_BARS_AHEAD = (1, 2, 3, 5, 10)
_FEWEST_ROWS = 30


@dataclass(frozen=True)
class LookaheadEvidence:
    """A column that goes with the moves that follow more closely than an honest one can.

    As text it is the beginning of a sentence about the column.

    Attributes:
        form: What of the column does: "it", "its distance from the close" or "its change".
        correlation: The correlation, -1…1.
        answer: What it is correlated with: "return" or "size of the return".
        n_ahead: Over how many of the bars that follow.
        remedy: What to do about it.

    Example:
        >>> str(LookaheadEvidence("its change", 0.98, "return", 1))
        'its change has a correlation of 0.98 with the return 1 bar later'
    """

    form: str
    correlation: float
    answer: str
    n_ahead: int

    remedy: ClassVar[str] = "Shift the column so that each row holds what was known at its close."

    def __str__(self) -> str:
        bars = "bar" if self.n_ahead == 1 else "bars"
        return (
            f"{self.form} has a correlation of {self.correlation:.2f} with the {self.answer} "
            f"{self.n_ahead} {bars} later"
        )


def lookahead_evidence(
    column: pd.Series, bars: pd.DataFrame, *, horizon: int = 1
) -> LookaheadEvidence | None:
    """Find out whether a column of the user's reveals the bars to come.

    Removing bars can't show where a finished column came from, so the column itself is set beside
    the moves that follow: its level, its distance from the close and its change against the next
    returns and their sizes. No honest column comes near a correlation of 0.5 with them; with few
    bars (n) looking k ahead the bar is raised to 6 / sqrt(n / k).

    A crisis can bring a column and the sizes of moves near to that, since large moves follow large
    ones. So with sizes the correlation must also be one of ranks, which a single week doesn't
    make, or exceed by 0.2 the one with the sizes of the moves before.

    Args:
        column: The column, shape (n_bars,); NaN stands for the last value before it.
        bars: The bars on the same index.
        horizon: Bars ahead that the target looks, tried besides 1, 2, 3, 5 and 10.

    Returns:
        The first correlation that is too high; None if there is none.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars()
        >>> lookahead_evidence(bars["close"].shift(-1), bars).n_ahead
        1
        >>> lookahead_evidence(bars["close"].shift(1), bars) is None
        True
    """
    values = column.astype(float).ffill()
    forms = {
        "it": values,
        "its distance from the close": values / bars["close"] - 1,
        "its change": values.diff(),
    }
    for n_ahead in sorted({*_BARS_AHEAD, horizon}):
        returns = bars["close"].shift(-n_ahead) / bars["close"] - 1
        answers = {"return": returns, "size of the return": returns.abs()}
        for form, series in forms.items():
            for answer, truth in answers.items():
                correlation, n_rows = _correlate(series, truth)
                chance = 6 / np.sqrt(max(n_rows / n_ahead, 1))
                if abs(correlation) <= max(_LARGEST_CORRELATION, chance):
                    continue
                if truth is returns or not _follows_from_clusters(series, truth, n_ahead):
                    return LookaheadEvidence(form, correlation, answer, n_ahead)
    return None


def _follows_from_clusters(series: pd.Series, sizes: pd.Series, n_ahead: int) -> bool:
    """Whether a few rows, and the sizes of the moves before, tell as much as those that follow."""
    by_rank, _ = _correlate(series.rank(), sizes.rank())
    after, _ = _correlate(series, sizes)
    before, _ = _correlate(series, sizes.shift(n_ahead))
    is_of_few_rows = abs(by_rank) <= _LARGEST_CORRELATION
    return is_of_few_rows and abs(after) <= abs(before) + _MARGIN_OVER_THE_PAST


def _correlate(series: pd.Series, truth: pd.Series) -> tuple[float, int]:
    """The correlation over the rows where both are known, and the number of these rows."""
    pair = np.column_stack([series.to_numpy(np.float64), truth.to_numpy(np.float64)])
    pair = pair[np.isfinite(pair).all(axis=1)]
    hardly = 1e-12 * np.abs(pair).max(axis=0, initial=0.0)
    if len(pair) < _FEWEST_ROWS or (pair.std(axis=0) <= hardly).any():
        return 0.0, len(pair)
    return float(np.corrcoef(pair.T)[0, 1]), len(pair)
