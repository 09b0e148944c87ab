"""What a forecaster of the user's own answered, as the other rooms rely on it."""

from typing import Any

import numpy as np
import pandas as pd

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.targets import FORECAST_COLUMNS

COMPLETE_COLUMNS = [*FORECAST_COLUMNS, "novelty"]
"""The columns of every forecast, those that not every model knows included."""

_REMEDY = 'Return pd.DataFrame({"signal": ...}, index=bars.index).'


def complete_forecasts(answer: Any, bars: pd.DataFrame, model: Any) -> pd.DataFrame:
    """Return a frame of forecasts with all usual columns, on the index of the bars.

    Args:
        answer: What `model.forecast(bars)` gave: a frame on the index of `bars` that has at least
            the column signal.
        bars: The bars that were forecast.
        model: Whose answer it is, for the message.

    Returns:
        The frame itself where nothing is to be done; otherwise a copy in which forecast,
        uncertainty and novelty are NaN where the model doesn't give them, and all usual columns are
        float64.

    Raises:
        ModelError: If the answer is no frame, lacks the signal, has other rows than the bars, or
            holds something that is no number.

    Example:
        >>> bars = pd.DataFrame({"close": [7.0, 8.0]}, pd.to_datetime(["2024-01-02", "2024-01-03"]))
        >>> frame = pd.DataFrame({"signal": [0, 1]}, bars.index)
        >>> complete_forecasts(frame, bars, "Mine").to_numpy().tolist()
        [[0.0, nan, nan, nan], [1.0, nan, nan, nan]]
    """
    said = f"forecast of {model if isinstance(model, str) else type(model).__name__}"
    if not isinstance(answer, pd.DataFrame):
        raise ModelError(f"{said} must give a DataFrame, got {type(answer).__name__}. {_REMEDY}")
    if "signal" not in answer:
        given = ", ".join(map(str, answer.columns)) or "none"
        raise ModelError(f"{said} must give the column signal, got columns: {given}. {_REMEDY}")
    _check_rows(answer, bars, said)
    missing = [name for name in COMPLETE_COLUMNS if name not in answer]
    usual = [name for name in COMPLETE_COLUMNS if name in answer]
    repeated = answer.columns[answer.columns.duplicated()].intersection(usual)
    if len(repeated):
        raise ModelError(f"{said} gives the column {repeated[0]} twice. Give it once.")
    if not missing and all(answer[name].dtype == np.float64 for name in usual):
        return answer
    numbers = {name: _numbers_of(answer[name], said) for name in usual}
    return answer.assign(**numbers, **dict.fromkeys(missing, np.nan))


def _check_rows(answer: pd.DataFrame, bars: pd.DataFrame, said: str) -> None:
    if len(answer) != len(bars):
        raise ModelError(
            f"{said} must give a row for each of the {len(bars):,} bars, got {len(answer):,}. "
            "Leave the bars of the warm-up in, with NaN."
        )
    if answer.index is bars.index or answer.index.equals(bars.index):
        return
    pairs = enumerate(zip(answer.index, bars.index, strict=True))
    at = next((place for place, (own, other) in pairs if own != other), None)
    if at is None:  # the same dates, counted in another unit
        return
    raise ModelError(
        f"{said} must give its rows on the index of the bars: row {at} is {answer.index[at]} and "
        f"its bar {bars.index[at]}. {_REMEDY}"
    )


def _numbers_of(column: pd.Series, said: str) -> pd.Series:
    try:
        numbers: pd.Series = column.astype(np.float64)
    except (TypeError, ValueError):
        known = pd.to_numeric(column, errors="coerce").notna() | column.isna()
        at = int(np.argmin(known))
        raise ModelError(
            f"{said} must give numbers, got {column.name} {column.iloc[at]!r} at "
            f"{column.index[at]}. Give NaN where there is none."
        ) from None
    return numbers
