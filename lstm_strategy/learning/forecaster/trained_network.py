"""A trained network in all its forms: as Keras has it, as files, and as what runs it."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster.storage import NETWORK_FILE, NetworkFiles
from lstm_strategy.learning.inference import (
    BlockEngine,
    StoredForecasts,
    choose_engine,
    run_windowed,
)
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
    """

    def __init__(
        self,
        onnx: bytes | None,
        *,
        stored: StoredForecasts,
        keras_version: str,
        engine_name: str = "auto",
    ) -> None:
        self._onnx, self._keras_version = onnx, keras_version
        self.stored, self._engine_name = stored, engine_name

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
        cls, files: NetworkFiles, *, stored: StoredForecasts, engine_name: str, keras_version: str
    ) -> "TrainedNetwork":
        """The network in these files.

        Raises:
            ModelError: If the engine can't run it, or gives other forecasts than the stored ones.
        """
        trained = cls(
            files.onnx, stored=stored, keras_version=keras_version, engine_name=engine_name
        )
        trained.files = files
        trained.engine = trained._build_engine()
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
        if window_rows is not None:
            return [run_windowed(self.engine, rows, lookback=window_rows) for rows in markets]
        answers = self.engine.scan_together(markets)
        for of_market in answers:
            of_market[: settled_rows - 1] = np.nan
        return answers

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
            raise ModelError(
                f"{NETWORK_FILE} isn't a network that this package trains: {str(error)[:200]}. "
                "Restore it, or train the model again."
            ) from error
        self.stored.compare(whole, engine)
        self.stored.check(engine)
        return engine

    def __getstate__(self) -> dict[str, Any]:
        left = ("engine", "keras_model", "_keras_engine")
        kept = {name: value for name, value in vars(self).items() if name not in left}
        return {**kept, "files": self.files}
