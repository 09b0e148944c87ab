"""Messages of the package in the words of whoever types commands: options, not Python."""

import re
from collections.abc import Callable

_KINDS = "Spot|Future|Perpetual"
_OPTIONS = {
    "adjusted": "--adjusted",
    "cash": "--cash",
    "columns": "--columns",
    "commission_rate": "--commission",
    "end": "--end",
    "engine": "--engine",
    "epochs": "--epochs",
    "execution": "--execution",
    "execution_bars": "--execution-bars",
    "horizon": "--horizon",
    "block_bars": "--permutation-block",
    "instrument": "--instrument",
    "latency_bars": "--latency-bars",
    "long_only": "--long-only",
    "lookback": "--lookback",
    "market_embedding": "--market-embedding",
    "members": "--members",
    "n_jobs": "--jobs",
    "n_permutations": "--permutations",
    "n_trials": "--trials",
    "on_bad": "--on-bad",
    "repair": "--repair",
    "seed": "--seed",
    "slippage_rate": "--slippage",
    "start": "--start",
    "symbol": "--symbol",
    "target": "--target",
    "units": "--units",
}
_TABLES = {
    "band": "broker",
    "batch_size": "forecaster",
    "dropout": "forecaster",
    "largest_novelty": "strategy",
    "learning_rate": "forecaster",
    "lot_size": "broker",
    "max_leverage": "strategy",
    "memory": "forecaster",
    "mirror": "forecaster",
    "patience": "forecaster",
    "reserve": "broker",
    "scaling": "forecaster",
    "validation": "forecaster",
    "weight_decay": "forecaster",
}
# what is no part of a path, of an option or of the settings of one
_BEGIN, _END = r"(?<![\w./:,'\"-])", r"(?![\w/('\"-]|\.\w)"
_VALUE = r"(\"[^\"]*\"|'[^']*'|\d[\w.]*(?<!\.)|\.\.\.|[A-Za-z]\w*)"

# "Future" begins sentences about other things, too
_NAMED = r"(?:(?<=[Ww]ith )|(?<=[Gg]ive )|(?<=[Tt]ake )|(?<=[;,] ))"

Rewrite = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]


def _spell_argument(match: re.Match[str]) -> str:
    name, value = match[1], match[2].strip("\"'")
    if name in _TABLES:
        written = value if re.fullmatch(r"[\d.]+", value) else f'"{value}"'
        return f"{name} = {written} in [{_TABLES[name]}] of --config"
    return _OPTIONS[name] if value in ("...", "True") else f"{_OPTIONS[name]} {value}"


def _spell_name(match: re.Match[str]) -> str:
    return _OPTIONS[match[1]]


def _spell_instrument(match: re.Match[str]) -> str:
    settings = re.sub(r"[\s\"']", "", match[2]).replace("None", "none")
    return f"--instrument {match[1].lower()}{':' if settings else ''}{settings}"


def _alternatives(names: dict[str, str]) -> str:
    return "|".join(sorted(names, key=len, reverse=True))


