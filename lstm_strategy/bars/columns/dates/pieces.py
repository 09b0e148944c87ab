"""One date as text, cut into its day, its time and its zone."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from lstm_strategy.bars.columns.spellings import MONTHS

_CLOCK = re.compile(
    r"(\d{1,2})(?::(\d\d)(?::(\d\d)(?:[.,:](\d{1,9}))?)?)?[\s-]*([ap]\.?\s?m\.?)?", re.IGNORECASE
)
_ZONE = re.compile(
    r"(?:(?:UTC|GMT|UT)([+-])(\d\d?)(?::?(\d\d))?|([+-])(\d\d)(?::?(\d\d))?|Z|UTC|GMT|UT)", re.I
)
_CLOCK_BEHIND = (
    r"(?:T|[\s_;,-]+)(?P<clock>\d{1,2}:\d\d(?::\d\d(?:[.,:]\d{1,9})?)?"
    r"(?:\s*[ap]\.?\s?m\.?(?![a-z]))?"  # not the beginning of America/New_York
    r"|\d{1,2}\s?-?\s?[ap]m|(?<=\d{8}.)\d{4}(?:\d\d)?(?!\d))"
)
_REGION = r"[A-Za-z_]+/[A-Za-z_/+-]+"
_ZONE_BEHIND = rf"\s*(?P<zone>(?:UTC|GMT|UT)?[+-]\d\d?(?::?\d\d)?|Z|UTC|GMT|UT|{_REGION})"
_WEEKDAYS = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?"
# what stands in brackets says nothing new behind an offset; elsewhere it may be a zone
_REMARK, _DAY_REMARK = r"\([^)]*\)", rf"\((?:{_WEEKDAYS}|[^)A-Za-z]*)\)"
_PARTS = re.compile(
    rf"(?P<day>\d{{8}}(?=[T \-_;,])|\d{{8}}$|.*?)"
    rf"(?:{_CLOCK_BEHIND}(?:{_ZONE_BEHIND}(?:\s*{_REMARK})?)?"
    rf"|\s+(?P<zone_of_day>Z|UTC|GMT|{_REGION}))?\s*(?:{_DAY_REMARK})?",
    re.I | re.S,
)
_WEEKDAY = re.compile(rf"^{_WEEKDAYS},?\s+", re.IGNORECASE)
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


@dataclass(frozen=True)
class DatePieces:
    """The pieces of one text.

    Attributes:
        shape: How the day is written, such as `y-m-d`.
        days: The days since 1970 that it can mean, by the order of day, month and year.
        clock: Microseconds since midnight.
        has_clock: Whether a time is written.
        zone: Seconds from UTC, the name of a zone, or None.
    """

    shape: str
    days: dict[str, int]
    clock: int
    has_clock: bool
    zone: str | int | None


def cut_date(text: str) -> DatePieces | None:
    """The pieces of a text; None if it isn't a date."""
    match = _PARTS.fullmatch(_simplify(text)) if len(text) < 100 else None
    if match is None:
        return None
    shape, days = _read_day(match["day"].strip().rstrip(","))
    clock = read_clock(match["clock"].replace(" ", "")) if match["clock"] else 0
    zone_text = match["zone"] or match["zone_of_day"]
    zone = _read_zone(zone_text) if zone_text else None
    if not days or clock is None or (zone_text and zone is None):
        return None
    return DatePieces(shape, days, clock, match["clock"] is not None, zone)


def read_clock(text: str) -> int | None:
    """The microseconds since midnight of a time such as `9:30`, `9h30`, `093000` or `4:00 PM`."""
    text = re.sub(r"^(\d{1,2})\s?h\s?(\d\d)$", r"\1:\2", text)
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


def _simplify(text: str) -> str:
    """Text without weekdays, and with the signs of Chinese, Japanese and Korean dates replaced."""
    text = re.sub(r"(\d)\s*[年년]\s*(\d+)\s*[月월]\s*(\d+)\s*[日일]?", r"\1-\2-\3", text)
    text = re.sub(r"\s+de\s+", " ", _WEEKDAY.sub("", text.strip()))
    return text.replace("下午", "PM").replace("上午", "AM")


def _read_zone(text: str) -> str | int | None:
    match = _ZONE.fullmatch(text)
    if match is None:
        return _region(text)
    sign, hours, minutes = match[1] or match[4], match[2] or match[5], match[3] or match[6]
    return offset_seconds(sign, hours, minutes) if sign else 0


def offset_seconds(sign: str, hours: str, minutes: str | None) -> int | None:
    """The seconds of an offset such as `+`, `05`, `30`; None if there is no such offset."""
    seconds = int(hours) * 3600 + int(minutes or 0) * 60
    if seconds > 14 * 3600 or int(minutes or 0) > 59:
        return None
    return -seconds if sign == "-" else seconds


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
    """The latest year with these two digits that isn't in the future; one in front isn't old."""
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
