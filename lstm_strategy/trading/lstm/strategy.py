"""The ready strategy: hold what the forecaster asks for."""

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from lstm_strategy.errors import TradingError
from lstm_strategy.learning.serving import PrecomputedPanel
from lstm_strategy.trading.backtrader_internals import feed_name
from lstm_strategy.trading.execution import (
    PortfolioStrategy,
    TargetStrategy,
    TradingSettings,
    check_params,
    default_params,
)
from lstm_strategy.trading.lstm.indicator import LSTMIndicator
from lstm_strategy.trading.lstm.market_forecasts import Line, forecast_lines
from lstm_strategy.trading.lstm.strange_bars import NoveltyLimit, is_too_strange

_Signal = Annotated[float, Field(ge=0, lt=1, description="a signal such as 0.1")]


class LSTMParameters(TradingSettings):
    """What `LSTMStrategy` has beside its model and the parameters of its bases.

    Attributes:
        min_signal: A signal weaker than this asks for no position.
        largest_novelty: A bar that is stranger to the network than this asks for no position.
    """

    min_signal: _Signal = 0.0
    largest_novelty: NoveltyLimit = None


class LSTMStrategy(TargetStrategy, PortfolioStrategy):
    """Hold the exposure that a trained forecaster asks for, in one market or in many.

    With one data it is a `TargetStrategy`. With several it is a `PortfolioStrategy`: a signal is
    the fraction of a market's equal share of equity, 1/n of n live markets, or its risk where
    `target_volatility` is given.

    Args:
        model: A fitted `LSTMForecaster` or any other forecaster, or the folder of a saved one;
            for several datas one that was trained on a panel.
        min_signal: A signal weaker than this, 0…1, asks for no position (0).
        largest_novelty: At the close of a bar that is stranger to the network than this the
            strategy asks for no position: it sells what it holds, and holds cash until a bar is
            within it. Above 1 is hardly any bar like those of the training. None, the default,
            for no such limit.
        **params: All parameters of `TargetStrategy`, such as `long_only`, `band` and stops; with
            several datas those of `PortfolioStrategy` instead, which has no stops.

    Raises:
        TradingError: If a parameter is out of range, stops are given for several datas, or a
            `largest_novelty` for a model that knows no novelty.
        ModelError: If `model` is missing, can't be loaded, or was trained on one market and there
            are several datas.

    Example:
        >>> from lstm_strategy import LSTMForecaster, run_backtest, sample_bars
        >>> bars = sample_bars("sp500")
        >>> model = LSTMForecaster(seed=7).fit(bars[:"2012"])  # doctest: +SKIP
        >>> result = run_backtest(LSTMStrategy, bars, model=model)  # doctest: +SKIP
    """

    params: Any = (("model", None), *default_params(LSTMParameters))

    def __init__(self) -> None:
        self._base: Any = PortfolioStrategy if len(self.datas) > 1 else TargetStrategy
        self.order_kinds = self._base.order_kinds
        self._base.__init__(self)
        check_params(LSTMParameters, self.p)
        if self._base is PortfolioStrategy:
            self._refuse_what_needs_one_market()
            self._signals, self._novelties = forecast_lines(self, self.p.model, "signal", "novelty")
        else:
            self.lstm = LSTMIndicator(self.data, model=self._model_of_data())
            self._signal = self.lstm.lines.signal  # found once, not at every bar
            self._novelty = self.lstm.lines.novelty

    def target_exposure(self) -> float:
        """Return the signal at this close; NaN, so no opinion, where there is no forecast."""
        return self._within_limits(self._signal[0], self._novelty)

    def target_exposures(self) -> Mapping[str, float]:
        """Return the signals at this close; NaN, so no opinion, where there is no forecast."""
        live = self.live_markets
        share = 1.0 if self.p.target_volatility is not None else 1.0 / max(len(live), 1)
        signals, novelties = self._signals, self._novelties
        # the usual case, asked for at every bar of every market
        if not self.p.min_signal and self.p.largest_novelty is None:
            return {name: share * signals[name][0] for name in live}
        return {
            name: share * self._within_limits(signals[name][0], novelties[name]) for name in live
        }

    def start(self) -> None:
        """Refuse what could only go wrong later."""
        self._base.start(self)

    def prenext(self) -> None:
        """Wait for the warm-up, in one market or in the first of many."""
        self._base.prenext(self)

    def next(self) -> None:
        """Decide once a bar of the one market, or once a date of many."""
        self._base.next(self)

    def stop(self) -> None:
        """Count what the end of the run left."""
        self._base.stop(self)

    def _count(self, data: Any, kind: str) -> None:
        self._base._count(self, data, kind)

    def _largest_exposure_of(self, name: str) -> float:
        exposure: float = self._base._largest_exposure_of(self, name)
        return exposure

    def _name_market(self, data: Any) -> str:
        name: str = self._base._name_market(self, data)
        return name

    def _within_limits(self, signal: float, novelty: Line) -> float:
        """The signal, or 0 where it is too weak or the bar too strange."""
        if math.isnan(signal):
            return signal
        largest = self.p.largest_novelty
        if largest is not None and is_too_strange(novelty[0], largest):
            return 0.0
        return signal if abs(signal) >= self.p.min_signal else 0.0

    def _model_of_data(self) -> Any:
        """The model, of a panel that has one market the forecasts of that market."""
        model = self.p.model
        return model.market(feed_name(self.data)) if isinstance(model, PrecomputedPanel) else model

    def _refuse_what_needs_one_market(self) -> None:
        if self.p.execution_bars > 1:
            raise TradingError(
                f"execution_bars works the orders of one market, and there are {len(self.datas)}. "
                "Leave it out, or trade one market."
            )
        for name in ("stop_loss_atr", "trailing_stop_atr"):
            if getattr(self.p, name) is not None:
                raise TradingError(
                    f"{name} closes the position in one market, and there are {len(self.datas)}. "
                    "Leave it out, or trade one market."
                )
