"""Parts of messages that every room words the same way.

Near names, what pydantic refused, and arguments as the user gives them: in Python or as options.
"""

import calendar
import difflib
import json
import math
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError


def suggest_names(name: object, known: Iterable[str]) -> str:
    """A sentence with the known names nearest to a mistyped one, or with all of them.

    Args:
        name: What was given.
        known: The names that may be given.

    Example:
        >>> suggest_names("lenght", ["length", "width"])
        'Did you mean length?'
        >>> suggest_names("Macd", ["MACD", "SMA cross"])
        'Did you mean MACD?'
        >>> suggest_names("colour", ["length", "width"])
        'Known: length, width.'
        >>> suggest_names("colour", [])
        'There are none.'
        >>> suggest_names(None, ["noise"])
        'Known: noise.'
    """
    names = list(dict.fromkeys(known))
    nearest = _nearest_names(name, names)
    if nearest:
        return f"Did you mean {', '.join(nearest)}?"
    return f"Known: {', '.join(names)}." if names else "There are none."


def refuse_choice(name: str, value: object, choices: Iterable[object]) -> str:
    """Sentences for a value that isn't one of a few, with those that are nearly written so.

    Args:
        name: What is chosen, such as an argument or an option.
        value: What was given.
        choices: What it takes.

    Example:
        >>> refuse_choice("--preset", "trends", ["default", "trend"])
        "--preset must be one of default, trend, got 'trends'. Did you mean trend?"
        >>> refuse_choice("engine", 3, ["onnx", "keras"])
        'engine must be one of onnx, keras, got 3.'
    """
    names = [str(choice) for choice in choices]
    nearest = _nearest_names(value, names)
    hint = f" Did you mean {', '.join(nearest)}?" if nearest else ""
    return f"{name} must be one of {', '.join(names)}, got {value!r}.{hint}"


def _nearest_names(name: object, names: Sequence[str]) -> list[str]:
    written = "" if name is None else str(name)
    by_lower = {each.lower(): each for each in names}
    return difflib.get_close_matches(written, names, n=3, cutoff=0.6) or [
        by_lower[each]
        for each in difflib.get_close_matches(written.lower(), by_lower, n=3, cutoff=0.6)
    ]


_YEAR_FIRST = re.compile(r"\s*(\d{4})([-/.]?)(\d\d)(?:\2(\d\d))?(?=[T ]|\s*$)")
_NUMBER = re.compile(r"\d[\d.,:-]*\d|\d")  # and dates
_SHELL = r"""[\s'"()&|;<>$`*?#!\\~]"""

_options: ContextVar[Mapping[str, str]] = ContextVar("options", default={})  # noqa: B039


def in_sample_label(name: str) -> str:
    """Return what a strategy is called whose model was trained on the bars of its result.

    Example:
        >>> in_sample_label("LSTM")
        'LSTM (IN-SAMPLE)'
    """
    return f"{name} (IN-SAMPLE)"


@contextmanager
def name_options(options: Mapping[str, str]) -> Iterator[None]:
    """Let messages name options of the command line in place of arguments in Python.

    Args:
        options: The option of each argument, such as `{"train": "--train-window"}`.

    Example:
        >>> with name_options({"symbol": "--symbol"}):
        ...     spell("symbol", "AAPL")
        '--symbol AAPL'
    """
    token = _options.set(options)
    try:
        yield
    finally:
        _options.reset(token)


def spell(argument: str, value: object = None) -> str:
    """An argument as its user gives it: in Python, or as an option within `name_options`.

    Args:
        argument: The name of the argument in Python.
        value: True for a switch, a dictionary for names joined by commas; None for the name alone.

    Example:
        >>> spell("symbol", "AAPL"), spell("repair", True), spell("columns", {"open": "first"})
        ('symbol="AAPL"', 'repair=True', 'columns={"open": "first"}')
        >>> with name_options({"columns": "--columns", "repair": "--repair"}):
        ...     spell("repair", True), spell("columns", {"open": "first"})
        ('--repair', '--columns open=first')
        >>> with name_options({"columns": "--columns"}):
        ...     spell("columns", {"open": "Open Bid"})
        "--columns 'open=Open Bid'"
    """
    option = _options.get().get(argument)
    if value is None:
        return option or argument
    if option is None:
        # as this code is written: with double quotes
        return f"{argument}={json.dumps(value, ensure_ascii=False) if value is not True else True}"
    if value is True:
        return option
    if isinstance(value, Mapping):
        value = ",".join(f"{name}={part}" for name, part in value.items())
    text = str(value)
    # a shell would cut or read these: columns such as Open Bid and Close (USD)
    return f"{option} {shlex.quote(text) if re.search(_SHELL, text) else text}"


