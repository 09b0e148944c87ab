"""A trained model, layer by layer: scaling, threshold, forecasts, memory."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from lstm_strategy.bars import bars_fingerprint
from lstm_strategy.errors import ModelError, SettingsError
from lstm_strategy.evaluation.audit.findings import (
    Check,
    Finding,
    FindingKind,
    PartialAudit,
    WarmUp,
    finding_from_difference,
)
from lstm_strategy.evaluation.audit.source_hints import find_hints, hint_texts
from lstm_strategy.learning.features import column_differences, cut_points
from lstm_strategy.learning.forecaster import (
    FORECAST_COLUMNS,
    FeatureForecaster,
    Forecaster,
    LSTMForecaster,
    ModelCard,
    complete_forecasts,
)
from lstm_strategy.learning.inference import N_STARTS, SIGNAL_TOLERANCE, network_memory
from lstm_strategy.learning.training import build_training_set
from lstm_strategy.support import OnWords, format_time, naive_utc, naive_utc_index, temporary_folder

_ROUNDING = 2e-5  # of a network that takes its rows in batches of another size
_WINDOWED_BARS = 800
_N_STREAMED = 3
_MUCH_LONGER = 1.25


@dataclass(frozen=True)
class _Variant:
    """A forecaster to try, on which bars, cut where."""

    name: str
    model: Forecaster
    bars: pd.DataFrame
    cuts: list[int]


def audit_forecaster(
    model: Forecaster, bars: pd.DataFrame, *, cuts: list[int], on_progress: OnWords
) -> PartialAudit:
    """Compare forecasts with later bars removed and altered, and bar by bar.

    Args:
        model: A forecaster is tried as it is; one of ours also after saving and loading, and with
            the other memory.
        bars: The bars.
        cuts: Numbers of known bars.
        on_progress: Called with what is being done.
    """
    checks, findings = [], []
    with temporary_folder("audit") as folder:
        variants = [_Variant("as given", model, bars, cuts)]
        if isinstance(model, LSTMForecaster):
            on_progress("the forecaster: saving and loading")
            variants += _reloaded_variants(model, bars, cuts, f"{folder}/model")
        for variant in variants:
            n_cuts = len(variant.cuts)
            on_progress(f"the forecaster, {variant.name}: {n_cuts} cuts")
            found = _compare_forecasts(variant)
            n_comparisons = 2 * n_cuts * len(_columns_of(model))
            findings += found
            checks.append(Check(f"forecaster, {variant.name}", n_comparisons, len(found)))
    if isinstance(model, LSTMForecaster):
        on_progress("the forecaster, bar by bar")
        found = _compare_stream(model, bars, cuts[-2:])
        findings += found
        checks.append(Check("forecaster, bar by bar", _N_STREAMED * len(cuts[-2:]), len(found)))
    return PartialAudit(tuple(findings), checks=tuple(checks))


def _reloaded_variants(
    model: LSTMForecaster, bars: pd.DataFrame, cuts: list[int], folder: str
) -> list[_Variant]:
    """Fewer cuts for those that share the first's features and weights."""
    reloaded = LSTMForecaster.load(model.save(folder))
    memory: Literal["carry", "window"] = "window" if model.settings.memory == "carry" else "carry"
    recent = bars.iloc[-max(_WINDOWED_BARS, 3 * model.warm_up) :]
    first = min(model.warm_up + 1, len(recent) - 1)
    last_cuts = cut_points(recent, first=first, n_random=0)[-2:]
    other = reloaded.with_memory(memory)
    return [
        _Variant("reloaded", reloaded, bars, [cuts[len(cuts) // 2]]),
        _Variant(f"reloaded, memory={memory!r}", other, recent, last_cuts),
    ]


def _columns_of(model: Forecaster) -> list[str]:
    """The columns of a forecast, those of its target included."""
    if isinstance(model, FeatureForecaster):
        return list(model.forecast_columns)
    return FORECAST_COLUMNS


def _ask(model: Forecaster, bars: pd.DataFrame) -> pd.DataFrame:
    return complete_forecasts(model.forecast(bars), bars, model)


def _compare_forecasts(variant: _Variant) -> list[Finding]:
    found = column_differences(
        lambda known: _ask(variant.model, known)[_columns_of(variant.model)],
        variant.bars,
        variant.cuts,
        absolute=_ROUNDING,
    )
    hints = find_hints([type(getattr(variant.model, "wrapped", variant.model))])
    remedy = (
        hints[0].remedy if hints else "See the findings on its features first, if there are any."
    )
    return [
        finding_from_difference(
            difference,
            layer="forecaster",
            culprit=f"column {column} ({variant.name})",
            remedy=remedy,
            source=hint_texts(hints),
        )
        for column, difference in found.items()
    ]


def _compare_stream(model: LSTMForecaster, bars: pd.DataFrame, cuts: list[int]) -> list[Finding]:
    """A stream takes one bar at a time and can't look ahead: the batch must agree with it.

    The other columns are tried as well as the signal, of which no confidence may have left nothing.
    """
    whole = model.forecast(bars)
    usual = SIGNAL_TOLERANCE * whole.std() + _ROUNDING * whole.abs().mean()
    tolerances = usual.fillna(0.0)
    tolerances["signal"] = SIGNAL_TOLERANCE
    for n_known in cuts:
        stream = model.stream(bars.iloc[: n_known - _N_STREAMED])
        for place in range(n_known - _N_STREAMED, n_known):
            time = bars.index[place]
            streamed = pd.Series(vars(stream.update({"datetime": time, **bars.iloc[place]})))
            batch = whole.iloc[place]
            is_known = streamed.isna() == batch.isna()
            differs = ((streamed - batch).abs() > tolerances) | ~is_known
            if differs.any():
                column = str(differs.idxmax())
                finding = Finding(
                    layer="forecaster",
                    culprit=f"column {column} (bar by bar)",
                    kind=FindingKind.BAR_BY_BAR,
                    what="isn't what one bar at a time gives.",
                    time=time,
                    known=float(streamed[column]),
                    with_later=float(batch[column]),
                    found_by="taking the last bars one at a time",
                    remedy="Train again with the installed version of the package.",
                )
                return [finding]
    return []


def audit_training(model: LSTMForecaster, bars: pd.DataFrame) -> PartialAudit:
    """Compare the scaling and threshold of a model with those of the bars that it was trained on.

    That needs these very bars; without them a note says so.
    """
    card = model.card
    if card is None:
        return PartialAudit()
    trained_on = None if card.training.has_chosen_rows else _find_training_bars(card, bars)
    if trained_on is None:
        span = (
            f"{format_time(pd.Timestamp(card.training.start))} to {format_time(model.training_end)}"
        )
        note = Finding(
            layer="scaling",
            culprit="training bars",
            kind=FindingKind.NO_TRAINING_BARS,
            what=f"the bars from {span} aren't those that the model was trained on, so its "
            "scaling and threshold can't be recomputed.",
            remedy="Audit it on bars that begin with the training bars.",
            is_leak=False,
        )
        return PartialAudit(notes=(note,))
    training_set, _ = build_training_set(
        trained_on, model.features, model.settings, context=model.context
    )
    rows = training_set.scaling_rows
    every_row = model.features.frame(bars).dropna().to_numpy()
    threshold = _compare_threshold(model, card, trained_on)
    checked = Check("threshold", 2, len(threshold))
    try:
        scaling = _compare_scaling(model, rows, every_row)
    except SettingsError as error:
        note = Finding(
            layer="scaling",
            culprit="Keras",
            kind=FindingKind.NO_KERAS,
            what="isn't there to read the scaling, so that wasn't compared.",
            remedy=str(error),
            is_leak=False,
        )
        return PartialAudit(tuple(threshold), (note,), (checked,))
    checks = (Check("scaling", 2 * rows.shape[1], len(scaling)), checked)
    return PartialAudit((*scaling, *threshold), checks=checks)


def _find_training_bars(card: ModelCard, bars: pd.DataFrame) -> pd.DataFrame | None:
    times = naive_utc_index(bars.index)
    start, end = (naive_utc(pd.Timestamp(t)) for t in (card.training.start, card.training.end))
    span = bars[(times >= start) & (times <= end)]
    return span if len(span) and bars_fingerprint(span) == card.training.sha256 else None


def _compare_scaling(
    model: LSTMForecaster, rows: np.ndarray, every_row: np.ndarray
) -> list[Finding]:
    try:
        scaling = model.scaling
    except ModelError:  # a network of the user's own scales in its own way
        return []
    findings = []
    for number, name in enumerate(model.features.names):
        column, every = rows[:, number], every_row[:, number]
        rounding = 1e-6 * abs(float(column.mean())) + 1e-4 * float(column.std())
        is_constant = column.std() <= 1e-6 * abs(column.mean())
        # a feature that never changes is only centred
        for statistic in ("mean",) if is_constant else ("mean", "std"):
            expected = float(getattr(column, statistic)())
            stored = float(scaling[statistic].iloc[number])
            if np.isclose(stored, expected, rtol=1e-4, atol=rounding):
                continue
            whole = float(getattr(every, statistic)())
            is_whole = np.isclose(stored, whole, rtol=1e-4, atol=rounding)
            findings.append(
                Finding(
                    layer="scaling",
                    culprit=f"{statistic} of {name}",
                    kind=FindingKind.OTHER_ROWS,
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


def _compare_threshold(
    model: LSTMForecaster, card: ModelCard, trained_on: pd.DataFrame
) -> list[Finding]:
    expected, stored = model.signal_scale(trained_on), card.signal
    return [
        Finding(
            layer="threshold",
            culprit=f"{name} of the signal",
            kind=FindingKind.OTHER_ROWS,
            what="isn't that of the training rows.",
            known=getattr(expected, name),
            with_later=getattr(stored, name),
            found_by="recomputing it on the training rows",
            remedy="Take threshold and width from the forecasts of the training rows only.",
        )
        for name in ("threshold", "width")
        if abs(getattr(expected, name) - getattr(stored, name)) > 1e-4
    ]


def measure_network_memory(model: LSTMForecaster, bars: pd.DataFrame) -> PartialAudit:
    """Measure the bars that the carried memory needs here, and whether the model waits as long."""
    inputs = model.inputs.frame(bars).dropna().to_numpy()
    rows = inputs[:, : len(model.features.names)]
    memory: int | None = model.settings.lookback
    if model.settings.memory == "carry":
        memory = network_memory(
            model.engine,
            model.inputs_of(None).convert(rows),
            lambda answers, span: model.columns_of(answers, inputs[span], unshrunk=True)[0],
        )
    waits = model.settled_rows
    if memory is None and len(rows) < 4 * waits:
        memory = waits  # too few bars to tell, so what was measured in training holds
    name = "network's memory"
    notes = []
    if memory is None or memory > _MUCH_LONGER * waits:
        notes.append(_long_memory(name, memory, waits))
    warm_up = WarmUp(name, memory, SIGNAL_TOLERANCE, "signal")
    return PartialAudit(notes=tuple(notes), checks=(Check(name, N_STARTS, 0),), warm_ups=(warm_up,))


def _long_memory(name: str, memory: int | None, waits: int) -> Finding:
    """Say that signals still depend on where the bars begin, and what that means for results."""
    if memory is None:
        lasts, which = "never ends", "Signals"
        remedy = 'Train on more bars, or with memory = "window".'
    else:
        lasts, which = f"lasts {memory:,} bars", "Signals of the bars between"
        remedy = f"Load at least {memory:,} bars before the first one that you trade."
    return Finding(
        layer="warm-up",
        culprit=name,
        kind=FindingKind.LONG_MEMORY,
        what=f"{lasts} on these bars, but the model waits for only {waits:,}, as was measured in "
        f"training. {which} depend on where your bars begin, by more than {SIGNAL_TOLERANCE:g}: "
        "with more or less history, results differ a little. That isn't look-ahead.",
        found_by="beginning later",
        remedy=remedy,
        is_leak=False,
    )
