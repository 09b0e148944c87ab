"""The record of trials in the folder of a comparison: how many settings were tried there."""

from pathlib import Path

import pandas as pd

from lstm_strategy.cli.comparison.files import ALL_FILES
from lstm_strategy.cli.comparison.setup import ComparisonSetup
from lstm_strategy.cli.out_folder import check_names
from lstm_strategy.evaluation.verdict import KeptPermutations, Trial, TrialRecord
from lstm_strategy.learning.forecaster import CARD_FILE
from lstm_strategy.learning.walk_forward import labels_of

PERMUTATIONS_FILE = "permutations.csv"


def claim_trial(setup: ComparisonSetup) -> Trial | None:
    """Enter the setup into the record of its folder, before the work, so that it can be resumed.

    Returns:
        The entry; None if the setup has no folder.

    Raises:
        SettingsError: If there is no bar to train on, or a result can't have its name.
        TradingError: If the record is damaged, or the folder holds permutations of another run.
    """
    if setup.out_dir is None:
        return None
    if setup.windows is None and not setup.is_trained:
        setup.training_bars(setup.bars)  # refused before anything is written
    record, trial = TrialRecord.from_folder(setup.out_dir).with_trial(
        training=setup.describe_training(),
        trading={
            "start": setup.start,
            "strategy": setup.strategy_params,
            "broker": setup.broker.model_dump(),
        },
        bars=setup.known_bars,
        first=setup.first_traded,
        last=labels_of(setup.known_bars)[-1],
        keeps_model=not setup.is_trained,
        models=_list_models(setup.out_dir),
    )
    if setup.n_permutations and isinstance(setup.known_bars, pd.DataFrame):
        KeptPermutations.from_file(
            setup.out_dir / trial.own_file(PERMUTATIONS_FILE),
            setup.known_bars,
            block_bars=setup.permutation_block_bars,
            run=trial.run,
        )
    placed = trial.model_copy(update={"place": _choose_place(record, trial, setup)})
    check_names(setup.out_dir, map(placed.result_file, ALL_FILES))
    record.write(setup.out_dir)
    return trial


def show_trial(setup: ComparisonSetup, trial: Trial | None) -> tuple[int, Trial | None]:
    """Note in the record that the results of a trial are looked at from now on.

    Returns:
        The settings tried, by the user or the record, whichever is more, and the trial with the
        place of its results: its own, so that results of other settings stay as they are, unless
        the setup asks to write over them.
    """
    if setup.out_dir is None or trial is None:
        return setup.n_trials, trial
    record = TrialRecord.from_folder(setup.out_dir)
    place = _choose_place(record, trial, setup)
    record = record.with_looked_at(trial, place=place)
    record.write(setup.out_dir)
    shown = trial.model_copy(update={"place": place})
    return max(setup.n_trials, record.n_trials(trial)), shown


def _choose_place(record: TrialRecord, trial: Trial, setup: ComparisonSetup) -> int:
    if setup.out_dir is None or setup.is_forced:
        return 1
    return record.choose_place(trial, setup.out_dir, ALL_FILES)


def _list_models(folder: Path) -> list[str]:
    """The models in a folder, whoever trained them."""
    if not folder.is_dir():
        return []
    return [entry.name for entry in folder.iterdir() if (entry / CARD_FILE).is_file()]
