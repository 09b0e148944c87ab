"""Where a model came from and what it needs: the content of `model.json`."""

import math
from datetime import datetime
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from lstm_strategy.bars import MarketTraits
from lstm_strategy.learning.targets import SignalScale
from lstm_strategy.learning.training import FeatureUnits, ForecasterSettings, MarketInputs

FORMAT = 4
FORMATS = (3, FORMAT)
"""Those that are read: 3 knows nothing of hidden states."""


class MarketSpan(BaseModel):
    """Which bars of one market of a panel a model has seen.

    Attributes:
        start: The first bar.
        end: The last bar.
        n_bars: Number of bars.
        bars_per_year: How many of them a year has.
        traits: What the model got used to in them.
        sha256: The fingerprint of the bars.
        units: How its features are brought to the units of the panel, where each market is scaled
            by itself.
        vector: What the members learned of it, side by side, where the network has an embedding.
    """

    model_config = ConfigDict(frozen=True)

    start: datetime
    end: datetime
    n_bars: int = Field(ge=1)
    bars_per_year: float = Field(gt=0, allow_inf_nan=False)
    traits: MarketTraits
    sha256: str
    units: FeatureUnits | None = None
    vector: tuple[Annotated[float, Field(allow_inf_nan=False)], ...] = ()


class TrainingSpan(BaseModel):
    """Which bars a model has seen: everything up to `end` is in-sample.

    Attributes:
        start: The first bar.
        end: The last bar.
        validation_start: The first bar that the first member held out.
        n_bars: Number of bars; of a panel those of all markets.
        traits: What the model got used to in them; of a panel in those of its longest market.
        has_chosen_rows: Whether the caller of `fit` left bars out, or chose those that validate.
        sha256: The fingerprint of the bars, or of the panel.
        markets: The markets of a panel by symbol; none where it was the bars of one market.
    """

    model_config = ConfigDict(frozen=True)

    start: datetime
    end: datetime
    validation_start: datetime
    n_bars: int = Field(ge=1)
    traits: MarketTraits
    has_chosen_rows: bool = False
    sha256: str
    markets: dict[str, MarketSpan] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        moments = (self.start, self.validation_start, self.end)
        if len({moment.tzinfo is None for moment in moments}) > 1 or sorted(moments) != [*moments]:
            raise ValueError("start, validation_start and end must follow each other")
        zones = [self.traits.timezone, *(of.traits.timezone for of in self.markets.values())]
        if not all(zone.isprintable() for zone in zones):
            raise ValueError("traits.timezone must be the name of a timezone")
        return self

    def inputs_of(self, symbol: str | None) -> MarketInputs:
        """What is done with the rows of a market, before the network takes them.

        Args:
            symbol: Its name; of another market than those of the training, or with None for one
                without a name, the rows stay in their units, and get the mean of all vectors.
        """
        market = self.find_market(symbol)
        if market is not None:
            return MarketInputs(market.units, market.vector)
        vectors = [of.vector for of in self.markets.values()]
        return MarketInputs(vector=tuple(np.mean(vectors, axis=0).tolist()) if vectors else ())

    def find_market(self, symbol: str | None) -> MarketSpan | None:
        """What is known of a market of the panel; None for another one."""
        return None if symbol is None else self.markets.get(symbol)

    @property
    def tells_markets_apart(self) -> bool:
        """Whether the network takes the same features of two markets as different rows."""
        return any(of.units is not None or of.vector for of in self.markets.values())


class MemorySpan(BaseModel):
    """How long the carried memory depends on where it began, measured on the training rows.

    Attributes:
        bars: Complete rows that the first signal needs, its own included: from there on a run
            that began later agrees with the full one.
        converged: Whether it ever did within the training rows; if not, `bars` is as many as
            could be spared.
        tolerance: How far apart signals (-1…1) may be and still agree.
    """

    model_config = ConfigDict(frozen=True)

    bars: int = Field(ge=1)
    converged: bool
    tolerance: float = Field(gt=0, allow_inf_nan=False)


class ModelCard(BaseModel):
    """Where a model came from and what it needs.

    Attributes:
        format: Of the model folder.
        created: When the training ended, in UTC.
        settings: The arguments of `LSTMForecaster`, save features and network.
        features: What `FeatureSet.from_dict` reads.
        context: The same for what only the target needs; None where it needs nothing.
        training: The bars that the model has seen.
        signal: How a forecast becomes a signal.
        memory: How long a carried memory takes to settle; None without one.
        validation_scores: The target's scores on the rows that the members held out.
        versions: The version of each library that matters, by name.
        backend: The backend of Keras.
        network: The user's own network builder by name; "" for the LSTM of the package.
        network_sha256: The digest of `network.keras`.
        onnx_sha256: The digest of `network.onnx`; "" without one.
        check_sha256: The digest of `check.json`, the stored forecasts.
        history_sha256: The digest of `history.csv`.
        novelty_sha256: The digest of `novelty.json`; "" where no usual hidden states are known.

    Example:
        >>> ModelCard.model_fields["format"].default
        4
    """

    model_config = ConfigDict(frozen=True)

    format: Literal[3, 4] = 4
    created: datetime
    settings: ForecasterSettings
    features: dict[str, Any]
    context: dict[str, Any] | None = None
    training: TrainingSpan
    signal: SignalScale
    memory: MemorySpan | None = None
    validation_scores: dict[str, float]
    versions: dict[str, str]
    backend: str
    network: str = ""
    network_sha256: str = ""
    onnx_sha256: str = ""
    check_sha256: str = ""
    history_sha256: str = ""
    novelty_sha256: str = ""

    @model_validator(mode="after")
    def _check_lengths(self) -> Self:
        if self.memory is not None and self.memory.bars > self.training.n_bars:
            raise ValueError("memory.bars must be at most training.n_bars")
        if self.settings.horizon > self.training.n_bars:
            raise ValueError("settings.horizon must be at most training.n_bars")
        size = self.settings.members * self.settings.market_embedding
        if any(len(of.vector) != size for of in self.training.markets.values()):
            raise ValueError(f"training.markets must each have a vector of {size} numbers")
        return self

    @field_validator("validation_scores", mode="before")
    @classmethod
    def _read_null_as_nan(cls, scores: Any) -> Any:
        """JSON has no NaN: where validation bars all rise there is no AUC, and it reads null."""
        if not isinstance(scores, dict):
            return scores
        return {name: math.nan if score is None else score for name, score in scores.items()}
