"""A run that knows fewer bars, or others."""

from dataclasses import dataclass

import pandas as pd

from lstm_strategy.learning.features import alter_bars
from lstm_strategy.support import format_time

REMOVED = "removed"
AFTER_OPEN = "after the open"


@dataclass(frozen=True)
class BarCut:
    """A place up to which bars stay as they are, and what happens to the later ones.

    Attributes:
        mode: How indicators are computed, "vector" or "next".
        n_known: Number of bars that stay as they are.
        how: `REMOVED`; one of the `ALTERATIONS`; or `AFTER_OPEN`, which leaves the open of the
            first later bar as well.
    """

    mode: str
    n_known: int
    how: str

    @property
    def is_removal(self) -> bool:
        """Whether the later bars are taken away."""
        return self.how == REMOVED

    @property
    def is_after_open(self) -> bool:
        """Whether the first later bar has begun, so that its open is known."""
        return self.how == AFTER_OPEN

    def change(self, bars: pd.DataFrame) -> pd.DataFrame:
        """Return the bars with those after the cut removed or altered."""
        if self.is_removal:
            return bars.iloc[: self.n_known]
        if self.is_after_open:
            return alter_bars(bars, self.n_known, keeps_open=True)
        return alter_bars(bars, self.n_known, how=self.how)

    def describe(self, bars: pd.DataFrame) -> str:
        """Say what was done to the bars, to end a sentence with."""
        if self.is_after_open:
            began = format_time(bars.index[self.n_known])
            return f"altering what follows the open of {began} ({self.mode} mode)"
        last = format_time(bars.index[self.n_known - 1])
        verb = "removing" if self.is_removal else "altering"
        return f"{verb} the bars after {last} ({self.mode} mode)"
