"""A trained network in all its forms: as Keras has it, as files, and as what runs it."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_strategy.errors import ModelError, lacks_memory
from lstm_strategy.learning.forecaster.storage import NETWORK_FILE, NetworkFiles
from lstm_strategy.learning.inference import (
    BlockEngine,
    StoredForecasts,
    choose_engine,
    join_hidden,
    run_windowed,
)
from lstm_strategy.learning.novelty import Novelty
from lstm_strategy.support import sha256_of, temporary_folder

if TYPE_CHECKING:
    from lstm_strategy.learning.inference import KerasEngine
    from lstm_strategy.learning.network import keras


class TrainedNetwork:
    """A network whose Keras form, files and engine are each made when something asks for them.

    What travels to another process is the files: that process may not have loaded Keras.

    Args:
        onnx: The network as an ONNX model; None where it has none.
        stored: Some of its forecasts, by which it is known again in each of its forms.
        keras_version: The version of Keras that wrote the files.
        engine_name: "auto", "onnx" or "keras".
        novelty: What tells its usual hidden states from strange ones; None where that isn't known.
    """

    def __init__(
        self,
        onnx: bytes | None,
        *,
        stored: StoredForecasts,
        keras_version: str,
        engine_name: str = "auto",
        novelty: Novelty | None = None,
    ) -> None:
        self._onnx, self._keras_version = onnx, keras_version
        self.stored, self._engine_name = stored, engine_name
        self.novelty = novelty

    @classmethod
    def from_training(
        cls,
        network: "keras.Model",
        *,
        engine: BlockEngine,
        onnx: bytes | None,
        stored: StoredForecasts,
        keras_version: str,
    ) -> "TrainedNetwork":
        """The network that a training left, with the engine that was built for it."""
        trained = cls(onnx, stored=stored, keras_version=keras_version)
        trained.keras_model, trained.engine = network, engine
        return trained

    @classmethod
    def from_files(
        cls,
        files: NetworkFiles,
        *,
        stored: StoredForecasts,
        engine_name: str,
        keras_version: str,
        novelty: Novelty | None,
    ) -> "TrainedNetwork":
        """The network in these files.

        Raises:
            ModelError: If the engine can't run it, or gives other forecasts than the stored ones.
        """
        trained = cls(
            files.onnx,
            stored=stored,
            keras_version=keras_version,
            engine_name=engine_name,
            novelty=novelty,
        )
        trained.files = files
        trained.engine = trained._build_engine()
        if novelty is not None:
            trained._check_widths(novelty)
        return trained

    @cached_property
    def keras_model(self) -> "keras.Model":
        """The Keras network; raises ModelError if Keras can't read its file, or it is another."""
        return self._keras_engine.network

    @cached_property
    def files(self) -> NetworkFiles:
        """The network as it is saved."""
        with temporary_folder("network") as folder:
            path = folder / NETWORK_FILE
            self.keras_model.save(path)
            return NetworkFiles(keras=path.read_bytes(), onnx=self._onnx)

    @cached_property
    def engine(self) -> BlockEngine:
        """What computes the members' forecasts."""
        return self._build_engine()

    @cached_property
    def engine_with_novelty(self) -> BlockEngine:
        """What gives the novelty behind the members' forecasts; as it is where it isn't known."""
        return (
            self.engine if self.novelty is None else self.engine.with_hidden(self.novelty.measure)
        )

    @property
    def digest(self) -> str:
        """The engine and the SHA-256 digest of what it runs."""
        name = choose_engine(self._engine_name, has_onnx=self._onnx is not None)
        content = self._onnx if name == "onnx" and self._onnx else self.files.keras
        return f"{name} {sha256_of(content)}"

    def forecast_rows(
        self, markets: Sequence[np.ndarray], *, settled_rows: int, window_rows: int | None
    ) -> list[np.ndarray]:
        """Forecast rows of features of several markets.

        Args:
            markets: The rows of each market, shape (n_rows, n_features), at least one.
            settled_rows: Rows that the first forecast needs, its own included.
            window_rows: Rows that each forecast starts afresh from; None to carry the state.

        Returns:
            Of each market shape (n_rows, n_answers); NaN in the first `settled_rows - 1` rows.
        """
        return _forecast(self.engine, markets, settled_rows=settled_rows, window_rows=window_rows)

    def forecast_with_novelty(
        self, markets: Sequence[np.ndarray], *, settled_rows: int, window_rows: int | None
    ) -> list[np.ndarray]:
        """Forecast rows as `forecast_rows` does, and measure how strange their hidden states are.

        Returns:
            Of each market shape (n_rows, n_answers + 1): the novelty comes last, and is NaN where
            it isn't known.
        """
        answers = _forecast(
            self.engine_with_novelty, markets, settled_rows=settled_rows, window_rows=window_rows
        )
        if self.novelty is not None:
            return answers
        return [np.column_stack([of, np.full(len(of), np.nan)]) for of in answers]

    def hidden_states(
        self, markets: Sequence[np.ndarray], *, window_rows: int | None
    ) -> list[np.ndarray]:
        """The members' hidden states after every row of several markets, side by side.

        Args:
            markets: As for `forecast_rows`.
            window_rows: Rows that each state starts afresh from; None to carry it.

        Returns:
            Of each market shape (n_rows, n_members * n_units); NaN before the first window ends.
        """
        engine = self.engine.with_hidden(join_hidden)
        wide = _forecast(engine, markets, settled_rows=1, window_rows=window_rows)
        return [of[:, self.stored.forecasts.shape[1] :] for of in wide]

    def _check_widths(self, novelty: Novelty) -> None:
        n_members, n_units = novelty.centers.shape
        if self.engine.hidden_widths != [n_units] * n_members:
            raise ModelError(
                "The network has other hidden states than those that were measured in its "
                "training. Restore its folder, or train the model again."
            )

    def _build_engine(self) -> BlockEngine:
        from lstm_strategy.learning.inference import OnnxEngine

        name = choose_engine(self._engine_name, has_onnx=self._onnx is not None)
        if name == "onnx" and self._onnx is not None:
            engine = OnnxEngine(self._onnx)
            self.stored.check(engine)
            return engine
        return self._keras_engine

    @cached_property
    def _keras_engine(self) -> "KerasEngine":
        from lstm_strategy.learning.inference import KerasEngine
        from lstm_strategy.learning.network import read_network

        network = read_network(self.files.keras, saved_with=self._keras_version)
        try:
            engine = KerasEngine(network)
            whole = engine.run_whole(self.stored.rows)
        except Exception as error:  # whatever a network raises that was never trained here
            if lacks_memory(error):
                raise
            raise ModelError(
                f"{NETWORK_FILE} isn't a network that this package trains: {str(error)[:200]}. "
                "Restore it, or train the model again."
            ) from error
        self.stored.compare(whole, engine)
        self.stored.check(engine)
        return engine

    def __getstate__(self) -> dict[str, Any]:
        left = ("engine", "engine_with_novelty", "keras_model", "_keras_engine")
        kept = {name: value for name, value in vars(self).items() if name not in left}
        return {**kept, "files": self.files}


def _forecast(
    engine: BlockEngine,
    markets: Sequence[np.ndarray],
    *,
    settled_rows: int,
    window_rows: int | None,
) -> list[np.ndarray]:
    """What an engine answers to the rows of several markets; see `forecast_rows`."""
    if window_rows is not None:
        return [run_windowed(engine, rows, lookback=window_rows) for rows in markets]
    answers = engine.scan_together(markets)
    for of_market in answers:
        of_market[: settled_rows - 1] = np.nan
    return answers
