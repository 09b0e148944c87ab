"""How many settings were tried before this one: a record in the folder of the results.

Whoever tries ten settings and shows the best shows luck as well. So a folder remembers in
`trials.json` every setting whose results were written there, and a result is judged as the best
of all that were tried on dates that overlap its own.
"""

import json
import os
from collections.abc import Collection, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from lstm_strategy.bars import Panel, bars_fingerprint
from lstm_strategy.errors import TradingError
from lstm_strategy.support import naive_utc, read_whole, sha256_of, write_whole

TRIALS_FILE = "trials.json"
_LARGEST_RECORD = 2**26  # bytes


class Trial(BaseModel):
    """One setting on one set of bars.

    Attributes:
        number: Counts from 1 in the order of the first try.
        training: What the model was trained with, as plain values.
        trading: What its forecasts were traded with.
        bars_sha256: The fingerprint of the bars.
        first: The first date that was traded, as ISO text.
        last: The last one.
        model: The name of the model's folder beside the record; "" for a model from elsewhere.
        was_looked_at: Whether its results were shown; a run that was stopped before has none.
        place: The number in the names of its results, which differs between the trials of a
            folder; 0 where it has none.

    Example:
        >>> trial = Trial(number=3, training={}, trading={}, bars_sha256="", first="", last="",
        ...               model="model", place=2)
        >>> trial.own_file("permutations.csv"), trial.result_file("report.html")
        ('permutations-3.csv', 'report-2.html')
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    training: dict[str, Any]
    trading: dict[str, Any]
    bars_sha256: str
    first: str
    last: str
    model: str
    was_looked_at: bool = False
    place: int = 0

    @property
    def settings_sha256(self) -> str:
        """A digest of the setting, whatever the bars."""
        return _digest({"training": self.training, "trading": self.trading})

    @property
    def run(self) -> str:
        """Everything that decides the results: the setting and the bars."""
        return f"{self.settings_sha256} {self.bars_sha256} {self.first} {self.last}"

    def own_file(self, file_name: str) -> str:
        """Return a name that no other trial uses: "a.csv" for the first, "a-2.csv" for the second.

        Args:
            file_name: The name that the file of the first trial has.
        """
        return number_file(file_name, self.number)

    @property
    def suffix(self) -> str:
        """The end of the names of its results, before their ending: "-2" in the second place."""
        return number_file("", self.place)

    def result_file(self, file_name: str) -> str:
        """Return the name that a file of its results has in its place.

        Args:
            file_name: The name that the file has in the first place.
        """
        return number_file(file_name, self.place)


class TrialRecord(BaseModel):
    """All trials of a folder, in the order of their first try.

    Attributes:
        format: The version of the file's format.
        trials: The trials.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> bars = sample_bars("sp500")
        >>> terms = {"trading": {}, "bars": bars, "first": bars.index[0], "last": bars.index[-1]}
        >>> record, trial = TrialRecord().with_trial(training={"units": 8}, **terms)
        >>> record = record.with_looked_at(trial)
        >>> record, trial = record.with_trial(training={"units": 16}, **terms)
        >>> record.n_trials(trial)
        2
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 1
    trials: tuple[Trial, ...] = ()

    @classmethod
    def from_folder(cls, folder: str | Path) -> "TrialRecord":
        """Return the record in a folder, or an empty one where there is none.

        Raises:
            TradingError: If the file is damaged.
        """
        path = Path(folder) / TRIALS_FILE
        if not path.exists():
            return cls()
        try:
            return cls.model_validate_json(read_whole(path, largest=_LARGEST_RECORD))
        except OSError as error:
            raise _unreadable(path, str(error.strerror)) from None
        except ValidationError as error:
            raise _unreadable(path, error.errors()[0]["msg"]) from None

    def with_trial(
        self,
        *,
        training: Mapping[str, Any],
        trading: Mapping[str, Any],
        bars: pd.DataFrame | Panel,
        first: pd.Timestamp,
        last: pd.Timestamp,
        keeps_model: bool = True,
        models: Collection[str] = (),
    ) -> tuple["TrialRecord", Trial]:
        """Return the record with this trial in it, and the trial.

        Args:
            training: What the model is trained with, as plain values.
            trading: What its forecasts are traded with.
            bars: The bars, or a panel of them.
            first: The first date that is traded.
            last: The last one.
            keeps_model: Whether the model is kept beside the record. Its folder is that of the
                first trial with the same training on the same bars: other costs need no other
                model.
            models: The names of models that lie beside the record; one that no trial trained is
                left alone.

        Returns:
            The old record and the old trial where it was tried before.
        """
        fingerprint = bars.fingerprint if isinstance(bars, Panel) else bars_fingerprint(bars)
        training = _to_plain(training)
        trial = Trial(
            number=len(self.trials) + 1,
            training=training,
            trading=_to_plain(trading),
            bars_sha256=fingerprint,
            first=first.isoformat(),
            last=last.isoformat(),
            model=self._model_folder(training, fingerprint, models) if keeps_model else "",
        )
        for old in self.trials:
            if old.run == trial.run:
                return self, old
        return TrialRecord(trials=(*self.trials, trial)), trial

    def with_looked_at(self, trial: Trial, *, place: int = 0) -> "TrialRecord":
        """Return the record once the results of a trial are shown.

        Args:
            trial: The trial.
            place: Where its results are written; a trial that had this place has none any more.
        """
        shown = trial.model_copy(update={"was_looked_at": True, "place": place})
        others = (
            old.model_copy(update={"place": 0}) if old.place == place else old
            for old in self.trials
        )
        return TrialRecord(
            trials=tuple(shown if old.number == trial.number else old for old in others)
        )

    def choose_place(self, trial: Trial, folder: str | Path, files: Collection[str]) -> int:
        """Return the place of a trial, or the first one that no results are in.

        Args:
            trial: The trial.
            folder: Where the results are to be written.
            files: The names of the files in the first place.
        """
        taken = {other.place for other in self.trials}
        free = (
            place
            for place in count(1)
            if place not in taken
            and not any(os.path.lexists(Path(folder, number_file(name, place))) for name in files)
        )
        return trial.place or next(free)

    def n_trials(self, trial: Trial) -> int:
        """Return how many settings were looked at on dates that overlap those of a trial, and it.

        Bars may differ: whoever tries a setting on two markets and shows one has chosen, too.
        """
        settings = {
            other.settings_sha256
            for other in self.trials
            if other.was_looked_at and _do_overlap(other, trial)
        }
        return len(settings | {trial.settings_sha256})

    def write(self, folder: str | Path) -> None:
        """Write the record, whole or not at all."""
        write_whole(Path(folder) / TRIALS_FILE, (self.model_dump_json(indent=2) + "\n").encode())

    def _model_folder(
        self, training: Mapping[str, Any], bars_sha256: str, models: Collection[str]
    ) -> str:
        """The folder of the model that a trial with this training keeps."""
        for old in self.trials:
            if (old.training, old.bars_sha256) == (training, bars_sha256):
                return old.model
        taken = {*models, *(old.model for old in self.trials)}
        names = (number_file("model", number) for number in count(1))
        return next(name for name in names if name not in taken)


def number_file(file_name: str, number: int) -> str:
    """Return "a.csv" for the first, "a-2.csv" for the second, and so on.

    Example:
        >>> number_file("a.csv", 1), number_file("model", 2)
        ('a.csv', 'model-2')
    """
    path = Path(file_name)
    return file_name if number <= 1 else f"{path.stem}-{number}{path.suffix}"


def _do_overlap(one: Trial, other: Trial) -> bool:
    """Whether the dates that two trials traded overlap."""
    return _moment(one.first) <= _moment(other.last) and _moment(other.first) <= _moment(one.last)


def _moment(text: str) -> pd.Timestamp:
    return naive_utc(pd.Timestamp(text))


def _to_plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON gives them back, so that a trial equals itself after it was written."""
    return dict(json.loads(json.dumps(values, default=str)))


def _digest(values: Mapping[str, Any]) -> str:
    return sha256_of(json.dumps(values, sort_keys=True))


def _unreadable(path: Path, reason: str) -> TradingError:
    return TradingError(
        f"{path} isn't a record of trials: {reason}. Choose another folder, or remove that file "
        "and say with --trials what was tried."
    )
