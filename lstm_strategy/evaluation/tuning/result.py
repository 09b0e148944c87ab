"""What a search found: the best setting, all trials, and how much of it may be luck."""

import html
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lstm_strategy.evaluation.backtests import BacktestResult, span_text, write_picture
from lstm_strategy.learning.forecaster import LSTMForecaster
from lstm_strategy.learning.search import Objective, Setting
from lstm_strategy.support import write_whole
from lstm_strategy.trading.cerebro import BrokerSettings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRIALS_FILE, BEST_FILE = "trials.csv", "best.toml"


@dataclass(frozen=True, eq=False)
class Holdout:
    """The best setting on the bars that no trial saw.

    result:   its backtest
    scores:   sharpe after costs, log_loss, auc
    n_looks:  settings that were tried on these bars so far; more than one weakens what they say
    """

    result: BacktestResult
    scores: dict[str, float]
    n_looks: int


@dataclass(frozen=True, eq=False, repr=False)
class TuningResult:
    """A search and its outcome; probabilities are fractions, NaN where there is too little.

    objective:        what was made as good as it could be
    setting:          the best setting
    best_number:      its trial
    best_value:       its score, chosen as the best of all and thus flattering
    forecaster:       untrained, with the best setting
    strategy, broker: what the forecasts are traded with
    trials:           one row a trial: state, value, folds, seconds, parameters, error
    returns:          bar returns of the completed trials on the inner test bars, one column each
    importance:       share of the score's variance that each dimension explains
    bars_per_year:    annualises the returns
    holdout:          the best setting on the bars kept back
    n_independent:    independent trials that all of them amount to, given their correlations
    pbo:              probability of backtest overfitting, see `overfitting_probability`
    deflated_sharpe:  confidence that the Sharpe ratio is above the luckiest of `n_independent`
    spa_p_value:      chance that the best of all leads buy and hold so far by luck
    """

    objective: Objective
    setting: Setting
    best_number: int
    best_value: float
    forecaster: LSTMForecaster
    strategy: dict[str, Any]
    broker: BrokerSettings
    trials: pd.DataFrame
    returns: pd.DataFrame
    importance: pd.Series
    bars_per_year: float
    holdout: Holdout
    n_independent: int
    pbo: float
    deflated_sharpe: float
    spa_p_value: float

    @property
    def best(self) -> dict[str, Any]:
        """The best setting as one dict of plain values."""
        features = {} if self.setting.features is None else {"features": self.setting.features}
        return {**features, **self.setting.forecaster, **self.setting.strategy}

    @property
    def n_trials(self) -> int:
        """Trials that ended, pruned ones included: what the best was chosen from."""
        return len(self.trials)

    @property
    def ranked(self) -> pd.DataFrame:
        """The completed trials, the best first, then those that were stopped early."""
        order = self.trials.assign(is_pruned=self.trials["state"] != "complete")
        order = order.sort_values(
            ["is_pruned", "value"], ascending=[True, not self.objective.is_better_high]
        )
        return order.drop(columns="is_pruned")

    def figure(self, kind: str = "history") -> "Figure":
        """The course of the search ("history"), or what the score depends on ("importance")."""
        from lstm_strategy.evaluation.plots import tuning_figure

        return tuning_figure(self, kind)

    def save(self, folder: str | Path) -> Path:
        """Write trials.csv, best.toml, history.png and importance.png; returns the folder."""
        folder = Path(folder)
        write_whole(folder / TRIALS_FILE, self.trials.to_csv().encode())
        write_whole(folder / BEST_FILE, self.to_toml().encode())
        for kind in ("history", "importance"):
            write_picture(folder / f"{kind}.png", self.figure(kind))
        return folder

    def to_toml(self) -> str:
        """The best setting as a configuration file of the command line."""
        forecaster = {
            **self.forecaster.settings.model_dump(mode="json"),
            "features": self.forecaster.features.specs,
        }
        tables = {
            "forecaster": forecaster,
            "broker": self.broker.model_dump(),
            "strategy": self.strategy,
        }
        parts = [f"# {line}\n" for line in str(self).splitlines()]
        for name, values in tables.items():
            lines = [f"{k} = {_toml(v)}\n" for k, v in values.items() if v is not None]
            parts += [f"\n[{name}]\n", *lines]
        return "".join(parts)

    def __str__(self) -> str:
        kept = self.holdout
        name, looks = self.objective.name, f" (look {kept.n_looks} at it)" * (kept.n_looks > 1)
        return "\n".join(
            [
                f"Best of {self.n_trials} trials: number {self.best_number} with {name} "
                f"{self.best_value:.4f} inside, {kept.scores[name]:.4f} on the holdout, "
                f"{span_text(kept.result.equity)}{looks}.",
                f"Probability of backtest overfitting: {_percent(self.pbo)}. Confidence that its "
                f"Sharpe ratio is above the luckiest of {self.n_independent} independent trials: "
                f"{_percent(self.deflated_sharpe)}. Lead of the best over buy and hold by luck "
                f"(SPA): p = {self.spa_p_value:.3f}.",
            ]
        )

    def __repr__(self) -> str:
        return f"TuningResult({self.n_trials} trials, {self.objective.name} {self.best_value:.4f})"

    def _repr_html_(self) -> str:
        words = "<br>".join(html.escape(line) for line in str(self).splitlines())
        return f"<p>{words}</p>{self.ranked.head(10).to_html(float_format='{:.4g}'.format)}"


def _percent(share: float) -> str:
    return "unknown" if share != share else f"{share:.0%}"


def _toml(value: Any) -> str:
    """A plain value as TOML writes it in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)
