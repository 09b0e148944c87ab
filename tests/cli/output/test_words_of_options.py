"""Messages of the package in the words of options."""

import ast
import re
from pathlib import Path

import pytest

import lstm_strategy
from lstm_strategy.cli.output.wording import begin_lower, in_options

MESSAGES = {
    "a class with settings": (
        'Give Perpetual(leverage=3, funding=None), or Future(price="price").',
        "Give --instrument perpetual:leverage=3,funding=none, or --instrument future:price=price.",
    ),
    "a class alone": (
        "no funding is paid. With Perpetual as the instrument it is paid; Spot says that there is "
        "none.",
        "no funding is paid. With --instrument perpetual it is paid; --instrument spot says that "
        "there is none.",
    ),
    "a class with settings as the instrument": (
        'With Future(multiplier=..., price="price") as the instrument they do. That is one for all '
        'markets; instruments={"CORN": Future(...)} gives a market its own.',
        "With --instrument future:multiplier=...,price=price they do. That is one for all markets; "
        '--instrument "CORN=future:..." gives a market its own.',
    ),
    "a class in a sentence": (
        "a Spot is worth its price. Take a Future for a contract.",
        "a spot is worth its price. Take a future for a contract.",
    ),
    "terms": (
        "trade an instrument on margin, such as BrokerSettings(instrument=Perpetual(leverage=2)).",
        "trade an instrument on margin, such as --instrument perpetual:leverage=2.",
    ),
    "a number of trials": ("Say n_trials=12.", "Say --trials 12."),
    "a switch": ("or give long_only=True.", "or give --long-only."),
    "a setting of the file alone": (
        "with learning_rate=0.06. Lower the lot_size=1.",
        "with learning_rate = 0.06 in [forecaster] of --config. Lower the lot_size = 1 in [broker] "
        "of --config.",
    ),
    "a setting of the strategy": (
        "largest_novelty=1.0 needs a model that knows how strange a bar is to it.",
        "largest_novelty = 1.0 in [strategy] of --config needs a model that knows how strange a "
        "bar is to it.",
    ),
    "a call that a command makes": (
        "Call walk_forward with folder=... again, or run the same command; finished folds stay.",
        "Run the same command again; finished folds stay.",
    ),
    "one of several markets": (
        "Give it one, such as panel['SPY'], or train it with fit(panel).",
        "Give it one, such as --symbol SPY, or train one on all of them.",
    ),
    "a helper of Python": (
        "Add the rates, such as with lstm_strategy.bars.add_funding, or leave them out.",
        "Add the rates or leave them out.",
    ),
    "an unknown setting of an instrument": (
        "Perpetual has no setting 'fee'. Known: taker_rate.",
        "a perpetual has no setting 'fee'. Known: taker_rate.",
    ),
    "a value that may be left out": (
        "must be greater than 0, got -1. Give a fraction of equity such as 0.05, or None.",
        "must be greater than 0, got -1. Give a fraction of equity such as 0.05, or leave it out.",
    ),
    "an unknown setting": (
        "LSTMForecaster has no argument 'unit'. Known: units.",
        "there is no setting 'unit'. Known: units.",
    ),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_python_is_put_into_options(case):
    python, options = MESSAGES[case]
    assert in_options(python) == options


@pytest.mark.parametrize(
    "text",
    [
        "--config terms.toml, [broker]: commission_rate must be less than 1, got 2.",
        "error: Perpetual/bars.csv can't be read. Check the path.",
        "such as --instrument perpetual:leverage=3,funding=none.",
        "importing mine.py raises ValueError: 'horizon=3'.",
        "--strategy mine.py:Mine:horizon=3,lookback=5",
        "Future returns are unknown.",
        "LSTM, 2013-01-02 to 2018-12-31, 1,510 bars",
        "What the score depends on most: lookback 60%.",
    ],
)
def test_other_text_stays_as_it_is(text):
    assert in_options(text) == text


# what messages of the package begin with and is written with a capital anywhere
NAMES = {
    *("ClosedBars", "FeatureSet", "InstrumentBroker", "LSTMForecaster", "LSTMIndicator"),
    *("LiveSession", "RankStrategy", "TargetStrategy"),
    *("MLflow", "ONNX", "TOML", "TensorBoard", "Yahoo"),
}


def first_words_of_messages():
    """The capitalised words with which errors and warnings begin in the code of the package."""
    for file in Path(lstm_strategy.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = ast.unparse(node.func)
            if called.endswith(("Error", ".warning")):
                text = ast.unparse(node.args[0])
                word = re.match(r"""f?['"]([A-Z]\w*) """, text)
                if word:
                    yield word[1]


def test_every_message_begins_with_a_known_name_or_in_lower_case_behind_a_label():
    words = set(first_words_of_messages())
    assert {"The", "No", "Yahoo"} < words
    assert {word for word in words if begin_lower(f"{word} more") == f"{word} more"} == NAMES
    assert begin_lower("Keras can't be loaded.").startswith("Keras")  # made by a function


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("The model needs 60 bars.", "the model needs 60 bars."),
        ("A search trains its own models.", "a search trains its own models."),
        ("Fold 4: Every label is 1.", "fold 4: Every label is 1."),
        ("LSTM policy has no trade.", "LSTM policy has no trade."),
        ("ONNX Runtime can't read it.", "ONNX Runtime can't read it."),
        ("--end lies before --start.", "--end lies before --start."),
        ("Gold.csv can't be read.", "Gold.csv can't be read."),
        ("The.csv can't be read.", "The.csv can't be read."),
        ("A: the date is missing.", "A: the date is missing."),
        ("A is given twice.", "A is given twice."),
        ("The", "The"),
        ("", ""),
    ],
)
def test_behind_a_label_the_capital_of_a_sentence_goes_and_that_of_a_name_stays(message, shown):
    assert begin_lower(message) == shown
