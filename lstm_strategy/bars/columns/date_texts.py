"""Dates and times of day written as text, in the many ways that exporters write them."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstm_strategy.bars.columns.spellings import MONTHS
from lstm_strategy.bars.columns.values import Text

_DAY_US = 86_400_000_000
_CLOCK = re.compile(
    r"(\d{1,2})(?::(\d\d)(?::(\d\d)(?:[.,:](\d{1,9}))?)?)?[\s-]*([ap]\.?m\.?)?", re.IGNORECASE
)
_ZONE = re.compile(
    r"(?:(?:UTC|GMT|UT)([+-])(\d\d?)(?::?(\d\d))?|([+-])(\d\d)(?::?(\d\d))?|Z|UTC|GMT|UT)", re.I
)
_CLOCK_BEHIND = (
    r"(?:T|[\s_;,-]+)(?P<clock>\d{1,2}:\d\d(?::\d\d(?:[.,:]\d{1,9})?)?(?:\s*[ap]\.?m\.?)?"
    r"|\d{1,2}\s?-?\s?[ap]m|(?<=\d{8}.)\d{4}(?:\d\d)?(?!\d))"
)
_REGION = r"[A-Za-z_]+/[A-Za-z_/+-]+"
_ZONE_BEHIND = rf"\s*(?P<zone>(?:UTC|GMT|UT)?[+-]\d\d?(?::?\d\d)?|Z|UTC|GMT|UT|{_REGION})"
_PARTS = re.compile(
    rf"(?P<day>\d{{8}}(?=[T \-_;,])|\d{{8}}$|.*?)"
    rf"(?:{_CLOCK_BEHIND}(?:{_ZONE_BEHIND})?|\s+(?P<zone_of_day>Z|UTC|GMT|{_REGION}))?\s*(?:\([^)]*\))?",
    re.I | re.S,
)
_WEEKDAY = re.compile(r"^(mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+", re.IGNORECASE)
_NUMERIC = re.compile(r"(\d{1,4})\s?([-/.\s])\s?(\d{1,2})\s?\2\s?(\d{1,4})\.?")
_MONTH_ONLY = re.compile(r"(\d{4})[-/.](\d{1,2})")
_WORD = r"([^\W\d_]{3,})\.?"
_WITH_WORD = (
    (
        "dmy",
        re.compile(rf"(\d{{1,2}})(?:st|nd|rd|th|\.)?[-/\s]*{_WORD}[-/,\s]*(\d{{4}}|\d\d)", re.I),
    ),
    ("mdy", re.compile(rf"{_WORD}[-/\s]*(\d{{1,2}})(?:st|nd|rd|th)?[-/,\s]+(\d{{4}}|\d\d)", re.I)),
    ("ymd", re.compile(rf"(\d{{4}})[-/\s]*{_WORD}[-/\s]*(\d{{1,2}})", re.I)),
)
_ZONES_OF_EXCHANGES = [
    "America/New_York",
    "America/Chicago",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Athens",
    "Australia/Sydney",
    "America/Sao_Paulo",
    "America/Denver",
    "America/Los_Angeles",
    "America/Toronto",
    "Europe/Moscow",
    "Asia/Jerusalem",
    "Pacific/Auckland",
    "America/Santiago",
    "America/Mexico_City",
    "Asia/Tehran",
]


@dataclass(frozen=True, eq=False)
class TextDates:
    """Text read as dates.

    Attributes:
        dates: The dates, NaT for missing and unread ones.
        unread: The rows whose text is no date.
        has_times: Whether some say more than the day.
        readings: The names of the readings that fit and differ; more than one means that the text
            can't be read surely.
        notes: What was decided about the dates and must be said.
    """

    dates: pd.DatetimeIndex
    unread: np.ndarray
    has_times: bool
    readings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class MixedZonesError(ValueError):
    """Some dates have a timezone and others none; `rows` holds one of each."""

    def __init__(self, with_zone: int, without_zone: int) -> None:
        super().__init__("dates with and without a timezone")
        self.with_zone, self.without_zone = with_zone, without_zone


def read_texts(text: Text) -> TextDates:
    """Read a column of text as dates.

    Args:
        text: The cells, stripped, null where there is no date; at least one is given.

    Returns:
        The dates, and what can't be read.

    Raises:
        MixedZonesError: If some have a timezone and others none.
    """
    return read_iso(text) or _read_parts(text)


def read_clock(text: str) -> int | None:
    """The microseconds since midnight of a time of day such as `9:30`, `093000` or `4:00 PM`."""
    if re.fullmatch(r"\d{4}(\d\d)?", text):
        text = ":".join(text[place : place + 2] for place in range(0, len(text), 2))
    match = _CLOCK.fullmatch(text)
    if match is None or (match[2] is None and match[5] is None):
        return None
    hour, minute, second = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    if match[5]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match[5].lower().startswith("p") else 0)
    microsecond = int((match[4] or "0").ljust(6, "0")[:6])
    is_midnight_after = (hour, minute, second, microsecond) == (24, 0, 0, 0)
    if minute > 59 or second > 59 or (hour > 23 and not is_midnight_after):
        return None
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + microsecond


def read_iso(text: Text) -> TextDates | None:
    """Dates such as 2024-01-02 09:30:00, with an offset or without, at the speed of pyarrow.

    Returns:
        None if one of them is written another way.
    """
    if text.null_count == len(text):
        return None
    nothing = np.zeros(0, dtype=int)
    try:
        naive = pc.cast(text, pa.timestamp("us"))
    except pa.ArrowInvalid:
        pass
    else:
        has_times = pc.max(pc.utf8_length(text)).as_py() > len("2024-01-02")
        return TextDates(_to_index(naive), nothing, has_times)
    try:
        utc = pc.cast(text, pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid:
        return None
    tails = pc.dictionary_encode(pc.utf8_slice_codeunits(text, -6).combine_chunks())
    offsets = [_read_offset_at_end(tail) for tail in tails.dictionary.to_pylist()]
    if None in offsets:
        return None
    codes = pc.fill_null(tails.indices, 0).to_numpy(zero_copy_only=False)
    seconds = np.array(offsets, dtype="int64")[codes]
    instants = np.asarray(_to_index(utc.cast(pa.timestamp("us"))))
    dates, notes = _put_on_offsets(instants, seconds)
    return TextDates(dates, nothing, True, notes=notes)


def _to_index(column: pa.ChunkedArray) -> pd.DatetimeIndex:
    gaps = pc.is_null(column).to_numpy()
    stamps = pc.fill_null(pc.cast(column, pa.int64()), 0).to_numpy().copy().view("M8[us]")
    stamps[gaps] = np.datetime64("NaT")
    return pd.DatetimeIndex(stamps)


def _read_offset_at_end(tail: str) -> int | None:
    match = re.search(r"(?:([+-])(\d\d):?(\d\d)?|Z)$", tail)
    if match is None:
        return None
    return _offset_seconds(match[1], match[2], match[3]) if match[1] else 0


def _offset_seconds(sign: str, hours: str, minutes: str | None) -> int | None:
    seconds = int(hours) * 3600 + int(minutes or 0) * 60
    if seconds > 14 * 3600 or int(minutes or 0) > 59:
        return None
    return -seconds if sign == "-" else seconds


def _put_on_offsets(
    instants: np.ndarray, seconds: np.ndarray
) -> tuple[pd.DatetimeIndex, tuple[str, ...]]:
    """Instants in the one zone of their offsets.

    Where the offset changes, midnights keep their calendar day, in the zone of an exchange that
    changes as they do, or in none; other times become UTC.
    """
    utc = pd.DatetimeIndex(instants).tz_localize("UTC")
    given = np.asarray(utc.notna())
    distinct = np.unique(seconds[given])
    if len(distinct) == 1:
        zone = timezone(timedelta(seconds=int(distinct[0]))) if distinct[0] else "UTC"
        return utc.tz_convert(zone), ()
    wall = instants + seconds.astype("m8[s]")
    if (wall[given] != wall[given].astype("M8[D]")).any():
        return utc, ("the offsets of the dates change, so the dates were put into UTC",)
    for name in _ZONES_OF_EXCHANGES:
        there = utc.tz_convert(name)
        if (np.asarray(there.tz_localize(None))[given] == wall[given]).all():
            return there, (
                f"the offsets of the dates change as in {name}, which they were put into",
            )
    return pd.DatetimeIndex(wall), (
        "the dates are midnights at changing offsets, and were read as days without a zone",
    )


@dataclass(frozen=True)
class _Parts:
    """The pieces of one text: its day in every order it can be read in, its time, its zone."""

    shape: str
    days: dict[str, int]
    clock: int
    has_clock: bool
    zone: str | int | None


def _read_parts(text: Text) -> TextDates:
    """Dates of any other form: each distinct text is cut into day, time and zone once."""
    codes = pc.dictionary_encode(text.combine_chunks())
    places = pc.fill_null(codes.indices, -1).to_numpy(zero_copy_only=False)
    parts = _cut_all(codes.dictionary.to_pylist())
    shapes = Counter(part.shape for part in parts[:1000] if part)
    shape = max(shapes, key=lambda name: shapes[name]) if shapes else ""
    parts = [part if part and part.shape == shape else None for part in parts]
    unread = np.flatnonzero(np.array([part is None for part in parts] + [False])[places])
    zones = [part.zone if part else None for part in parts]
    clocks = np.array([part.clock if part else 0 for part in parts] + [0])
    has_times = any(part.has_clock for part in parts if part)
    given = np.flatnonzero(places >= 0)
    _check_zones([zones[place] for place in places[given]], given, unread)
    orders = list(dict.fromkeys(order for part in parts if part for order in part.days))
    readings: dict[str, pd.DatetimeIndex] = {}
    best, best_unread = pd.DatetimeIndex(np.full(len(places), np.datetime64("NaT", "us"))), given
    for order in orders:
        days = [part.days.get(order) if part else None for part in parts]
        is_unread = np.array([day is None for day in days] + [False])[places]
        ordinals = np.array([0 if day is None else day for day in days] + [0], dtype="int64")
        stamps = ((ordinals * _DAY_US + clocks)[places]).view("M8[us]").copy()
        stamps[is_unread | (places < 0)] = np.datetime64("NaT")
        rows = np.flatnonzero(is_unread)
        if not len(rows):
            readings[order] = pd.DatetimeIndex(stamps)
        if len(rows) < len(best_unread):
            best, best_unread = pd.DatetimeIndex(stamps), rows
    if not readings:
        return TextDates(best, np.union1d(unread, best_unread), has_times)
    dates, names = _choose_order(readings)
    dates, notes = _put_in_zone(dates, zones, places)
    return TextDates(dates, unread, has_times, names, notes)


def _choose_order(
    readings: dict[str, pd.DatetimeIndex],
) -> tuple[pd.DatetimeIndex, tuple[str, ...]]:
    """01/02/2020 may be in January or in February; only one of them is in order, as a rule."""
    ordered = {name: dates for name, dates in readings.items() if _is_in_order(dates)} or readings
    first, *others = ordered.values()
    if all(first.equals(other) for other in others):
        return first, ()
    return first, tuple(ordered)


def _is_in_order(dates: pd.DatetimeIndex) -> bool:
    given = dates[dates.notna()]
    return given.is_monotonic_increasing or given.is_monotonic_decreasing


def _check_zones(zones: list[str | int | None], rows: np.ndarray, unread: np.ndarray) -> None:
    bad = set(unread.tolist())
    first: dict[bool, int] = {}
    for row, zone in zip(rows.tolist(), zones, strict=True):
        if row not in bad:
            first.setdefault(zone is not None, row)
            if len(first) == 2:
                raise MixedZonesError(with_zone=first[True], without_zone=first[False])


def _put_in_zone(
    dates: pd.DatetimeIndex, zones: Sequence[str | int | None], places: np.ndarray
) -> tuple[pd.DatetimeIndex, tuple[str, ...]]:
    distinct = {zone for zone in zones if zone is not None}
    if not distinct:
        return dates, ()
    if distinct and all(isinstance(zone, int) for zone in distinct):
        seconds = np.array([zone or 0 for zone in zones] + [0], dtype="int64")[places]
        return _put_on_offsets(np.asarray(dates) - seconds.astype("m8[s]"), seconds)
    if len(distinct) == 1:
        return dates.tz_localize(str(distinct.pop()), ambiguous="infer"), ()
    zone_of = [None if place < 0 else zones[place] for place in places]
    utc = pd.Series(pd.NaT, range(len(dates)), dtype="datetime64[us, UTC]")
    for zone in distinct:
        rows = [row for row, name in enumerate(zone_of) if name == zone]
        fixed = timezone(timedelta(seconds=zone)) if isinstance(zone, int) else zone
        utc.iloc[rows] = dates[rows].tz_localize(fixed).tz_convert("UTC")
    return pd.DatetimeIndex(utc), ("the dates are in several zones and were put into UTC",)


def _cut_all(texts: list[str]) -> list[_Parts | None]:
    """Cut each text; where all are built as the first is, their days and times are cut once."""
    if len(texts) > 1000:
        cut = _PARTS.fullmatch(_simplify(texts[0]))
        if cut and cut["clock"] and " " not in cut["day"] and " " in texts[0]:
            pieces = [text.partition(" ") for text in texts]
            day_cuts = {day: _cut(day) for day in {piece[0] for piece in pieces}}
            clock_cuts = {rest: _cut(f"2000-01-01 {rest}") for rest in {p[2] for p in pieces}}
            return [_join_parts(day_cuts[day], clock_cuts[rest]) for day, _, rest in pieces]
    return [_cut(text) for text in texts]


def _join_parts(day: _Parts | None, clock: _Parts | None) -> _Parts | None:
    if day is None or clock is None:
        return None
    return _Parts(day.shape, day.days, clock.clock, clock.has_clock, clock.zone)


def _simplify(text: str) -> str:
    """Text without weekdays, and with the signs of Chinese, Japanese and Korean dates replaced."""
    text = re.sub(r"(\d)\s*[年년]\s*(\d+)\s*[月월]\s*(\d+)\s*[日일]?", r"\1-\2-\3", text)
    text = re.sub(r"\s+de\s+", " ", _WEEKDAY.sub("", text.strip()))
    return text.replace("下午", "PM").replace("上午", "AM")


def _cut(text: str) -> _Parts | None:
    match = _PARTS.fullmatch(_simplify(text)) if len(text) < 100 else None
    if match is None:
        return None
    shape, days = _read_day(match["day"].strip().rstrip(","))
    clock = read_clock(match["clock"].replace(" ", "")) if match["clock"] else 0
    zone_text = match["zone"] or match["zone_of_day"]
    zone = _read_zone(zone_text) if zone_text else None
    if not days or clock is None or (zone_text and zone is None):
        return None
    return _Parts(shape, days, clock, match["clock"] is not None, zone)


def _read_zone(text: str) -> str | int | None:
    match = _ZONE.fullmatch(text)
    if match is None:
        return _region(text)
    sign, hours, minutes = match[1] or match[4], match[2] or match[5], match[3] or match[6]
    return _offset_seconds(sign, hours, minutes) if sign else 0


@cache
def _region(name: str) -> str | None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return None
    return name


def _read_day(text: str) -> tuple[str, dict[str, int]]:
    """The shape of a day's text, and the days since 1970 that it can mean, by their order."""
    if re.fullmatch(r"\d{8}", text):
        return "digits", _days({"ymd": (text[:4], text[4:6], text[6:])})
    numeric = _NUMERIC.fullmatch(text)
    if numeric:
        first, sign, middle, last = numeric.groups()
        if len(first) == 4 and len(last) <= 2:
            return f"y{sign}m{sign}d", _days({"ymd": (first, middle, last)})
        if len(first) > 2 or len(last) not in (2, 4):
            return "", {}
        orders = {"dmy": (last, middle, first)}
        if sign != ".":  # where dates have dots, the day comes first
            orders["mdy"] = (last, first, middle)
        if len(last) == 2 and len(first) == 2:
            orders["ymd"] = (first, middle, last)
        return f"d{sign}d{sign}{'y' * len(last)}", _days(orders)
    month_only = _MONTH_ONLY.fullmatch(text)
    if month_only:
        return "y-m", _days({"ymd": (month_only[1], month_only[2], "1")})
    for order, pattern in _WITH_WORD:
        match = pattern.fullmatch(text)
        if match:
            pieces = dict(zip(order, match.groups(), strict=True))
            month = _month(pieces["m"])
            shape = f"{order} {len(pieces['y'])}"
            return shape, _days({order: (pieces["y"], str(month or 0), pieces["d"])})
    return "", {}


def _days(orders: dict[str, tuple[str, str, str]]) -> dict[str, int]:
    found = {}
    for order, (year, month, day) in orders.items():
        try:
            found[order] = date(_full_year(year, order), int(month), int(day)).toordinal() - 719_163
        except ValueError:
            continue
    return found


def _full_year(digits: str, order: str) -> int:
    """The year of two digits is the last that isn't in the future; one in front is no old one."""
    if len(digits) == 4:
        return int(digits)
    year, next_year = 2000 + int(digits), datetime.now().year + 1
    if order == "ymd" and next_year < year < 2070:
        raise ValueError("a day of the month rather than a year")
    return year if year <= next_year else year - 100


@cache
def _month(word: str) -> int | None:
    letters = unicodedata.normalize("NFKD", word.casefold())
    plain = "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")
    starts = [
        (len(start), number)
        for number, starts in enumerate(MONTHS, 1)
        for start in starts.split()
        if plain.startswith(start)
    ]
    return max(starts)[1] if starts else None
