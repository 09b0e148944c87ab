"""Every error that the package raises on purpose.

Each message states the rule, what was received and the remedy, and names the first offence.
"""


class LSTMStrategyError(ValueError):
    """Something the caller can mend; the message says how."""


class BarsError(LSTMStrategyError):
    """The price bars can't be read or can't be trusted."""


class FeatureError(LSTMStrategyError):
    """A feature is unknown, malformed or can't be computed on these bars."""


class TrainingError(LSTMStrategyError):
    """The network can't be trained with these settings on these bars."""


class ModelError(LSTMStrategyError):
    """A saved model is missing, damaged, or was made by something incompatible."""


class TradingError(LSTMStrategyError):
    """A strategy, its data or its broker settings can't be run."""


class SettingsError(LSTMStrategyError):
    """A configuration file or a command-line option can't be used."""


class AuditError(LSTMStrategyError):
    """What should be audited can't be run, or was handed over in a form that can't be checked."""


class WorkersDiedError(LSTMStrategyError):
    """The processes that run the tasks died, and starting the tasks elsewhere didn't help."""


class LooksAheadError(FeatureError):
    """A feature changes at past bars when later bars arrive."""


class NeverForgetsError(FeatureError):
    """A feature depends for ever on the bar with which the history began."""


class TooFewBarsError(TradingError):
    """The strategy needs more bars before its first decision than there are."""
