"""Which kernel computes an LSTM layer here, and why not a faster one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_CUDNN_NEEDS = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "recurrent_dropout": 0.0,
    "unroll": False,
    "use_bias": True,
}
_BACKENDS_WITH_CUDNN = ("tensorflow", "jax", "torch")


@dataclass(frozen=True)
class KernelChoice:
    """Whether a fused kernel computes an LSTM layer, and why or why not.

    Attributes:
        is_used: Whether the fused kernel computes the layer.
        reason: A clause for the user, without a full stop.

    Example:
        >>> KernelChoice(False, "jax sees no GPU").reason
        'jax sees no GPU'
    """

    is_used: bool
    reason: str


def cudnn_choice(backend: str, *, has_gpu: bool, layer: Mapping[str, Any]) -> KernelChoice:
    """Whether Keras uses cuDNN's fused LSTM kernel for a layer.

    Args:
        backend: The Keras backend: "tensorflow", "jax" or "torch".
        has_gpu: Whether the backend sees a GPU.
        layer: The layer's configuration, from its `get_config()`.

    Source: the rule is that of `cudnn_ok` and `LSTM.inner_loop` in Keras 3.

    Example:
        >>> from lstm_strategy.learning.network import keras
        >>> layer = keras.layers.LSTM(8, unroll=True).get_config()
        >>> cudnn_choice("jax", has_gpu=True, layer=layer).reason
        'it needs unroll=False, the layer has True'
    """
    if backend not in _BACKENDS_WITH_CUDNN:
        return KernelChoice(False, f"Keras has no cuDNN kernel on the backend {backend}")
    for name, needed in _CUDNN_NEEDS.items():
        if layer[name] != needed:
            return KernelChoice(False, f"it needs {name}={needed!r}, the layer has {layer[name]!r}")
    if layer.get("use_cudnn", "auto") is False:
        return KernelChoice(False, "the layer has use_cudnn=False")
    if not has_gpu:
        return KernelChoice(False, f"{backend} sees no GPU")
    return KernelChoice(True, "the layer and the GPU fit")


def fused_cpu_choice(backend: str, *, has_gpu: bool, fits: bool) -> KernelChoice:
    """Whether training uses TensorFlow's fused LSTM kernel for the CPU.

    Args:
        backend: The Keras backend.
        has_gpu: Whether the backend sees a GPU.
        fits: Whether the layer's arguments fit the kernel; see `fits_the_kernel`.

    Example:
        >>> fused_cpu_choice("jax", has_gpu=False, fits=True).reason
        'only TensorFlow has it, and the backend is jax'
    """
    if backend != "tensorflow":
        return KernelChoice(False, f"only TensorFlow has it, and the backend is {backend}")
    if has_gpu:
        return KernelChoice(False, "there is a GPU, on which Keras's own LSTM trains")
    if not fits:
        return KernelChoice(False, "the layer's arguments don't fit it")
    return KernelChoice(True, "TensorFlow runs on the CPU")
