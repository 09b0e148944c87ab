"""Where a model came from and what it needs: the content of ``model.json``."""

import math
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, field_validator

from lstm_strategy.learning.targets import SignalScale
from lstm_strategy.learning.training import ForecasterSettings

FORMAT = 2


class TrainingSpan(BaseModel):
    """Which bars a model has seen: everything up to ``end`` is in-sample.

    ``has_chosen_rows`` says that the caller of ``fit`` left bars out or chose those that validate.
    """

    model_config = ConfigDict(frozen=True)

    start: datetime
    end: datetime
    validation_start: datetime
    n_bars: int
    has_chosen_rows: bool = False
    sha256: str


class MemorySpan(BaseModel):
    """How long the carried memory depends on where it began, measured on the training rows.

    ``bars`` is the number of complete rows that the first signal needs, its own included: from
    there on a run that began later agrees with the full one to ``tolerance`` (of a signal from
    -1 to 1). Where ``converged`` is false it never did within the training rows, and ``bars`` is
    as many as could be spared.
    """

    model_config = ConfigDict(frozen=True)

    bars: int
    converged: bool
    tolerance: float


class ModelCard(BaseModel):
    """Where a model came from and what it needs: the content of ``model.json``."""

    model_config = ConfigDict(frozen=True)

    format: Literal[2] = 2
    created: datetime
    settings: ForecasterSettings
    features: dict[str, Any]
    training: TrainingSpan
    signal: SignalScale
    memory: MemorySpan | None = None
    validation_scores: dict[str, float]
    versions: dict[str, str]
    backend: str
    network: str = ""  # the user's own builder by name; "" for the LSTM of the package
    network_sha256: str = ""
    twin_sha256: str = ""  # "" without a twin

    @field_validator("validation_scores", mode="before")
    @classmethod
    def _unknown_is_nan(cls, scores: Any) -> Any:
        """JSON has no NaN: where validation bars all rise there is no AUC, and it reads null."""
        if not isinstance(scores, dict):
            return scores
        return {name: math.nan if score is None else score for name, score in scores.items()}
