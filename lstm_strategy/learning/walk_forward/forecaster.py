"""Models refitted along time, behaving as one forecaster."""

import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from lstm_strategy.bars import validate_bars
from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster import WALK_FORWARD_FILE, Forecast, LSTMForecaster
from lstm_strategy.support import naive_utc, on_clock_of, sha256_of, write_json

LEDGER_FILE = "ledger.csv"
FOLDS_FOLDER = "folds"
_NOTHING_KNOWN = Forecast(np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class Refit:
    """One trained model and the first bar that it forecasts."""

    model: Any
    test_start: pd.Timestamp


class WalkForwardForecaster:
    """Models refitted along time, behaving as one forecaster.

    Each bar is forecast by the model of its fold, which was trained on earlier bars only. The
    features and the memory of a model begin ``context_bars`` before its first bar, so that no bar
    of a test fold is lost to warm-up. Bars before the first test fold have no forecast; bars
    after the last one are forecast by the last model. ``ledger`` says for each bar which model
    forecast it: fold, train_start, train_end, purge_bars, data_sha256.
    """

    def __init__(self, refits: Sequence[Refit], ledger: pd.DataFrame) -> None:
        self.refits = list(refits)
        self.ledger = ledger

    @property
    def warm_up(self) -> int:
        """Bars before the first forecast of a single model, whichever needs the most."""
        return max(int(refit.model.warm_up) for refit in self.refits)

    @property
    def bars_columns(self) -> list[str]:
        """The columns that bars must have."""
        return list(self.refits[0].model.bars_columns)

    @property
    def context_bars(self) -> int:
        """Bars of history that a model is given before the first bar of its fold."""
        return max(int(refit.model.context_bars) for refit in self.refits)

    @property
    def training_end(self) -> pd.Timestamp | None:
        """The moment before the first test fold: from there on all forecasts are out of sample."""
        return self.refits[0].test_start - pd.Timedelta(1, "us")

    @property
    def fingerprint(self) -> str | None:
        """A short name for all that decides a forecast but the bars; None where it isn't known."""
        models = [getattr(refit.model, "fingerprint", None) for refit in self.refits]
        if None in models or type(self) is not WalkForwardForecaster:
            return None
        starts = [refit.test_start.isoformat() for refit in self.refits]
        return sha256_of(json.dumps([models, starts]).encode())

    def forecast(self, bars: pd.DataFrame) -> pd.DataFrame:
        """Forecasts for every bar, each by the model of its fold; see ``LSTMForecaster``."""
        return self._joined(bars, lambda model, known: model.forecast(known))

    def member_signals(self, bars: pd.DataFrame) -> pd.DataFrame:
        """The signal that each member alone would give, by the model of each fold.

        Returns shape (n_bars, seeds). Members of different folds share a number, not weights.
        """
        return self._joined(bars, lambda model, known: model.member_signals(known))

    def _joined(
        self, bars: pd.DataFrame, of: Callable[[Any, pd.DataFrame], pd.DataFrame]
    ) -> pd.DataFrame:
        bars = validate_bars(bars)
        starts = [self._position(bars, refit.test_start) for refit in self.refits]
        parts = [
            of(refit.model, bars.iloc[context:stop]).iloc[start - context :]
            for refit, start, stop in zip(
                self.refits, starts, [*starts[1:], len(bars)], strict=True
            )
            for context in [max(0, start - self.context_bars)]
            if start < stop
        ]
        if not parts:  # all bars lie before the first test fold
            return of(self.refits[0].model, bars) * np.nan
        return pd.concat(parts).reindex(bars.index)

    def stream(self, history: pd.DataFrame | None = None) -> "WalkForwardStream":
        """The same forecasts bar by bar, starting after ``history`` if there is one."""
        return WalkForwardStream(self, None if history is None else validate_bars(history))

    def save(self, folder: str | Path) -> Path:
        """Write all models and the ledger to a folder that is new or empty; returns its path.

        Raises:
            ModelError: if the folder holds something.
        """
        folder = Path(folder)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ModelError(f"{folder} isn't empty, so it isn't overwritten. Choose another.")
        for number, refit in enumerate(self.refits, start=1):
            refit.model.save(fold_folder(folder, number))
        self.write_index(folder, key="")
        return folder

    @classmethod
    def load(cls, folder: str | Path, *, engine: str = "auto") -> Self:
        """The walk-forward forecaster of a folder that ``walk_forward`` or ``save`` wrote.

        ``engine`` runs its models, see ``LSTMForecaster.load``.

        Raises:
            ModelError: if it is missing, damaged or unfinished.
        """
        folder = Path(folder)
        try:
            content = json.loads((folder / WALK_FORWARD_FILE).read_text())
            starts = [pd.Timestamp(moment) for moment in content["test_starts"]]
        except (OSError, ValueError, KeyError, TypeError):
            raise ModelError(
                f"There is no finished walk-forward run at {folder}. Call walk_forward with "
                "folder=... again; finished folds are not trained twice."
            ) from None
        models = [
            LSTMForecaster.load(fold_folder(folder, number), engine=engine)
            for number in range(1, len(starts) + 1)
        ]
        ledger = pd.read_csv(folder / LEDGER_FILE, index_col="datetime", parse_dates=True)
        return cls([Refit(*pair) for pair in zip(models, starts, strict=True)], ledger)

    def write_index(self, folder: Path, *, key: str) -> None:
        """Write the ledger and what ``load`` needs besides the models."""
        self.ledger.to_csv(folder / LEDGER_FILE)
        starts = [refit.test_start.isoformat() for refit in self.refits]
        write_json(folder / WALK_FORWARD_FILE, {"key": key, "test_starts": starts})

    @staticmethod
    def _position(bars: pd.DataFrame, moment: pd.Timestamp) -> int:
        return int(pd.DatetimeIndex(bars.index).searchsorted(on_clock_of(bars.index, moment)))


class WalkForwardStream:
    """``WalkForwardForecaster.forecast`` bar by bar: the model changes where a fold begins."""

    def __init__(self, forecaster: WalkForwardForecaster, history: pd.DataFrame | None) -> None:
        self._refits = forecaster.refits
        self._columns = forecaster.bars_columns
        self._context_bars = forecaster.context_bars
        self._recent: list[dict[str, Any]] = []
        self._current = -1
        self._stream: Any = None
        if history is not None and len(history):
            self._prime(history)

    def update(self, bar: Mapping[str, Any]) -> Forecast:
        """Take a closed bar; returns what is known at its close. See ``ForecastStream.update``."""
        self._change_model(bar["datetime"])
        forecast = _NOTHING_KNOWN if self._stream is None else self._stream.update(bar)
        self._recent.append({name: bar[name] for name in ("datetime", *self._columns)})
        if len(self._recent) > 2 * self._context_bars:  # now and then, so that a bar costs O(1)
            del self._recent[: -self._context_bars]
        return forecast

    def peek(self, bar: Mapping[str, Any]) -> Forecast:
        """What ``update`` would answer if ``bar`` closed as it is now."""
        self._change_model(bar["datetime"])
        return _NOTHING_KNOWN if self._stream is None else self._stream.peek(bar)

    def _change_model(self, moment: Any) -> None:
        newest = self._newest_model(pd.Timestamp(moment))
        if newest == self._current:
            return
        self._current = newest
        recent = self._recent[-self._context_bars :]
        history = pd.DataFrame(recent).set_index("datetime") if recent else None
        self._stream = self._refits[newest].model.stream(history)

    def _newest_model(self, moment: pd.Timestamp) -> int:
        starts = [naive_utc(refit.test_start) for refit in self._refits]
        return bisect_right(starts, naive_utc(moment)) - 1

    def _prime(self, history: pd.DataFrame) -> None:
        # begin one context before the fold that the history ends in, where the batch begins too
        newest = max(self._newest_model(history.index[-1]), 0)
        start = WalkForwardForecaster._position(history, self._refits[newest].test_start)
        begin = max(0, start - self._context_bars)
        for bar in history.iloc[begin:].rename_axis("datetime").reset_index().to_dict("records"):
            self.update({str(name): value for name, value in bar.items()})


def fold_folder(folder: Path, number: int) -> Path:
    """Where the model of a fold lies."""
    return folder / FOLDS_FOLDER / f"{number:03d}"
