# ruff: noqa: RUF001 - signs of other alphabets are meant
"""Which column holds what, by its name."""

import keyword
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache

from lstm_strategy.bars.columns import spellings
from lstm_strategy.bars.validation import PRICE_COLUMNS
from lstm_strategy.errors import BarsError
from lstm_strategy.support import spell

# Letters that Unicode doesn't take for others with a sign.
_LETTERS = str.maketrans("ıłøđ", "ilod")


@cache
def plain_name(label: str) -> str:
    """A name as spellings are compared: `Volume BTC`, `adjClose`, `<OPEN>`, `1. open`, `Máxima`."""
    unnumbered = re.sub(r"^\d+[a-z]?\.\s+", "", label.strip()[:200])
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", unnumbered).casefold().translate(_LETTERS)
    letters = unicodedata.normalize("NFKD", re.sub(r"\+\s*(?=[^\W\d_])", "plus ", words))
    plain = "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")
    return re.sub(r"[\W_]+", "_", unicodedata.normalize("NFC", plain)).strip("_")


def column_name(label: str) -> str:
    """A name that Python can use for a column which isn't one of a bar's."""
    name = plain_name(label) or "column"
    if keyword.iskeyword(name):
        return f"{name}_"
    return name if name.isidentifier() else f"column_{name}"


@cache
def _ranks(words: str) -> dict[str, int]:
    """Spellings with their rank, the most trusted first."""
    names = [plain_name(word) for word in words.split()]
    return {name: rank for rank, name in reversed(list(enumerate(names)))}


def _rank(label: str, ranks: Mapping[str, int]) -> int | None:
    """How trusted a name is; one with its unit in brackets counts as the name alone."""
    return ranks.get(plain_name(label), ranks.get(plain_name(without_unit(label))))


def without_unit(label: str) -> str:
    """A name without what stands in brackets behind it."""
    return re.sub(r"\s*[(\[（].*$", "", label.strip())


def find_dates(labels: Sequence[str]) -> list[int]:
    """The places of columns that are named as dates, the most trusted first."""
    return _find_ranked(labels, _ranks(spellings.DATES))


def find_times(labels: Sequence[str]) -> list[int]:
    """The places of columns that are named as times of day."""
    return _find_ranked(labels, _ranks(spellings.TIMES))


def find_tickers(labels: Sequence[str]) -> list[int]:
    """The places of columns that are named as those of tickers."""
    return _find_ranked(labels, _ranks(spellings.TICKERS))


def find_series(labels: Sequence[str]) -> list[int]:
    """The places of columns named as what tells series apart: timeframe, exchange, contract."""
    return _find_ranked(labels, _ranks(spellings.SERIES))


def is_summary(cell: str) -> bool:
    """Whether a row that begins with these words sums up those above, as `Total` does."""
    return plain_name(cell).partition("_")[0] in _ranks(spellings.SUMMARIES)


def _find_ranked(labels: Sequence[str], ranks: Mapping[str, int]) -> list[int]:
    found = [
        (rank, place)
        for place, label in enumerate(labels)
        if (rank := _rank(label, ranks)) is not None
    ]
    return [place for _, place in sorted(found)]


def count_usual_names(labels: Sequence[str]) -> int:
    """How many of a bar's columns, the date among them, are named."""
    usual = sum(
        any(_rank(label, _ranks(spellings.USUAL_NAMES[name])) is not None for label in labels)
        for name in spellings.USUAL_NAMES
    )
    return usual + bool(find_dates([label for label in labels if label.strip()]))


def find_bar_columns(labels: Sequence[str], free: Sequence[int]) -> dict[str, list[int]]:
    """The places of each of a bar's columns, the most trusted spelling first.

    Args:
        labels: The names of all columns.
        free: The places of the columns that may be used.

    Returns:
        For each of open, high, low, close, volume and adj_close the places that are named so; an
        empty list where none is. A place belongs to the first of them only.
    """
    found: dict[str, list[int]] = {}
    for usual in spellings.USUAL_NAMES:
        ranked = [
            (rank, without_unit(labels[place]) != labels[place].strip(), place)
            for place in free
            if (rank := _rank(labels[place], _ranks(spellings.USUAL_NAMES[usual]))) is not None
        ]
        found[usual] = [place for _, _, place in sorted(ranked)]
    if not found["volume"]:
        found["volume"] = [p for p in free if re.match(r"vol(ume)?_", plain_name(labels[p]))]
    return found


def find_families(labels: Sequence[str], free: Sequence[int]) -> dict[str, dict[str, int]]:
    """The series of bars that are named by a prefix or a suffix, such as `open_perp`.

    Returns:
        The places of open, high, low, close and, if there is one, volume, by the affix; only
        affixes that all four prices have.
    """
    families: dict[str, dict[str, int]] = {}
    for place in free:
        parts = re.split(r"[\W_]+", labels[place].strip())
        for usual in (*PRICE_COLUMNS, "volume"):
            for word, others in ((parts[0], parts[1:]), (parts[-1], parts[:-1])):
                affix = "_".join(others)
                is_usual = plain_name(word) == usual or (usual, plain_name(word)) == (
                    "volume",
                    "vol",
                )
                if affix and is_usual:
                    families.setdefault(affix, {}).setdefault(usual, place)
    return {
        affix: places
        for affix, places in families.items()
        if all(name in places for name in PRICE_COLUMNS)
    }


def find_by_choice(labels: Sequence[str], columns: Mapping[str, str]) -> dict[str, int]:
    """The places of the columns that a user chose.

    Args:
        labels: The names of all columns.
        columns: What each name is to be taken from, such as `{"open": "open_perp"}`. All prices
            may be one column, where there are closes alone.

    Raises:
        BarsError: If there is no such column, or more than one.
    """
    found: dict[str, int] = {}
    for name, label in columns.items():
        places = [place for place, given in enumerate(labels) if given.strip() == label]
        places = places or [p for p, given in enumerate(labels) if column_name(given) == label]
        if not places:
            raise BarsError(
                f"{spell('columns')} asks for {label!r} as {name}, and there is no such column "
                f"(found: {list_labels(labels)}). Choose one of these."
            )
        if len(places) > 1:
            raise BarsError(
                f"column {label} occurs more than once, and {spell('columns')} asks for it as "
                f"{name}. Rename one of them."
            )
        found[name] = places[0]
    prices = {place for name, place in found.items() if name in PRICE_COLUMNS}
    is_closes_alone = len(prices) == 1
    taken: set[int] = set()
    for name, place in found.items():
        if place in taken and not (is_closes_alone and name in PRICE_COLUMNS):
            raise BarsError(
                f"{spell('columns')} asks for {columns[name]!r} twice. Take each column once."
            )
        taken.add(place)
    return found


def list_labels(labels: Sequence[str]) -> str:
    """The names of columns for a message, cut where there are many."""
    shown = [label.strip()[:40] or "(no name)" for label in labels[:30]]
    return ", ".join(shown) + (f" … {len(labels)} in all" if len(labels) > 30 else "")
