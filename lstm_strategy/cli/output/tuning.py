"""What `tune` prints."""

from lstm_strategy.cli.output.console import say
from lstm_strategy.cli.output.tables import ResultTable, print_table
from lstm_strategy.evaluation.tuning import TuningResult
from lstm_strategy.learning.forecaster import score_words

_TRIALS_SHOWN = 10


def print_tuning(result: TuningResult) -> None:
    """Print the best trials of a search, what the score depends on, and how much may be luck."""
    ranked = result.ranked.head(_TRIALS_SHOWN)
    objective = score_words(result.objective.name)
    table = ResultTable(
        ["trial", objective, "state", "folds", "seconds", "setting"], sentences=["setting"]
    )
    known = ["state", "value", "folds", "seconds", "error"]
    for number, row in ranked.iterrows():
        params = row.drop(known).dropna()
        words = row["error"] or ", ".join(
            _in_words(k, v) for k, v in params.items() if v is not False
        )
        score = "n/a" if row["value"] != row["value"] else f"{row['value']:.4f}"
        seconds = f"{row['seconds']:.1f}"
        style = "bold" if number == result.best_number else None
        table.add_row(
            str(number), score, row["state"], str(row["folds"]), seconds, words, style=style
        )
    print_table(table)
    if len(result.importance):
        shares = [f"{name} {share:.0%}" for name, share in result.importance.head(5).items()]
        say(f"What the score depends on most: {', '.join(shares)}.")
    say(str(result))


def _in_words(name: object, value: object) -> str:
    """A parameter of a trial: "lookback 40", or "with RSI_2" for a feature that was added."""
    if value is True:
        return str(name)
    return f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
