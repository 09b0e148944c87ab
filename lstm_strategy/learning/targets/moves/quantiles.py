"""Which returns are likely, and which are hardly possible? Quantiles that never cross."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.targets.base import FORECAST_COLUMNS
from lstm_strategy.learning.targets.checks import check_bars
from lstm_strategy.learning.targets.moves.returns import ReturnTarget
from lstm_strategy.learning.targets.parts import AnsweredRows, Head, Loss, SignalScale

_NARROWEST_RATIO = 0.075  # as far from no return as `Return` calls narrow, where it is normal


@dataclass(frozen=True)
class Quantiles(ReturnTarget):
    """Below which return will the next `horizon` bars stay with a chance of 10%, 50%, 90%?

    The network answers the median in units of volatility, and how far apart the quantiles are on
    either side of it, which is never below zero: so they can't cross. The loss is the pinball loss.
    The forecast is the median return, a fraction, and there is a column for each level beside it,
    such as `q10`. The signal is the median over the interquartile range; nine in ten training
    forecasts ask for less than all.

    Args:
        levels: The chances, rising, between 0 and 1; one of them must be 0.5, with others on both
            sides.
        span: Bars of the volatility in whose units the network answers.

    Raises:
        TrainingError: Naming the first setting that is off.

    Source: Koenker and Bassett (1978), "Regression quantiles".

    Example:
        >>> Quantiles(levels=(0.05, 0.5, 0.95)).forecast_columns
        ('signal', 'forecast', 'uncertainty', 'q5', 'q50', 'q95')
    """

    levels: tuple[float, ...] = (0.1, 0.25, 0.5, 0.75, 0.9)
    span: int = 60

    loss_name: ClassVar[str] = "pinball"
    no_skill: ClassVar[Mapping[str, float]] = {"r1": 0.0}

    def __post_init__(self) -> None:
        check_bars("span", self.span, least=2, default=60)
        object.__setattr__(self, "levels", _check_levels(self.levels))

    @property
    def name(self) -> str:
        """`"quantiles"`."""
        return "quantiles"

    @property
    def head(self) -> Head:
        """The median, then the distances below it and above it, the nearest first."""
        return Head(n_outputs=len(self.levels), starts_flat=True)

    @property
    def forecast_columns(self) -> tuple[str, ...]:
        """Signal, forecast, uncertainty, and a column for each level."""
        return (*FORECAST_COLUMNS, *(f"q{100 * level:.10g}" for level in self.levels))

    def build_loss(self) -> Loss:
        """The pinball loss of each step, the mean of all levels."""
        from keras import ops

        def pinball(labels: Any, answers: Any) -> Any:
            levels = ops.convert_to_tensor(self.levels, "float32")
            errors = labels - self._stack(answers, ops, ops.softplus)
            return ops.mean(ops.maximum(levels * errors, (levels - 1) * errors), axis=-1)

        return pinball

    def quantiles(self, answers: np.ndarray) -> np.ndarray:
        """The quantiles that a network's outputs stand for, in units of volatility.

        Args:
            answers: Shape (…, n_outputs).

        Returns:
            Shape (…, n_levels), rising along the last axis.

        Example:
            >>> thirds = Quantiles(levels=(0.25, 0.5, 0.75))
            >>> thirds.quantiles(np.array([0.1, 0.0, 0.0])).round(3).tolist()
            [-0.593, 0.1, 0.793]
        """
        wide = answers.astype(np.float64)
        stacked: np.ndarray = self._stack(wide, np, _soften)
        return stacked

    def choose_width(self, trained: AnsweredRows, horizon: int) -> float:
        """The median over the interquartile range that asks for all."""
        asked = np.abs(self._lean(self.quantiles(trained.answers)))
        return max(float(np.quantile(asked, 0.9)), _NARROWEST_RATIO)

    def build_columns(
        self, answers: np.ndarray, scale: SignalScale, context: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Signal, forecast, uncertainty and quantiles from the members' answers.

        Args:
            answers: Those of each member, shape (n_rows, n_members, n_outputs).
            scale: What `fit_scale` chose.
            context: The volatility of each row, shape (n_rows, 1).

        Returns:
            The signal (-1…1), the median return over the horizon, its standard deviation between
            the members, and the members' mean quantiles (fractions), each of shape (n_rows,); NaN
            where a member's answer is.
        """
        unit = context[:, 0] * math.sqrt(scale.horizon)
        members = self.quantiles(answers)
        quantiles = members.mean(axis=1)
        medians = members[..., self._n_below]
        signal = scale.find_signal(self._lean(quantiles))
        forecast = medians.mean(axis=1) * unit
        return signal, forecast, medians.std(axis=1) * unit, *(quantiles.T * unit)

    def row_losses(self, labels: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """The pinball loss of each row, the mean of all levels, in units of volatility.

        Args:
            labels: Shape (n_rows, 1).
            answers: Shape (n_rows, n_outputs).

        Returns:
            Shape (n_rows,).
        """
        losses = _pinball(labels - self.quantiles(answers), np.array(self.levels))
        by_row: np.ndarray = losses.mean(axis=1)
        return by_row

    def score(self, rows: AnsweredRows) -> dict[str, float]:
        """The pinball loss, and how many returns fell between the quantiles.

        Args:
            rows: What was answered and what came.

        Returns:
            pinball, in units of volatility; r1, how much smaller it is than with the same
            quantiles at every row, those that fit these rows best in hindsight; coverage_80 and so
            on, the share of returns inside the interval that should hold 80%; n_rows. NaN for what
            these rows don't define.

        Source: Koenker and Machado (1999), "Goodness of fit and related inference processes for
        quantile regression", for r1.
        """
        names = [f"coverage_{100 * (high - low):.10g}" for low, high, *_ in self._intervals()]
        if not len(rows):
            nothing = dict.fromkeys(("pinball", "r1", *names), math.nan)
            return {**nothing, "n_rows": 0.0}
        quantiles, levels = self.quantiles(rows.answers), np.array(self.levels)
        loss = float(_pinball(rows.labels - quantiles, levels).mean())
        best = float(_pinball(rows.labels - np.quantile(rows.labels, levels), levels).mean())
        came = rows.labels[:, 0]
        inside = [
            float(((came >= quantiles[:, low]) & (came <= quantiles[:, high])).mean())
            for *_, low, high in self._intervals()
        ]
        return {
            "pinball": loss,
            "r1": 1 - loss / best if best else math.nan,
            **dict(zip(names, inside, strict=True)),
            "n_rows": float(len(rows)),
        }

    @property
    def _n_below(self) -> int:
        """Levels below the median, which is the place of the median among them."""
        return self.levels.index(0.5)

    def _intervals(self) -> Iterator[tuple[float, float, int, int]]:
        """The widest pair of levels, the next one inside, and so on: both levels, both places."""
        last = len(self.levels) - 1
        for low in range(min(self._n_below, last - self._n_below)):
            yield self.levels[low], self.levels[last - low], low, last - low

    def _stack(self, answers: Any, ops: Any, softplus: Callable[[Any], Any]) -> Any:
        """Quantiles of a median and of gaps, in the operations of NumPy or of Keras."""
        median = answers[..., :1]
        below = softplus(answers[..., 1 : 1 + self._n_below])
        above = softplus(answers[..., 1 + self._n_below :])
        lower = median - ops.flip(ops.cumsum(below, axis=-1), axis=-1)
        return ops.concatenate([lower, median, median + ops.cumsum(above, axis=-1)], axis=-1)

    def _lean(self, quantiles: np.ndarray) -> np.ndarray:
        """The median over the interquartile range; outer quartiles are read between levels."""
        low, high = (self._between(quantiles, level) for level in (0.25, 0.75))
        lean: np.ndarray = quantiles[:, self._n_below] / np.maximum(high - low, 1e-6)
        return lean

    def _between(self, quantiles: np.ndarray, level: float) -> np.ndarray:
        """The quantile of any level, on the line between those next to it; the outermost else."""
        place = float(np.interp(level, self.levels, np.arange(len(self.levels))))
        left = min(int(place), len(self.levels) - 2)
        share = place - left
        between: np.ndarray = (1 - share) * quantiles[:, left] + share * quantiles[:, left + 1]
        return between


def _soften(outputs: np.ndarray) -> np.ndarray:
    """The logarithm of 1 + e^x: softplus, without overflow."""
    softened: np.ndarray = np.maximum(outputs, 0.0) + np.log1p(np.exp(-np.abs(outputs)))
    return softened


def _pinball(errors: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """What each level loses by each error, which is what came less its quantile."""
    losses: np.ndarray = np.maximum(levels * errors, (levels - 1) * errors)
    return losses


def _check_levels(levels: Any) -> tuple[float, ...]:
    """The levels as a tuple of numbers, refused where they make no sense."""
    try:
        given = tuple(float(level) for level in levels)
    except (TypeError, ValueError):
        raise TrainingError(
            f"levels must be numbers between 0 and 1, got {levels!r}. Write (0.1, 0.5, 0.9)."
        ) from None
    outside = [level for level in given if not 0 < level < 1]
    if outside:
        raise TrainingError(f"levels must lie between 0 and 1, got {outside[0]:g}.")
    for before, after in pairwise(given):
        if not before < after:
            raise TrainingError(
                f"levels must rise, got {after:g} after {before:g}. Sort them, each one once."
            )
    if 0.5 not in given[1:-1]:
        raise TrainingError(
            f"levels must hold 0.5, the median, with others on both sides, got {given}. "
            "Write (0.1, 0.5, 0.9)."
        )
    return given
