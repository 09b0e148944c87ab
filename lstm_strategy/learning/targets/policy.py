"""Which exposure earns the most utility after costs?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd

from lstm_strategy.bars import bars_per_year
from lstm_strategy.errors import TrainingError
from lstm_strategy.learning.targets.base import Target
from lstm_strategy.learning.targets.checks import check_choice, check_number
from lstm_strategy.learning.targets.direction import forward_return
from lstm_strategy.learning.targets.parts import (
    AnsweredRows,
    Head,
    Loss,
    SignalScale,
    TrainingDefaults,
)
from lstm_strategy.learning.targets.shrinkage import measure_confidence
from lstm_strategy.learning.targets.utility import UTILITIES, mean_of_dates
from lstm_strategy.learning.variance import ewm_volatility
from lstm_strategy.support import suggest_names

DEFAULT_COST_RATE = 0.0015
"""One-way cost as a share of a trade's value: commission and slippage of `BrokerSettings()`."""

_VOLATILITY_SPAN = 60  # bars
_HELD = 0.9  # the position that a long prior begins with: tanh has still a slope there
_PULL = {"long": 20.0, "flat": 5.0}
_ROUNDING = 1e-6
_LEAST_RISK = 0.5  # of a policy that is trained on one market
_SMALLEST_LEAST_RISK = 0.05  # of one that is trained on many; with none a flat start has no ratio


class CostRates(dict[str, float]):
    """One-way cost rates by symbol, hashable as a setting of a target must be.

    Example:
        >>> hash(CostRates(ES=0.0001)) == hash(CostRates({"ES": 0.0001}))
        True
    """

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))


