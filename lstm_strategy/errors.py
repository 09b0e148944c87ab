"""Every error that the package raises on purpose, and what tells a lack of memory from the others.

Each message states the rule, what was received and the remedy, and names the first offence.
"""

import errno
import re
from collections.abc import Mapping
from typing import Any

# C0 and C1 but tab and newline: what a terminal obeys; what turns the direction of text; and what
# nobody sees or what ends a line
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\u00ad\u200b\u2028\u2029\u2060-\u2064\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
# TensorFlow on any device; PyTorch on a GPU
_MEMORY_NAMES = ("ResourceExhaustedError", "OutOfMemoryError")
# of the system's loader, ONNX Runtime, PyTorch on a CPU and JAX, whose errors have no name for it
_MEMORY_WORDS = (
    "failed to map segment",
    "allocate memory",
    "bad_alloc",
    "enough memory",
    "out of memory",
    "resource_exhausted",
)
_COMPUTING_LIBRARIES = ("onnxruntime", "jaxlib", "torch")


def escape_controls(text: str) -> str:
    r"""Show the characters that a terminal would obey, or that nobody would see, as codes.

    A message may quote a column of a file or a word of a model card, and these may come from a
    stranger.

    Args:
        text: Anything that goes to a terminal.

    Example:
        >>> print(escape_controls("close\x1b[31m"))
        close\x1b[31m
    """
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class LSTMStrategyError(ValueError):
    """The base of all errors below: something that the caller can fix, and the message says how.

    Raised only as one of the errors below; catch it to catch all of them.

    Example:
        >>> from lstm_strategy import sample_bars
        >>> try:
        ...     sample_bars("sp5000")
        ... except LSTMStrategyError as error:
        ...     print(type(error).__name__, "-", error)
        BarsError - the sample must be one of sp500, nasdaq, got 'sp5000'. Did you mean sp500?
    """

    def __str__(self) -> str:
        return escape_controls(ValueError.__str__(self))


class UnknownNameError(LSTMStrategyError, KeyError):
    """Raised when a mapping of ours has nothing of that name; a KeyError, as of any mapping."""


class BarsError(LSTMStrategyError):
    """Raised when price bars can't be read, can't be trusted or can't be simulated."""


class UnknownMarketError(BarsError, KeyError):
    """Raised when a panel has no market of that symbol; a KeyError, as of any mapping."""


class FeatureError(LSTMStrategyError):
    """Raised when a feature is unknown, malformed or can't be computed on the bars."""


class TrainingError(LSTMStrategyError):
    """Raised when a forecaster can't be trained with its settings on the bars."""


class ModelError(LSTMStrategyError):
    """Raised when a saved model is missing, damaged or not for this version, or isn't trained."""


class ForecastError(LSTMStrategyError):
    """Raised when forecasts can't be compared with each other or with what came."""


class TradingError(LSTMStrategyError):
    """Raised when a strategy can't be run on its data with its broker settings."""


class JournalError(TradingError):
    """Raised when the journal of a live run is missing, damaged, of another run or in use."""


class SettingsError(LSTMStrategyError):
    """Raised when a configuration file, an option or the choice of workers can't be used."""


class AuditError(LSTMStrategyError):
    """Raised when what is to be audited can't be run, or has a form that can't be checked."""


class WorkersDiedError(LSTMStrategyError):
    """Raised when the processes that run the tasks died and restarting the tasks didn't help.

    A Ray cluster that can't be reached raises it, too.
    """


class LooksAheadError(FeatureError):
    """Raised when a feature changes at past bars as later bars arrive.

    Attributes:
        column: The column that changes; "" if it isn't known.
        bars_back: How many bars before the first later one it does; None if it isn't known.
    """

    def __init__(self, message: str, *, column: str = "", bars_back: int | None = None) -> None:
        super().__init__(message)
        self.column, self.bars_back = column, bars_back


class NeverForgetsError(FeatureError):
    """Raised when a feature depends for ever on the bar with which the history began."""


class DependsOnUnitError(FeatureError):
    """Raised when a feature means something else where prices or volumes have another unit.

    Attributes:
        unit: Of what: "price" or "volume".
    """

    def __init__(self, message: str, *, unit: str) -> None:
        super().__init__(message)
        self.unit = unit


class TooFewBarsError(TradingError):
    """Raised when the strategy needs more bars before its first decision than there are."""


class LongBarsError(TradingError):
    """Raised when bars are longer than what a strategy counts in days or months."""


class MissingColumnError(TradingError):
    """Raised when a strategy reads a column that the bars don't have."""


class StrategyFailedError(TradingError):
    """Raised when one of the strategies that are compared raises.

    Attributes:
        results: The backtests of the strategies that didn't raise, by name.
    """

    def __init__(self, message: str, results: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.results = dict(results)


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
    if isinstance(error, MemoryError) or kind.__name__ in _MEMORY_NAMES:
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    speaks = isinstance(error, ImportError) or kind in (OSError, RuntimeError)
    if speaks or kind.__module__.startswith(_COMPUTING_LIBRARIES):
        return any(word in str(error).lower() for word in _MEMORY_WORDS)
    return False
