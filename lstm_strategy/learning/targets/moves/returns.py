"""How large is the return? It is asked in units of what is usual, so that all markets are alike."""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.targets.base import Target
from lstm_strategy.learning.targets.checks import check_bars, check_number
from lstm_strategy.learning.targets.direction import forward_return
from lstm_strategy.learning.targets.parts import AnsweredRows, Head, Loss, SignalScale
from lstm_strategy.learning.targets.shrinkage import measure_confidence
from lstm_strategy.learning.variance import ewm_volatility

_NARROWEST_ANSWER = 0.1  # what was learned hardly differs from no return at all: hold little


class ReturnTarget(Target):
    """A question about the return over the horizon, in units of volatility.

    The unit is the exponentially weighted volatility of the last `span` bars, known at the close
    of the row, times the root of the horizon. A label is NaN where nothing moved over those bars
    and then something did.
    """

    span: int

    @property
    def context(self) -> Sequence[Mapping[str, Any]]:
        """The volatility that is usual, by which answers become returns."""
        return ({"kind": "ewm_volatility", "span": self.span},)

    def labels(self, bars: pd.DataFrame, horizon: int) -> pd.Series:
        """The return from each close to the one `horizon` bars later, in units of volatility.

        Args:
            bars: Bars with a close, shape (n_bars, n_columns).
            horizon: Bars ahead.

        Returns:
            Shape (n_bars,); the first `span` and the last `horizon` values are NaN.

        Raises:
            TrainingError: As `usual_move` does.
        """
        moves = forward_return(bars["close"], horizon=horizon)
        unit = usual_move(bars["close"], span=self.span, horizon=horizon)
        return (moves / unit.where(unit > 0)).where((unit != 0) | (moves != 0), 0.0)

    @abstractmethod
    def choose_width(self, trained: AnsweredRows, horizon: int) -> float:
        """How far a forecast must lean for the signal to ask for all.

        Args:
            trained: What the ensemble answered on the rows that it was trained on.
            horizon: Bars that the question looks ahead.
        """

    def fit_scale(
        self,
        trained: AnsweredRows,
        held_out: AnsweredRows,
        *,
        horizon: int,
    ) -> SignalScale:
        """The scale on which nine in ten training forecasts ask for less than all.

        Args:
            trained: What the ensemble answered on the rows that it was trained on.
            held_out: The same of each member on the rows that it didn't learn from.
            horizon: Bars that the question looks ahead.

        Returns:
            What `choose_width` chose, and as confidence what `measure_confidence` leaves of the
            answers proper.
        """
        answers, came = held_out.answers[:, 0].astype(np.float64), held_out.labels[:, 0]
        return SignalScale(
            threshold=0.0,
            width=self.choose_width(trained, horizon),
            confidence=measure_confidence(answers, came, horizon=horizon, dates=held_out.dates),
            horizon=horizon,
            bars_per_year=trained.bars_per_year,
        )

    def check_labels(self, labels: np.ndarray, horizon: int) -> None:
        """Refuse returns that are all the same.

        Args:
            labels: The labels to learn from, shape (n_rows, 1).
            horizon: Bars that the question looks ahead.

        Raises:
            TrainingError: If they are.
        """
        first = float(labels[0, 0])
        if (labels == first).all():
            never = ": the close never moves" if first == 0 else ""
            raise TrainingError(
                f"Every label is {first:g}{never} over {horizon} bars. There is nothing to learn; "
                "use other bars or another horizon."
            )

    def mirror_labels(self, labels: np.ndarray) -> np.ndarray:
        """The opposite of each return."""
        return -labels


