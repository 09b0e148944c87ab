"""`audit`: features, model, strategy, folds and scaler, all tried by running them."""

import gc
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from lstm_strategy.bars import (
    Panel,
    as_panel,
    describe_span,
    is_panel,
    proportional_markets,
    validate_bars,
)
from lstm_strategy.errors import AuditError
from lstm_strategy.evaluation.audit.cerebro import AuditSubject, CerebroFactory, audit_cerebro
from lstm_strategy.evaluation.audit.features import audit_features
from lstm_strategy.evaluation.audit.findings import PartialAudit
from lstm_strategy.evaluation.audit.folds import FoldRows, audit_folds, split_folds
from lstm_strategy.evaluation.audit.model import (
    audit_forecaster,
    audit_training,
    measure_network_memory,
)
from lstm_strategy.evaluation.audit.panel import audit_panel
from lstm_strategy.evaluation.audit.report import AuditReport
from lstm_strategy.evaluation.audit.request import AuditRequest
from lstm_strategy.evaluation.audit.scaler import audit_scaler
from lstm_strategy.evaluation.audit.source_hints import is_from_user
from lstm_strategy.learning.features import cut_points, pick_evenly
from lstm_strategy.learning.forecaster import Forecaster, LSTMForecaster
from lstm_strategy.learning.serving import open_forecaster
from lstm_strategy.support import OnWords, explain_arguments, on_clock_of, words_progress
from lstm_strategy.trading import declared_params
from lstm_strategy.trading.cerebro import BrokerSettings, choose_broker
from lstm_strategy.trading.lstm import LSTMStrategy

_N_FEATURE_CUTS = 6
_N_MODEL_CUTS = 3


@explain_arguments(AuditError)
def audit(
    bars: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    model: Forecaster | str | Path | None = None,
    strategy: Any = None,
    features: Any = None,
    splitter: Any = None,
    scaler: Any = None,
    cerebro: CerebroFactory | None = None,
    commission: Any = None,
    horizon: int | None = None,
    broker: BrokerSettings | None = None,
    seed: int = 0,
    progress: bool | OnWords | None = None,
) -> AuditReport:
    """Look for everything that knows later bars, and measure every warm-up.

    What is known at bar t must not change when the bars after t are removed or altered. That is
    tried at random bars and at those where a leak would show: right after the warm-up, before
    the largest moves, at the edges of folds and of the training, where orders are sent, and at
    the end.

    Args:
        bars: open high low close volume and whatever is read besides; or a panel of such bars by
            symbol, with a model and a strategy of many markets: the forecasts of each market, and
            orders, positions and cash.
        model: A forecaster or the folder of a saved one: its features, scaling, threshold,
            forecasts (as given, reloaded, in both memory modes, bar by bar) and, unless
            `strategy` takes it, `LSTMStrategy` with the indicator in it.
        strategy: Any backtrader strategy or indicator class, or a pair of class and parameters;
            one that has a parameter `model` is given the model.
        features: A FeatureSet, a function that makes columns of bars, or a finished frame.
        splitter: An object with scikit-learn's `split`, a function of the bars, or pairs of
            (train, test).
        scaler: A fitted transformer, `scaler(features, train)` or `scaler(features)`; the first
            two need a `splitter`.
        cerebro: Instead of `strategy`: makes your own Cerebro of a frame of bars, ready to run.
        commission: A commission scheme of your own, its class, or a function that makes one of a
            frame of bars: does what it charges depend on later bars? A strategy that only serves
            to trade tries it.
        horizon: Bars ahead that labels look; the model's own by default, else 1.
        broker: The terms on which strategies run; an instrument in it that is a class of your
            own, or that is handed over alone, is audited as `commission` is.
        seed: Chooses the random bars.
        progress: True or False shows or hides what is being done; None shows it if somebody is
            looking; a function is called with words instead.

    Returns:
        What was tried, what was found, and the measured warm-ups.

    Raises:
        AuditError: If there is nothing to audit, or it can't be run.
        BarsError: At the first bad bar, or if there are too few.
        ModelError: If there is no such model.

    Example:
        >>> from lstm_strategy import BASELINES, sample_bars
        >>> audit(sample_bars("sp500")[:"1999"], strategy=BASELINES["SMA cross"]).is_clean
        True
    """
    instrument = None if broker is None else choose_broker(broker).instrument
    request = AuditRequest(
        model, strategy, features, splitter, scaler, cerebro, commission, instrument
    )
    started = time.perf_counter()
    with words_progress(progress, "Auditing") as on_progress, _quick_collections():
        if is_panel(bars):
            panel = proportional_markets(as_panel(bars))
            parts = list(_audit_markets(request, panel, broker, seed, on_progress))
            span = f"{len(panel)} markets, {describe_span(pd.DataFrame(index=panel.dates))}"
        else:
            bars = validate_bars(bars)
            run = AuditRun(request, bars, horizon, broker, seed, on_progress)
            parts = list(run.parts())
            span = describe_span(bars)
    return AuditReport(
        subject=str(request),
        bars=span,
        findings=tuple(finding for part in parts for finding in part.findings),
        notes=tuple(note for part in parts for note in part.notes),
        checks=tuple(check for part in parts for check in part.checks),
        warm_ups=tuple(warm_up for part in parts for warm_up in part.warm_ups),
        seconds=time.perf_counter() - started,
    )


