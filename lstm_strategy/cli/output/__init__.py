"""What the commands print: tables, sentences, and a sign that work is going on."""

from typing import TYPE_CHECKING

from lstm_strategy.cli.output.console import (
    complain,
    err,
    out,
    say,
    status,
    tell,
    tell_command,
    tell_note,
)
from lstm_strategy.cli.output.loudness import Loudness, is_quiet
from lstm_strategy.cli.output.wording import begin_lower, in_options
from lstm_strategy.support.lazy import import_on_first_use

if TYPE_CHECKING:
    from lstm_strategy.cli.output.audit import print_audit, print_indicators
    from lstm_strategy.cli.output.diagnostics import print_environment, print_estimate, print_speed
    from lstm_strategy.cli.output.results import print_assessment, print_comparison, print_result
    from lstm_strategy.cli.output.training import (
        print_forecasts,
        print_panel_forecasts,
        print_training,
    )
    from lstm_strategy.cli.output.tuning import print_tuning

__all__ = [
    "Loudness",
    "begin_lower",
    "complain",
    "err",
    "in_options",
    "is_quiet",
    "out",
    "print_assessment",
    "print_audit",
    "print_comparison",
    "print_environment",
    "print_estimate",
    "print_forecasts",
    "print_indicators",
    "print_panel_forecasts",
    "print_result",
    "print_speed",
    "print_training",
    "print_tuning",
    "say",
    "status",
    "tell",
    "tell_command",
    "tell_note",
]

__getattr__ = import_on_first_use(
    __name__,
    {
        "print_assessment": ".results",
        "print_audit": ".audit",
        "print_comparison": ".results",
        "print_environment": ".diagnostics",
        "print_estimate": ".diagnostics",
        "print_forecasts": ".training",
        "print_indicators": ".audit",
        "print_panel_forecasts": ".training",
        "print_result": ".results",
        "print_speed": ".diagnostics",
        "print_training": ".training",
        "print_tuning": ".tuning",
    },
)
