"""The record of trials in the folder of a comparison: how many settings were tried there."""

from lstm_strategy.cli.comparison.setup import ComparisonSetup
from lstm_strategy.evaluation.verdict import KeptPermutations, Trial, TrialRecord

PERMUTATIONS_FILE = "permutations.csv"


def claim_trial(setup: ComparisonSetup) -> Trial | None:
    """Enter the setup into the record of its folder, before the work, so that it can be resumed.

    Returns:
        The entry; None if the setup has no folder.

    Raises:
        SettingsError: If there is no bar to train on.
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
        last=setup.known_bars.index[-1],
        keeps_model=not setup.is_trained,
    )
    if setup.n_permutations:
        KeptPermutations.from_file(
            setup.out_dir / trial.own_file(PERMUTATIONS_FILE),
            setup.known_bars,
            block_bars=setup.permutation_block_bars,
            run=trial.run,
        )
    record.write(setup.out_dir)
    return trial


def count_trials(setup: ComparisonSetup, trial: Trial | None) -> int:
    """The settings tried, by the user or the record, whichever is more.

    The record notes that the results of this trial are looked at from now on.
    """
    if setup.out_dir is None or trial is None:
        return setup.n_trials
    record = TrialRecord.from_folder(setup.out_dir).with_looked_at(trial)
    record.write(setup.out_dir)
    return max(setup.n_trials, record.n_trials(trial))
