"""Does anything look ahead? Features, model, strategy, folds and scaler, all tried by running."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import backtrader as bt
import pandas as pd

from lstm_strategy.bars import validate_bars
from lstm_strategy.errors import AuditError
from lstm_strategy.evaluation.audit.cerebro import Build, audit_cerebro, cerebro_of
from lstm_strategy.evaluation.audit.features import audit_features
from lstm_strategy.evaluation.audit.findings import AuditReport, Check, PartialAudit
from lstm_strategy.evaluation.audit.folds import audit_folds, folds_of
from lstm_strategy.evaluation.audit.model import (
    audit_forecaster,
    audit_training,
    network_warm_up,
)
from lstm_strategy.evaluation.audit.scaler import audit_scaler, needs_folds
from lstm_strategy.learning.features import cut_points, pick_evenly
from lstm_strategy.learning.forecaster import Forecaster, LSTMForecaster
from lstm_strategy.learning.serving import open_forecaster
from lstm_strategy.support import words_progress
from lstm_strategy.trading.cerebro import BrokerSettings
from lstm_strategy.trading.lstm import LSTMStrategy

Tell = Callable[[str], None]

_N_FEATURE_CUTS = 6
_N_MODEL_CUTS = 3


def audit(
    bars: pd.DataFrame,
    *,
    model: Forecaster | str | Path | None = None,
    strategy: Any = None,
    features: Any = None,
    splitter: Any = None,
    scaler: Any = None,
    cerebro: Build | None = None,
    horizon: int | None = None,
    broker: BrokerSettings | None = None,
    seed: int = 0,
    progress: bool | Tell | None = None,
) -> AuditReport:
    """Look for everything that knows later bars, and measure every warm-up.

    What is known at bar t must not change when the bars after t are removed or altered. That is
    tried at random bars and at those where a leak would show: right after the warm-up, before
    the largest moves, at the edges of folds and of the training, where orders are sent, and at
    the end.

    Args:
        bars: open high low close volume and whatever is read besides.
        model: a forecaster or the folder of a saved one: its features, scaling, threshold,
            forecasts (as given, reloaded, in both memory modes, bar by bar) and, unless
            ``strategy`` takes it, `LSTMStrategy` with the indicator in it.
        strategy: any backtrader strategy or indicator class, or a pair of class and parameters;
            one that has a parameter ``model`` is given the model.
        features: a FeatureSet, a function that makes columns of bars, or a finished frame.
        splitter: scikit-learn's kind, a function of the bars, or pairs of (train, test).
        scaler: a fitted transformer, ``scaler(features, train)`` or ``scaler(features)``; the
            first two need a ``splitter``.
        cerebro: instead of ``strategy``: makes your own Cerebro of a frame of bars, ready to run.
        horizon: bars ahead that labels look; the model's own by default, else 1.
        broker: the terms on which strategies run.
        seed: chooses the random bars.
        progress: True or False shows or hides what is being done; None shows it where
            somebody looks; a function is told in words instead.

    Raises:
        AuditError: if there is nothing to audit, or it can't be run.
        BarsError: at the first bad bar, or if there are too few.
        ModelError: if there is no such model.

    >>> from lstm_strategy import sample_bars
    >>> from lstm_strategy import BASELINES
    >>> audit(sample_bars("sp500")[:"2000"], strategy=BASELINES["SMA cross"]).is_clean
    True
    """
    asked = _Asked(model, strategy, features, splitter, scaler, cerebro)
    asked.check()
    bars = validate_bars(bars)
    started = time.perf_counter()
    forecaster = None if model is None else open_forecaster(model)
    if horizon is None:
        horizon = getattr(getattr(forecaster, "settings", None), "horizon", 1)
    with words_progress(progress, "Auditing") as tell, _quick_collections():
        work = _Work(asked, bars, forecaster, horizon, broker, seed, tell)
        parts = [*work.folds_part(), *work.columns(), *work.scaler(), *work.model(), *work.runs()]
    return AuditReport(
        subject=asked.words(),
        bars=f"{len(bars):,} bars from {bars.index[0]:%Y-%m-%d} to {bars.index[-1]:%Y-%m-%d}",
        findings=tuple(finding for part in parts for finding in part.findings),
        notes=tuple(note for part in parts for note in part.notes),
        checks=tuple(check for part in parts for check in part.checks),
        warm_ups=tuple(warm_up for part in parts for warm_up in part.warm_ups),
        seconds=time.perf_counter() - started,
    )


@dataclass(frozen=True, eq=False)
class _Asked:
    """What to audit, as the caller handed it over."""

    model: Any
    strategy: Any
    features: Any
    splitter: Any
    scaler: Any
    cerebro: Any

    def check(self) -> None:
        if all(thing is None for thing in vars(self).values()):
            names = ", ".join(f"{name}=" for name in vars(self))
            raise AuditError(f"There is nothing to audit. Hand over at least one of {names}.")
        if self.strategy is not None and self.cerebro is not None:
            raise AuditError("cerebro already holds its strategy: leave strategy= out.")
        if self.strategy is not None:
            _class_and_params(self.strategy)
        if self.scaler is not None and self.splitter is None and needs_folds(self.scaler):
            raise AuditError(
                "This scaler is judged by the training rows of folds: hand over splitter= as well."
            )

    def words(self) -> str:
        told = []
        for name, thing in vars(self).items():
            if thing is not None:
                first = thing[0] if isinstance(thing, tuple) and thing else thing
                told.append(f"{name} {_name_of(first)}")
        return ", ".join(told)


class _Work:
    """The parts of one audit, each of which may be empty."""

    def __init__(
        self,
        asked: _Asked,
        bars: pd.DataFrame,
        forecaster: Any,
        horizon: int,
        broker: BrokerSettings | None,
        seed: int,
        tell: Tell,
    ) -> None:
        self._asked, self._bars, self._forecaster = asked, bars, forecaster
        self._horizon, self._broker, self._seed, self._tell = horizon, broker, seed, tell
        self._folds = [] if asked.splitter is None else folds_of(asked.splitter, bars)
        if forecaster is not None:
            cut_points(bars, first=forecaster.warm_up + 1)  # refuse too few bars before the work
        self._edges = [int(fold.test[0]) for fold in self._folds if len(fold.test)]
        training_end = getattr(forecaster, "training_end", None)
        begun = [refit.test_start for refit in getattr(forecaster, "refits", ())]
        moments = [training_end, *begun] if training_end is not None else begun
        self._edges += [_n_bars_until(moment, bars) for moment in moments]

    def folds_part(self) -> Iterator[PartialAudit]:
        if self._folds:
            self._tell("the folds")
            yield audit_folds(self._folds, self._bars, horizon=self._horizon)

    def columns(self) -> Iterator[PartialAudit]:
        for made in (self._asked.features, getattr(self._forecaster, "features", None)):
            if made is not None:
                self._tell("the features")
                cuts = self._cuts(getattr(made, "warm_up", 0) + 1, _N_FEATURE_CUTS)
                yield audit_features(made, self._bars, cuts=cuts, horizon=self._horizon)

    def scaler(self) -> Iterator[PartialAudit]:
        if self._asked.scaler is not None:
            self._tell("the scaler")
            frame = self._feature_frame()
            first = int(frame.notna().all(axis=1).to_numpy().argmax()) + 1
            cuts = self._cuts(first, _N_FEATURE_CUTS)
            yield audit_scaler(self._asked.scaler, frame, self._folds, cuts=cuts)

    def model(self) -> Iterator[PartialAudit]:
        forecaster = self._forecaster
        if isinstance(forecaster, LSTMForecaster):
            self._tell("scaling, threshold and memory")
            yield audit_training(forecaster, self._bars)
            yield network_warm_up(forecaster, self._bars)
        if forecaster is not None:
            cuts = self._cuts(forecaster.warm_up, _N_MODEL_CUTS)
            yield audit_forecaster(forecaster, self._bars, cuts=cuts, tell=self._tell)

    def runs(self) -> Iterator[PartialAudit]:
        """Whatever runs inside Cerebro."""
        asked, forecaster = self._asked, self._forecaster
        takes_model = False
        if asked.cerebro is not None:
            classes = [added[0][0] for added in asked.cerebro(self._bars).strats if added]
            yield self._run(asked.cerebro, "cerebro", classes)
        if asked.strategy is not None:
            chosen, params = _class_and_params(asked.strategy)
            takes_model = forecaster is not None and "model" in chosen.params._getkeys()
            yield self._run_class(chosen, params, takes_model)
        if forecaster is not None and not takes_model:
            yield self._run_class(LSTMStrategy, {}, True)

    def _run_class(self, chosen: Any, params: dict[str, Any], takes_model: bool) -> PartialAudit:
        given = {"model": self._forecaster, **params} if takes_model else params
        return self._run(
            lambda known: cerebro_of(chosen, known, given, self._broker),
            chosen.__name__,
            [chosen],
            is_brief=takes_model and chosen is LSTMStrategy,
        )

    def _run(
        self, build: Build, name: str, classes: list[Any], *, is_brief: bool = False
    ) -> PartialAudit:
        ran = audit_cerebro(
            build,
            self._bars,
            name=name,
            classes=classes,
            edges=self._edges,
            is_brief=is_brief,
            seed=self._seed,
            tell=self._tell,
        )
        check = Check(name, ran.n_comparisons, len(ran.findings))
        return PartialAudit(ran.findings, ran.notes, (check,))

    def _cuts(self, warm_up: int, n_wanted: int) -> list[int]:
        first = max(warm_up + 1, 2)
        cuts = cut_points(self._bars, first=first, edges=self._edges, seed=self._seed)
        return pick_evenly(cuts, n_wanted)

    def _feature_frame(self) -> pd.DataFrame:
        features = self._asked.features
        if features is None:
            features = getattr(self._forecaster, "features", None)
        if features is None:
            return self._bars.astype(float)
        if isinstance(features, pd.DataFrame):
            return features.reindex(self._bars.index)
        return features.frame(self._bars) if hasattr(features, "frame") else features(self._bars)


@contextmanager
def _quick_collections() -> Iterator[None]:
    """Keep the garbage collector from searching TensorFlow anew for the remains of each Cerebro."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _class_and_params(strategy: Any) -> tuple[Any, dict[str, Any]]:
    chosen, params = (
        strategy if isinstance(strategy, tuple) and len(strategy) == 2 else (strategy, {})
    )
    is_class = isinstance(chosen, type) and issubclass(chosen, bt.Strategy | bt.Indicator)
    if not is_class or not isinstance(params, Mapping):
        raise AuditError(
            "strategy must be a class derived from backtrader.Strategy or backtrader.Indicator, or "
            f"a pair of class and parameters, got {strategy!r}."
        )
    return chosen, dict(params)


def _n_bars_until(moment: pd.Timestamp, bars: pd.DataFrame) -> int:
    """How many bars there are up to a moment, inclusive."""
    zone = pd.DatetimeIndex(bars.index).tz
    if zone is None and moment.tz is not None:
        moment = moment.tz_convert("UTC").tz_localize(None)
    elif zone is not None:
        moment = moment.tz_localize(zone) if moment.tz is None else moment.tz_convert(zone)
    return int(bars.index.searchsorted(moment, side="right"))


def _name_of(thing: Any) -> str:
    if isinstance(thing, str | Path):
        return str(thing)
    return getattr(thing, "__name__", type(thing).__name__)