def count_of(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun, which is in the plural unless the number is 1.

    Args:
        number: How many there are.
        noun: What they are.
        plural: Of the noun; with an s by default.

    Example:
        >>> count_of(1, "fold"), count_of(2_000, "fold"), count_of(2, "strategy", "strategies")
        ('1 fold', '2,000 folds', '2 strategies')
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def refuse_day(text: object) -> str:
    """Say that there is no such day or month.

    Args:
        text: What was given as a date.

    Returns:
        A sentence; "" where the day exists, or what was given doesn't begin with a year.

    Example:
        >>> refuse_day("2023-02-30"), refuse_day("2023-13")
        ('There is no such day: February 2023 has 28.', 'There is no month 13.')
        >>> refuse_day("20230431 09:30"), refuse_day("2023-02-28"), refuse_day("soon")
        ('There is no such day: April 2023 has 30.', '', '')
    """
    found = _YEAR_FIRST.match(text) if isinstance(text, str) else None
    if found is None or int(found[1]) == 0:
        return ""
    year, month = int(found[1]), int(found[3])
    if not 1 <= month <= 12:
        return f"There is no month {found[3]}."
    n_days = calendar.monthrange(year, month)[1]
    if found[4] is None or 1 <= int(found[4]) <= n_days:
        return ""
    return f"There is no such day: {calendar.month_name[month]} {year} has {n_days}."


def list_shortly(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are.

    Args:
        names: The names.

    Example:
        >>> list_shortly(["CORN", "GOLD", "SP500"])
        'CORN, GOLD, SP500'
        >>> list_shortly(["CORN", "GOLD", "SP500", "US10"])
        'CORN, GOLD and 2 more'
    """
    if len(names) <= 3:
        return ", ".join(names)
    return f"{names[0]}, {names[1]} and {len(names) - 2} more"


def gather_notes(notes: Iterable[tuple[str, str]]) -> list[str]:
    """Notes on markets with the markets in front; what is said of several is said once.

    Notes on more than three markets that differ in their numbers alone are one as well, with the
    numbers of the first market.

    Args:
        notes: Markets and a note on each; a market without a name is "".

    Example:
        >>> gather_notes([("CORN", "no volume"), ("GOLD", "no volume"), ("CORN", "2 rolls")])
        ['CORN, GOLD: no volume', 'CORN: 2 rolls']
        >>> gather_notes((name, f"{len(name)} rolls") for name in ("CORN", "SP500", "US10", "DAX"))
        ['CORN, SP500 and 2 more (numbers of CORN): 4 rolls']
    """
    alike: dict[str, list[tuple[str, str]]] = {}
    for market, note in notes:
        alike.setdefault(_NUMBER.sub("0", note), []).append((market, note))
    gathered = []
    for pairs in alike.values():
        of_note: dict[str, list[str]] = {}
        for market, note in pairs:
            of_note.setdefault(note, []).append(market)
        markets = list(dict.fromkeys(market for market, _ in pairs))
        if len(of_note) > 1 and len(markets) > 3:
            gathered.append(f"{list_shortly(markets)} (numbers of {markets[0]}): {pairs[0][1]}")
        else:
            gathered += [f"{list_shortly(of)}: {n}" if of[0] else n for n, of in of_note.items()]
    return gathered


def number_text(value: float, form: str = "{:.2f}") -> str:
    """A number for a reader: "n/a" where there is none, and zero without a sign.

    Args:
        value: The number.
        form: How it is printed.

    Example:
        >>> number_text(-0.123, "{:.1%}"), number_text(-0.0001, "{:.1%}"), number_text(float("nan"))
        ('-12.3%', '0.0%', 'n/a')
    """
    if value != value:
        return "n/a"
    text = form.format(value)
    return text if re.search("[1-9a-z]", text) else text.lstrip("+-")


def digits_text(value: float) -> str:
    """Return a quantity or a price in six digits, never as a power of ten; "n/a" for none.

    Example:
        >>> [digits_text(each) for each in (0.0000331234567, 2_500_000.4, 1.5, 0.0)]
        ['0.0000331235', '2,500,000', '1.5', '0']
    """
    if not math.isfinite(value) or value == 0:
        return number_text(value, "{:.0f}")
    decimals = max(5 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def rate_text(rate: float) -> str:
    """A small fraction as a percentage with the decimals that it needs, two at least.

    Example:
        >>> rate_text(0.0005), rate_text(0.000125), rate_text(0.001), rate_text(1.2e-6)
        ('0.05%', '0.0125%', '0.10%', '0.00012%')
    """
    if rate != rate:
        return "n/a"
    if math.isclose(round(rate, 4), rate, rel_tol=1e-9, abs_tol=1e-12):
        return f"{rate:.2%}"
    return f"{Decimal(f'{100 * rate:.6g}'):f}%"


def format_time(time: object) -> str:
    """A bar's time for a reader: without the time of day where that is midnight, "" for None.

    Example:
        >>> import pandas as pd
        >>> format_time(pd.Timestamp("2020-01-02")), format_time(pd.Timestamp("2020-01-02 09:30"))
        ('2020-01-02', '2020-01-02 09:30:00')
    """
    return "" if time is None else str(time).removesuffix(" 00:00:00")


@dataclass(frozen=True)
class Offence:
    """One value that a pydantic model refused; as text it is a sentence without its full stop.

    Attributes:
        name: The name of the value, `units.0` for one inside another; "" for the whole input.
        rule: What holds for the value, worded to follow the name: "must be greater than 0".
        value: What was given; None if nothing was.
        is_missing: Whether a value that must be given wasn't.
        is_unknown: Whether the model has no value of this name.
    """

    name: str
    rule: str
    value: Any
    is_missing: bool = False
    is_unknown: bool = False

    @property
    def field(self) -> str:
        """The name of the model's field, which the value is or lies in."""
        return self.name.partition(".")[0]

    def __str__(self) -> str:
        # the option stands for the list of its values
        name = self.name if spell(self.field) == self.field else spell(self.field)
        sentence = f"{name or 'the content'} {self.rule}"
        return f"{sentence}, got {self.value!r}" if self.name and not self.is_missing else sentence


def describe_first_offence(error: "ValidationError") -> Offence:
    """What a pydantic model refused first, ready for a message of ours.

    Args:
        error: What pydantic raised.

    Returns:
        The name, the rule and the value. `str()` of it joins them to a sentence.

    Example:
        >>> from pydantic import BaseModel, Field, ValidationError
        >>> class Settings(BaseModel, extra="forbid"):
        ...     rate: float = Field(gt=0)
        >>> def offence(**values):
        ...     try:
        ...         Settings(**values)
        ...     except ValidationError as error:
        ...         return describe_first_offence(error)
        >>> str(offence(rate=-1))
        'rate must be greater than 0, got -1'
        >>> str(offence())
        'rate is missing'
        >>> offence(rate=1, speed=2).is_unknown
        True
    """
    first = error.errors()[0]
    kind = first["type"]
    is_missing = kind == "missing"
    return Offence(
        name=".".join(map(str, first["loc"])),
        rule=_follow_name(kind, first["msg"]),
        value=None if is_missing else first["input"],
        is_missing=is_missing,
        is_unknown=kind == "extra_forbidden",
    )


_PLAIN_RULES = {
    "tuple_type": "must be a tuple of numbers",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be True or False",
    "float_parsing": "must be a number",
}


def _follow_name(kind: str, message: str) -> str:
    """Pydantic's message as the rest of a sentence that begins with a name."""
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "isn't known"
    if kind == "json_invalid":
        return message.replace("Invalid JSON", "isn't valid JSON", 1)
    if kind in _PLAIN_RULES:
        return _PLAIN_RULES[kind]
    if kind in ("value_error", "assertion_error"):
        return message.partition(", ")[2]
    message = message.replace("greater than or equal to", "at least")
    message = message.replace("less than or equal to", "at most")
    message = re.sub(r"( after validation|, unable to parse.*)", "", message)
    return re.sub(r"^\w+ should ", "must ", message)
