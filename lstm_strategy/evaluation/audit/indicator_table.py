"""Every indicator of the installed pandas-ta, tried: causal, looking ahead, or never forgetting."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from lstm_strategy.errors import FeatureError, LooksAheadError, NeverForgetsError
from lstm_strategy.learning.features import (
    CAUSAL_FORMS,
    Column,
    indicator_library,
    known_kinds,
    measure_columns,
    written,
)

INDICATORS_FILE = "indicators.md"
VERDICTS = ("causal", "looks ahead", "never converges", "not usable")
_NEEDS_A_NAME = "column"  # our own kind that passes a column of the user's through


@dataclass(frozen=True)
class ClassifiedIndicator:
    """One kind with its default arguments: the verdict, its columns, and what to know."""

    kind: str
    verdict: str
    columns: tuple[Column, ...] = ()
    note: str = ""

    @property
    def warm_up(self) -> int:
        """Bars before the first value."""
        return max((column.warm_up for column in self.columns), default=0)

    @property
    def memory(self) -> int:
        """Bars after which a later start agrees with an earlier one."""
        return max((column.memory for column in self.columns), default=0)


def classify_indicators(
    tell: Callable[[str], None] = lambda words: None,
) -> tuple[ClassifiedIndicator, ...]:
    """Every kind that a feature may have, with its default arguments, in alphabetical order."""
    tried = []
    for kind in known_kinds():
        if kind != _NEEDS_A_NAME:
            tell(kind)
            tried.append(classify_indicator(kind))
    return tuple(tried)


def classify_indicator(kind: str) -> ClassifiedIndicator:
    """What one kind is, measured on made-up bars.

    >>> classify_indicator("dpo").verdict
    'looks ahead'
    """
    try:
        columns = measure_columns({"kind": kind})
    except LooksAheadError as error:
        return ClassifiedIndicator(kind, "looks ahead", note=_ahead_note(kind, str(error)))
    except NeverForgetsError:
        return ClassifiedIndicator(
            kind, "never converges", note="depends on the first bar for ever; refused as a feature"
        )
    except FeatureError as error:
        return ClassifiedIndicator(kind, "not usable", note=_reason(kind, str(error)))
    totals = [column.name for column in columns if column.is_cumulative]
    if totals:
        note = f"{', '.join(totals)} as such; the change forgets and is the feature"
        return ClassifiedIndicator(kind, "never converges", columns, note)
    return ClassifiedIndicator(kind, "causal", columns)


def _ahead_note(kind: str, message: str) -> str:
    _, _, change = message.partition("its column ")
    change = change.partition(" when later bars arrive")[0]
    if kind not in CAUSAL_FORMS:
        return f"{change}; refused as a feature"
    spec = {"kind": kind, **CAUSAL_FORMS[kind]}
    return f"{change}; causal as `{written(spec)}` (memory {_memory_of(spec)} bars)"


def _memory_of(spec: dict) -> int:
    return max(column.memory for column in measure_columns(spec))


def _reason(kind: str, message: str) -> str:
    if "one value a bar" in message:
        return "needs another series or gives no column of its own by default"
    if "gives no value" in message:
        return "has bars without a value after its warm-up"
    return message.partition("}: ")[2].partition(". ")[0].rstrip(".")


def indicators_page(tried: tuple[ClassifiedIndicator, ...]) -> str:
    """The table as Markdown, with what it was measured with."""
    _, library, version = indicator_library()
    counts = Counter(indicator.verdict for indicator in tried)
    counted = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
    lines = [
        "# Indicators",
        "",
        f"Every indicator of {library} {version} and our own `relative_volume`, with default "
        f"arguments, run on made-up daily bars: {counted}. Written by `lstm-strategy audit "
        "--indicators --out docs`; a test checks that it is current.",
        "",
        "*Looks ahead*: a value at a past bar changes when later bars arrive. *Never converges*: a "
        "run that starts later never agrees with one that started earlier. *Warm-up*: bars before "
        "the first value. *Memory*: bars after which a later start agrees with an earlier one to "
        "1e-7 of the column's standard deviation, in the form in which it becomes a feature. "
        "Columns that have gaps after their warm-up are left out.",
        "",
        "| kind | verdict | columns | warm-up | memory | to know |",
        "|---|---|---|---:|---:|---|",
    ]
    return "\n".join([*lines, *map(_row, tried)]) + "\n"


def _row(tried: ClassifiedIndicator) -> str:
    names = ", ".join(column.name for column in tried.columns)
    bars = [f"{n:,}" if tried.columns else "" for n in (tried.warm_up, tried.memory)]
    cells = [f"`{tried.kind}`", tried.verdict, names, *bars, tried.note.replace("|", "/")]
    return f"| {' | '.join(cells)} |"
