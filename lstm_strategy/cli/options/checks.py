"""What an option takes: its choices, which the shell completes, and what is refused at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lstm_strategy.cli.out_folder import check_folder
from lstm_strategy.errors import SettingsError
from lstm_strategy.support import refuse_choice

Complete = Callable[[str], list[str]]

_SAMPLES = ("sample:sp500", "sample:nasdaq")


def choose_from(option: str, *choices: str) -> dict[str, Any]:
    """Arguments of an option for typer that takes one of the choices, and refuses the rest."""

    def check_choice(value: str) -> str:
        if value not in choices:
            raise SettingsError(refuse_choice(option, value, choices))
        return value

    return {
        "callback": check_choice,
        "metavar": "|".join(choices),
        "autocompletion": complete_from(*choices),
    }


def complete_from(*choices: str) -> Complete:
    """A function for typer that completes a word to one of these."""

    def complete(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    return complete


def complete_strategy(incomplete: str) -> list[str]:
    """The baselines whose name begins so."""
    from lstm_strategy.trading.baselines import EVERY_BASELINE

    return complete_from(*EVERY_BASELINE)(incomplete)


def complete_bars(incomplete: str) -> list[str]:
    """The samples; of anything else, and before the first letter, the shell completes files."""
    return complete_from(*_SAMPLES)(incomplete) if incomplete else []


def check_out(folder: Path | None) -> Path | None:
    """Refuse a folder of --out that nothing can be written to."""
    return None if folder is None else check_folder(folder)


def check_tensorboard(folder: Path | None) -> Path | None:
    """Refuse a folder of --tensorboard, or an installation without it."""
    if folder is not None:
        from lstm_strategy.tracking import check_tensorboard as check_installed

        check_installed()
        return check_folder(folder, option="--tensorboard")
    return None


def check_experiment(experiment: str | None) -> str | None:
    """Refuse an experiment of --mlflow whose store can't be used."""
    if experiment is not None:
        from lstm_strategy.tracking import open_experiment

        if not experiment.strip():
            raise SettingsError("--mlflow needs the name of an experiment, got an empty one.")
        open_experiment(experiment)  # a store that can't be used is refused before the work
    return experiment