_UNMISTAKABLE = {name: option for name, option in _OPTIONS.items() if "_" in name}
_REWRITES: tuple[Rewrite, ...] = (
    # calls that a command makes itself
    (
        re.compile(r"Call walk_forward with folder=\.\.\. again(, or run the same command)?"),
        "Run the same command again",
    ),
    (re.compile(r"call walk_forward with folder=\.\.\. again"), "run the same command again"),
    (re.compile(r"call walk_forward without folder and with n_jobs=1"), "give --jobs 1"),
    (re.compile(r"\(n_jobs, or --jobs\)"), "(--jobs)"),
    (re.compile(r",? such as with lstm_strategy\.[\w.]+,?"), ""),
    (re.compile(r" or save one with forecaster\.save\(folder\)"), ""),
    (re.compile(r", or train it with fit\(panel\)"), ", or train one on all of them"),
    (re.compile(r"panel\[['\"]?([^'\"\]]+)['\"]?\]"), r"--symbol \1"),
    (re.compile(r"FeatureSet\.preset\(['\"]?(\w+)['\"]?\)"), r"--preset \1"),
    (re.compile(r"WalkForward\(\.\.\., (\w+=\w+)\)"), r"\1"),
    # neither a file in TOML nor a shell has a None
    (re.compile(r"(\bGive [^.]*(?:\.\d[^.]*)?), or None\."), r"\1, or leave it out."),
    # who refuses a setting
    (re.compile(r"\bLSTMForecaster has no argument"), "there is no setting"),
    (re.compile(r"\bBrokerSettings has no setting"), "there is no setting"),
    (
        re.compile(rf"\b({_KINDS}) has no setting"),
        lambda match: f"a {match[1].lower()} has no setting",
    ),
    # instruments
    (re.compile(rf"BrokerSettings\(instrument=((?:{_KINDS})\([^()]*\))\)"), r"\1"),
    (re.compile(r"BrokerSettings\(([^()]*)\)"), r"\1"),
    (
        re.compile(rf"instruments=\{{\"([^\"]+)\": ({_KINDS})\(\.\.\.\)\}}"),
        lambda match: f'--instrument "{match[1]}={match[2].lower()}:..."',
    ),
    (re.compile(rf"{_BEGIN}({_KINDS})\(([^()]*)\)(?: as the instrument)?"), _spell_instrument),
    (re.compile(rf"{_BEGIN}({_KINDS}) as the instrument"), lambda match: match[1]),
    (
        re.compile(rf"{_BEGIN}(a|an|the) ({_KINDS}){_END}", re.IGNORECASE),
        lambda match: f"{match[1]} {match[2].lower()}",
    ),
    (re.compile(rf"{_NAMED}({_KINDS}){_END}"), lambda match: f"--instrument {match[1].lower()}"),
    (re.compile(rf"{_BEGIN}BrokerSettings{_END}"), "the options of the broker"),
    # arguments with a value, and names that are no word of English
    (
        re.compile(rf"{_BEGIN}({_alternatives(_OPTIONS)}|{_alternatives(_TABLES)})={_VALUE}"),
        _spell_argument,
    ),
    (re.compile(rf"{_BEGIN}({_alternatives(_UNMISTAKABLE)}){_END}"), _spell_name),
)
_N_OF_ARGUMENTS = 2

# Words with which messages begin and that are no name of anything. Others keep their capital:
# Keras, Yahoo, a market called Gold.
_ORDINARY_WORDS = (
    "A|After|An|Another|Bars|Every|Features|Fold|Give|Gradients|Importance|In|Line|Looking|Luck|Moves"
    "|No|None|Nothing|Only|Over|Precomputed|Returns|Strategies|Strategy|The|There|This|Tracking"
    "|Training|Two|Unknown|What|With|Worker"
)
# "A is given twice" is about a market called A, and "A model" isn't
_ORDINARY_BEGIN = re.compile(rf"(?!A is\b)({_ORDINARY_WORDS})(?= \S)")


def in_options(text: str) -> str:
    """A message of the package as somebody types it: `Perpetual` is `--instrument perpetual`.

    Args:
        text: Sentences in the words of Python, of options, or of both.

    Returns:
        The sentences with options and tables of the configuration file in the place of arguments,
        classes and calls. Paths and what stands in quotes are left alone.

    Example:
        >>> in_options("Judged with n_trials=5. Train on more bars, or with memory='window'.")
        'Judged with --trials 5. Train on more bars, or with memory = "window" in [forecaster] of \
--config.'
        >>> in_options("Give Perpetual(funding=None) to leave funding out.")
        'Give --instrument perpetual:funding=none to leave funding out.'
    """
    # a file of settings has the names of the arguments
    is_about_file = text.startswith("--config ")
    for pattern, replacement in _REWRITES[: -_N_OF_ARGUMENTS if is_about_file else None]:
        text = pattern.sub(replacement, text)
    return text


def begin_lower(text: str) -> str:
    """A message as it stands behind a label such as `error:`, without the capital of a sentence.

    Args:
        text: The message. If it begins with a name, an acronym, an option or a path, it stays.

    Example:
        >>> begin_lower("The model needs 60 bars."), begin_lower("ONNX Runtime can't read it.")
        ('the model needs 60 bars.', "ONNX Runtime can't read it.")
    """
    begins = _ORDINARY_BEGIN.match(text)
    return f"{begins[1].lower()}{text[begins.end() :]}" if begins else text