def _audit_markets(
    request: AuditRequest,
    panel: Panel,
    broker: BrokerSettings | None,
    seed: int,
    on_progress: OnWords,
) -> Iterator[PartialAudit]:
    """Audit a model and a strategy on a panel."""
    names = ("features", "splitter", "scaler", "cerebro", "commission")
    of_one = [name for name in names if getattr(request, name) is not None]
    if request.model is None and request.strategy is None:
        of_one.append("an instrument alone")
    if of_one:
        raise AuditError(
            f"{of_one[0]} is audited on the bars of one market, and a panel was given. Hand over "
            f"panel[{panel.symbols[0]!r}], or model= and strategy= for the panel."
        )
    model = None if request.model is None else open_forecaster(request.model)
    strategies: dict[str, tuple[type, dict[str, Any]]] = {}
    if request.strategy is not None:
        strategy, params = request.strategy_and_params()
        trades_model = model is not None and "model" in declared_params(strategy)
        given = {"model": model, **params} if trades_model else params
        strategies[strategy.__name__] = (strategy, given)
    elif model is not None:
        strategies[LSTMStrategy.__name__] = (LSTMStrategy, {"model": model})
    costs = [] if broker is None else list(_audit_own_instruments(broker, panel, on_progress))
    yield from costs
    if any(part.findings for part in costs):
        return  # what strategies do with such money follows from that
    yield from audit_panel(
        panel,
        model=model,
        strategies=strategies,
        broker=broker,
        seed=seed,
        on_progress=on_progress,
    )


def _audit_own_instruments(
    broker: BrokerSettings, panel: Panel, on_progress: OnWords
) -> Iterator[PartialAudit]:
    """Audit each instrument of a class of the user's, on the first market that trades it."""
    tried: list[Any] = []
    for symbol, bars in panel.items():
        instrument = broker.instrument_of(symbol)
        if instrument is None or instrument in tried or not is_from_user(type(instrument)):
            continue
        tried.append(instrument)
        terms = broker.model_copy(update={"instrument": instrument, "instruments": None})
        subject = AuditSubject.from_costs(None, terms)
        yield audit_cerebro(subject, bars, edges=(), seed=0, on_progress=on_progress)


