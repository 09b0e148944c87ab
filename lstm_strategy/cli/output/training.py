"""What the commands print about a training and about forecasts."""

import pandas as pd

from lstm_strategy.cli.output.console import build_table, out, say
from lstm_strategy.learning.forecaster import LSTMForecaster


def print_training(forecaster: LSTMForecaster) -> None:
    """Print how long the networks trained and how well they forecast the bars they held out."""
    scores, epochs = forecaster.validation_scores, forecaster.history.groupby("member").size()
    networks = f"{len(epochs)} network{'s' if len(epochs) > 1 else ''}"
    lengths = f"{', '.join(map(str, epochs))} epoch{'s' if max(epochs) > 1 else ''}"
    say(
        f"Trained {networks} for {lengths}. On the {scores['n_rows']:.0f} bars held out for "
        f"validation: log-loss {scores['log_loss']:.4f} (coin flip: 0.6931), AUC "
        f"{scores['auc']:.3f} (coin flip: 0.5)."
    )


def print_forecasts(forecasts: pd.DataFrame, training_end: pd.Timestamp | None) -> None:
    """Print a table of forecasts, and up to which date they are in-sample."""
    table = build_table(["bar", *forecasts.columns])
    for time, row in forecasts.iterrows():
        table.add_row(str(time).removesuffix(" 00:00:00"), *(f"{value:.4f}" for value in row))
    out.print(table)
    if training_end is not None and forecasts.index[0] <= training_end:
        say(f"IN-SAMPLE up to {training_end:%Y-%m-%d}: the model was trained on these bars.")
