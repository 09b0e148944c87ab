"""Every indicator of the installed pandas-ta, tried: causal, looking ahead, or never forgetting."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import pandas as pd

from lstm_strategy.bars import sample_bars
from lstm_strategy.errors import (
    DependsOnUnitError,
    FeatureError,
    LooksAheadError,
    NeverForgetsError,
)
from lstm_strategy.learning.features import (
    CAUSAL_FORMS,
    ColumnTraits,
    FeatureSet,
    Memory,
    complete_bars,
    format_spec,
    indicator_library,
    known_kinds,
    measure_columns,
    measure_memories,
    settle_features,
)
from lstm_strategy.support import OnWords

INDICATORS_FILE = "indicators.md"
_MARKET_DAYS, _MARKET_HOURS = 2_000, 1_000
_MUCH_LONGER = 1.25
_NEEDS_A_NAME = "column"  # our own kind that passes a column of the user's through


class IndicatorVerdict(StrEnum):
    """What an indicator is with its default arguments."""

    CAUSAL = "causal"
    LOOKS_AHEAD = "looks ahead"
    NEVER_CONVERGES = "never converges"
    NOT_USABLE = "not usable"


@dataclass(frozen=True)
class ClassifiedIndicator:
    """One kind of indicator with its default arguments.

    Attributes:
        kind: Its name in pandas-ta.
        verdict: What it is.
        columns: What was measured of its columns; none where it can't be a feature.
        market_memory: The longest memory on real bars; none where it can't be a feature.
        note: What is worth knowing.
    """

    kind: str
    verdict: IndicatorVerdict
    columns: tuple[ColumnTraits, ...] = ()
    market_memory: Memory | None = None
    note: str = ""

    @property
    def warm_up(self) -> int:
        """Bars before the first value."""
        return max((column.warm_up for column in self.columns), default=0)

    @property
    def memory(self) -> int:
        """Bars after which a later start agrees with an earlier one."""
        return max((column.memory for column in self.columns), default=0)

    @property
    def bar_by_bar(self) -> str:
        """What a stream computes it from."""
        if self.market_memory is None:
            return "refused"
        if not self.market_memory.is_certain:
            return "from all bars"
        if self.market_memory.bars <= _MUCH_LONGER * self.memory + 1:
            return "from its memory"
        return f"until it agrees: {self.market_memory.bars:,}"


def classify_indicators(
    on_progress: OnWords = lambda words: None,
) -> tuple[ClassifiedIndicator, ...]:
    """Classify every kind that a feature may have, in alphabetical order.

    Args:
        on_progress: Called with each kind before it is tried; all of them take a minute.

    Example:
        >>> len(classify_indicators())  # doctest: +SKIP
        205
    """
    classified = []
    for kind in known_kinds():
        if kind != _NEEDS_A_NAME:
            on_progress(kind)
            classified.append(classify_indicator(kind))
    return tuple(classified)


def classify_indicator(kind: str) -> ClassifiedIndicator:
    """Classify one kind, measured on simulated bars.

    Example:
        >>> classify_indicator("dpo").verdict.value
        'looks ahead'
    """
    try:
        columns = measure_columns({"kind": kind})
    except LooksAheadError as error:
        note = _note_on_lookahead(kind, error)
        return ClassifiedIndicator(kind, IndicatorVerdict.LOOKS_AHEAD, note=note)
    except NeverForgetsError:
        note = "depends on the first bar for ever; refused as a feature"
        return ClassifiedIndicator(kind, IndicatorVerdict.NEVER_CONVERGES, note=note)
    except DependsOnUnitError as error:
        note = f"depends on the unit of {error.unit}; refused as a feature"
        return ClassifiedIndicator(kind, IndicatorVerdict.NOT_USABLE, note=note)
    except FeatureError as error:
        # pandas-ta's own words where it raises
        note = str(error.__cause__ or "gives no column of its own with a value on every bar")
        return ClassifiedIndicator(kind, IndicatorVerdict.NOT_USABLE, note=note.rstrip("."))
    market_memory = _measure_market_memory(kind)
    totals = [column.name for column in columns if column.is_cumulative]
    if totals:
        note = f"{', '.join(totals)} as such; the change forgets and is the feature"
        verdict = IndicatorVerdict.NEVER_CONVERGES
        return ClassifiedIndicator(kind, verdict, columns, market_memory, note)
    return ClassifiedIndicator(kind, IndicatorVerdict.CAUSAL, columns, market_memory)


def _measure_market_memory(kind: str) -> Memory:
    features = FeatureSet([{"kind": kind}])
    markets = [complete_bars(features.specs, bars) for bars in _real_markets()]
    memories = [measure_memories(features, bars) for bars in markets]
    longest = max(memory.bars for by_column in memories for memory in by_column.values())
    settled = [settle_features(features, bars) for bars in markets]
    return Memory(longest, all(each.forgets for each in settled))


@cache
def _real_markets() -> tuple[pd.DataFrame, ...]:
    days, others = sample_bars("sp500"), sample_bars("nasdaq")
    hours = pd.date_range("2024-01-01", periods=len(others), freq="h", name="datetime")
    return days.iloc[-_MARKET_DAYS:], others.set_axis(hours).iloc[-_MARKET_HOURS:]


def _note_on_lookahead(kind: str, error: LooksAheadError) -> str:
    change = f"{error.column} changes {error.bars_back} bars back"
    if kind not in CAUSAL_FORMS:
        return f"{change}; refused as a feature"
    spec = {"kind": kind, **CAUSAL_FORMS[kind]}
    memory = max(column.memory for column in measure_columns(spec))
    return f"{change}; causal as `{format_spec(spec)}` (memory {memory} bars)"


def indicators_page(indicators: tuple[ClassifiedIndicator, ...]) -> str:
    """Return the table of indicators as a page in Markdown, with what it was measured with.

    Example:
        >>> page = indicators_page((classify_indicator("sma"),))
        >>> page.splitlines()[-1]
        '| `sma` | causal | SMA_10 | 9 | 10 | from its memory |  |'
    """
    _, library, version = indicator_library()
    counts = Counter(indicator.verdict for indicator in indicators)
    counted = ", ".join(f"{counts[verdict]} {verdict}" for verdict in IndicatorVerdict)
    lines = [
        "# Indicators",
        "",
        f"Every indicator of {library} {version} and the kinds that are our own, with default "
        f"arguments, run on simulated daily bars: {counted}. Written by `lstm-strategy audit "
        "--indicators --out docs --force`; a test checks that it is current.",
        "",
        "*Looks ahead*: a value at a past bar changes when later bars arrive. *Never converges*: a "
        "run that starts later never agrees with one that started earlier. *Warm-up*: bars before "
        "the first value. *Memory*: bars after which a later start agrees with an earlier one to "
        "1e-7 of the column's standard deviation, in the form in which it becomes a feature. "
        "Columns that have gaps after their warm-up are left out.",
        "",
        "*Bar by bar*: what a stream and a live run compute a kind from, with the numbers of the "
        "batch in either case. *From its memory*: from about twice the bars that `fit` measured "
        "on the training bars. *Until it agrees*: how long it remembers depends on the market, "
        f"here the longest that was seen on the last {_MARKET_DAYS:,} days of the S&P 500 sample "
        f"and on {_MARKET_HOURS:,} bars of the NASDAQ sample as if they were hours; bars are kept "
        "until the newest rows are the same without them, if need be all of them. *From all bars*: "
        "rounding decides on some values there (a close that equals its mean to the last digit), "
        "and only all bars so far give the batch's; `fit` finds out on the training bars. "
        "*Refused*: it can't be a feature.",
        "",
        "| kind | verdict | columns | warm-up | memory | bar by bar | to know |",
        "|---|---|---|---:|---:|---|---|",
    ]
    return "\n".join([*lines, *map(_table_row, indicators)]) + "\n"


def _table_row(indicator: ClassifiedIndicator) -> str:
    names = ", ".join(column.name for column in indicator.columns)
    numbers = (indicator.warm_up, indicator.memory)
    bars = [f"{number:,}" if indicator.columns else "" for number in numbers]
    note = indicator.note.replace("|", "/")
    cells = [f"`{indicator.kind}`", indicator.verdict, names, *bars, indicator.bar_by_bar, note]
    return f"| {' | '.join(cells)} |"
