"""Models as the other rooms take them: by what they can do, by folder, or forecast once."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, overload

import pandas as pd

from lstm_strategy.bars import is_panel, name_market
from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster import (
    CARD_FILE,
    WALK_FORWARD_FILE,
    Forecaster,
    ForeignForecaster,
    LSTMForecaster,
)
from lstm_strategy.learning.serving.forecast_cache import forecast_with_cache
from lstm_strategy.learning.serving.precomputed import PrecomputedForecasts, PrecomputedPanel
from lstm_strategy.support import naive_utc_index


def open_forecaster(model: Any, *, engine: str = "auto") -> Forecaster:
    """Return a model as a `Forecaster`, whether it is one, lies in a folder or is foreign.

    Args:
        model: A forecaster; the folder of a saved one, which is loaded once while it stays the
            same; or any object with `forecast` and `stream`.
        engine: What runs a saved model: "auto", "onnx" or "keras"; see `LSTMForecaster.load`.

    Returns:
        The forecaster itself, the loaded one, or the object in a `ForeignForecaster`.

    Raises:
        ModelError: If there is no such model, or the object isn't one.

    Example:
        >>> class Mine:
        ...     def forecast(self, bars): ...
        ...     def stream(self): ...
        >>> open_forecaster(Mine()).warm_up
        0
    """
    if isinstance(model, str | Path):
        card_files = (Path(model) / name for name in (WALK_FORWARD_FILE, CARD_FILE))
        changed = [file.stat().st_mtime_ns for file in card_files if file.is_file()]
        return _load_forecaster(str(model), engine, sum(changed))
    if isinstance(model, Forecaster):
        return model
    if model is None or not (hasattr(model, "forecast") and hasattr(model, "stream")):
        raise ModelError(
            f"model must be a forecaster or the folder of a saved one, got {model!r}. "
            'Write model="models/sp500".'
        )
    return ForeignForecaster(model)


@overload
def precompute_forecasts(model: Any, bars: pd.DataFrame) -> PrecomputedForecasts: ...


@overload
def precompute_forecasts(model: Any, bars: Mapping[str, pd.DataFrame]) -> PrecomputedPanel: ...


def precompute_forecasts(
    model: Any, bars: pd.DataFrame | Mapping[str, pd.DataFrame]
) -> PrecomputedForecasts | PrecomputedPanel:
    """Forecast `bars` once, for many runs over the same bars.

    Args:
        model: What `open_forecaster` takes.
        bars: All bars that the runs will see, shape (n_bars, n_columns), or a panel of them.

    Returns:
        The forecasts with what is known of their model. Precomputed forecasts are returned as
        they are.

    Raises:
        ModelError: If there is no such model, or it was trained on one market and `bars` is a
            panel.
        BarsError: At the first bad bar.

    Example:
        >>> from lstm_strategy import LSTMForecaster, sample_bars
        >>> bars = sample_bars("sp500")
        >>> model = LSTMForecaster().fit(bars[:"2012"])  # doctest: +SKIP
        >>> precompute_forecasts(model, bars).warm_up  # doctest: +SKIP
        162
    """
    forecaster = open_forecaster(model)
    if isinstance(forecaster, PrecomputedForecasts | PrecomputedPanel):
        return forecaster
    if not is_panel(bars):
        return _store_forecasts(forecaster, forecast_with_cache(forecaster, bars))
    frames = forecast_markets(forecaster, bars)
    markets = {symbol: _store_forecasts(forecaster, frame) for symbol, frame in frames.items()}
    return PrecomputedPanel(markets, **_traits_of(forecaster))


def forecast_markets(
    model: Forecaster, panel: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Forecast every market of a panel.

    A model that takes panels is asked once, an object of the user's own market by market.

    Args:
        model: The model.
        panel: Bars by symbol.

    Returns:
        The columns of `Forecaster.forecast`, by symbol.

    Raises:
        ModelError: If the model was trained on the bars of one market.

    Example:
        >>> class Mine:
        ...     def forecast(self, bars):
        ...         return pd.DataFrame({"signal": 1.0}, index=bars.index)
        ...     def stream(self): ...
        >>> from lstm_strategy import sample_bars
        >>> panel = {"SP": sample_bars("sp500")[:"1999-01-06"]}
        >>> forecast_markets(open_forecaster(Mine()), panel)["SP"]["signal"].tolist()
        [1.0, 1.0, 1.0]
    """
    if model.card is not None and not model.takes_panels and len(panel) > 1:
        first = next(iter(panel))
        raise ModelError(
            "The model was trained on the bars of one market, and was given a panel of "
            f"{len(panel)}. Give it one, such as panel[{first!r}], or train it with fit(panel)."
        )
    if model.takes_panels:
        return forecast_with_cache(model, panel)
    frames: dict[str, pd.DataFrame] = {}
    for symbol, bars in panel.items():
        with name_market(symbol):
            frames[symbol] = forecast_with_cache(model, bars)
    return frames


def _store_forecasts(forecaster: Forecaster, frame: pd.DataFrame) -> PrecomputedForecasts:
    index = naive_utc_index(frame.index)
    return PrecomputedForecasts(frame=frame.set_axis(index), **_traits_of(forecaster))


def _traits_of(forecaster: Forecaster) -> dict[str, Any]:
    """What precomputed forecasts say of their model."""
    return {
        "warm_up": forecaster.warm_up,
        "bars_columns": list(forecaster.bars_columns),
        "training_end": forecaster.training_end,
        "kind": forecaster.kind,
        "ledger": forecaster.ledger,
        "card": forecaster.card,
    }


@lru_cache(maxsize=8)
def _load_forecaster(folder: str, engine: str, changed: int) -> Forecaster:
    if (Path(folder) / WALK_FORWARD_FILE).is_file():
        # imported here, because it loads joblib, which takes a quarter of a second
        from lstm_strategy.learning.walk_forward import WalkForwardForecaster

        return WalkForwardForecaster.load(folder, engine=engine)
    return LSTMForecaster.load(folder, engine=engine)
