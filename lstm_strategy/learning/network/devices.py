"""What the backend of Keras can compute on, and a network's copy on the CPU."""

from importlib import import_module
from typing import Any

from lstm_strategy.learning.network.keras_import import keras


def list_devices() -> tuple[str, ...]:
    """What the backend of Keras can compute on, as the backend names the devices.

    Example:
        >>> any("cpu" in device.lower() for device in list_devices())
        True
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tuple(device.name for device in tf.config.list_logical_devices())
    if backend == "jax":
        jax: Any = import_module("jax")
        return tuple(f"{device.platform}:{device.id}" for device in jax.devices())
    if backend == "torch":
        torch: Any = import_module("torch")
        return "cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))
    return ("cpu",)


def has_gpu() -> bool:
    """Whether the backend of Keras sees a GPU.

    Example:
        >>> isinstance(has_gpu(), bool)
        True
    """
    return any(name in device.lower() for device in list_devices() for name in ("gpu", "cuda"))


def copy_to_cpu(network: keras.Model) -> keras.Model:
    """A network whose weights the CPU can use: itself where there is no GPU, else a copy.

    A GPU multiplies in TensorFloat-32, which keeps three digits, so what was trained there is run
    on the CPU to be the same everywhere.

    Args:
        network: A built Keras network; it stays as it is.

    Example:
        >>> from lstm_strategy.learning.network import build_lstm_member
        >>> member = build_lstm_member(2, units=(3,), dropout=0.0, lookback=5, seed=0)
        >>> copy_to_cpu(member).count_params() == member.count_params()
        True
    """
    if not has_gpu():
        return network
    with keras.device("cpu"):
        copy = keras.models.clone_model(network)
        copy.set_weights(network.get_weights())
    return copy
