"""How many settings were tried before this one: a record in the folder of the results.

Whoever tries ten settings and shows the best shows luck as well. So a folder remembers in
``trials.json`` every setting whose results were written there, and a result is judged as the best
of all that were tried on dates that overlap its own.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from lstm_strategy.bars import bars_fingerprint
from lstm_strategy.errors import TradingError
from lstm_strategy.support import write_whole

TRIALS_FILE = "trials.json"


class Trial(BaseModel):
    """One setting on one set of bars.

    Attributes:
        number: counted from 1 in the order of the first try.
        training: what the model was trained with, as plain values.
        trading: what its forecasts were traded with.
        bars_sha256: the fingerprint of the bars.
        first: the first date that was traded, as ISO text.
        last: the last one.
        model: name of the folder of the model beside the record; "" for one from elsewhere.
        was_looked_at: whether its results were shown; a run that was stopped before has none.
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

    @property
    def settings_sha256(self) -> str:
        """The same for the same setting, on whatever bars."""
        return _sha256({"training": self.training, "trading": self.trading})

    @property
    def run(self) -> str:
        """Everything that decides the results: the setting and the bars."""
        return f"{self.settings_sha256} {self.bars_sha256} {self.first} {self.last}"

    def named(self, file_name: str) -> str:
        """A file name of this trial's own: "a.csv" is that of the first, "a-2.csv" of the second.

        >>> Trial(number=2, training={}, trading={}, bars_sha256="", first="", last="",
        ...       model="model").named("permutation_test.csv")
        'permutation_test-2.csv'
        """
        path = Path(file_name)
        return file_name if self.number == 1 else f"{path.stem}-{self.number}{path.suffix}"


class TrialRecord(BaseModel):
    """All trials of a folder, in the order of their first try."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 1
    trials: tuple[Trial, ...] = ()

    @classmethod
    def from_folder(cls, folder: str | Path) -> "TrialRecord":
        """The record in a folder, an empty one without. Raises `TradingError` if it is damaged."""
        path = Path(folder) / TRIALS_FILE
        if not path.exists():
            return cls()
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise TradingError(
                f"{path} isn't a record of trials: {error.errors()[0]['msg']}. Choose another "
                "folder, or remove that file and say with --trials what was tried."
            ) from None

    def with_trial(
        self,
        *,
        training: Mapping[str, Any],
        trading: Mapping[str, Any],
        bars: pd.DataFrame,
        first: pd.Timestamp,
        last: pd.Timestamp,
        keeps_model: bool = True,
    ) -> tuple["TrialRecord", Trial]:
        """The record with this trial in it, and the trial: the old one where it was tried before.

        The model's folder is that of the first trial with the same training on the same bars, so
        that other costs need no other model.
        """
        sha256 = bars_fingerprint(bars)
        made = [t for t in self.trials if (t.training, t.bars_sha256) == (_plain(training), sha256)]
        trial = Trial(
            number=len(self.trials) + 1,
            training=_plain(training),
            trading=_plain(trading),
            bars_sha256=sha256,
            first=first.isoformat(),
            last=last.isoformat(),
            model=(made[0].model if made else self._next_model()) if keeps_model else "",
        )
        known = [t for t in self.trials if t.run == trial.run]
        if known:
            return self, known[0]
        return TrialRecord(trials=(*self.trials, trial)), trial

    def with_looked_at(self, trial: Trial) -> "TrialRecord":
        """The record once the results of the trial are shown."""
        seen = trial.model_copy(update={"was_looked_at": True})
        return TrialRecord(
            trials=tuple(seen if t.number == trial.number else t for t in self.trials)
        )

    def n_trials(self, trial: Trial) -> int:
        """Different settings that were looked at on dates overlapping those of the trial, and it.

        Bars may differ: whoever tries a setting on two markets and shows one has chosen, too.
        """
        first, last = _moment(trial.first), _moment(trial.last)
        tried = {
            t.settings_sha256
            for t in self.trials
            if t.was_looked_at and _moment(t.first) <= last and first <= _moment(t.last)
        }
        return len(tried | {trial.settings_sha256})

    def write(self, folder: str | Path) -> None:
        """Write the record, whole or not at all."""
        write_whole(Path(folder) / TRIALS_FILE, (self.model_dump_json(indent=2) + "\n").encode())

    def _next_model(self) -> str:
        number = len({t.model for t in self.trials if t.model}) + 1
        return "model" if number == 1 else f"model-{number}"


def _moment(text: str) -> pd.Timestamp:
    moment = pd.Timestamp(text)
    return moment if moment.tz is None else moment.tz_convert("UTC").tz_localize(None)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON gives them back, so that a trial equals itself after it was written."""
    return dict(json.loads(json.dumps(values, default=str)))


def _sha256(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
