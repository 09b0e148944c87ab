"""What the commands print of a training and of forecasts."""

import pandas as pd

from lstm_strategy.cli.output.console import build_table, out, say
from lstm_strategy.learning.forecaster import LSTMForecaster


def print_training(forecaster: LSTMForecaster) -> None:
    """How long the networks trained and what the held-out bars say."""
    scores, epochs = forecaster.validation_scores, forecaster.history.groupby("member").size()
    say(
        f"Trained {len(epochs)} network{'s' if len(epochs) > 1 else ''} for "
        f"{', '.join(map(str, epochs))} epochs. On the {scores['n_rows']:.0f} bars that they held "
        f"out (validation): log-loss {scores['log_loss']:.4f} (coin flip: 0.6931), "
        f"AUC {scores['auc']:.3f} (coin flip: 0.5)."
    )


def print_forecasts(forecasts: pd.DataFrame, training_end: pd.Timestamp | None) -> None:
    """A table of forecasts, and up to where they are in-sample."""
    table = build_table(["bar", *forecasts.columns])
    for time, row in forecasts.iterrows():
        table.add_row(str(time).removesuffix(" 00:00:00"), *(f"{value:.4f}" for value in row))
    out.print(table)
    if training_end is not None and forecasts.index[0] <= training_end:
        say(f"IN-SAMPLE up to {training_end:%Y-%m-%d}: the model was trained on these bars.")
