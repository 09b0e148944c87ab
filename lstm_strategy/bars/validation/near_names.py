"""Columns that are nearly called what is looked for: misspelt, or in the words of an exchange."""

import difflib
import re
from collections.abc import Iterable

from lstm_strategy.support import spell

# From 0 to 1. A column that must be there may be offered sooner than one that may well be absent;
# predicted_funding_rate and funding_rate have 0.7, opne and open 0.75.
_LIKENESS, _LIKENESS_OF_EXTRAS = 0.74, 0.85
_OTHER_NAMES = {
    "funding_rate": "funding last_funding_rate fund_rate",
    "predicted_funding_rate": "predicted_funding next_funding_rate",
    "mark": "mark_price mark_close",
    "spot_close": "spot spot_price",
    "open_interest": "oi sum_open_interest",
    "carry_price": "carry",
    "years_to_carry": "",
}
"""The columns beside those of a bar that instruments, features and baselines read by name."""


def near_column(name: str, columns: Iterable[object]) -> str | None:
    """Return the column that is most likely meant by a name which no column has.

    Args:
        name: What is looked for.
        columns: What the columns are called.

    Example:
        >>> near_column("funding_rate", ["close", "fundng_rate"])
        'fundng_rate'
        >>> near_column("mark", ["close", "markPrice"]), near_column("mark", ["market_cap"])
        ('markPrice', None)
    """
    labels = {_plain(str(label)): str(label) for label in reversed(list(columns))}
    if name in labels:
        return labels[name]
    for other in _OTHER_NAMES.get(name, "").split():
        if other in labels:
            return labels[other]
    unknown = [label for label in labels if label not in _OTHER_NAMES]
    cutoff = _LIKENESS_OF_EXTRAS if name in _OTHER_NAMES else _LIKENESS
    nearest = difflib.get_close_matches(name, unknown, n=1, cutoff=cutoff)
    return labels[nearest[0]] if nearest else None


def hint_near_column(name: str, columns: Iterable[object]) -> str:
    """Return a sentence that offers the column which is most likely meant; "" where none is near.

    Args:
        name: What is looked for.
        columns: What the columns are called.

    Example:
        >>> hint_near_column("funding_rate", ["close", "fundng_rate"])
        ' If fundng_rate is meant, load the bars with columns={"funding_rate": "fundng_rate"}.'
    """
    near = near_column(name, columns)
    if near is None:
        return ""
    return f" If {near} is meant, load the bars with {spell('columns', {name: near})}."


def describe_near_columns(extras: Iterable[str]) -> list[str]:
    """Say which extra columns are nearly called what the package reads, without a full stop.

    Args:
        extras: The columns beside those of a bar, as they are called in snake_case.

    Example:
        >>> describe_near_columns(["fundng_rate", "mark", "vwap"])
        ['there is no column funding_rate; if fundng_rate is meant, give \
columns={"funding_rate": "fundng_rate"}']
    """
    given = list(extras)
    near = {
        name: label
        for name in _OTHER_NAMES
        if name not in given and (label := near_column(name, given)) is not None
    }
    if not near:
        return []
    names, labels = " and ".join(near), " and ".join(near.values())
    are = "is no column" if len(near) == 1 else "are no columns"
    is_meant = "is meant" if len(near) == 1 else "are meant"
    return [f"there {are} {names}; if {labels} {is_meant}, give {spell('columns', near)}"]


def _plain(label: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", label.strip()).lower()
    return re.sub(r"[\W_]+", "_", words).strip("_")
