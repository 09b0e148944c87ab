"""A question of the user's own: a function of bars and horizon."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.targets.binary import BinaryTarget
from lstm_strategy.support import format_time

LabelFunction = Callable[[pd.DataFrame, int], pd.Series]
"""Bars and horizon → labels of 0, 1 and NaN on the index of the bars."""

OWN_PREFIX = "own:"
_N_CUTS = 20


@dataclass(frozen=True)
class OwnTarget(BinaryTarget):
    """What a function of the user's own asks; all labels weigh the same.

    Attributes:
        function: Gives labels of 0, 1 and NaN (not known yet) from bars and horizon. None in a
            loaded model, which knows the function by name only.
        saved_name: The name of the function in a loaded model.

    Example:
        >>> def wide_bar(bars, horizon):
        ...     reach = bars["high"] / bars["low"]
        ...     later = reach.shift(-horizon)
        ...     return (later > reach).astype(float).where(later.notna())
        >>> bars = pd.DataFrame({"high": [2.0, 3.0, 2.0], "low": 1.0})
        >>> OwnTarget(wide_bar).labels(bars, horizon=1).tolist()
        [1.0, 0.0, nan]
    """

    function: LabelFunction | None
    saved_name: str = ""

    @property
    def name(self) -> str:
        """`"own:"` and the name of the function with its module."""
        if self.function is None:
            return self.saved_name
        name = getattr(self.function, "__qualname__", type(self.function).__qualname__)
        return f"{OWN_PREFIX}{self.function.__module__}.{name}"

    def labels(self, bars: pd.DataFrame, horizon: int) -> pd.Series:
        """What the function answers, checked.

        Args:
            bars: Valid bars; the function gets a copy.
            horizon: Bars that the function may look ahead.

        Returns:
            Shape (n_bars,), 0, 1 or NaN.

        Raises:
            TrainingError: If the function isn't known, if its labels aren't 0, 1 and NaN on the
                index of the bars, or if it reads more than `horizon` bars ahead. The latter is
                tried on bars that are cut off at 20 places.
        """
        labels = self._ask(bars, horizon)
        # a label of 0 that should be unknown is often right by chance: so try many places
        for cut in np.linspace(0, len(bars), _N_CUTS + 2).astype(int)[1:-1]:
            certain = max(0, cut - horizon)
            without_later = self._ask(bars.iloc[:cut], horizon).iloc[:certain]
            differs = without_later.compare(labels.iloc[:certain])
            if len(differs):
                raise TrainingError(
                    f"target must read no bar more than {horizon} bars (the horizon) ahead, but "
                    f"the label of {format_time(differs.index[0])} changes when the bars from "
                    f"{format_time(bars.index[cut])} on are removed. Raise horizon, or fix the "
                    "target."
                )
        return labels

    def describe_constant(self, label: float, horizon: int) -> str:
        """Say nothing: only the function knows why."""
        return ""

    def describe(self) -> str:
        """The name of the function: nothing else of it is saved."""
        return self.name

    def _ask(self, bars: pd.DataFrame, horizon: int) -> pd.Series:
        """The function's labels, checked for what can be seen at once."""
        if self.function is None:
            raise TrainingError(
                f"The function of the target {self.saved_name.removeprefix(OWN_PREFIX)} isn't "
                "part of a saved model. Pass it again: target=..."
            )
        labels = self.function(bars.copy(), horizon)
        if not isinstance(labels, pd.Series) or not labels.index.equals(bars.index):
            raise TrainingError(
                "target must give a pandas Series on the index of the bars, got "
                f"{type(labels).__name__}. Build it from columns of the bars."
            )
        labels = labels.astype(float)
        is_wrong = ~(labels.isna() | labels.isin([0.0, 1.0]))
        if is_wrong.any():
            raise TrainingError(
                f"target must give 0, 1 or NaN, got {labels[is_wrong].iloc[0]:g} at "
                f"{labels.index[is_wrong][0]}. Compare with a threshold, then .astype(float)."
            )
        return labels
