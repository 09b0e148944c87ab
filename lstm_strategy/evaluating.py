"""What `compare` and `demo` do: train, compare with all baselines, and write the report."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_strategy.errors import SettingsError
from lstm_strategy.inputs import bars_span, sliced_bars
from lstm_strategy.printing import print_training, say, status

if TYPE_CHECKING:
    import pandas as pd

    from lstm_strategy.evaluation.board import Board
    from lstm_strategy.learning.forecaster import LSTMForecaster
    from lstm_strategy.learning.refits import WalkForwardForecaster


_MOST_JOBS = 4  # processes that train folds; each loads Keras by itself


def trained_before(
    start: str,
    end: str | None,
    frame: "pd.DataFrame",
    forecaster: "LSTMForecaster",
    source: str,
    out_dir: Path | None,
) -> None:
    """Train on the bars before the first that is traded, and keep the model."""
    before = frame[frame.index < sliced_bars(frame, start, end).index[0]]
    if before.empty:
        raise SettingsError(
            f"--start {start} leaves no bar to train on; there are {bars_span(frame)}. "
            "Choose a later start, or give a trained --model."
        )
    say(f"{source}: training on {bars_span(before)}.")
    forecaster.fit(before)
    print_training(forecaster)
    if out_dir is not None:
        forecaster.save(out_dir / "model")


def walked_forward(
    frame: "pd.DataFrame",
    forecaster: "LSTMForecaster",
    train_window: str,
    test_window: str,
    out_dir: Path | None,
) -> dict[str, "WalkForwardForecaster"]:
    """The LSTM and learners without a memory, all trained on the same folds."""
    from lstm_strategy import WalkForward, walk_forward
    from lstm_strategy.learning.tabular import learning_baselines

    splits = WalkForward(train_window, test_window, horizon=forecaster.settings.horizon)
    n_folds = len(splits.folds(frame))
    say(
        f"Walking forward: {n_folds} folds, each trained on the {train_window} before it and "
        f"tested on {test_window}."
    )
    walked = walk_forward(
        frame,
        forecaster,
        splits,
        folder=None if out_dir is None else out_dir / "model",
        n_jobs=min(n_folds, os.cpu_count() or 1, _MOST_JOBS),
    )
    settings = forecaster.settings
    rivals = learning_baselines(settings.seed, forecaster.features, settings.horizon)
    with status("Training learners without a memory on the same folds"):
        return {
            "LSTM": walked,
            **{
                name: walk_forward(frame, rival, splits, progress=False)
                for name, rival in rivals.items()
            },
        }


def compared(
    frame: "pd.DataFrame",
    models: dict[str, Any],
    params: dict[str, Any] | None = None,
    rules: dict[str, bool] | None = None,
    **terms: Any,
) -> "Board":
    """The models and all baselines on the same terms."""
    from lstm_strategy import LSTMStrategy
    from lstm_strategy import compare as compare_strategies
    from strategies import BASELINES

    rules = rules or {}
    learners = {
        name: (LSTMStrategy, {**(params or {}), **rules, "model": model})
        for name, model in models.items()
    }
    baselines = {name: (baseline, rules) for name, baseline in BASELINES.items()}
    with status("Backtesting the LSTM and the baselines"):
        return compare_strategies({**learners, **baselines}, frame, **terms)


def write_board(
    board: "Board",
    frame: "pd.DataFrame",
    model: Any,
    out_dir: Path,
    *,
    end: str | None,
    also: list[str],
) -> None:
    """Write the tables, the pictures and the report, and say so."""
    from lstm_strategy import LSTMStrategy
    from lstm_strategy.evaluation.report import write_report
    from lstm_strategy.evaluation.robustness import robustness

    with status("Writing the report: costs, delays and seeds"):
        board.save(out_dir)
        tested = robustness(
            LSTMStrategy,
            frame,
            model=model,
            start=board.results["LSTM"].first_tradable,
            end=end,
            broker=board.broker,
        )
        write_report(out_dir / "report.html", board, bars=frame, model=model, robustness=tested)
    files = ["metrics.csv", "equity.csv", "equity.png", "report.html", *also]
    say(f"Wrote {', '.join(files[:-1])} and {files[-1]} to {out_dir}/.")
