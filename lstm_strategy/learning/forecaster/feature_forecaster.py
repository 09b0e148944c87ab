"""What all models share that see the features of bars, row by row."""

import inspect
import logging
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, overload

import numpy as np
import pandas as pd
from pydantic import BaseModel

from lstm_strategy.bars import (
    LoadedBars,
    Panel,
    as_panel,
    describe_span,
    is_panel,
    name_market,
    validate_bars,
)
from lstm_strategy.errors import ModelError, TrainingError
from lstm_strategy.learning.features import (
    FeatureSet,
    check_inputs,
    check_markets_meet,
    join_features,
)
from lstm_strategy.learning.forecaster.base import TrainableForecaster
from lstm_strategy.learning.forecaster.checkpoint import Snapshot
from lstm_strategy.learning.forecaster.storage import builder_name
from lstm_strategy.learning.forecaster.streams import (
    ForecastStream,
    PanelStream,
    StreamedModel,
)
from lstm_strategy.learning.inference import Engine
from lstm_strategy.learning.targets import SignalScale, Target
from lstm_strategy.learning.training import MarketInputs, panel_frames
from lstm_strategy.support import suggest_names

if TYPE_CHECKING:
    from lstm_strategy.learning.network import NetworkBuilder

log = logging.getLogger(__name__)

_BARS_TOGETHER = 100_000  # of all markets that are forecast at once: bounds the memory


