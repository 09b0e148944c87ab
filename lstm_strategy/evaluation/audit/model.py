"""A trained model, layer by layer: features, scaling, threshold, forecasts, memory."""

import tempfile
from collections.abc import Callable

import numpy as np
import pandas as pd

from lstm_strategy.bars import bars_fingerprint
from lstm_strategy.errors import ModelError
from lstm_strategy.evaluation.audit.findings import (
    Check,
    Finding,
    PartialAudit,
    WarmUp,
    difference_finding,
    time_text,
)
from lstm_strategy.evaluation.audit.source_hints import hints_in
from lstm_strategy.learning.features import column_differences, cut_points
from lstm_strategy.learning.forecaster import FORECAST_COLUMNS, Forecaster, LSTMForecaster
from lstm_strategy.learning.inference import SIGNAL_TOLERANCE, network_memory
from lstm_strategy.learning.training import build_training_set

Tell = Callable[[str], None]

_ROUNDING = 2e-5  # of a network that takes its rows in batches of another size
_WINDOWED_BARS = 800
_N_STREAMED = 3
_MUCH_LONGER = 1.25


def audit_forecaster(
    model: Forecaster, bars: pd.DataFrame, *, cuts: list[int], tell: Tell = lambda what: None
) -> PartialAudit:
    """Forecasts with later bars removed and altered: as given, reloaded, in both memory modes."""
    variants = {"as given": (model, bars, cuts)}
    checks, findings = [], []
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(model, LSTMForecaster):
            tell("the forecaster: saving and loading")
            reloaded = LSTMForecaster.load(model.save(f"{folder}/model"))
            other = "window" if model.settings.memory == "carry" else "carry"
            recent = bars.iloc[-max(_WINDOWED_BARS, 3 * model.warm_up) :]
            # fewer cuts for those that have the features and weights of the first in common
            variants["reloaded"] = (reloaded, bars, [cuts[len(cuts) // 2]])
            variants[f"reloaded, memory={other!r}"] = (
                reloaded.with_memory(other),
                recent,
                cut_points(recent, first=min(model.warm_up + 1, len(recent) - 1), n_random=0)[-2:],
            )
        for name, (variant, its_bars, its_cuts) in variants.items():
            tell(f"the forecaster, {name}: {len(its_cuts)} cuts")
            found = _forecast_findings(variant, its_bars, its_cuts, name)
            findings += found
            n_comparisons = 2 * len(its_cuts) * len(FORECAST_COLUMNS)
            checks.append(Check(f"forecaster, {name}", n_comparisons, len(found)))
    if isinstance(model, LSTMForecaster):
        tell("the forecaster, bar by bar")
        found = _stream_findings(model, bars, cuts[-2:])
        findings += found
        checks.append(Check("forecaster, bar by bar", _N_STREAMED * len(cuts[-2:]), len(found)))
    return PartialAudit(tuple(findings), checks=tuple(checks))


def _forecast_findings(
    model: Forecaster, bars: pd.DataFrame, cuts: list[int], name: str
) -> list[Finding]:
    found = column_differences(
        lambda known: model.forecast(known)[FORECAST_COLUMNS], bars, cuts, absolute=_ROUNDING
    )
    hints = hints_in([type(model)])
    remedy = (
        hints[0].remedy if hints else "See the findings on its features first, if there are any."
    )
    return [
        difference_finding(
            difference,
            layer="forecaster",
            culprit=f"column {column} ({name})",
            remedy=remedy,
            source=tuple(map(str, hints[:3])),
        )
        for column, difference in found.items()
    ]


def _stream_findings(model: LSTMForecaster, bars: pd.DataFrame, cuts: list[int]) -> list[Finding]:
    """A stream takes one bar at a time and can't look ahead: the batch must agree with it."""
    whole = model.forecast(bars)["signal"].to_numpy()
    for n_known in cuts:
        history = bars.iloc[: n_known - _N_STREAMED]
        stream = model.stream(history)
        for place in range(n_known - _N_STREAMED, n_known):
            time = bars.index[place]
            signal = stream.update({"datetime": time, **bars.iloc[place]}).signal
            batch = float(whole[place])
            if abs(signal - batch) > SIGNAL_TOLERANCE or np.isnan(signal) != np.isnan(batch):
                return [
                    Finding(
                        layer="forecaster",
                        culprit="column signal (bar by bar)",
                        what="isn't what one bar at a time gives.",
                        time=time,
                        known=signal,
                        with_later=batch,
                        found_by="taking the last bars one at a time",
                        remedy="Train again with the installed version of the package.",
                    )
                ]
    return []


def audit_training(model: LSTMForecaster, bars: pd.DataFrame) -> PartialAudit:
    """Scaling and threshold of a model, recomputed from the bars that it was trained on.

    That needs these very bars; without them a note says so.
    """
    card = model.card
    if card is None:
        return PartialAudit()
    trained_on = None if card.training.has_chosen_rows else _training_bars(model, bars)
    if trained_on is None:
        span = f"{time_text(pd.Timestamp(card.training.start))} to {time_text(model.training_end)}"
        note = Finding(
            layer="scaling",
            culprit="training bars",
            what=f"the bars from {span} aren't those that the model was trained on, so its "
            "scaling and threshold can't be recomputed.",
            remedy="Audit it on bars that begin with the training bars.",
            is_leak=False,
        )
        return PartialAudit(notes=(note,))
    rows = build_training_set(trained_on, model.features, model.settings)[0].scaling_rows
    every_row = model.features.frame(bars).dropna().to_numpy()
    findings = [*_scaling_findings(model, rows, every_row), *_signal_findings(model, trained_on)]
    n_columns = rows.shape[1]
    checks = (Check("scaling", 2 * n_columns, sum(f.layer == "scaling" for f in findings)),)
    threshold = Check("threshold", 2, sum(f.layer == "threshold" for f in findings))
    return PartialAudit(tuple(findings), checks=(*checks, threshold))


def _training_bars(model: LSTMForecaster, bars: pd.DataFrame) -> pd.DataFrame | None:
    card = model.card
    if card is None:
        return None
    zone = pd.DatetimeIndex(bars.index).tz
    start, end = (
        pd.Timestamp(edge).tz_localize(None) for edge in (card.training.start, card.training.end)
    )
    naive = pd.DatetimeIndex(bars.index).tz_localize(None) if zone is not None else bars.index
    span = bars[(naive >= start) & (naive <= end)]
    return span if len(span) and bars_fingerprint(span) == card.training.sha256 else None


def _scaling_findings(
    model: LSTMForecaster, rows: np.ndarray, every_row: np.ndarray
) -> list[Finding]:
    try:
        scaling = model.scaling
    except ModelError:  # a network of the user's own scales in its own way
        return []
    findings = []
    for number, name in enumerate(model.features.names):
        column, every = rows[:, number], every_row[:, number]
        rounding = 1e-6 + 1e-4 * float(column.std())
        for statistic, of in (("mean", np.mean), ("std", np.std)):
            expected, stored = float(of(column)), float(scaling[statistic].iloc[number])
            is_constant = column.std() < 1e-6 * (1 + abs(column.mean()))
            if is_constant and statistic == "std":
                continue  # a feature that never changes is only centred
            if not np.isclose(stored, expected, rtol=1e-4, atol=rounding):
                is_whole = np.isclose(stored, float(of(every)), rtol=1e-4, atol=rounding)
                findings.append(
                    Finding(
                        layer="scaling",
                        culprit=f"{statistic} of {name}",
                        what=f"was taken from {'all the bars' if is_whole else 'other rows'}, not "
                        "from the training rows.",
                        known=expected,
                        with_later=stored,
                        found_by="recomputing it on the training rows",
                        remedy="Adapt the Normalization layer on the training rows only.",
                    )
                )
                break
    return findings


def _signal_findings(model: LSTMForecaster, trained_on: pd.DataFrame) -> list[Finding]:
    expected = model.signal_scale(trained_on)
    stored = model.card.signal if model.card else expected
    return [
        Finding(
            layer="threshold",
            culprit=f"{name} of the signal",
            what="isn't that of the training rows.",
            known=getattr(expected, name),
            with_later=getattr(stored, name),
            found_by="recomputing it on the training rows",
            remedy="Take threshold and width from the forecasts of the training rows only.",
        )
        for name in ("threshold", "width")
        if abs(getattr(expected, name) - getattr(stored, name)) > 1e-4
    ]


def network_warm_up(model: LSTMForecaster, bars: pd.DataFrame) -> PartialAudit:
    """The bars that the carried memory needs on these bars, and whether the model waits as long."""
    rows = model.features.frame(bars).dropna().to_numpy()
    memory: int | None = model.settings.lookback
    if model.settings.memory == "carry":
        memory = network_memory(model.engine, rows, lambda members: model.columns_of(members)[0])
    waits = model.settled_rows
    if memory is None and len(rows) < 4 * waits:
        memory = waits  # too few bars to tell, so what was measured in training holds
    warm_up = WarmUp("network's memory", memory, SIGNAL_TOLERANCE, "signal")
    notes = []
    if memory is None or memory > _MUCH_LONGER * waits:
        needs = "never forgets its beginning" if memory is None else f"needs {memory:,} bars"
        notes.append(
            Finding(
                layer="warm-up",
                culprit="network's memory",
                what=f"{needs} on these bars and is given {waits:,}: early signals depend on where "
                f"the bars begin, by more than {SIGNAL_TOLERANCE:g}.",
                found_by="beginning later",
                remedy="Give it more history before the first bar that you trade.",
                is_leak=False,
            )
        )
    return PartialAudit(
        notes=tuple(notes), checks=(Check("network's memory", 8, 0),), warm_ups=(warm_up,)
    )