@dataclass(frozen=True)
class Return(ReturnTarget):
    """How large is the return over the next `horizon` bars?

    The network answers in units of volatility, under Huber's loss. The forecast is the expected
    return, a fraction. The signal is the expected return over its variance, which is what an
    investor holds who weighs one against the other; nine in ten training forecasts ask for less
    than all.

    Args:
        span: Bars of the volatility in whose units the network answers.
        delta: The error, in these units, from which the loss rises in proportion to it rather than
            to its square: the default keeps 95% of the efficiency of squares where returns are
            normal.

    Raises:
        TrainingError: Naming the first setting that is off.

    Source: Huber (1964), "Robust estimation of a location parameter".

    Example:
        >>> bars = pd.DataFrame({"close": [100.0, 101.0, 100.0, 102.0, 102.0]})
        >>> Return(span=2).labels(bars, horizon=1).round(2).tolist()
        [nan, nan, 1.42, 0.0, nan]
    """

    span: int = 60
    delta: float = 1.345

    loss_name: ClassVar[str] = "huber"
    no_skill: ClassVar[Mapping[str, float]] = {"r2": 0.0, "rank_correlation": 0.0}

    def __post_init__(self) -> None:
        check_bars("span", self.span, least=2, default=60)
        check_number("delta", self.delta, above=0)

    @property
    def name(self) -> str:
        """`"return"`."""
        return "return"

    @property
    def head(self) -> Head:
        """One number, which begins at no return."""
        return Head(starts_flat=True)

    def build_loss(self) -> Loss:
        """Huber's loss of each step."""
        from keras import ops

        def huber(labels: Any, answers: Any) -> Any:
            errors = ops.abs(labels[..., 0] - answers[..., 0])
            small = ops.minimum(errors, self.delta)
            return ops.square(small) / 2 + self.delta * (errors - small)

        return huber

    def choose_width(self, trained: AnsweredRows, horizon: int) -> float:
        """The expected return over its variance that asks for all."""
        unit = trained.context[:, 0] * math.sqrt(horizon)
        moves = unit > 0
        asked = np.abs(trained.answers[moves, 0] / unit[moves])
        narrowest = _NARROWEST_ANSWER / np.median(unit[moves]) if moves.any() else 1.0
        width = np.quantile(asked, 0.9) if moves.any() else 0.0
        return float(max(width, narrowest))

    def build_columns(
        self, answers: np.ndarray, scale: SignalScale, context: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Signal, forecast and uncertainty from the members' answers.

        Args:
            answers: Those of each member, shape (n_rows, n_members, 1).
            scale: What `fit_scale` chose.
            context: The volatility of each row, shape (n_rows, 1).

        Returns:
            The signal (-1…1; 0 where nothing has moved), the expected return over the horizon and
            its standard deviation between the members (fractions), each of shape (n_rows,); NaN
            where a member's answer is.
        """
        unit = context[:, 0] * math.sqrt(scale.horizon)
        members = answers[..., 0].astype(np.float64)
        answer = members.mean(axis=1)
        over_variance = np.divide(answer, unit, out=answer * 0, where=unit != 0)
        return scale.find_signal(over_variance), answer * unit, members.std(axis=1) * unit

    def row_losses(self, labels: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """Huber's loss of each row, in units of volatility.

        Args:
            labels: Shape (n_rows, 1).
            answers: Shape (n_rows, 1).

        Returns:
            Shape (n_rows,).
        """
        errors = np.abs(labels[:, 0] - answers[:, 0])
        small = np.minimum(errors, self.delta)
        losses: np.ndarray = small**2 / 2 + self.delta * (errors - small)
        return losses

    def score(self, rows: AnsweredRows) -> dict[str, float]:
        """How near the answers come to the returns, in units of volatility.

        Args:
            rows: What was answered and what came.

        Returns:
            huber; r2, the share of the squared returns that is forecast (below zero where no
            return at all would have been the better forecast); rank_correlation, Spearman's;
            hit_rate, the share of moves whose sign was forecast; n_rows. NaN for what these rows
            don't define.

        Source: Gu, Kelly and Xiu (2020), "Empirical asset pricing via machine learning", for r2.
        """
        came = rows.labels[:, 0].astype(np.float64)
        answer = rows.answers[:, 0].astype(np.float64)
        n_rows, energy, moved = len(came), float(np.square(came).sum()), came != 0
        left = float(np.square(came - answer).sum())
        both = pd.DataFrame({"answer": answer, "came": came})
        return {
            "huber": float(self.row_losses(rows.labels, rows.answers).mean())
            if n_rows
            else math.nan,
            "r2": 1 - left / energy if energy else math.nan,
            "rank_correlation": float(both.corr("spearman").to_numpy()[0, 1]),
            "hit_rate": float((answer * came > 0)[moved].mean()) if moved.any() else math.nan,
            "n_rows": float(n_rows),
        }


def usual_move(close: pd.Series, *, span: int, horizon: int) -> pd.Series:
    """How far the price usually moves over the horizon: its volatility times the horizon's root.

    Args:
        close: Closes, shape (n_bars,).
        span: Bars of the exponentially weighted volatility.
        horizon: Bars ahead.

    Returns:
        Shape (n_bars,), of log returns, known at the close of the row; NaN in the first `span`
        rows, and 0 where nothing has moved for long.

    Raises:
        TrainingError: If the price moves, but always by the same share.

    Example:
        >>> usual_move(pd.Series([100.0, 101.0, 100.0, 102.0]), span=2, horizon=4).round(3).tolist()
        [nan, nan, 0.028, 0.036]
    """
    usual = ewm_volatility(close, span=span) * math.sqrt(horizon)
    if (usual == 0).any() and not (usual > 0).any() and close.nunique() > 1:
        raise TrainingError(
            f"Over any {span} bars the close moves by the same share each time, so that there is "
            "no volatility in whose units labels could be. Use other bars, or another target."
        )
    return usual