class AuditRun:
    """One audit, part by part; a part for which nothing was handed over yields nothing."""

    def __init__(
        self,
        request: AuditRequest,
        bars: pd.DataFrame,
        horizon: int | None,
        broker: BrokerSettings | None,
        seed: int,
        on_progress: OnWords,
    ) -> None:
        self._request, self._given, self._broker = request, bars, broker
        self._bars = bars = proportional_markets(bars)
        self._seed, self._on_progress = seed, on_progress
        self._model = None if request.model is None else open_forecaster(request.model)
        if horizon is None:
            horizon = 1 if self._model is None else self._model.horizon
        self._horizon = horizon
        self._folds = [] if request.splitter is None else split_folds(request.splitter, bars)
        if self._model is not None:
            cut_points(bars, first=self._model.warm_up + 1)  # refuse too few bars before the work
        self._edges = _find_edges(self._folds, self._model, bars)

    def parts(self) -> Iterator[PartialAudit]:
        """Audit the folds, the features, the scaler, the model, and what runs inside Cerebro."""
        yield from self._audit_folds()
        yield from self._audit_features()
        yield from self._audit_scaler()
        yield from self._audit_model()
        for subject in self._subjects():
            yield audit_cerebro(
                subject,
                self._bars,
                edges=self._edges,
                seed=self._seed,
                on_progress=self._on_progress,
            )

    def _audit_folds(self) -> Iterator[PartialAudit]:
        if self._folds:
            self._on_progress("the folds")
            yield audit_folds(self._folds, self._bars, horizon=self._horizon)

    def _audit_features(self) -> Iterator[PartialAudit]:
        for features in (self._request.features, self._features_of_model):
            if features is not None:
                self._on_progress("the features")
                cuts = self._cuts(getattr(features, "warm_up", 0) + 1, _N_FEATURE_CUTS)
                yield audit_features(features, self._bars, cuts=cuts, horizon=self._horizon)

    def _audit_scaler(self) -> Iterator[PartialAudit]:
        if self._request.scaler is not None:
            self._on_progress("the scaler")
            frame = self._feature_frame()
            first = int(frame.notna().all(axis=1).to_numpy().argmax()) + 1
            cuts = self._cuts(first, _N_FEATURE_CUTS)
            yield audit_scaler(self._request.scaler, frame, self._folds, cuts=cuts)

    def _audit_model(self) -> Iterator[PartialAudit]:
        model = self._model
        if isinstance(model, LSTMForecaster):
            self._on_progress("scaling, threshold and memory")
            yield audit_training(model, self._given)
            yield measure_network_memory(model, self._bars)
        if model is not None:
            cuts = self._cuts(model.warm_up, _N_MODEL_CUTS)
            yield audit_forecaster(model, self._bars, cuts=cuts, on_progress=self._on_progress)

    def _subjects(self) -> Iterator[AuditSubject]:
        """What runs inside Cerebro; a strategy that takes the model stands in for ours."""
        request, model = self._request, self._model
        if request.cerebro is not None:
            yield AuditSubject.from_factory(request.cerebro, self._bars)
        is_model_traded = False
        if request.strategy is not None:
            strategy, params = request.strategy_and_params()
            is_model_traded = model is not None and "model" in declared_params(strategy)
            given = {"model": model, **params} if is_model_traded else params
            is_ours = is_model_traded and strategy is LSTMStrategy
            yield AuditSubject.from_class(strategy, given, self._broker, is_brief=is_ours)
        if request.commission is not None:
            yield AuditSubject.from_costs(request.commission, self._broker)
        if request.audits_instrument:
            yield AuditSubject.from_costs(None, self._broker)
        if model is not None and not is_model_traded:
            given = {"model": model}
            yield AuditSubject.from_class(LSTMStrategy, given, self._broker, is_brief=True)

    def _cuts(self, warm_up: int, n_wanted: int) -> list[int]:
        first = max(warm_up + 1, 2)
        cuts = cut_points(self._bars, first=first, edges=self._edges, seed=self._seed)
        return pick_evenly(cuts, n_wanted)

    @cached_property
    def _features_of_model(self) -> Any:
        """The features of a model that has some, also of one of the user's own."""
        return getattr(getattr(self._model, "wrapped", self._model), "features", None)

    def _feature_frame(self) -> pd.DataFrame:
        features = self._request.features
        if features is None:
            features = self._features_of_model
        if features is None:
            return self._bars.astype(float)
        if isinstance(features, pd.DataFrame):
            return features.reindex(self._bars.index)
        frame: pd.DataFrame = getattr(features, "frame", features)(self._bars)
        return frame


def _find_edges(
    folds: list[FoldRows], model: Forecaster | None, bars: pd.DataFrame
) -> tuple[int, ...]:
    """The numbers of bars before each test fold, and up to each training's end or test's start."""
    edges = [int(fold.test[0]) for fold in folds if len(fold.test)]
    moments = [refit.test_start for refit in getattr(model, "refits", ())]
    if model is not None and model.training_end is not None:
        moments.insert(0, model.training_end)
    for moment in moments:
        on_clock = on_clock_of(bars.index, pd.Timestamp(moment))
        edges.append(int(bars.index.searchsorted(on_clock, side="right")))
    return tuple(edges)


@contextmanager
def _quick_collections() -> Iterator[None]:
    """Keep the garbage collector from searching TensorFlow for the remains of each Cerebro."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
