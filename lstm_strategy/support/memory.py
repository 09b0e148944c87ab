"""Errors that say that memory ran out, whichever library raised them."""

import errno

# TensorFlow on any device; PyTorch on a GPU
_NAMES = ("ResourceExhaustedError", "OutOfMemoryError")
# of the system's loader, ONNX Runtime, PyTorch on a CPU and JAX, whose errors have no name for it
_WORDS = (
    "failed to map segment",
    "allocate memory",
    "bad_alloc",
    "enough memory",
    "out of memory",
    "resource_exhausted",
)
_LIBRARIES = ("onnxruntime", "jaxlib", "torch")


def lacks_memory(error: BaseException) -> bool:
    """Whether an error was raised because memory ran out.

    Whoever turns any error into "this is damaged" must let such an error pass: nothing is wrong
    with what was read.

    Args:
        error: What was caught.

    Returns:
        True for a `MemoryError` and for what libraries raise in its place. What a file says is
        never taken for it: words count only in errors of the loader and of libraries that compute.

    Example:
        >>> lacks_memory(MemoryError())
        True
        >>> lacks_memory(ImportError("libtensorflow_cc.so.2: failed to map segment"))
        True
        >>> lacks_memory(ValueError("out of memory"))
        False
    """
    kind = type(error)
    if isinstance(error, MemoryError) or kind.__name__ in _NAMES:
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    speaks = isinstance(error, ImportError) or kind in (OSError, RuntimeError)
    if speaks or kind.__module__.startswith(_LIBRARIES):
        return any(word in str(error).lower() for word in _WORDS)
    return False
