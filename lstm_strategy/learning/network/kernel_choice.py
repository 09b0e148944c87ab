"""Which kernel computes an LSTM layer here, and why not a faster one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# what cuDNN's kernel wants of a Keras layer, and the words for what stands in its way
_NEEDS_OF_CUDNN = {
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
    "recurrent_dropout": 0.0,
    "unroll": False,
    "use_bias": True,
}
BACKENDS_WITH_CUDNN = ("tensorflow", "jax", "torch")


@dataclass(frozen=True)
class KernelChoice:
    """Whether a fused kernel computes the LSTM, and the reason if it doesn't."""

    is_used: bool
    reason: str


def cudnn_choice(backend: str, *, has_gpu: bool, layer: Mapping[str, Any]) -> KernelChoice:
    """Whether Keras uses cuDNN's fused LSTM kernel for a layer with this configuration.

    The rule is that of Keras 3's ``cudnn_ok`` and ``LSTM.inner_loop``; ``layer`` is what
    ``get_config`` of the layer gives.
    """
    if backend not in BACKENDS_WITH_CUDNN:
        return KernelChoice(False, f"Keras has no cuDNN kernel on the backend {backend}")
    for name, wanted in _NEEDS_OF_CUDNN.items():
        if layer[name] != wanted:
            return KernelChoice(False, f"it needs {name}={wanted!r}, the layer has {layer[name]!r}")
    if layer.get("use_cudnn", "auto") is False:
        return KernelChoice(False, "the layer was told use_cudnn=False")
    if not has_gpu:
        return KernelChoice(False, f"{backend} sees no GPU")
    return KernelChoice(True, "the layer and the GPU fit")


def fused_cpu_choice(backend: str, *, has_gpu: bool, fits: bool) -> KernelChoice:
    """Whether training uses TensorFlow's fused LSTM kernel for the CPU; see ``FusedLoop``."""
    if backend != "tensorflow":
        return KernelChoice(False, f"only TensorFlow has it, the backend is {backend}")
    if has_gpu:
        return KernelChoice(False, "there is a GPU, which Keras's own LSTM trains on")
    if not fits:
        return KernelChoice(False, "the layer's arguments don't fit it")
    return KernelChoice(True, "TensorFlow on the CPU")