@dataclass(frozen=True)
class Policy(Target):
    """Which exposure earns the most utility after costs?

    The network answers a position z, -1…1. The exposure is z times s, where s is the target
    volatility over the exponentially weighted one of 60 bars, at most `max_exposure`. A bar earns
    z·s·r(next) - c·|z·s - z'·s'|: the return of the position, less the cost of changing it. The
    network is trained on the utility of all scored bars of a batch together.

    What the network changes about the prior is shrunk by how well it paid on held-out bars: where
    nothing was learned, the strategy is its prior at constant volatility, and pays hardly any
    costs.

    Args:
        prior: "long" begins with a held position and pulls towards it, for markets that pay for
            being held; "flat" begins with none.
        utility: "sharpe" (mean over deviation), "mean_variance" (mean less 5/2 of the variance)
            or "prospect" (the earnings of each chunk, losses counted 2.25 times).
        cost_rate: One-way cost of a trade, as a share of its value; a mapping has that of each
            market of a panel by symbol. None for commission and slippage of the broker where one
            is known (`tune`, and on the command line), else for those of `BrokerSettings()`.
        panel_utility: Of a panel, "pooled" for the utility of all markets' bars together, or
            "portfolio" for that of the mean over markets of what each date earns; batches then
            hold the same dates of all markets. (On 35 futures, the pooled one was the better.)
        target_volatility: Of the account in a year, at a position of 1.
        max_exposure: The largest exposure, 0…1.
        pull: How strongly positions are pulled towards the prior: a mean squared distance of
            1 costs as much as this t-statistic of the mean earnings gains. None for 20 with a
            long prior, which is worth something, and 5 with a flat one.
        least_risk: With the utility "sharpe" the risk that every policy is charged with, however
            little it holds, as a share of what always holding risks: small positions at lucky
            moments would look best otherwise. None for 0.5 over the number of
            markets that it is trained on, at least 0.05, since luck shrinks with their number.

    Raises:
        TrainingError: Naming the first argument that is off.

    Source:
        Lim, Zohren & Roberts, "Enhancing Time Series Momentum Strategies Using Deep Neural
        Networks" (2019), equations 1, 16 and 17; loss aversion: Tversky & Kahneman, "Advances in
        Prospect Theory" (1992); myopic loss aversion, for which earnings are added up over
        a chunk: Benartzi & Thaler (1995).

    Example:
        >>> Policy(prior="flat", cost_rate=0.0005).cost_rate
        0.0005
    """

    prior: Literal["long", "flat"] = "long"
    utility: Literal["sharpe", "mean_variance", "prospect"] = "sharpe"
    cost_rate: float | Mapping[str, float] | None = None
    panel_utility: Literal["pooled", "portfolio"] = "pooled"
    target_volatility: float = 0.15
    max_exposure: float = 1.0
    pull: float | None = None
    least_risk: float | None = None

    loss_name: ClassVar[str] = "lost_utility"
    judges_batches: ClassVar[bool] = True
    validation_smoothing: ClassVar[float] = 0.7

    def __post_init__(self) -> None:
        check_choice("prior", self.prior, ("long", "flat"))
        check_choice("utility", self.utility, tuple(UTILITIES))
        check_choice("panel_utility", self.panel_utility, ("pooled", "portfolio"))
        if isinstance(self.cost_rate, Mapping):
            for symbol, rate in self.cost_rate.items():
                check_number(f"cost_rate of {symbol}", rate, at_least=0, below=1)
            object.__setattr__(self, "cost_rate", CostRates(self.cost_rate))
        elif self.cost_rate is not None:
            check_number("cost_rate", self.cost_rate, at_least=0, below=1)
        check_number("target_volatility", self.target_volatility, above=0)
        check_number("max_exposure", self.max_exposure, above=0, at_most=1)
        if self.pull is not None:
            check_number("pull", self.pull, at_least=0)
        if self.least_risk is not None:
            check_number("least_risk", self.least_risk, at_least=0)

    @property
    def name(self) -> str:
        """`"policy"`."""
        return "policy"

    @property
    def preset(self) -> str:
        """Trends and volatility, by which a held position is changed; for a flat prior the default.

        Who begins with nothing looks for whatever there is, in volumes too.
        """
        return "momentum_and_volatility" if self.prior == "long" else "default"

    @property
    def training(self) -> TrainingDefaults:
        """As the direction is trained; only a flat prior is trained in the mirror, too.

        What a long prior earns by being long is lost in the mirror. Batches of 8 chunks score 720
        bars; larger ones learned less in as many epochs (docs/known-answers.md).
        """
        return TrainingDefaults(mirror=self.prior == "flat")

    @property
    def head(self) -> Head:
        """One position, which is the prior at first."""
        return Head(activation="tanh", initial_bias=math.atanh(self._held), starts_flat=True)

    @property
    def context(self) -> Sequence[Mapping[str, Any]]:
        """The volatility that exposures are scaled with."""
        return ({"kind": "ewm_volatility", "span": _VOLATILITY_SPAN},)

    def with_costs(self, cost_rate: float | Mapping[str, float]) -> Self:
        """Return the policy that pays this rate, unless it has one of its own."""
        return self if self.cost_rate is not None else replace(self, cost_rate=cost_rate)

    def for_markets(self, n_markets: int) -> Self:
        """Return the policy whose least risk is that of so many markets, unless it has its own."""
        if n_markets == 1:
            return replace(self, panel_utility="pooled")
        if self.least_risk is not None or self.judges_dates:
            return self
        least_risk = max(_SMALLEST_LEAST_RISK, _LEAST_RISK / n_markets)
        return replace(self, least_risk=least_risk)

    @property
    def judges_dates(self) -> bool:
        """Whether the utility is that of a portfolio of all markets."""
        return self.panel_utility == "portfolio"

    def in_market(self, symbol: str) -> Self:
        """Return the policy that pays the rate of this market alone, if it has rates by symbol."""
        if not isinstance(self.cost_rate, Mapping):
            return self
        if symbol not in self.cost_rate:
            raise TrainingError(
                f"cost_rate has no rate for the market {symbol}. Give one for each market. "
                f"{suggest_names(symbol, self.cost_rate)}"
            )
        return replace(self, cost_rate={symbol: self.cost_rate[symbol]})

    def _paid_rates(self, labels: Any) -> Any:
        """What each step pays: a label of its own where rates are by market."""
        if isinstance(self.cost_rate, Mapping):
            return labels[..., 2]
        return DEFAULT_COST_RATE if self.cost_rate is None else self.cost_rate

    @property
    def _held(self) -> float:
        return _HELD if self.prior == "long" else 0.0

    def build_loss(self) -> Loss:
        """What the positions of a batch lose in utility, and how far they are from the prior."""
        return self._build_loss(_PULL[self.prior] if self.pull is None else self.pull)

    def build_validation_loss(self) -> Loss:
        """What positions lose in utility, with no pull to any."""
        return self._build_loss(pull=0.0)

    def _build_loss(self, pull: float) -> Loss:
        from keras import ops

        find_utility = UTILITIES[self.utility]
        least_risk = _LEAST_RISK if self.least_risk is None else self.least_risk

        def lost_utility(labels: Any, answers: Any) -> Any:
            returns, scale, weights = (labels[..., column] for column in (0, 1, -1))
            rates = self._paid_rates(labels[:, 1:])
            positions = answers[..., 0]
            exposure = positions * scale
            # the step before the first scored one is the warm-up's last: it is there to be left
            changes = ops.abs(exposure[:, 1:] - exposure[:, :-1])
            earned = exposure[:, 1:] * returns[:, 1:] - rates * changes
            held, weights = (scale * returns)[:, 1:], weights[:, 1:]
            n_steps = ops.sum(weights)
            distance = ops.sum(weights * ops.square(positions[:, 1:] - self._held)) / n_steps
            if self.judges_dates:
                places = ops.cast(labels[..., -2], "int32")
                earned, held, weights = mean_of_dates(ops, places, earned, held, weights)
                n_steps = ops.sum(weights)
            usual = ops.sqrt(ops.sum(weights * ops.square(held)) / n_steps + 1e-12)
            utility = find_utility(ops, earned, weights, usual, least_risk)
            return pull * distance - ops.sqrt(n_steps) * utility

        return lost_utility

    def labels(self, bars: pd.DataFrame, horizon: int) -> pd.DataFrame:
        """The return to come, and how much of it a position of 1 would hold.

        Args:
            bars: Bars with a close, shape (n_bars, n_columns).
            horizon: Bars ahead.

        Returns:
            Columns next_return (per bar: of the close `horizon` bars later over this one, divided
            by `horizon`), exposure_scale, and cost_rate where rates are by market; NaN in the
            first 60 and the last `horizon` rows.

        Raises:
            TrainingError: If there are rates of several markets and these are the bars of one.
        """
        later = forward_return(bars["close"], horizon=horizon) / horizon
        volatility = ewm_volatility(bars["close"], span=_VOLATILITY_SPAN).to_numpy()
        scale = self._exposure_scale(volatility, bars_per_year(pd.DatetimeIndex(bars.index)))
        labels = pd.DataFrame({"next_return": later, "exposure_scale": scale}, index=bars.index)
        if isinstance(self.cost_rate, Mapping):
            if len(self.cost_rate) != 1:
                raise TrainingError(
                    f"cost_rate has the rates of {len(self.cost_rate)} markets, and these are the "
                    "bars of one. Give one rate, or train on a panel."
                )
            (labels["cost_rate"],) = self.cost_rate.values()
        return labels.where(labels.notna().all(axis=1))

    def check_labels(self, labels: np.ndarray, horizon: int) -> None:
        """Refuse returns that are all alike.

        Args:
            labels: Returns and scales, shape (n_rows, 2).
            horizon: Bars that the question looks ahead.

        Raises:
            TrainingError: If nothing moves, so that no position earns or loses anything.
        """
        returns = labels[:, 0]
        if np.ptp(returns) <= _ROUNDING * np.abs(returns).max():
            raise TrainingError(
                f"Every label is {returns[0]:g}: the close moves by the same share each time. "
                "There is nothing to learn; use other bars or another horizon."
            )

    def mirror_labels(self, labels: np.ndarray) -> np.ndarray:
        """The opposite returns at the same scale."""
        signs = np.ones(labels.shape[1], labels.dtype)
        signs[0] = -1.0
        mirrored: np.ndarray = labels * signs
        return mirrored

    def fit_scale(
        self, trained: AnsweredRows, held_out: AnsweredRows, *, horizon: int
    ) -> SignalScale:
        """Measure what is left of the network's changes to the prior.

        Args:
            trained: The ensemble's positions on the rows that it was trained on.
            held_out: The positions of each member on the rows that it didn't learn from.
            horizon: Bars that the question looks ahead.

        Returns:
            As confidence what `measure_confidence` leaves of what the positions earned on top
            of the prior.
        """
        gains = self._losses_of_prior(held_out) - self._losses(held_out)
        return SignalScale(
            threshold=self._held,
            width=1.0,
            confidence=measure_confidence(
                np.ones(len(gains)), gains, horizon=horizon, dates=held_out.dates
            ),
            bars_per_year=trained.bars_per_year,
        )

    def build_columns(
        self, answers: np.ndarray, scale: SignalScale, context: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Exposure, position and uncertainty from the members' positions.

        Args:
            answers: The position of each member, -1…1, shape (n_rows, n_members, 1).
            scale: What `fit_scale` measured.
            context: The volatility per bar, shape (n_rows, 1).

        Returns:
            The exposure at the target volatility (-1…1), the position before scaling (-1…1) and
            the standard deviation of the members' positions, each of shape (n_rows,).
        """
        members = answers[..., 0].astype(np.float64)
        changed = members.mean(axis=1) - self._held
        position = self._held + scale.confidence * changed
        exposure = position * self._exposure_scale(context[:, 0], scale.bars_per_year)
        return exposure, position, members.std(axis=1) * scale.confidence

    def row_losses(self, labels: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """What each bar costs after what it earns, as a share of the account.

        Args:
            labels: Returns and scales of rows that follow each other, shape (n_rows, 2).
            answers: Positions, shape (n_rows, 1).

        Returns:
            Shape (n_rows,); the first row begins with its position, at no cost.
        """
        exposure = answers[:, 0].astype(np.float64) * labels[:, 1]
        changes = np.abs(np.diff(exposure, prepend=exposure[:1]))
        losses: np.ndarray = self._paid_rates(labels) * changes - exposure * labels[:, 0]
        return losses

    def score(self, rows: AnsweredRows) -> dict[str, float]:
        """The Sharpe ratio after costs, that of the prior, turnover, and the number of rows.

        Args:
            rows: Positions and what came, in the order of time. Those of one date in many markets
                count as one, the mean of what they earn.

        Returns:
            Annual figures by name; a Sharpe ratio is NaN without any variation.
        """
        year = rows.bars_per_year
        changes = [np.diff(part.answers[:, 0] * part.labels[:, 1]) for part in rows.split_markets()]
        traded = np.abs(np.concatenate(changes))
        return {
            "sharpe": _annual_sharpe(-rows.mean_of_dates(self._losses(rows)), year),
            "prior_sharpe": _annual_sharpe(-rows.mean_of_dates(self._losses_of_prior(rows)), year),
            "turnover": float(traded.mean()) * year if len(traded) else math.nan,
            "n_rows": float(len(rows)),
        }

    def _losses(self, rows: AnsweredRows) -> np.ndarray:
        """What each row costs after what it earns; no position is carried to another market."""
        parts = rows.split_markets()
        return np.concatenate([self.row_losses(part.labels, part.answers) for part in parts])

    def _losses_of_prior(self, rows: AnsweredRows) -> np.ndarray:
        return self._losses(replace(rows, answers=np.full_like(rows.answers, self._held)))

    def _exposure_scale(self, volatility: np.ndarray, year: float) -> np.ndarray:
        """How much a position of 1 holds; nothing where nothing moves."""
        annual = volatility * math.sqrt(year)
        with np.errstate(divide="ignore"):
            wanted = np.minimum(self.target_volatility / annual, self.max_exposure)
        scale: np.ndarray = np.where(annual == 0, 0.0, wanted)
        return scale


def _annual_sharpe(returns: np.ndarray, year: float) -> float:
    deviation = float(returns.std()) if len(returns) else 0.0
    return float(returns.mean()) / deviation * math.sqrt(year) if deviation else math.nan