class FeatureForecaster(TrainableForecaster):
    """A model that sees rows of features and gives the forecast of each member for each row.

    A row is a bar whose features are all known. A subclass says how many rows a forecast needs,
    and computes the members' forecasts; the columns, the members' signals and the stream follow.

    Attributes:
        features: What the model sees.
        context: What only its target needs, to turn answers into forecasts; None for nothing.
        settings: All arguments of the class but features and network.
        network: The user's own network builder, if there is one.
        measures_novelty: Whether `forecast` has the column novelty.

    Example:
        >>> from lstm_strategy import LSTMForecaster
        >>> forecaster: FeatureForecaster = LSTMForecaster([{"kind": "rsi", "length": 14}])
        >>> forecaster.warm_up == 14 + forecaster.settled_rows - 1
        True
    """

    settings: BaseModel
    context: FeatureSet | None = None
    network: "NetworkBuilder | None" = None
    measures_novelty: ClassVar[bool] = False

    @property
    @abstractmethod
    def target(self) -> Target:
        """What the model is asked."""

    @property
    def forecast_columns(self) -> tuple[str, ...]:
        """The columns that `forecast` gives, in their order."""
        return (*self.target.forecast_columns, *(("novelty",) if self.measures_novelty else ()))

    @property
    def _n_answers(self) -> int:
        """Outputs of all members."""
        return self.n_members * self.target.head.n_outputs

    @property
    def inputs(self) -> FeatureSet:
        """All columns that a forecast needs: the features, and behind them the context."""
        return join_features(self.features, self.context)

    @property
    @abstractmethod
    def n_members(self) -> int:
        """Members of the ensemble."""

    @property
    @abstractmethod
    def settled_rows(self) -> int:
        """Complete rows of features that the first forecast needs, its own included."""

    @property
    @abstractmethod
    def window_rows(self) -> int | None:
        """Rows that each forecast starts afresh from; None where a state is carried."""

    @property
    @abstractmethod
    def engine(self) -> Engine:
        """What computes the members' forecasts; raises ModelError before the training."""

    @property
    @abstractmethod
    def _scale(self) -> SignalScale:
        """How forecasts become signals; raises ModelError before the training."""

    @abstractmethod
    def _forecast_rows(self, markets: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The members' answers for the rows of each market, shape (n_rows, n_answers).

        There are at least `settled_rows` of each; NaN in the first `settled_rows - 1` of them.
        """

    def _forecast_rows_with_novelty(self, markets: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The same with the novelty behind the answers, of a class that `measures_novelty`."""
        raise NotImplementedError

    @property
    def _stepper(self) -> Engine:
        """What answers one more row of a stream, with the novelty behind where it is known."""
        return self.engine

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        """Build a forecaster from arguments by name, such as those of a file.

        Args:
            arguments: What the class takes.

        Raises:
            TrainingError: For a name that isn't one of an argument, or a value that is off.
            FeatureError: If the features can't be used.
        """
        known = inspect.signature(cls).parameters
        for name in arguments:
            if name not in known:
                raise TrainingError(
                    f"{cls.__name__} has no argument {name!r}. {suggest_names(name, known)}"
                )
        return cls(**arguments)

    def unfitted_copy(self, **changes: Any) -> Self:
        """Return a forecaster with the same arguments, save for `changes`, untrained.

        Args:
            changes: Arguments of the class, by name.

        Raises:
            TrainingError: Naming the first argument that is off.
        """
        return self.from_arguments({"features": self.features, **dict(self.settings), **changes})

    def describe_settings(self) -> dict[str, Any]:
        """Return all arguments as plain values that JSON can hold.

        Returns:
            `settings` (argument → value), `features` (as `FeatureSet.describe` gives them) and
            `network` (the name of the user's own network builder, "" without one).
        """
        return {
            "settings": self.settings.model_dump(mode="json"),
            "features": self.features.describe(),
            "network": builder_name(self.network),
        }

    @property
    def warm_up(self) -> int:
        """Bars before the first forecast: those of the features, then those of the memory."""
        return self.inputs.warm_up + self.settled_rows - 1

    @property
    def bars_columns(self) -> list[str]:
        """The columns that bars must have to be forecast."""
        return self.inputs.bars_columns

    @property
    def reads_volume(self) -> bool:
        """Whether a feature changes with the volume."""
        return self.inputs.reads_volume

    @overload
    def forecast(self, bars: pd.DataFrame) -> pd.DataFrame: ...

    @overload
    def forecast(self, bars: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]: ...

    def forecast(
        self, bars: pd.DataFrame | Mapping[str, pd.DataFrame]
    ) -> pd.DataFrame | dict[str, pd.DataFrame]:
        """Forecast every bar, each at its close.

        Args:
            bars: Open, high, low, close, volume and what the features read besides, shape
                (n_bars, n_columns); or a panel of such bars by symbol, if the model was trained on
                one. Its markets needn't be those of the training.

        Returns:
            The columns signal (the exposure asked for, -1…1), forecast (what the target says;
            for the direction how likely a rise is, 0…1, with rises and falls weighted by their
            size, so that they cancel at 0.5) and uncertainty (the standard deviation between the
            members) on the index of `bars`, what the target gives besides, and of an LSTM last
            novelty (how strange its hidden state is to it: above 1 for hardly any bar like those
            of the training; NaN where that isn't known). NaN in the first `warm_up` rows, and where
            a feature isn't known. Of a panel such a frame by symbol.

        Raises:
            BarsError: At the first bad bar.
            FeatureError: If the bars lack a column that a feature reads, or a feature looks across
                the markets of a panel and there is one market.
            ModelError: If the forecaster hasn't been fitted, or is given a panel and was trained
                on the bars of one market.
        """
        names = list(self.forecast_columns)

        def tabulate(answered: _Answered) -> pd.DataFrame:
            scale, answers, inputs = answered
            of_members, novelty = np.split(answers, [self._n_answers], axis=1)
            of_target = self._columns_of_answered(_Answered(scale, of_members, inputs))
            columns = np.column_stack([*of_target, novelty])
            return pd.DataFrame(columns, index=inputs.index, columns=names)

        if is_panel(bars):
            markets = self._answer_markets(bars, with_novelty=self.measures_novelty)
            return {symbol: tabulate(answered) for symbol, answered in markets}
        return tabulate(self._answer(bars, with_novelty=self.measures_novelty))

    @overload
    def member_signals(self, bars: pd.DataFrame) -> pd.DataFrame: ...

    @overload
    def member_signals(self, bars: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]: ...

    def member_signals(
        self, bars: pd.DataFrame | Mapping[str, pd.DataFrame]
    ) -> pd.DataFrame | dict[str, pd.DataFrame]:
        """Give the signal that each member of the ensemble alone would give.

        Args:
            bars: As for `forecast`, which says what is raised, too.

        Returns:
            Shape (n_bars, n_members), -1…1, known at the close of the row; NaN where `forecast`
            is. Of a panel such a frame by symbol.
        """

        def tabulate(answered: _Answered) -> pd.DataFrame:
            by_member = np.split(answered.answers, self.n_members, axis=1)
            signals = [
                self._columns_of_answered(answered._replace(answers=own))[0] for own in by_member
            ]
            return pd.DataFrame(np.column_stack(signals), index=answered.inputs.index)

        if is_panel(bars):
            return {symbol: tabulate(answered) for symbol, answered in self._answer_markets(bars)}
        return tabulate(self._answer(bars))

    def columns_of(
        self, answers: np.ndarray, inputs: np.ndarray, *, unshrunk: bool = False
    ) -> tuple[np.ndarray, ...]:
        """Turn members' answers into the columns of `forecast`.

        Args:
            answers: Those of all members or of some, shape (n_rows, n_answers): the outputs of a
                member side by side.
            inputs: The columns of `inputs` for the same rows, shape (n_rows, n_inputs).
            unshrunk: Whether the signal is the one before any confidence takes from it.

        Returns:
            One array of shape (n_rows,) a column.

        Raises:
            ModelError: If the forecaster hasn't been fitted.
        """
        scale = self._scale.model_copy(update={"confidence": 1.0}) if unshrunk else self._scale
        return self._build_columns(self._context_places, scale, answers, inputs)

    def _columns_of_answered(self, answered: "_Answered") -> tuple[np.ndarray, ...]:
        scale, answers, inputs = answered
        return self._build_columns(self._context_places, scale, answers, inputs.to_numpy())

    def _scale_of(self, symbol: str | None) -> SignalScale:
        """How forecasts of a market of a panel become signals; None for one without a symbol."""
        return self._scale

    def inputs_of(self, symbol: str | None) -> MarketInputs:
        """What is done with the features of a market before the model takes them.

        Args:
            symbol: The market's name; None for one without.
        """
        return MarketInputs()

    def _note_unknown(self, symbols: Iterable[str | None]) -> None:
        """Log which markets the model can't tell from others; nothing unless overridden."""

    @property
    def _context_places(self) -> list[int]:
        """Where the columns of the context are among the inputs."""
        names = self.inputs.names
        return [] if self.context is None else [names.index(name) for name in self.context.names]

    def _build_columns(
        self,
        context_places: list[int],
        scale: SignalScale,
        answers: np.ndarray,
        inputs: np.ndarray,
    ) -> tuple[np.ndarray, ...]:
        by_member = answers.reshape(len(answers), -1, self.target.head.n_outputs)
        return self.target.build_columns(by_member, scale, inputs[:, context_places])

    @overload
    def stream(
        self, history: pd.DataFrame | None = None, *, symbol: str | None = None
    ) -> ForecastStream: ...

    @overload
    def stream(self, history: Mapping[str, pd.DataFrame]) -> PanelStream: ...

    def stream(
        self,
        history: pd.DataFrame | Mapping[str, pd.DataFrame] | None = None,
        *,
        symbol: str | None = None,
    ) -> ForecastStream | PanelStream:
        """Give the same forecasts bar by bar.

        Args:
            history: Bars that came before the first one of the stream, if any; or a panel of such
                bars by symbol, if the model was trained on one.
            symbol: Which market of the panel of the training the bars are of, where they are of
                one.

        Returns:
            The stream; of a panel one that takes the bars of a moment by symbol, and is a mapping
            from symbols to the streams of the markets.

        Raises:
            BarsError: At the first bad bar of the history.
            FeatureError: If a feature looks across the markets of a panel, and there is one market.
            ModelError: If the forecaster hasn't been fitted, or is given a panel and was trained
                on the bars of one market.
        """
        if is_panel(history):
            markets = self._check_markets(history)
            check_markets_meet(self.inputs, markets)
            self._note_unknown(markets)
            models = {symbol: self._streamed(symbol) for symbol in markets}
            return PanelStream(models, markets)
        known = None if history is None else validate_bars(history, may_stand_still=True)
        self._note_unknown([symbol])
        return ForecastStream(self._streamed(symbol), known)

    def restore(self, snapshot: Snapshot) -> ForecastStream | PanelStream:
        """Make a stream of what its `snapshot` gave; see `resume`.

        Raises:
            ModelError: If the forecaster hasn't been fitted.
        """
        if "streams" in snapshot:
            markets = {symbol: self._streamed(symbol) for symbol in snapshot["streams"]}
            return PanelStream.from_snapshot(markets, snapshot)
        return ForecastStream.from_snapshot(self._streamed(snapshot["symbol"]), snapshot)

    def _fingerprint_with(self, engine: Engine) -> str | None:
        """The fingerprint, unless the forecaster was trained again since it had this engine."""
        return self.fingerprint if self.engine is engine else None

    def _streamed(self, symbol: str | None) -> StreamedModel:
        engine = self.engine
        return StreamedModel(
            inputs=self.inputs,
            n_features=len(self.features.names),
            columns=self.forecast_columns,
            engine=engine,
            stepper=self._stepper,
            n_answers=self._n_answers,
            build_columns=partial(
                self._build_columns, self._context_places, self._scale_of(symbol)
            ),
            settled_rows=self.settled_rows,
            window_rows=self.window_rows,
            warn_of_other_bars=self.warn_of_other_bars,
            market=self.inputs_of(symbol),
            symbol=symbol,
            fingerprint=partial(self._fingerprint_with, engine),
        )

    def _answer(self, bars: pd.DataFrame, *, with_novelty: bool = False) -> "_Answered":
        """The members' answers for every bar, shape (n_bars, n_answers), and the inputs.

        With novelty that is the last column of the answers.
        """
        scale = self._scale  # without one nothing has been trained: say so before anything else
        bars = validate_bars(bars, may_stand_still=True)
        self._check_inputs(bars)
        self._note_unknown([None])
        inputs = self.inputs.frame(bars)
        (answers,) = self._answer_inputs([(None, inputs)], with_novelty=with_novelty)
        return _Answered(scale, answers, inputs)

    def _answer_markets(
        self, panel: Mapping[str, pd.DataFrame], *, with_novelty: bool = False
    ) -> Iterator[tuple[str, "_Answered"]]:
        """The same for each market of a panel."""
        markets = self._check_markets(panel)
        for symbol, bars in markets.items():
            with name_market(symbol):
                self._check_inputs(bars)
        check_markets_meet(self.inputs, markets)
        self._note_unknown(markets)
        for group in _group_markets(panel_frames(self.inputs, markets)):
            found = self._answer_inputs(group, with_novelty=with_novelty)
            for (symbol, inputs), answers in zip(group, found, strict=True):
                yield symbol, _Answered(self._scale_of(symbol), answers, inputs)

    def _check_markets(self, panel: Mapping[str, pd.DataFrame]) -> Panel:
        """The valid bars of each market; ModelError where the model isn't one of a panel."""
        _ = self._scale
        if not self.takes_panels:
            markets = as_panel(panel)
            raise ModelError(
                f"The model was trained on the bars of one market, and was given {markets!r}. "
                f"Give it one, such as panel[{markets.symbols[0]!r}], or train it with fit(panel)."
            )
        return validate_markets(panel)

    def _check_inputs(self, bars: pd.DataFrame) -> None:
        self.warn_of_other_bars(bars)
        check_inputs(self.inputs, bars)

    def _answer_inputs(
        self, markets: Sequence[tuple[str | None, pd.DataFrame]], *, with_novelty: bool
    ) -> list[np.ndarray]:
        """The members' answers to the columns of `inputs` of each market.

        Of each the shape is (n_bars, n_answers), with novelty one more.
        """
        ask = self._forecast_rows_with_novelty if with_novelty else self._forecast_rows
        n_numbers = self._n_answers + with_novelty
        answers = [np.full((len(inputs), n_numbers), np.nan) for _, inputs in markets]
        places = [self._find_complete(inputs) for _, inputs in markets]
        enough = [number for number, rows in enumerate(places) if len(rows) >= self.settled_rows]
        rows = [self._rows_of(*markets[number], places[number]) for number in enough]
        for number, found in zip(enough, ask(rows), strict=True):
            answers[number][places[number]] = found
        return answers

    def _find_complete(self, inputs: pd.DataFrame) -> np.ndarray:
        """Where all columns are known; it is logged if that is nowhere."""
        is_known = inputs.notna()
        complete = np.flatnonzero(is_known.all(axis=1))
        if len(inputs) > self.inputs.warm_up and not len(complete):
            never = list(is_known.columns[~is_known.any()]) or list(is_known.columns)
            log.warning(
                "No bar of %s gets a forecast, since on none all features are known; look at %s.",
                describe_span(inputs),
                ", ".join(never[:3]),
            )
        return complete

    def _rows_of(self, symbol: str | None, inputs: pd.DataFrame, places: np.ndarray) -> np.ndarray:
        """The rows that the model sees of a market, shape (n_places, n_features)."""
        rows = inputs.to_numpy()[places, : len(self.features.names)]
        return self.inputs_of(symbol).convert(rows)


def validate_markets(panel: Mapping[str, pd.DataFrame]) -> Panel:
    """Check bars by symbol that are to be forecast; a `Panel` was checked when it was made.

    Args:
        panel: The bars of each market. Of those to be forecast, all may be the same.

    Raises:
        BarsError: At the first bad bar, naming the market.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> validate_markets({"SP": sample_bars("sp500")})
        Panel(1 market: SP)
    """
    if isinstance(panel, Panel):
        return panel
    as_panel(panel)  # are there markets, and are they named?
    checked = {}
    for symbol, bars in panel.items():
        with name_market(symbol):
            checked[symbol] = validate_bars(bars, may_stand_still=True)
    return Panel({symbol: LoadedBars(bars, ()) for symbol, bars in checked.items()})


def _group_markets(
    markets: Iterable[tuple[str, pd.DataFrame]],
) -> Iterator[list[tuple[str, pd.DataFrame]]]:
    """Groups of markets that are forecast together: many at a step, but not all in memory."""
    group: list[tuple[str, pd.DataFrame]] = []
    n_bars = 0
    for symbol, inputs in markets:
        group.append((symbol, inputs))
        n_bars += len(inputs)
        if n_bars >= _BARS_TOGETHER:
            yield group
            group, n_bars = [], 0
    if group:
        yield group


class _Answered(NamedTuple):
    """What members answered to the bars of a market, and behind it the novelty where asked for."""

    scale: SignalScale
    answers: np.ndarray
    inputs: pd.DataFrame
