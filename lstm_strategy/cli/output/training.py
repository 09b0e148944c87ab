"""What the commands print about a training and about forecasts."""

from collections.abc import Mapping

import pandas as pd

from lstm_strategy.cli.output.console import say
from lstm_strategy.cli.output.tables import ResultTable, print_table
from lstm_strategy.learning.forecaster import LSTMForecaster, score_words
from lstm_strategy.learning.targets import Policy
from lstm_strategy.support import count_of, format_time

_MOST_MARKETS = 40


def print_training(forecaster: LSTMForecaster) -> None:
    """Print how long the networks trained and how well they forecast the bars they held out."""
    epochs = forecaster.history.groupby("member").size()
    networks = count_of(len(epochs), "network")
    lengths = _describe_lengths(list(epochs))
    held_up = f"{_describe_scores(forecaster)}{_describe_kept(forecaster)}"
    say(f"Trained {networks} for {lengths}. {held_up}")


def _describe_scores(forecaster: LSTMForecaster) -> str:
    """The scores on the rows held out, each beside what it is where nothing was learned."""
    scores, usual = dict(forecaster.validation_scores), forecaster.target.no_skill
    n_rows = scores.pop("n_rows", None)
    words = [
        f"{score_words(name)} {score:.4f}"
        + (f" (without skill: {usual[name]:.4g})" if name in usual else "")
        for name, score in scores.items()
    ]
    where = "the bars" if n_rows is None else f"the {n_rows:.0f} bars"
    return (
        f"On {where} held out for validation, where each half is scored with the network of the "
        f"epoch that was best on the other half: {', '.join(words)}."
    )


def _describe_kept(forecaster: LSTMForecaster) -> str:
    """What is left of the signal, a sentence for networks whose signal was shrunk."""
    (card,) = forecaster.cards
    kept = card.signal.confidence
    if kept == 1:
        return ""
    if kept == 0:
        stays = "it holds its prior" if isinstance(forecaster.target, Policy) else "it stays out"
        return f" There it did no better than luck, so nothing is left of its signal: {stays}."
    return f" By how it held up there, {kept:.0%} of its signal is kept."


def _describe_lengths(epochs: list[int]) -> str:
    *others, last = epochs
    if len(set(epochs)) == 1:
        return f"{count_of(last, 'epoch')}{' each' if others else ''}"
    return f"{', '.join(map(str, others))} and {last} epochs"


def print_forecasts(forecasts: pd.DataFrame, training_end: pd.Timestamp | None) -> None:
    """Print a table of forecasts, and up to which date they are in-sample."""
    table = ResultTable(["bar", *(str(name).replace("_", " ") for name in forecasts)])
    for time, row in forecasts.iterrows():
        table.add_row(format_time(time), *(f"{value:.4f}" for value in row))
    print_table(table)
    _say_in_sample(forecasts.index[0], training_end)


def print_panel_forecasts(
    forecasts: Mapping[str, pd.DataFrame], training_end: pd.Timestamp | None
) -> None:
    """Print a table of the last forecast of each market, and up to which date all are in-sample.

    Args:
        forecasts: The forecasts of each market, at least one of which isn't NaN.
        training_end: The last bar that the model has learned from; None if it isn't known.
    """
    columns = next(iter(forecasts.values())).columns
    table = ResultTable(["market", "bar", *(str(name).replace("_", " ") for name in columns)])
    for symbol, frame in list(forecasts.items())[:_MOST_MARKETS]:
        last = frame.iloc[-1]
        table.add_row(symbol, format_time(last.name), *(f"{value:.4f}" for value in last))
    print_table(table)
    if len(forecasts) > _MOST_MARKETS:
        say(f"And {count_of(len(forecasts) - _MOST_MARKETS, 'market')} more.")
    _say_in_sample(min(frame.index[0] for frame in forecasts.values()), training_end)


def _say_in_sample(first: pd.Timestamp, training_end: pd.Timestamp | None) -> None:
    if training_end is not None and first <= training_end:
        say(f"IN-SAMPLE up to {training_end:%Y-%m-%d}: the model was trained on these bars.")
