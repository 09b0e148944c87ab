"""What `compare` and `demo` do: train, compare with all baselines, judge and report."""

from pathlib import Path
from typing import cast

import pandas as pd

from lstm_strategy.bars import Panel
from lstm_strategy.cli.comparison.files import (
    CHART_FILE,
    REPORT_FILE,
    RESULT_FILES,
    TEARSHEET_FILE,
    draw_chart,
    finish_tearsheet,
    start_tearsheet,
)
from lstm_strategy.cli.comparison.models import (
    check_learners,
    train_along_time,
    train_contenders,
    train_learners,
    train_on_others,
    train_once,
)
from lstm_strategy.cli.comparison.setup import ComparisonSetup
from lstm_strategy.cli.comparison.trials import PERMUTATIONS_FILE, claim_trial, show_trial
from lstm_strategy.cli.inputs import check_apart, describe_markets
from lstm_strategy.cli.output import (
    print_assessment,
    print_comparison,
    print_training,
    say,
    status,
    tell,
)
from lstm_strategy.evaluation.backtests import BacktestResult, run_backtest
from lstm_strategy.evaluation.comparison import Comparison, prepare_comparison, run_comparison
from lstm_strategy.evaluation.verdict import Assessment, PermutationTest, Trial, permutation_test
from lstm_strategy.learning.forecaster import Forecaster
from lstm_strategy.learning.serving import describe_strange_bars, novelty_of_bars, strange_shares
from lstm_strategy.learning.walk_forward import labels_of
from lstm_strategy.support import count_of, steps_progress
from lstm_strategy.trading.baselines import choose_baselines
from lstm_strategy.trading.execution import silence_orders
from lstm_strategy.trading.lstm import LSTMStrategy


def run_comparison_command(setup: ComparisonSetup) -> None:
    """Train, compare and judge; print the outcome and write it to the folder of the setup.

    Args:
        setup: What decides the comparison.

    Raises:
        LSTMStrategyError: If the setup can't be run. Nothing is overwritten then, and what is
            finished of a walk forward or a permutation test stays in the folder.

    Example:
        >>> from lstm_strategy import BrokerSettings, LSTMForecaster, sample_bars
        >>> setup = ComparisonSetup(
        ...     "S&P 500", sample_bars("sp500"), LSTMForecaster(), BrokerSettings()
        ... )
        >>> run_comparison_command(setup)  # doctest: +SKIP
    """
    if not setup.is_trained and not isinstance(setup.bars, Panel):
        check_learners(setup)
    trial = claim_trial(setup)
    models = _train_models(setup, trial)
    with status("Backtesting the LSTM and the baselines"):
        comparison = _compare_models(setup, models)
    n_trials, trial = show_trial(setup, trial)
    print_comparison(comparison)
    _say_strange_bars(setup, comparison)
    permutations = _test_permutations(setup, comparison, trial) if setup.n_permutations else None
    files = []
    if setup.out_dir is None or trial is None:
        assessment = comparison.assess(setup.name, permutation_test=permutations, n_trials=n_trials)
        print_assessment(comparison, assessment)
    else:
        assessment = _write_all(setup, setup.out_dir, comparison, permutations, n_trials, trial)
        files.append(setup.out_dir / trial.result_file(REPORT_FILE))
    if setup.experiment is not None:
        _log_comparison(setup, setup.experiment, comparison, assessment, files)


def _train_models(setup: ComparisonSetup, trial: Trial | None) -> dict[str, Forecaster]:
    """The LSTMs and, where they are trained here, learners without a memory beside them."""
    if setup.is_trained:
        return {setup.name: setup.model}
    folder = None if setup.out_dir is None or trial is None else setup.out_dir / trial.model
    check_apart(setup.tensorboard, folder)
    lstm: Forecaster
    if setup.windows is None:
        before = setup.training_bars(setup.bars)
        tell(f"{setup.source}: training on {describe_markets(before)}.")
        lstm = train_once(setup, folder)
        print_training(lstm)
    else:
        n_folds = len(setup.splits.folds(setup.known_bars))
        folds = f"{count_of(n_folds, 'fold')},{' each' if n_folds > 1 else ''}"
        tell(
            f"{setup.source}: walking forward over {describe_markets(setup.known_bars)}: {folds} "
            f"trained on the {setup.windows.train} before it and tested on {setup.windows.test}."
        )
        lstm = train_along_time(setup, setup.bars, folder=folder)
    lstms = {setup.name: lstm, **train_contenders(setup, folder)}
    if isinstance(setup.bars, Panel):
        return lstms
    with status("Training learners without a memory on the same bars"):
        return {**lstms, **train_learners(setup)}


