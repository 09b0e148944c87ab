"""The versions of the libraries that shape a number."""

from collections.abc import Sequence
from importlib.metadata import version

_LIBRARIES = (
    "lstm-strategy",
    "keras",
    "tensorflow",
    "tensorflow-cpu",
    "jax",
    "torch",
    "onnx",
    "onnxruntime",
    "numpy",
    "pandas",
)


def library_versions(libraries: Sequence[str] = _LIBRARIES) -> dict[str, str]:
    """The versions of those libraries that are installed.

    Args:
        libraries: Names as pip knows them; by default those that shape a model's numbers.

    Returns:
        The version of each library by its name.

    Example:
        >>> sorted(library_versions(["pandas", "numpy", "not-installed"]))
        ['numpy', 'pandas']
    """
    versions = {}
    for library in libraries:
        try:
            versions[library] = version(library)
        except ImportError:
            continue
    return versions
