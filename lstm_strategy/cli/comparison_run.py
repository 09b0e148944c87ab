"""What `compare` and `demo` do: train, compare with all baselines, judge, write the report."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_strategy.cli.comparison_setup import (
    Study,
    bars_before,
    study_models,
    trained_lstm,
    training_settings,
)
from lstm_strategy.cli.output import print_comparison, print_judgement, say, status
from lstm_strategy.errors import LSTMStrategyError

if TYPE_CHECKING:
    import pandas as pd

    from lstm_strategy.evaluation.backtests import BacktestResult
    from lstm_strategy.evaluation.comparison import Board
    from lstm_strategy.evaluation.robustness import Robustness
    from lstm_strategy.evaluation.verdict import PermutationTest, Trial, Verdict
    from lstm_strategy.learning.serving import PrecomputedForecasts

_CHART_FILE, _TEARSHEET_FILE, _NULL_TEST_FILE = (
    "chart.png",
    "tearsheet.html",
    "permutation_test.csv",
)


@dataclass(frozen=True)
class _Outcome:
    """What came of a study: the results, the LSTM behind them, and how many were tried.

    forecasts:  those of the model for the bars of the study, made once for all that needs them
    trial:      this study in the record of its folder; None without a folder
    """

    board: "Board"
    model: Any
    forecasts: "PrecomputedForecasts"
    n_trials: int
    trial: "Trial | None"
    permutation_test: "PermutationTest | None"


def evaluate(study: Study) -> None:
    """Train, compare, judge; print what was found and write it to the folder of the study."""
    from lstm_strategy.learning.serving import precompute_forecasts

    trial = _claimed_trial(study)
    _refuse_other_permutations(study, trial)
    folder = None if study.out_dir is None or trial is None else study.out_dir / trial.model
    models = study_models(study, folder)
    with status("Backtesting the LSTM and the baselines"):
        forecasts = {
            name: precompute_forecasts(model, study.bars) for name, model in models.items()
        }
        board = _compared(study, forecasts)
    n_trials = _n_trials(study, trial)
    print_comparison(board)
    tested = _null_tested(study, board, trial) if study.n_permutations else None
    outcome = _Outcome(board, models["LSTM"], forecasts["LSTM"], n_trials, trial, tested)
    if study.out_dir is None:
        judged = _judge(study, outcome)["verdict"]
    else:
        judged = _write(study, outcome, study.out_dir)
    if study.experiment is not None:
        _log(study, board, judged, study.experiment)


def _log(study: Study, board: "Board", judged: "Verdict", experiment: str) -> None:
    """Log the comparison to MLflow, with the report where one was written."""
    from lstm_strategy.tracking import log_comparison

    made = training_settings(study)
    params = {
        "source": study.source,
        "start": study.first_traded,
        "end": study.known_bars.index[-1],
        "strategy": study.strategy_params,
        **made.pop("settings"),
        **made,
    }
    files = [] if study.out_dir is None else [study.out_dir / "report.html"]
    run = log_comparison(board, experiment, verdict=judged, params=params, files=files)
    say(f"Logged as run {run} of experiment {experiment}.")


def _claimed_trial(study: Study) -> "Trial | None":
    """This study in the record of its folder, written before the work so that it can be resumed."""
    if study.out_dir is None:
        return None
    from lstm_strategy.evaluation.verdict import TrialRecord

    if study.windows is None and not study.is_trained:
        bars_before(study, study.bars)  # refused before anything is written
    record, trial = TrialRecord.of_folder(study.out_dir).with_trial(
        training=training_settings(study),
        trading={
            "start": study.start,
            "strategy": study.strategy_params,
            "broker": study.broker.model_dump(),
        },
        bars=study.known_bars,
        first=study.first_traded,
        last=study.known_bars.index[-1],
        keeps_model=not study.is_trained,
    )
    record.write(study.out_dir)
    return trial


def _n_trials(study: Study, trial: "Trial | None") -> int:
    """The larger of what the user says and what the folder knows; from here on it is seen."""
    if study.out_dir is None or trial is None:
        return study.n_trials
    from lstm_strategy.evaluation.verdict import TrialRecord

    record = TrialRecord.of_folder(study.out_dir).with_looked_at(trial)
    record.write(study.out_dir)
    return max(study.n_trials, record.n_trials(trial))


def _compared(study: Study, models: dict[str, Any]) -> "Board":
    """The models and all baselines on the same terms."""
    from lstm_strategy import BASELINES, LSTMStrategy, compare

    learners = {
        name: (LSTMStrategy, {**study.strategy_params, "model": model})
        for name, model in models.items()
    }
    baselines = {name: (baseline, study.rules) for name, baseline in BASELINES.items()}
    start = None if study.start is None and study.is_trained else study.first_traded
    return compare(
        {**learners, **baselines}, study.bars, start=start, end=study.end, broker=study.broker
    )


def _refuse_other_permutations(study: Study, trial: "Trial | None") -> None:
    """Refuse before the training a file of permutations that the null test would refuse."""
    if study.n_permutations and study.out_dir is not None and trial is not None:
        from lstm_strategy.evaluation.verdict import KeptPermutations

        file = study.out_dir / trial.named(_NULL_TEST_FILE)
        KeptPermutations.of_file(
            file, study.known_bars, block_bars=study.null_block_bars, run=trial.run
        )


def _null_tested(study: Study, board: "Board", trial: "Trial | None") -> "PermutationTest":
    """The Sharpe ratio of the LSTM beside those of the same pipeline on permuted bars."""
    from lstm_strategy.evaluation.verdict import permutation_test
    from lstm_strategy.support import steps_progress

    own = board.results["LSTM"]

    def pipeline(bars: "pd.DataFrame") -> float:
        return _sharpe_when_flat_is_zero(_traded(study, bars, start=own.first_tradable))

    kept = None
    if study.out_dir is not None and trial is not None:
        kept = study.out_dir / trial.named(_NULL_TEST_FILE)
    with steps_progress(None, "null test: permutations") as progress:
        return permutation_test(
            pipeline,
            study.known_bars,
            n_permutations=study.n_permutations,
            block_bars=study.null_block_bars,
            progress=progress,
            real=_sharpe_when_flat_is_zero(own),
            file=kept,
            run="" if trial is None else trial.run,
        )


def _traded(study: Study, bars: "pd.DataFrame", *, start: Any) -> "BacktestResult":
    """Train and trade on these bars as on the real ones, and say nothing of it."""
    from lstm_strategy import LSTMStrategy, run_backtest
    from lstm_strategy.trading.execution import silence_orders

    with silence_orders():
        return run_backtest(
            LSTMStrategy,
            bars,
            start=start,
            end=study.end,
            broker=study.broker,
            **study.strategy_params,
            model=trained_lstm(study, bars, quietly=True),
        )


def _sharpe_when_flat_is_zero(result: "BacktestResult") -> float:
    sharpe = float(result.metrics["sharpe"])
    return 0.0 if sharpe != sharpe else sharpe


def _judge(
    study: Study, outcome: _Outcome, robustness: "Robustness | None" = None
) -> dict[str, Any]:
    """Print the verdict and what qualifies it; returns what the report takes of them."""
    from lstm_strategy.evaluation.report import find_known_alarms
    from lstm_strategy.evaluation.verdict import verdict

    found = find_known_alarms(
        outcome.board,
        study.bars,
        model=outcome.forecasts,
        ledger=getattr(outcome.model, "ledger", None),
        robustness=robustness,
    )
    judged = verdict(outcome.board, "LSTM", n_trials=outcome.n_trials, alarms=found)
    print_judgement(outcome.board, judged, outcome.permutation_test)
    return {"verdict": judged, "alarms": found, "robustness": robustness}


def _write(study: Study, outcome: _Outcome, out_dir: Path) -> "Verdict":
    """Write the tables, the pictures and the report, and say so; returns the verdict in it."""
    from lstm_strategy.evaluation.report import write_report

    board, trial = outcome.board, outcome.trial
    files = ["metrics.csv", "equity.csv", "equity.png"]
    with _tearsheet_meanwhile(out_dir, board) as tearsheet:
        with status("Trying other costs, delays and seeds"):
            board.save(out_dir, ledger=getattr(outcome.model, "ledger", None))
            tested = _robustness(study, outcome)
        found = _judge(study, outcome, tested)
        if study.draws_chart:
            with status("Drawing the chart"):
                _draw_chart(study, outcome, out_dir)
            files.append(_CHART_FILE)
        with status("Writing the report"):
            sheet = _finished_tearsheet(tearsheet)
            write_report(
                out_dir / "report.html",
                board,
                bars=study.bars,
                model=outcome.model,
                permutation_test=outcome.permutation_test,
                tearsheet=sheet,
                n_trials=outcome.n_trials,
                **found,
            )
    files += ["report.html"] if sheet is None else ["report.html", sheet]
    if trial is not None:
        files += [trial.named(_NULL_TEST_FILE)] if outcome.permutation_test is not None else []
        files += ["trials.json"] + [f"{trial.model}/"] * bool(trial.model)
    say(f"Wrote {', '.join(files[:-1])} and {files[-1]} to {out_dir}/.")
    verdict: Verdict = found["verdict"]
    return verdict


def _robustness(study: Study, outcome: _Outcome) -> "Robustness":
    from lstm_strategy import LSTMStrategy
    from lstm_strategy.evaluation.robustness import robustness

    return robustness(
        LSTMStrategy,
        study.bars,
        model=outcome.model,
        forecasts=outcome.forecasts,
        start=outcome.board.results["LSTM"].first_tradable,
        end=study.end,
        broker=study.broker,
        **study.strategy_params,
    )


@contextmanager
def _tearsheet_meanwhile(out_dir: Path, board: "Board") -> Iterator["Future[Path]"]:
    """The tearsheet, made by a process of its own while this one goes on."""
    from lstm_strategy.evaluation.backtests import is_buy_and_hold
    from lstm_strategy.evaluation.report import write_tearsheet

    path = out_dir / _TEARSHEET_FILE
    path.unlink(missing_ok=True)  # one of earlier results would pass for one of these
    results = board.results
    benchmark = next((results[name] for name in results if is_buy_and_hold(name)), None)
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(write_tearsheet, path, results["LSTM"], benchmark=benchmark)


def _finished_tearsheet(tearsheet: "Future[Path]") -> str | None:
    """The name of its file; None, and one line that says why, where there is none."""
    try:
        return tearsheet.result().name
    except LSTMStrategyError as error:
        say(f"No {_TEARSHEET_FILE}: {error}")
        return None


def _draw_chart(study: Study, outcome: _Outcome, out_dir: Path) -> None:
    from lstm_strategy import LSTMStrategy, plot_chart
    from lstm_strategy.evaluation.backtests import write_picture

    chart = plot_chart(
        LSTMStrategy, study.bars, start=study.first_traded, end=study.end, model=outcome.forecasts,
        broker=study.broker, **study.strategy_params,
    )  # fmt: skip
    write_picture(out_dir / _CHART_FILE, chart)
