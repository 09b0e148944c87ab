"""What computes the forecasts of a trained network: Keras, or ONNX Runtime without TensorFlow."""

from typing import TYPE_CHECKING

from lstm_strategy.learning.inference.engines import (
    BlockEngine,
    Engine,
    State,
    choose_engine,
    join_hidden,
    run_carried,
    run_windowed,
)
from lstm_strategy.learning.inference.settling import N_STARTS, SIGNAL_TOLERANCE, network_memory
from lstm_strategy.learning.inference.stored_forecasts import StoredForecasts
from lstm_strategy.support.lazy import import_on_first_use

if TYPE_CHECKING:
    from lstm_strategy.learning.inference.agreement import build_engine
    from lstm_strategy.learning.inference.keras_engine import KerasEngine
    from lstm_strategy.learning.inference.onnx_engine import OnnxEngine
    from lstm_strategy.learning.inference.onnx_export import export_onnx

__all__ = [
    "BlockEngine",
    "Engine",
    "KerasEngine",
    "N_STARTS",
    "OnnxEngine",
    "SIGNAL_TOLERANCE",
    "State",
    "StoredForecasts",
    "build_engine",
    "choose_engine",
    "export_onnx",
    "join_hidden",
    "network_memory",
    "run_carried",
    "run_windowed",
]

__getattr__ = import_on_first_use(
    __name__,
    {
        "build_engine": ".agreement",
        "KerasEngine": ".keras_engine",
        "OnnxEngine": ".onnx_engine",
        "export_onnx": ".onnx_export",
    },
)
