"""Compare forecasts of a panel's returns with each other and with what came."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from lstm_strategy.bars import as_panel, slice_panel
from lstm_strategy.errors import ForecastError
from lstm_strategy.evaluation.backtests import training_end
from lstm_strategy.evaluation.forecasts.models import describe_forecaster
from lstm_strategy.evaluation.forecasts.panel.comparison import SkillComparison
from lstm_strategy.evaluation.skill import (
    NET_SPREAD,
    SPREAD,
    Calls,
    MarketForecasts,
    align_calls,
    correlate_calls,
    count_hits,
    sort_calls,
    target_name,
)
from lstm_strategy.learning.forecaster import Forecaster, ForecasterKind
from lstm_strategy.learning.serving import open_forecaster
from lstm_strategy.support import format_time, library_versions, naive_utc_index

_LONGER_HORIZONS = (5, 21)
_MOST_QUANTILES = 5
_LIBRARIES = ("lstm-strategy", "numpy", "pandas")

PanelForecastSource = Forecaster | Mapping[str, MarketForecasts] | pd.DataFrame | str | Path
"""A forecaster of panels or the folder of a saved one, or forecasts by symbol.

These are a mapping, or a frame with a column a symbol.
"""


@dataclass(frozen=True, eq=False)
class _Asked:
    """What one model forecast; `neutral` is where it says neither up nor down."""

    calls: Calls
    neutral: float
    trained_until: pd.Timestamp | None
    is_lstm: bool
    origin: str


def compare_on_panel(
    models: Mapping[str, Forecaster | Mapping[str, MarketForecasts]],
    panel: Mapping[str, pd.DataFrame],
    *,
    horizon: int,
    start: str | date | None,
    end: str | date | None,
    against: str | None,
    cost_rate: float,
) -> SkillComparison:
    """Measure forecasts of returns on the same markets and days; see `compare_forecasts`."""
    markets = as_panel(panel)
    asked = {name: _ask(name, model, markets) for name, model in models.items()}
    common, notes = _find_common(asked, markets, start=start, end=end)
    horizons = sorted({horizon, *(h for h in _LONGER_HORIZONS if h > horizon)})
    rows, decay, errors, by_day = {}, {}, {}, {}
    for name, model in asked.items():
        calls = _keep(model.calls, common)
        n_markets = int(calls.known_over(horizon)[0].notna().sum(axis=1).max())
        n_quantiles = max(2, min(_MOST_QUANTILES, n_markets))
        information = correlate_calls(calls, horizons)
        hits = count_hits(calls, [horizon], neutral=model.neutral)
        quantiles = sort_calls(calls, n_quantiles=n_quantiles, horizon=horizon, cost_rate=cost_rate)
        notes += [f"{name}: {note}" for note in hits.notes]
        rows[name] = {
            **information.table.loc[horizon].drop(["n_days", "n_forecasts"]).to_dict(),
            **hits.table.loc[horizon].filter(regex="^(hit_rate|always_up)").to_dict(),
            "spread": quantiles.table.loc[SPREAD, "mean_return"],
            "spread_error": quantiles.table.loc[SPREAD, "mean_return_error"],
            "spread_after_costs": quantiles.table.loc[NET_SPREAD, "mean_return"],
            "spread_after_costs_error": quantiles.table.loc[NET_SPREAD, "mean_return_error"],
        }
        decay[name] = information.table["rank_ic"]
        errors[name] = information.table["rank_ic_error"]
        by_day[name] = information.ranks_by_day[horizon]
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")
    judged = _choose_judged(asked, against)
    return SkillComparison(
        table=table,
        decay=pd.DataFrame(decay),
        decay_errors=pd.DataFrame(errors),
        rank_ics=pd.DataFrame(by_day),
        judged=judged,
        reference=against or str(table["rank_ic"].drop(judged).idxmax()),
        horizon=horizon,
        cost_rate=cost_rate,
        n_quantiles=n_quantiles,
        is_reference_given=against is not None,
        n_markets=int(common.any().sum()),
        n_forecasts=int(information.table["n_forecasts"][horizon]),
        notes=tuple(notes),
        provenance={
            "Bars": f"{len(markets)} markets, {len(markets.dates):,} dates",
            "Fingerprint of the bars": markets.fingerprint,
            **{name: model.origin for name, model in asked.items()},
            "Versions": ", ".join(f"{k} {v}" for k, v in library_versions(_LIBRARIES).items()),
        },
    )


def open_panel_models(
    models: Mapping[str, PanelForecastSource],
) -> dict[str, Forecaster | Mapping[str, MarketForecasts]]:
    """Open saved models, and refuse what gives no forecasts by symbol.

    Raises:
        ForecastError: If there are fewer than two models, or one is of no use.
        ModelError: If there is no model in a folder.

    Example:
        >>> told = {"SPY": pd.Series([0.1], pd.DatetimeIndex(["2024-01-02"]))}
        >>> list(open_panel_models({"mine": told, "yours": told}))
        ['mine', 'yours']
    """
    if not isinstance(models, Mapping) or len(models) < 2:
        raise ForecastError(
            "models must be at least two, by name. Add one to measure against, such as the return "
            "over the last year."
        )
    return {str(name): _open_one(str(name), model) for name, model in models.items()}


def _open_one(name: str, model: Any) -> Forecaster | Mapping[str, MarketForecasts]:
    if isinstance(model, pd.DataFrame):
        return {str(symbol): told for symbol, told in model.items()}
    if isinstance(model, Mapping):
        return model
    is_folder = isinstance(model, str | Path)
    if not is_folder and not (hasattr(model, "forecast") and hasattr(model, "stream")):
        raise ForecastError(
            f"{name} must be a forecaster, the folder of a saved one, or forecasts by symbol, got "
            f"{type(model).__name__}."
        )
    forecaster = open_forecaster(model)
    if target_name(forecaster) == "volatility":
        raise ForecastError(
            f"forecasts of many markets are held against their returns, and {name} forecasts "
            "volatility. Compare forecasts of volatility one market at a time."
        )
    if not forecaster.takes_panels:
        raise ForecastError(
            f"{name} was trained on one market, and forecasts one at a time. Train it on the "
            "panel, or give its forecasts by symbol."
        )
    return forecaster


def _ask(
    name: str, model: Forecaster | Mapping[str, MarketForecasts], panel: Mapping[str, pd.DataFrame]
) -> _Asked:
    try:
        if not isinstance(model, Forecaster):
            origin = "made elsewhere, taken as out of sample"
            return _Asked(align_calls(model, panel), 0.0, None, False, origin)
        told: Any = model.forecast(panel)  # type: ignore[arg-type]
        calls = align_calls(told, panel)
    except ForecastError as error:
        raise ForecastError(f"{name}: {error}") from None
    neutral = 0.5 if target_name(model) == "direction" else 0.0
    on_utc = pd.DataFrame(index=calls.forecasts.index)
    return _Asked(
        calls,
        neutral,
        training_end(model, on_utc),
        model.kind == ForecasterKind.LSTM,
        describe_forecaster(model),
    )


def _find_common(
    asked: Mapping[str, _Asked],
    panel: Mapping[str, pd.DataFrame],
    *,
    start: str | date | None,
    end: str | date | None,
) -> tuple[pd.DataFrame, list[str]]:
    """Where all models have a forecast out of sample, by time and market, and notes on the rest."""
    within = slice_panel(panel, start, end)
    forecast = {symbol for model in asked.values() for symbol in _markets_of(model)}
    times = pd.DatetimeIndex(next(iter(asked.values())).calls.forecasts.index)
    for model in asked.values():
        times = times.union(pd.DatetimeIndex(model.calls.forecasts.index))
    common = pd.DataFrame(False, index=times, columns=[s for s in panel if s in forecast])
    for symbol in common.columns.intersection(list(within)):
        common.loc[naive_utc_index(within[symbol].index), symbol] = True
    ends = {name: m.trained_until for name, m in asked.items() if m.trained_until is not None}
    notes = []
    if ends:
        last = max(ends, key=lambda name: ends[name])
        is_learned = common.index <= ends[last]
        if not common[~is_learned].to_numpy().any():
            raise ForecastError(
                f"forecasts are compared out of sample, but {last} was trained until "
                f"{ends[last]:%Y-%m-%d}, and no bar comes later. Fit it on fewer bars, or load "
                "later ones."
            )
        first = format_time(common.index[~is_learned][0])
        if common[is_learned].to_numpy().any():
            if start is not None:
                raise ForecastError(
                    f"forecasts are compared out of sample, and those of {last} begin at {first}, "
                    f"after its training, but start is {start}. Choose a later start, or leave it "
                    "out."
                )
            notes.append(f"Bars before {first} are left out, since {last} was trained on such.")
        common.loc[is_learned] = False
    n_after = int(common.to_numpy().sum())
    for model in asked.values():
        common &= model.calls.forecasts.reindex_like(common).notna()
    n_common = int(common.to_numpy().sum())
    missing = _describe_missing(asked, common)
    if not n_common:
        raise ForecastError(
            f"there is no bar of a market that all models forecast{': ' if missing else ''}"
            f"{'; '.join(missing)}. Pass forecasts of the same bars."
        )
    notes += [f"{of}." for of in missing]
    if n_common < n_after:
        notes.append(
            f"{n_common:,} of {n_after:,} bars are compared, those that all models forecast."
        )
    return common, notes


def _markets_of(model: _Asked) -> list[str]:
    """The markets of which a model forecasts some bar."""
    known = model.calls.forecasts.notna().any()
    return [str(symbol) for symbol in known.index[known]]


def _describe_missing(asked: Mapping[str, _Asked], common: pd.DataFrame) -> list[str]:
    """Which models forecast no bar of some markets, in words without a full stop."""
    said = []
    for name, model in asked.items():
        known = _markets_of(model)
        absent = [str(symbol) for symbol in common if symbol not in known]
        if absent:
            shown = ", ".join(absent[:3]) + f" and {len(absent) - 3} more" * (len(absent) > 3)
            said.append(f"{name} forecasts no bar of {shown}")
    return said


def _keep(calls: Calls, common: pd.DataFrame) -> Calls:
    """The calls at the times and markets that all models share."""
    symbols = [symbol for symbol in common if common[symbol].any()]
    forecasts = calls.forecasts[symbols].reindex(common.index)
    return Calls(
        forecasts.where(common[symbols]), calls.closes[symbols].reindex(common.index), True
    )


def _choose_judged(asked: Mapping[str, _Asked], against: str | None) -> str:
    """The first LSTM, or else the first model, that isn't the reference."""
    candidates = [name for name in asked if name != against]
    return next((name for name in candidates if asked[name].is_lstm), candidates[0])