def _compare_models(setup: ComparisonSetup, models: dict[str, Forecaster]) -> Comparison:
    """The models and all baselines on the same terms."""
    learners = {
        name: (LSTMStrategy, {**setup.strategy_params, "model": model})
        for name, model in models.items()
    }
    rules = choose_baselines(setup.bars)
    baselines = {name: (baseline, setup.rules) for name, baseline in rules.items()}
    start = None if setup.start is None and setup.is_trained else setup.first_traded
    others = {
        name: (own, {**setup.rules, **params}) for name, (own, params) in setup.others.items()
    }
    entries = {**learners, **others, **baselines}
    prepared = prepare_comparison(
        entries, setup.bars, start=start, end=setup.end, broker=setup.broker
    )
    return run_comparison(prepared)


def _say_strange_bars(setup: ComparisonSetup, comparison: Comparison) -> None:
    """Say it where many of the bars traded are strange to the LSTM that is judged."""
    first, last = comparison.find(setup.name).equity.index[[0, -1]]
    model = comparison.prepared.models[setup.name]
    novelty = novelty_of_bars(model, setup.bars, start=first, end=last)
    sentence = describe_strange_bars(strange_shares(novelty)["all"])
    if sentence:
        say(sentence)


def _test_permutations(
    setup: ComparisonSetup, comparison: Comparison, trial: Trial | None
) -> PermutationTest:
    """Compare the LSTM's Sharpe ratio with those of the same pipeline on permuted bars."""
    own = comparison.find(setup.name)

    def train_and_trade(bars: pd.DataFrame) -> float:
        with silence_orders():
            result = run_backtest(
                LSTMStrategy,
                bars,
                start=own.first_tradable,
                end=setup.end,
                broker=setup.broker,
                model=train_on_others(setup, bars),
                **setup.strategy_params,
            )
        return _sharpe_or_zero(result)

    file = None
    if setup.out_dir is not None and trial is not None:
        file = setup.out_dir / trial.own_file(PERMUTATIONS_FILE)
    with steps_progress(None, "permutation test") as on_step:
        return permutation_test(
            train_and_trade,
            cast(pd.DataFrame, setup.known_bars),  # several markets have no such test
            n_permutations=setup.n_permutations,
            block_bars=setup.permutation_block_bars,
            progress=on_step,
            real=_sharpe_or_zero(own),
            file=file,
            run="" if trial is None else trial.run,
        )


def _sharpe_or_zero(result: BacktestResult) -> float:
    """The Sharpe ratio; 0 if the strategy stayed flat."""
    sharpe = float(result.metrics["sharpe"])
    return 0.0 if pd.isna(sharpe) else sharpe


def _write_all(
    setup: ComparisonSetup,
    out_dir: Path,
    comparison: Comparison,
    permutations: PermutationTest | None,
    n_trials: int,
    trial: Trial,
) -> Assessment:
    """Write tables, pictures and the report, and print the outcome; returns the assessment."""
    *files, report = map(trial.result_file, RESULT_FILES)
    with start_tearsheet(out_dir / trial.result_file(TEARSHEET_FILE), comparison) as tearsheet:
        with status("Trying costs, delays and members"):
            comparison.save(out_dir, suffix=trial.suffix)
            robustness = comparison.try_robustness(setup.name)
        assessment = comparison.assess(
            setup.name, robustness=robustness, permutation_test=permutations, n_trials=n_trials
        )
        print_assessment(comparison, assessment)
        if setup.draws_chart:
            with status("Drawing the chart"):
                draw_chart(setup, comparison, out_dir / trial.result_file(CHART_FILE))
            files.append(trial.result_file(CHART_FILE))
        with status("Writing the report"):
            sheet = finish_tearsheet(tearsheet)
            comparison.to_html(
                out_dir / report,
                assessment=assessment,
                tearsheet=sheet,
                market=setup.market,
                provenance={"Bars from": setup.source},
                command=setup.command,
            )
    files.append(report)
    if sheet is not None:
        files.append(sheet)
    if permutations is not None:
        files.append(trial.own_file(PERMUTATIONS_FILE))
    files.append("trials.json")
    if trial.model:
        files += [f"{name}/" for name in setup.model_folders(trial.model).values()]
    if trial.place > 1:
        tell(f"Earlier results in {out_dir}/ stay as they are; --force writes over the first ones.")
    tell(f"Wrote {', '.join(files[:-1])} and {files[-1]} to {out_dir}/.")
    return assessment


def _log_comparison(
    setup: ComparisonSetup,
    experiment: str,
    comparison: Comparison,
    assessment: Assessment,
    files: list[Path],
) -> None:
    """Log the comparison to MLflow, with the report if there is one."""
    from lstm_strategy.tracking import log_comparison

    description = setup.describe_training()
    params = {
        "source": setup.source,
        "start": setup.first_traded,
        "end": labels_of(setup.known_bars)[-1],
        "strategy": setup.strategy_params,
        **description.pop("settings", {}),
        **description,
    }
    run = log_comparison(
        comparison,
        experiment,
        verdict=assessment.verdict,
        params=params,
        files=files,
    )
    tell(f"Logged as run {run} of experiment {experiment}.")
