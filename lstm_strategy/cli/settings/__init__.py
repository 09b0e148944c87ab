"""What a command runs with: groups of options, and the configuration file that they override.

`repeatable_command` names the line that was typed, for those who want to repeat it.
"""

from lstm_strategy.cli.settings.command_line import repeatable_command
from lstm_strategy.cli.settings.config_file import (
    Config,
    build_broker,
    build_forecaster,
    load_config,
)
from lstm_strategy.cli.settings.groups import (
    BROKER_OPTIONS,
    NETWORK_OPTIONS,
    OPTIONS,
    BrokerOptions,
    CostOptions,
    EnsembleOptions,
    NetworkOptions,
    PermutationOptions,
    TrackingOptions,
    WindowOptions,
    expand_options,
)
from lstm_strategy.cli.settings.live_config import LiveConfig, LiveTable, load_live_config

__all__ = [
    "BROKER_OPTIONS",
    "NETWORK_OPTIONS",
    "OPTIONS",
    "BrokerOptions",
    "Config",
    "CostOptions",
    "EnsembleOptions",
    "LiveConfig",
    "LiveTable",
    "NetworkOptions",
    "PermutationOptions",
    "TrackingOptions",
    "WindowOptions",
    "build_broker",
    "build_forecaster",
    "expand_options",
    "load_config",
    "load_live_config",
    "repeatable_command",
]
