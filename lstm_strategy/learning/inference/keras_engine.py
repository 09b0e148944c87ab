"""Forecasts by Keras, on whatever backend it has."""

from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_strategy.learning.inference.engines import _BlockEngine
from lstm_strategy.learning.inference.threads import State

if TYPE_CHECKING:
    from lstm_strategy.learning.network import keras


class KerasEngine(_BlockEngine):
    """Runs the network in Keras, on whatever backend it has."""

    def __init__(self, network: "keras.Model") -> None:
        from lstm_strategy.learning.network import build_stepping_network

        self._network = build_stepping_network(network)
        self._network.compile(jit_compile=False)  # lengths differ from call to call
        self._widths = [tensor.shape[-1] for tensor in self._network.inputs[1:]]

    def _run(self, rows: np.ndarray, state: State) -> list[Any]:
        answers = self._network.predict_on_batch([rows, *state])
        # a network without any recurrent layer has no state, and Keras then gives no list
        parts = answers if isinstance(answers, list | tuple) else [answers]
        return [np.asarray(part) for part in parts]
