"""How much will the price move? It is asked next to what is usual, so that markets are alike."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from lstm_strategy.errors import BarsError, TrainingError
from lstm_strategy.learning.features import FeatureSet
from lstm_strategy.learning.targets.base import Target
from lstm_strategy.learning.targets.checks import check_bars, check_number
from lstm_strategy.learning.targets.parts import (
    AnsweredRows,
    Head,
    Loss,
    SignalScale,
    TrainingDefaults,
)
from lstm_strategy.learning.targets.volatility.regression import fit_log_ratio
from lstm_strategy.learning.variance import (
    SLOW_BARS,
    check_measure,
    check_unit,
    measure_variance,
    variance_ratio,
)

_ROUNDING = 1e-6
_LOWEST_VARIANCE = 1e-16  # per bar: a market that stands still has a volatility, too


@dataclass(frozen=True)
class Volatility(Target):
    """How large is the variance over the next `horizon` bars?

    The network answers the log of its ratio to the variance of the last `slow` bars, under the
    QLIKE loss, whose best answer is right on average. It begins as a linear function of the
    features, fitted to that loss, and the LSTM learns what is missing: with the preset
    "volatility" the function is log-HAR with leverage. (From nothing, a network learns too little
    from two thousand bars: its loss was 5 to 15% above that of the line alone.)

    The forecast is the annualised volatility. The signal holds the target volatility over it, at
    most `max_exposure`; it doesn't say which way prices will go, and is never negative.

    Args:
        estimator: How the variance of bars is measured, a name in `variance.ESTIMATORS`; None for
            "rogers_satchell_overnight", a whole day's even over one bar.
        column: A column of the bars that holds the variance of each bar instead, as a fraction
            squared, such as the realised variance of five-minute returns. Bars where it is NaN
            aren't learned from.
        target_volatility: Annualised volatility that the signal aims at, a fraction.
        max_exposure: The largest signal, at most 1.
        slow: Bars of the usual variance.

    Raises:
        TrainingError: Naming the first argument that is off.

    Source:
        Patton, "Volatility Forecast Comparison Using Imperfect Volatility Proxies", Journal of
        Econometrics 160 (2011), for the loss; Corsi, "A Simple Approximate Long-Memory Model of
        Realized Volatility", Journal of Financial Econometrics 7 (2009), for the linear part.

    Example:
        >>> bars = pd.DataFrame({"close": [100.0, 101, 100, 102], "rv": [4e-4, 2e-4, 4e-4, 6e-4]})
        >>> Volatility(column="rv", slow=2).labels(bars, horizon=1).round(2).tolist()
        [nan, 0.29, 0.69, nan]
    """

    estimator: str | None = None
    column: str | None = None
    target_volatility: float = 0.15
    max_exposure: float = 1.0
    slow: int = SLOW_BARS

    loss_name: ClassVar[str] = "qlike"
    no_skill: ClassVar[Mapping[str, float]] = {"r2_log": 0.0}

    def __post_init__(self) -> None:
        try:
            check_measure(estimator=self.estimator, column=self.column)
        except BarsError as error:
            raise TrainingError(str(error)) from error
        check_number("target_volatility", self.target_volatility, above=0)
        check_number("max_exposure", self.max_exposure, above=0, at_most=1)
        check_bars("slow", self.slow, least=2, default=SLOW_BARS)

    @property
    def name(self) -> str:
        """`"volatility"`."""
        return "volatility"

    @property
    def head(self) -> Head:
        """One number, which begins as a linear function of the features."""
        return Head(starts_flat=True, has_linear_part=True)

    @property
    def preset(self) -> str:
        """Variances of several lengths and past losses, as log-HAR with leverage sees them."""
        return "volatility"

    @property
    def training(self) -> TrainingDefaults:
        """Smaller steps and no mirror: losses are followed by more volatility than gains are."""
        return TrainingDefaults(learning_rate=2e-2, mirror=False)

    @property
    def features(self) -> FeatureSet:
        """The preset "volatility", with variances measured as they are asked for."""
        measure = {} if self.estimator == "yang_zhang" else self._measure_given
        specs = [
            {**spec, **measure} if spec["kind"] == "log_variance_ratio" else spec
            for spec in super().features.specs
        ]
        return FeatureSet(specs)

    @property
    def context(self) -> Sequence[Mapping[str, Any]]:
        """The usual volatility, by which answers become forecasts."""
        return ({"kind": "volatility", "length": self.slow, **self._measure_given},)

    @property
    def _measure_given(self) -> dict[str, str]:
        """How variance is measured, as features take it."""
        measure = {"estimator": self.estimator, "column": self.column}
        return {name: value for name, value in measure.items() if value is not None}

    def build_loss(self) -> Loss:
        """The QLIKE loss of each step."""
        from keras import ops

        def qlike(labels: Any, answers: Any) -> Any:
            missed = labels[..., 0] - answers[..., 0]
            return ops.expm1(missed) - missed

        return qlike

    def labels(self, bars: pd.DataFrame, horizon: int) -> pd.Series:
        """The log of the ratio of the variance to come to the usual one.

        Args:
            bars: Bars with what the estimator reads, or the column.
            horizon: Bars ahead.

        Returns:
            Shape (n_bars,), at least ln 0.01; 0 where nothing has moved for long. NaN in the last
            `horizon` rows, until the usual variance is known, and where the column is NaN on one
            of the next `horizon` bars.

        Raises:
            BarsError: As `measure_variance` does, or if the column isn't the variance of a bar.
            TrainingError: If the estimator needs more bars than the horizon has.
        """
        if self.estimator == "yang_zhang" and horizon == 1:
            raise TrainingError(
                "The estimator yang_zhang measures variances between bars, so horizon must be at "
                "least 2, got 1. Over one bar take rogers_satchell_overnight."
            )
        came = self._measure(bars, horizon).shift(-horizon)
        if self.column is not None:
            check_unit(bars[self.column], bars["close"], name=self.column)
            came = came.where(bars[self.column].rolling(horizon).mean().shift(-horizon).notna())
        ratio = variance_ratio(came, self._measure(bars, self.slow))
        return pd.Series(np.log(ratio), bars.index)

    def _measure(self, bars: pd.DataFrame, n_bars: int) -> pd.Series:
        return measure_variance(bars, n_bars, estimator=self.estimator, column=self.column)

    def check_labels(self, labels: np.ndarray, horizon: int) -> None:
        """Refuse ratios that are all the same.

        Args:
            labels: The labels to learn from, shape (n_rows, 1).
            horizon: Bars that the question looks ahead.

        Raises:
            TrainingError: If they are.
        """
        if np.ptp(labels) <= _ROUNDING:
            raise TrainingError(
                f"Every label is {labels[0, 0]:g}: at horizon={horizon} the variance is always the "
                "same share of the usual one. There is nothing to learn; use other bars or another "
                "horizon."
            )

    def mirror_labels(self, labels: np.ndarray) -> np.ndarray:
        """The same: rises and falls are as large."""
        return labels

    def fit_linear_part(
        self, features: np.ndarray, labels: np.ndarray, weights: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The linear function of the features with the lowest QLIKE loss.

        Args:
            features: Scaled features, shape (n_rows, n_features).
            labels: Shape (n_rows, 1).
            weights: How much each row matters, shape (n_rows,).

        Returns:
            Its slopes, shape (n_features, 1), and its intercept, shape (1,).
        """
        return fit_log_ratio(features, labels[:, 0], weights)

    def fit_scale(
        self, trained: AnsweredRows, held_out: AnsweredRows, *, horizon: int
    ) -> SignalScale:
        """Note by what forecasts are annualised; there is nothing to be fitted.

        Args:
            trained: The ensemble's answers on the rows that it was trained on.
            held_out: The same of each member on the rows that it didn't learn from.
            horizon: Bars that the question looks ahead.

        Returns:
            The horizon and the bars of a year.
        """
        return SignalScale(
            threshold=0.0, width=1.0, horizon=horizon, bars_per_year=trained.bars_per_year
        )

    def build_columns(
        self, answers: np.ndarray, scale: SignalScale, context: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Signal, volatility and uncertainty from the members' answers.

        Args:
            answers: Those of each member, shape (n_rows, n_members, 1).
            scale: What `fit_scale` noted.
            context: The usual volatility per bar, shape (n_rows, 1).

        Returns:
            The exposure at the target volatility (0…1), the annualised volatility (a fraction) and
            its standard deviation between the members, each of shape (n_rows,); NaN where a
            member's answer is.
        """
        members = answers[..., 0].astype(np.float64)
        usual = np.maximum(context[:, 0] ** 2, _LOWEST_VARIANCE) * scale.bars_per_year
        by_member = np.sqrt(usual[:, None] * np.exp(members))
        volatility = np.sqrt(usual * np.exp(members.mean(axis=1)))
        signal = np.minimum(self.target_volatility / volatility, self.max_exposure)
        return signal, volatility, by_member.std(axis=1)

    def row_losses(self, labels: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """The QLIKE loss of each row.

        Args:
            labels: Shape (n_rows, 1).
            answers: Shape (n_rows, 1).

        Returns:
            Shape (n_rows,).
        """
        missed = (labels[:, 0] - answers[:, 0]).astype(np.float64)
        losses: np.ndarray = np.expm1(missed) - missed
        return losses

    def score(self, rows: AnsweredRows) -> dict[str, float]:
        """How near the answers come to the variances.

        Args:
            rows: What was answered and what came.

        Returns:
            qlike; slow_qlike, that of the usual variance, multiplied so that it is right on
            average; r2_log, the squared correlation of answers and log variances; n_rows. NaN for
            what these rows don't define.
        """
        if not len(rows):
            return {"qlike": math.nan, "slow_qlike": math.nan, "r2_log": math.nan, "n_rows": 0.0}
        came, answer = rows.labels[:, 0].astype(np.float64), rows.answers[:, 0].astype(np.float64)
        usual = np.full_like(rows.answers, np.log(np.exp(came).mean()))
        moves = min(np.ptp(came), np.ptp(answer)) > 0
        return {
            "qlike": float(self.row_losses(rows.labels, rows.answers).mean()),
            "slow_qlike": float(self.row_losses(rows.labels, usual).mean()),
            "r2_log": float(np.corrcoef(came, answer)[0, 1] ** 2) if moves else math.nan,
            "n_rows": float(len(rows)),
        }
