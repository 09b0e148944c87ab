"""A trained network in all its forms: as Keras has it, as files, and as what runs it."""

import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_strategy.errors import ModelError
from lstm_strategy.learning.forecaster.storage import NETWORK_FILE, NetworkFiles
from lstm_strategy.learning.inference import (
    Engine,
    choose_engine,
    run_carried,
    run_windowed,
)
from lstm_strategy.support import sha256_of

if TYPE_CHECKING:
    from lstm_strategy.learning.network import keras


class TrainedNetwork:
    """A network whose Keras form, files and engine are each made when something asks for them.

    What travels to another process is the files: that process may not have loaded Keras.

    Args:
        onnx: The network as an ONNX model; None where it has none.
        keras_version: The version of Keras that wrote the files.
        engine_name: "auto", "onnx" or "keras".
    """

    def __init__(
        self, onnx: bytes | None, *, keras_version: str, engine_name: str = "auto"
    ) -> None:
        self._onnx, self._keras_version = onnx, keras_version
        self._engine_name = engine_name

    @classmethod
    def from_training(
        cls, network: "keras.Model", *, engine: Engine, onnx: bytes | None, keras_version: str
    ) -> "TrainedNetwork":
        """The network that a training left, with the engine that was built for it."""
        trained = cls(onnx, keras_version=keras_version)
        trained.keras_model, trained.engine = network, engine
        return trained

    @classmethod
    def from_files(
        cls, files: NetworkFiles, *, engine_name: str, keras_version: str
    ) -> "TrainedNetwork":
        """The network in these files.

        Raises:
            ModelError: If the engine can't run it.
        """
        trained = cls(files.onnx, keras_version=keras_version, engine_name=engine_name)
        trained.files = files
        trained.engine = trained._build_engine()
        return trained

    @cached_property
    def keras_model(self) -> "keras.Model":
        """The Keras network; raises ModelError if Keras can't read its file."""
        return _read_keras_model(self.files.keras, self._keras_version)

    @cached_property
    def files(self) -> NetworkFiles:
        """The network as it is saved."""
        with tempfile.TemporaryDirectory(prefix="network-") as folder:
            path = Path(folder) / NETWORK_FILE
            self.keras_model.save(path)
            return NetworkFiles(keras=path.read_bytes(), onnx=self._onnx)

    @cached_property
    def engine(self) -> Engine:
        """What computes the members' forecasts."""
        return self._build_engine()

    @property
    def digest(self) -> str:
        """The engine and the SHA-256 digest of what it runs."""
        name = choose_engine(self._engine_name, has_onnx=self._onnx is not None)
        content = self._onnx if name == "onnx" and self._onnx else self.files.keras
        return f"{name} {sha256_of(content)}"

    def forecast_rows(
        self, rows: np.ndarray, *, settled_rows: int, window_rows: int | None
    ) -> np.ndarray:
        """Forecast rows of features.

        Args:
            rows: Shape (n_rows, n_features).
            settled_rows: Rows that the first forecast needs, its own included.
            window_rows: Rows that each forecast starts afresh from; None to carry the state.

        Returns:
            Shape (n_rows, n_members); NaN in the first `settled_rows - 1` rows.
        """
        if window_rows is not None:
            return run_windowed(self.engine, rows, lookback=window_rows)
        members, _ = run_carried(self.engine, rows, self.engine.initial_state(1))
        members[: settled_rows - 1] = np.nan
        return members

    def _build_engine(self) -> Engine:
        from lstm_strategy.learning.inference import KerasEngine, OnnxEngine

        name = choose_engine(self._engine_name, has_onnx=self._onnx is not None)
        if name == "onnx" and self._onnx is not None:
            return OnnxEngine(self._onnx)
        return KerasEngine(self.keras_model)

    def __getstate__(self) -> dict[str, Any]:
        left = ("engine", "keras_model")
        kept = {name: value for name, value in vars(self).items() if name not in left}
        return {**kept, "files": self.files}


def _read_keras_model(content: bytes, saved_with: str) -> "keras.Model":
    """The network in the bytes of `network.keras`."""
    from lstm_strategy.learning.network import check_not_forked, keras

    check_not_forked()
    try:
        with tempfile.TemporaryDirectory(prefix="network-") as folder:
            path = Path(folder) / NETWORK_FILE
            path.write_bytes(content)
            return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        raise ModelError(
            f"{NETWORK_FILE} can't be read by Keras {keras.__version__}: "
            f"{str(error).splitlines()[0]}. It was saved with Keras {saved_with}; train the model "
            "again."
        ) from error
