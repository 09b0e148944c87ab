"""Which is met first: the profit, the stop, or the end of the time?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.targets.base import Target
from lstm_strategy.learning.targets.checks import check_bars, check_number
from lstm_strategy.learning.targets.moves.returns import usual_move
from lstm_strategy.learning.targets.parts import AnsweredRows, Head, Loss, SignalScale
from lstm_strategy.learning.targets.shrinkage import measure_confidence

_WORDS = {1.0: "the profit is always met first", -1.0: "the stop is always met first"}


@dataclass(frozen=True)
class TripleBarrier(Target):
    """Which does a position opened at this close meet first: profit, stop, or `horizon` bars?

    The profit lies `profit` times the usual move over the horizon above the close, in logarithms,
    and the stop `stop` times below; the usual move is the exponentially weighted volatility of the
    last `span` bars times the root of the horizon. Highs and lows decide. A bar that meets both
    counts as a stop, since nobody knows which came first.

    The forecast is the probability of the profit less that of the stop, and the signal is the
    same where profit and stop are as far away; where they aren't, it is what is expected to be won
    or lost on top of what the training bars won on average, as a share of the larger of the two.
    Labels that share bars with others weigh less, by their average uniqueness.

    Args:
        profit: Usual moves up to the profit.
        stop: Usual moves down to the stop.
        span: Bars of the volatility.

    Raises:
        TrainingError: Naming the first setting that is off.

    Source: López de Prado (2018), "Advances in Financial Machine Learning", chapters 3 and 4.

    Example:
        >>> close = [100.0, 101.0, 100.0, 100.5, 103.0, 100.0]
        >>> bars = pd.DataFrame({"high": close, "low": close, "close": close})
        >>> TripleBarrier(span=2).labels(bars, horizon=1).tolist()
        [nan, nan, 0.0, 1.0, -1.0, nan]
    """

    profit: float = 1.0
    stop: float = 1.0
    span: int = 60

    loss_name: ClassVar[str] = "log_loss"
    no_skill: ClassVar[Mapping[str, float]] = {"auc": 0.5}

    def __post_init__(self) -> None:
        check_number("profit", self.profit, above=0)
        check_number("stop", self.stop, above=0)
        check_bars("span", self.span, least=2, default=60)

    @property
    def name(self) -> str:
        """`"triple_barrier"`."""
        return "triple_barrier"

    @property
    def head(self) -> Head:
        """How far the answer leans to the profit, and how likely neither is: two logits."""
        return Head(n_outputs=2, starts_flat=True)

    def build_loss(self) -> Loss:
        """The log-loss of what came, of three."""
        from keras import ops

        def log_loss(labels: Any, answers: Any) -> Any:
            lean, time = answers[..., 0], answers[..., 1]
            label = labels[..., 0]
            came = ops.where(ops.equal(label, 0), time, label * lean)
            return ops.logsumexp(ops.stack([-lean, time, lean], axis=-1), axis=-1) - came

        return log_loss

    def labels(self, bars: pd.DataFrame, horizon: int) -> pd.Series:
        """1 for the profit, -1 for the stop, 0 for the time.

        Args:
            bars: Bars with high, low and close, shape (n_bars, n_columns).
            horizon: Bars that a position is held at most.

        Returns:
            Shape (n_bars,); the first `span` and the last `horizon` values are NaN, and those where
            nothing moved over `span` bars and then something did.

        Raises:
            TrainingError: As `usual_move` does.
        """
        outcomes, _ = self._meet_barriers(bars, horizon)
        return pd.Series(outcomes, bars.index)

    def weights(self, bars: pd.DataFrame, horizon: int) -> pd.Series:
        """The average uniqueness of each label.

        That is the mean, over the bars up to the one that decides it, of one over the number of
        labels that the bar takes part in.

        Args:
            bars: Bars with high, low and close, shape (n_bars, n_columns).
            horizon: Bars that a position is held at most.

        Returns:
            Shape (n_bars,), above 0 and at most 1; NaN where there is no label.

        Source: López de Prado (2018), chapter 4, section 4.4.

        Example:
            >>> bars = pd.DataFrame({name: [1.0] * 8 for name in ("high", "low", "close")})
            >>> TripleBarrier(span=2).weights(bars, horizon=2).tolist()
            [nan, nan, 0.75, 0.5, 0.5, 0.5, nan, nan]
        """
        outcomes, n_bars = self._meet_barriers(bars, horizon)
        has_begun = ~np.isnan(n_bars)
        first = np.flatnonzero(has_begun) + 1
        last = first + n_bars[has_begun].astype(int)
        changes = np.zeros(len(bars) + horizon + 2)
        np.add.at(changes, first, 1)
        np.add.at(changes, last, -1)
        concurrent = np.cumsum(changes)
        summed = np.cumsum(1 / np.maximum(concurrent, 1))
        unique = np.full(len(bars), np.nan)
        unique[has_begun] = (summed[last - 1] - summed[first - 1]) / (last - first)
        return pd.Series(unique, bars.index).where(~np.isnan(outcomes))

    def check_labels(self, labels: np.ndarray, horizon: int) -> None:
        """Refuse labels that are all alike.

        Args:
            labels: The labels to learn from, shape (n_rows, 1).
            horizon: Bars that a position is held at most.

        Raises:
            TrainingError: If they are.
        """
        first = float(labels[0, 0])
        if (labels == first).all():
            why = _WORDS.get(first, f"neither barrier is ever met within {horizon} bars")
            raise TrainingError(
                f"Every label is {first:g}: {why}. There is nothing to learn; change "
                f"profit={self.profit:g}, stop={self.stop:g} or the horizon."
            )

    def mirror_labels(self, labels: np.ndarray) -> np.ndarray | None:
        """Profit and stop exchanged, if they are as far away; a bar that met both is a profit."""
        return -labels if self.profit == self.stop else None

    def fit_scale(
        self,
        trained: AnsweredRows,
        held_out: AnsweredRows,
        *,
        horizon: int,
    ) -> SignalScale:
        """The scale on which only a sure profit asks for all.

        Args:
            trained: What the ensemble answered on the rows that it was trained on.
            held_out: The same of each member on the rows that it didn't learn from.
            horizon: Bars that a position is held at most.

        Returns:
            A threshold of nothing won, or where profit and stop aren't as far away of what the
            training rows won on average: the nearer one is met more often even where the price
            goes nowhere. A width of the larger barrier, and as confidence what
            `measure_confidence` leaves of what was expected to be won on top of the threshold.
        """
        usual = 0.0
        if self.profit != self.stop and trained.weights.sum() > 0:
            usual = float(np.average(self._find_win(trained.labels), weights=trained.weights))
        expected = self._expect_win(self.probabilities(held_out.answers)) - usual
        won = self._find_win(held_out.labels) - usual
        return SignalScale(
            threshold=usual,
            width=max(self.profit, self.stop),
            confidence=measure_confidence(expected, won, horizon=horizon, dates=held_out.dates),
            horizon=horizon,
            bars_per_year=trained.bars_per_year,
        )

    def build_columns(
        self, answers: np.ndarray, scale: SignalScale, context: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Signal, forecast and uncertainty from the members' answers.

        Args:
            answers: Those of each member, shape (n_rows, n_members, 2).
            scale: What `fit_scale` chose.
            context: Not needed.

        Returns:
            The signal (-1…1), the probability of the profit less that of the stop (-1…1) and its
            standard deviation between the members, each of shape (n_rows,); NaN where a member's
            answer is.
        """
        probabilities = self.probabilities(answers)
        members = probabilities[..., 2] - probabilities[..., 0]
        signal = scale.find_signal(self._expect_win(probabilities).mean(axis=1))
        return signal, members.mean(axis=1), members.std(axis=1)

    def probabilities(self, answers: np.ndarray) -> np.ndarray:
        """How likely stop, time and profit are.

        Args:
            answers: Shape (…, 2).

        Returns:
            Shape (…, 3), each row sums to 1.

        Example:
            >>> TripleBarrier().probabilities(np.zeros((1, 2))).round(2).tolist()
            [[0.33, 0.33, 0.33]]
        """
        lean, time = answers[..., 0].astype(np.float64), answers[..., 1].astype(np.float64)
        logits = np.stack([-lean, time, lean], axis=-1)
        raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
        likely: np.ndarray = raised / raised.sum(axis=-1, keepdims=True)
        return likely

    def row_losses(self, labels: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """The log-loss of each row, unweighted; 1.0986 where all three are as likely.

        Args:
            labels: -1, 0 or 1, shape (n_rows, 1).
            answers: Shape (n_rows, 2).

        Returns:
            Shape (n_rows,).
        """
        likely = self.probabilities(answers)
        came = np.take_along_axis(likely, labels.astype(int) + 1, axis=1)[:, 0]
        losses: np.ndarray = -np.log(np.maximum(came, 1e-12))
        return losses

    def score(self, rows: AnsweredRows) -> dict[str, float]:
        """Log-loss, AUC, accuracy and the number of rows.

        Args:
            rows: What was answered and what came; a row counts by its weight in every score, as it
                does in the loss.

        Returns:
            log_loss, of three answers; auc, how often a row that met the profit was forecast higher
            than one that met the stop; accuracy, the share of rows whose likeliest answer came;
            n_rows. NaN for what these rows don't define.
        """
        from sklearn.metrics import roc_auc_score

        if not rows.weights.sum() > 0:
            return {**dict.fromkeys(("log_loss", "auc", "accuracy"), math.nan), "n_rows": 0.0}
        came, likely = rows.labels[:, 0], self.probabilities(rows.answers)
        is_met = (came != 0) & (rows.weights > 0)
        has_both = len(np.unique(came[is_met])) == 2
        lean = likely[is_met, 2] - likely[is_met, 0]
        losses = self.row_losses(rows.labels, rows.answers)
        return {
            "log_loss": float(np.average(losses, weights=rows.weights)),
            "auc": float(roc_auc_score(came[is_met], lean, sample_weight=rows.weights[is_met]))
            if has_both
            else math.nan,
            "accuracy": float(np.average(likely.argmax(axis=1) - 1 == came, weights=rows.weights)),
            "n_rows": float((rows.weights > 0).sum()),
        }

    def _find_win(self, labels: np.ndarray) -> np.ndarray:
        """What a position won, in usual moves; nothing where the time ended it."""
        came = labels[:, 0]
        won: np.ndarray = np.where(came > 0, self.profit, -self.stop) * (came != 0)
        return won

    def _expect_win(self, probabilities: np.ndarray) -> np.ndarray:
        """What a position is expected to win, in usual moves; nothing where the time ends it."""
        won: np.ndarray = self.profit * probabilities[..., 2] - self.stop * probabilities[..., 0]
        return won

    def _meet_barriers(self, bars: pd.DataFrame, horizon: int) -> tuple[np.ndarray, np.ndarray]:
        """What each position meets, and after how many bars: as many as known, the time else.

        NaN in both where there is no volatility; in the first also where the bars end too early.
        """
        prices = np.log(bars[["high", "low", "close"]].to_numpy(np.float64))
        high, low, close = prices.T
        unit = usual_move(bars["close"], span=self.span, horizon=horizon).to_numpy()
        above, below = close + self.profit * unit, close - self.stop * unit
        outcomes = np.where(np.isnan(unit), np.nan, 0.0)
        n_bars = np.where(np.isnan(unit), np.nan, float(horizon))
        is_open, moved = ~np.isnan(unit) & (unit > 0), np.zeros(len(bars), bool)
        for step in range(1, horizon + 1):
            later_high, later_low = _shift_back(high, step), _shift_back(low, step)
            is_stop = is_open & (later_low <= below)
            is_profit = is_open & ~is_stop & (later_high >= above)
            outcomes[is_stop], outcomes[is_profit] = -1.0, 1.0
            n_bars[is_stop | is_profit] = step
            is_open &= ~(is_stop | is_profit)
            moved |= (later_high > close) | (later_low < close)
        outcomes[(unit == 0) & moved] = np.nan
        outcomes[max(0, len(bars) - horizon) :] = np.nan
        return outcomes, n_bars


def _shift_back(prices: np.ndarray, n_bars: int) -> np.ndarray:
    """Each row's price `n_bars` later; NaN behind the last."""
    return np.pad(prices, (0, n_bars), constant_values=np.nan)[n_bars:]
