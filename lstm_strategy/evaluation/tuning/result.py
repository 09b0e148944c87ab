"""What a search found: the best setting, all trials, and how much of it may be luck."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from lstm_strategy.errors import TradingError
from lstm_strategy.evaluation.backtests import span_text, write_picture
from lstm_strategy.evaluation.metrics import ruin_date
from lstm_strategy.evaluation.plots import figure_html, plot_search_importance, plot_trials
from lstm_strategy.evaluation.tuning.holdout import Holdout
from lstm_strategy.learning.forecaster import LSTMForecaster, score_words
from lstm_strategy.learning.search import Objective, Setting
from lstm_strategy.support import (
    card_html,
    count_of,
    explain_arguments,
    format_time,
    frame_html,
    refuse_choice,
    write_whole,
)
from lstm_strategy.trading.cerebro import BrokerSettings

TRIALS_FILE, BEST_FILE = "trials.csv", "best.toml"
FIGURE_KINDS = ("history", "importance")
_MOST_SHOWN = 10

# a name that stands in two tables of `best.toml`
_COMMENTS = {
    "broker": "# the {} of strategies that name none of their own, such as the baselines\n",
    "strategy": "# the {} of the LSTM, in place of the one under [broker]\n",
}


@dataclass(frozen=True, eq=False, repr=False)
class TuningResult:
    """A search and its outcome.

    Attributes:
        objective: What was made as good as it could be.
        setting: The best setting.
        best_number: Its trial.
        best_value: Its score, chosen as the best of all and thus flattering.
        forecaster: Untrained, with the best setting.
        strategy: Parameters of `LSTMStrategy` that the forecasts are traded with.
        broker: What trading them costs.
        trials: One row per trial: state ("complete", "pruned" where it fell behind, or "failed"
            where it could be neither trained nor scored, as its error says), value, folds, seconds,
            parameters, error.
        returns: Bar returns of the completed trials on the inner test bars, one column each.
        importance: Share of the score's variance that each dimension explains, largest first.
        bars_per_year: Annualises the returns.
        holdout: The best setting on the bars kept back.
        n_independent: Independent trials that all of them amount to, given their correlations.
        pbo: Probability of backtest overfitting, see `overfitting_probability`; a fraction, NaN
            where there are too few bars or trials, as the next two are.
        deflated_sharpe: Confidence that the Sharpe ratio of the best is above that of the luckiest
            of `n_independent` trials.
        spa_p_value: Probability that the best of all leads buy and hold so far by luck.
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
        """The completed trials, the best first, then those that were stopped early or failed."""
        rank = self.trials["state"].map({"complete": 0, "pruned": 1}).fillna(2)
        order = self.trials.assign(rank_of_state=rank).sort_values(
            ["rank_of_state", "value"], ascending=[True, not self.objective.is_better_high]
        )
        return order.drop(columns="rank_of_state")

    @property
    def undrawn(self) -> dict[str, str]:
        """Why a kind of picture would say nothing, as a sentence by kind; empty where all do."""
        n_complete = int((self.trials["state"] == "complete").sum())
        reasons = {}
        if len(self.trials) < 2:
            reasons["history"] = "One trial has no course that could be drawn."
        if self.importance.empty:
            reasons["importance"] = (
                f"What the score depends on can't be told from {count_of(n_complete, 'trial')}."
            )
        return reasons

    @explain_arguments(TradingError)
    def plot(self, kind: str = "history") -> Figure:
        """Draw the course of the search ("history"), or what the score depends on ("importance").

        Raises:
            TradingError: If there is no such kind.
        """
        if kind == "history":
            return plot_trials(
                self.trials,
                objective=self.objective.name,
                is_better_high=self.objective.is_better_high,
                holdout_score=self.holdout.scores[self.objective.name],
            )
        if kind == "importance":
            n_complete = int((self.trials["state"] == "complete").sum())
            return plot_search_importance(self.importance, n_trials=n_complete)
        raise TradingError(refuse_choice("kind", kind, FIGURE_KINDS))

    @explain_arguments(TradingError)
    def figure(self, kind: str = "history") -> Figure:
        """Draw the same as `plot`."""
        return self.plot(kind)

    @explain_arguments(TradingError)
    def save(self, folder: str | Path) -> Path:
        """Write trials.csv, best.toml, history.png and importance.png, and return the folder.

        A picture that would say nothing is left out, see `undrawn`.
        """
        folder = Path(folder)
        write_whole(folder / TRIALS_FILE, self.trials.to_csv())
        write_whole(folder / BEST_FILE, self.to_toml())
        for kind in FIGURE_KINDS:
            if kind not in self.undrawn:
                write_picture(folder / f"{kind}.png", self.plot(kind))
        return folder

    def to_toml(self) -> str:
        """Return the best setting as a configuration file of the command line."""
        tables: dict[str, dict[str, Any]] = {
            "forecaster": {
                **self.forecaster.settings.model_dump(mode="json"),
                "features": self.forecaster.features.specs,
            },
            "broker": self.broker.model_dump(),
            "strategy": self.strategy,
        }
        twice = tables["broker"].keys() & self.strategy.keys()
        parts = [f"# {line}\n" for line in str(self).splitlines()]
        for name, values in tables.items():
            parts.append(f"\n[{name}]\n")
            for key, value in values.items():
                if key in twice and name in _COMMENTS:
                    parts.append(_COMMENTS[name].format(key))
                if value is not None:
                    parts.append(f"{key} = {_format_toml(value)}\n")
        return "".join(parts)

    def __str__(self) -> str:
        kept, name = self.holdout, self.objective.name
        looks = f" (look {kept.n_looks} at it)" if kept.n_looks > 1 else ""
        return (
            f"Best of {count_of(self.n_trials, 'trial')}: number {self.best_number}. Its "
            f"{score_words(name)} is {self.best_value:.4f} on the inner folds, and "
            f"{kept.scores[name]:.4f} on the holdout, "
            f"{span_text(kept.result.equity)}{looks}.{self._describe_idleness()}\n"
            f"Probability of backtest overfitting: {_format_percent(self.pbo)}. Confidence that "
            f"its Sharpe ratio is above the luckiest of "
            f"{count_of(self.n_independent, 'independent trial')}: "
            f"{_format_percent(self.deflated_sharpe)}. Probability that the best leads buy and "
            f"hold by luck (SPA): {_p_text(self.spa_p_value)}.{self._explain_unknown()}"
        )

    def _describe_idleness(self) -> str:
        """Say that the best trial never traded, or was ruined on the holdout; "" if neither."""
        kept = self.holdout.result
        own = self.returns.get(self.best_number)
        is_idle = own is not None and not own.to_numpy().any()
        spans = {"inner folds": is_idle, "holdout": not kept.exposure.to_numpy().any()}
        words = [span for span, is_flat in spans.items() if is_flat]
        said = f" It never traded on the {' and the '.join(words)}." if words else ""
        if is_idle and self.objective.name == "sharpe":
            said += " Its Sharpe ratio of 0 is that of cash, which no other trial beat."
        ruined = ruin_date(kept.equity)
        if ruined is not None:
            said += f" On the holdout its account is ruined at {format_time(ruined)}."
        return said

    def _explain_unknown(self) -> str:
        known = (self.pbo, self.deflated_sharpe, self.spa_p_value)
        if not any(value != value for value in known):
            return ""
        return " What is unknown would need more bars or more completed trials that trade."

    def __repr__(self) -> str:
        return (
            f"TuningResult({count_of(self.n_trials, 'trial')}, "
            f"{score_words(self.objective.name)} {self.best_value:.4f})"
        )

    def _repr_html_(self) -> str:
        kept, name = self.holdout, self.objective.name
        looks = f", look {kept.n_looks} at it" if kept.n_looks > 1 else ""
        luckiest = count_of(self.n_independent, "independent trial")
        facts = {
            f"Best {score_words(name)}, trial {self.best_number}": f"{self.best_value:.4f}",
            "The same on the holdout": f"{kept.scores[name]:.4f} "
            f"({span_text(kept.result.equity)}{looks})",
            "Probability of backtest overfitting": _format_percent(self.pbo),
            f"Confidence that its Sharpe ratio is above the luckiest of {luckiest}": (
                _format_percent(self.deflated_sharpe)
            ),
            "p-value of leading buy and hold by luck": _p_text(self.spa_p_value),
        }
        best = self.ranked.head(_MOST_SHOWN).map(_cell_text).rename_axis("trial")
        if not self.trials["error"].any():
            best = best.drop(columns="error")
        parts = [frame_html(best)]
        if "history" not in self.undrawn:
            parts.append(figure_html(self.plot(), "The score of each trial"))
        return card_html(f"Best of {count_of(self.n_trials, 'trial')}", facts=facts, parts=parts)


def _cell_text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _format_percent(share: float) -> str:
    return "unknown" if share != share else f"{share:.0%}"


def _p_text(p_value: float) -> str:
    if p_value != p_value:
        return "unknown"
    return f"p = {p_value:.3f}" + (", which is that of no lead" if p_value == 1 else "")


def _format_toml(value: Any) -> str:
    """A plain value as TOML writes it in one line."""
    if isinstance(value, dict):
        items = (f"{json.dumps(k)} = {_format_toml(v)}" for k, v in value.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_format_toml, value)) + "]"
    return json.dumps(value)
