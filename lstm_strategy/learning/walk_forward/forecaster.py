"""Models refitted along time, behaving as one forecaster."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Self, overload

import numpy as np
import pandas as pd

from lstm_strategy.bars import is_panel, take_bars, validate_bars
from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster import (
    WALK_FORWARD_FILE,
    Forecaster,
    ForecasterKind,
    LSTMForecaster,
    ModelCard,
    Snapshot,
    card_words,
    score_words,
    validate_markets,
)
from lstm_strategy.learning.walk_forward.refit import Refit, position_of
from lstm_strategy.learning.walk_forward.run_folder import FOLD_FILE, RunFolder, read_index
from lstm_strategy.learning.walk_forward.streams import WalkForwardPanelStream, WalkForwardStream
from lstm_strategy.support import card_html, count_of, frame_html, naive_utc, seal, sha256_of


class WalkForwardForecaster(Forecaster):
    """Models refitted along time, behaving as one forecaster.

    Each bar is forecast by the model of its fold, which was trained on earlier bars only. The
    features and the memory of a model begin `context_bars` before its first bar, so that no bar
    of a test fold is lost to warm-up. Bars before the first test fold have no forecast; bars
    after the last one are forecast by the last model.

    Args:
        refits: The models in the order of their folds.
        ledger: One row a test bar, on its date: fold, train_start, train_end, purge_bars and
            data_sha256 of the model that forecast it.

    Example:
        >>> from lstm_strategy import LSTMForecaster
        >>> refit = Refit(LSTMForecaster(), pd.Timestamp("2013-01-02"))
        >>> str(WalkForwardForecaster([refit], pd.DataFrame()).training_end)
        '2013-01-01 23:59:59.999999'
    """

    def __init__(self, refits: Sequence[Refit], ledger: pd.DataFrame) -> None:
        self.refits = list(refits)
        self._ledger = ledger

    def __repr__(self) -> str:
        return (
            f"WalkForwardForecaster({count_of(len(self.refits), 'fold')} from "
            f"{self.refits[0].test_start:%Y-%m-%d}, the first: {self.refits[0].model!r})"
        )

    def _repr_html_(self) -> str:
        rows = [
            {
                "tested from": f"{refit.test_start:%Y-%m-%d}",
                "trained to": f"{end:%Y-%m-%d}" if (end := refit.model.training_end) else "",
                **{
                    score_words(name): f"{value:.4g}"
                    for card in refit.model.cards
                    for name, value in card.validation_scores.items()
                },
            }
            for refit in self.refits
        ]
        table = pd.DataFrame(rows, index=range(1, len(rows) + 1)).fillna("").rename_axis("fold")
        return card_html(
            f"Walk forward of {count_of(len(rows), 'fold')}",
            facts={**self._model_facts(), "Bars tested": f"{len(self._ledger):,}"},
            parts=[frame_html(table)],
        )

    def _model_facts(self) -> dict[str, str]:
        card = self.card
        return {"Models": repr(self.refits[0].model)} if card is None else card_words(card)

    @property
    def ledger(self) -> pd.DataFrame:
        """Which model forecast each test bar, and what that model had seen."""
        return self._ledger

    @property
    def card(self) -> ModelCard | None:
        """Where the first of its models came from: settings, features and versions are of all."""
        return self.refits[0].model.card

    @property
    def cards(self) -> list[ModelCard]:
        """Where each of its models came from, in the order of the folds."""
        return [card for refit in self.refits for card in refit.model.cards]

    @property
    def kind(self) -> ForecasterKind:
        """What its models count as in tables and verdicts."""
        return self.refits[0].model.kind

    @property
    def horizon(self) -> int:
        """Bars ahead that the target of its models looks."""
        return self.refits[0].model.horizon

    @property
    def warm_up(self) -> int:
        """Bars before the first forecast of a single model, whichever needs the most."""
        return max(refit.model.warm_up for refit in self.refits)

    @property
    def bars_columns(self) -> list[str]:
        """The columns that bars must have."""
        return self.refits[0].model.bars_columns

    @property
    def reads_volume(self) -> bool:
        """Whether a forecast may depend on the volume, so that every bar must have one."""
        return any(refit.model.reads_volume for refit in self.refits)

    @property
    def context_bars(self) -> int:
        """Bars of history that a model is given before the first bar of its fold."""
        return max(refit.model.context_bars for refit in self.refits)

    @property
    def training_end(self) -> pd.Timestamp:
        """The moment before the first test fold: from there on all forecasts are out of sample."""
        return self.refits[0].test_start - pd.Timedelta(1, "us")

    @property
    def fingerprint(self) -> str | None:
        """A short name for all that decides a forecast but the bars; None where it isn't known."""
        models = [refit.model.fingerprint for refit in self.refits]
        if None in models or type(self) is not WalkForwardForecaster:
            return None
        starts = [refit.test_start.isoformat() for refit in self.refits]
        return sha256_of(json.dumps([models, starts]))

    @property
    def takes_panels(self) -> bool:
        """Whether its models were trained on a panel, so that `forecast` takes one."""
        return self.refits[0].model.takes_panels

    @overload
    def forecast(self, bars: pd.DataFrame) -> pd.DataFrame: ...

    @overload
    def forecast(self, bars: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]: ...

    def forecast(
        self, bars: pd.DataFrame | Mapping[str, pd.DataFrame]
    ) -> pd.DataFrame | dict[str, pd.DataFrame]:
        """Forecast every bar by the model of its fold; see `LSTMForecaster.forecast`."""
        if is_panel(bars):
            return self._ask_about_markets(bars, lambda model, known: model.forecast(known))
        return self._ask_models(bars, lambda model, known: model.forecast(known))

    @overload
    def member_signals(self, bars: pd.DataFrame) -> pd.DataFrame: ...

    @overload
    def member_signals(self, bars: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]: ...

    def member_signals(
        self, bars: pd.DataFrame | Mapping[str, pd.DataFrame]
    ) -> pd.DataFrame | dict[str, pd.DataFrame]:
        """Give the signal that each member alone would give, by the model of each fold.

        Returns:
            Shape (n_bars, n_members). Members of different folds share a number, not weights. Of a
            panel such a frame by symbol.
        """
        if is_panel(bars):
            return self._ask_about_markets(bars, lambda model, known: model.member_signals(known))
        return self._ask_models(bars, lambda model, known: model.member_signals(known))

    def _ask_models(
        self, bars: pd.DataFrame, ask: Callable[[Forecaster, pd.DataFrame], pd.DataFrame]
    ) -> pd.DataFrame:
        """Ask the model of each fold about its own bars, and join the answers."""
        bars = validate_bars(bars, may_stand_still=True)
        parts = []
        for refit, (start, stop) in zip(self.refits, self._spans_of(bars), strict=True):
            if start < stop:
                context = max(0, start - self.context_bars)
                answers = ask(refit.model, bars.iloc[context:stop])
                parts.append(answers.iloc[start - context :])
        if not parts:  # all bars lie before the first test fold
            return ask(self.refits[0].model, bars) * np.nan
        return pd.concat(parts).reindex(bars.index)

    def _ask_about_markets(
        self, panel: Mapping[str, pd.DataFrame], ask: Callable[[Any, Any], dict[str, pd.DataFrame]]
    ) -> dict[str, pd.DataFrame]:
        """Ask the model of each fold about the markets that have bars in it, and join its answers.

        Where a feature looks across the markets, the model is shown the whole history of them all.
        """
        markets = validate_markets(panel)
        spans = {symbol: self._spans_of(bars) for symbol, bars in markets.items()}
        parts: dict[str, list[pd.DataFrame]] = {symbol: [] for symbol in markets}
        for number, refit in enumerate(self.refits):
            known = {}
            for symbol in markets:
                start, stop = spans[symbol][number]
                if refit.model.features.needs_panel and stop > 0:
                    known[symbol] = slice(0, stop)
                elif start < stop:
                    known[symbol] = slice(max(0, start - self.context_bars), stop)
            answers = ask(refit.model, take_bars(markets, known)) if known else {}
            for symbol, frame in answers.items():
                start, stop = spans[symbol][number]
                if start < stop:
                    parts[symbol].append(frame.iloc[start - stop :])
        asked = [of[0] for of in parts.values() if of]
        if not asked:  # all bars lie before the first test fold
            unknown = ask(self.refits[0].model, markets)
            return {symbol: frame * np.nan for symbol, frame in unknown.items()}
        nothing = asked[0].iloc[:0]
        return {
            symbol: pd.concat(of or [nothing]).reindex(markets[symbol].index)
            for symbol, of in parts.items()
        }

    def _spans_of(self, bars: pd.DataFrame) -> list[tuple[int, int]]:
        """The positions of the bars that the model of each fold forecasts."""
        starts = [position_of(bars.index, refit.test_start) for refit in self.refits]
        return list(pairwise([*starts, len(bars)]))

    @overload
    def stream(
        self, history: pd.DataFrame | None = None, *, symbol: str | None = None
    ) -> WalkForwardStream: ...

    @overload
    def stream(self, history: Mapping[str, pd.DataFrame]) -> WalkForwardPanelStream: ...

    def stream(
        self,
        history: pd.DataFrame | Mapping[str, pd.DataFrame] | None = None,
        *,
        symbol: str | None = None,
    ) -> WalkForwardStream | WalkForwardPanelStream:
        """Give the same forecasts bar by bar, starting after `history` if there is one.

        Args:
            history: Bars, or a panel of them if the models were trained on one.
            symbol: Which market of the panel of the training the bars are of, where they are of
                one.

        Returns:
            The stream; of a panel one that takes the bars of a moment by symbol, and, where no
            feature looks across the markets, is a mapping from symbols to their streams.
        """
        needs = self._needs_of_streams()
        if is_panel(history):
            return WalkForwardPanelStream(self.refits, validate_markets(history), **needs)
        known = None if history is None else validate_bars(history, may_stand_still=True)
        return WalkForwardStream(self.refits, known, symbol=symbol, **needs)

    def restore(self, snapshot: Snapshot) -> WalkForwardStream | WalkForwardPanelStream:
        """Make a stream of what its `snapshot` gave; see `resume`."""
        kind = WalkForwardPanelStream if "streams" in snapshot else WalkForwardStream
        return kind.from_snapshot(self.refits, snapshot, **self._needs_of_streams())

    def _needs_of_streams(self) -> dict[str, Any]:
        return {
            "bars_columns": self.bars_columns,
            "context_bars": self.context_bars,
            "fingerprint": partial(getattr, self, "fingerprint"),
        }

    def save(self, folder: str | Path) -> Path:
        """Write all models and the ledger to a folder that is new or empty, and return its path.

        Raises:
            ModelError: If the folder holds something.
        """
        folder = Path(folder)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ModelError(f"{folder} isn't empty, so it isn't overwritten. Choose another.")
        run = RunFolder(folder, key="")
        for number, refit in enumerate(self.refits, start=1):
            refit.model.save(run.fold_folder(number))
            run.mark_fold(number)
        run.finish(self.ledger, [refit.test_start for refit in self.refits])
        return folder

    @classmethod
    def load(cls, folder: str | Path, *, engine: str = "auto") -> Self:
        """Load what `walk_forward` or `save` wrote to a folder.

        Args:
            folder: Where it was written.
            engine: What runs the models; see `LSTMForecaster.load`.

        Raises:
            ModelError: If it is missing, damaged or unfinished.
        """
        folder = Path(folder)
        content = read_index(folder)
        try:
            run = RunFolder(folder, content["key"])
            starts = [pd.Timestamp(moment) for moment in content["test_starts"]]
            ledger_sha256 = content["ledger_sha256"]
            if not starts or pd.NaT in starts or any(b <= a for a, b in pairwise(starts)):
                raise ValueError("a run has folds, each with a later first bar")
        except (ValueError, KeyError, TypeError, OverflowError):
            raise ModelError(
                f"There is no finished walk-forward run at {folder}. Call walk_forward with "
                "folder=... again; finished folds are not trained twice."
            ) from None
        if content != seal(content):
            raise ModelError(
                f"{folder / WALK_FORWARD_FILE} isn't the index that was written (its sha256 "
                "differs). Call walk_forward with folder=... again, or run the same command; "
                "finished folds are not trained twice."
            )
        refits = [
            Refit(_load_fold(run, number, start, engine), start)
            for number, start in enumerate(starts, start=1)
        ]
        return cls(refits, run.read_ledger(ledger_sha256))


def _load_fold(
    run: RunFolder, number: int, test_start: pd.Timestamp, engine: str
) -> LSTMForecaster:
    """The model of a fold, which must be of this run and must not have seen its test bars."""
    folder = run.fold_folder(number)
    if not run.owns(number):
        raise ModelError(
            f"{folder} isn't the model that this run trained for the fold ({FOLD_FILE} is missing "
            "or names another). Remove it, and call walk_forward with folder=... again; other "
            "folds are not trained twice."
        )
    model = LSTMForecaster.load(folder, engine=engine)
    end = model.training_end
    if end is None or naive_utc(end) >= naive_utc(test_start):
        raise ModelError(
            f"The model at {folder} was trained until {end}, but claims the forecasts from "
            f"{test_start} on, which it has seen. Restore the folder, or run the walk forward "
            "again."
        )
    return model
