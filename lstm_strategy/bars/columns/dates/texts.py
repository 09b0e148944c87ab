"""Dates and times of day written as text, in the many ways that exporters write them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lstm_strategy.bars.columns.dates.pieces import DatePieces, cut_date, offset_seconds
from lstm_strategy.bars.columns.values import Text

_DAY_US = 86_400_000_000
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
        unread: The rows whose text isn't a date.
        has_times: Whether some say more than the day.
        readings: The names of the readings that fit and differ; more than one means that the text
            can't be read unambiguously.
        notes: What was decided about the dates and must be reported.
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
    return offset_seconds(match[1], match[2], match[3]) if match[1] else 0


def _put_on_offsets(
    instants: np.ndarray, seconds: np.ndarray
) -> tuple[pd.DatetimeIndex, tuple[str, ...]]:
    """Instants in the one zone of their offsets.

    Where the offset changes, dates are put in the zone of an exchange that changes as they do. If
    there is none, midnights keep their calendar day, without a zone; other times become UTC.
    """
    utc = pd.DatetimeIndex(instants).tz_localize("UTC")
    given = np.asarray(utc.notna())
    distinct = np.unique(seconds[given])
    if len(distinct) == 1:
        zone = timezone(timedelta(seconds=int(distinct[0]))) if distinct[0] else "UTC"
        return utc.tz_convert(zone), ()
    wall = instants + seconds.astype("m8[s]")
    for name in _ZONES_OF_EXCHANGES:
        there = utc.tz_convert(name)
        if (np.asarray(there.tz_localize(None))[given] == wall[given]).all():
            return there, (f"the offsets of the dates change as in {name}, so they were put there",)
    if (wall[given] != wall[given].astype("M8[D]")).any():
        return utc, ("the offsets of the dates change, so the dates were put into UTC",)
    return pd.DatetimeIndex(wall), (
        "the dates are midnights at changing offsets, and were read as days without a zone",
    )


@dataclass(frozen=True, eq=False)
class _Cuts:
    """The distinct days and the distinct times of a column, each cut once.

    Attributes:
        days: The pieces of each distinct day, and None in the end for missing ones.
        day_codes: Which of them each row has.
        clocks: The pieces of each distinct time and zone, likewise.
        clock_codes: Which of them each row has.
    """

    days: list[DatePieces | None]
    day_codes: np.ndarray
    clocks: list[DatePieces | None]
    clock_codes: np.ndarray


def _cut_column(text: Text) -> _Cuts:
    first = pc.drop_null(text)[0].as_py()
    day, blank, _ = first.partition(" ")
    pieces = cut_date(first)
    if len(text) > 1000 and pieces and pieces.has_clock and blank and cut_date(day):
        parts = pc.extract_regex(text.combine_chunks(), r"^(?P<day>\S+) (?P<clock>.+)$")
        if parts.null_count == text.null_count:
            days, day_codes = _encode(pc.struct_field(parts, "day"))
            clocks, clock_codes = _encode(pc.struct_field(parts, "clock"))
            cut_clocks = [cut_date(f"2000-01-01 {clock}") for clock in clocks]
            return _Cuts([*map(cut_date, days), None], day_codes, [*cut_clocks, None], clock_codes)
    words, codes = _encode(text.combine_chunks())
    cuts = [*map(cut_date, words), None]
    return _Cuts(cuts, codes, cuts, codes)


def _encode(text: pa.Array) -> tuple[list[str], np.ndarray]:
    """The distinct texts, and which of them each row has; -1 for none."""
    codes = pc.dictionary_encode(text)
    return codes.dictionary.to_pylist(), pc.fill_null(codes.indices, -1).to_numpy(
        zero_copy_only=False
    )


def _read_parts(text: Text) -> TextDates:
    """Dates of any other form."""
    cuts = _cut_column(text)
    shapes = Counter(pieces.shape for pieces in cuts.days[:1000] if pieces)
    shape = max(shapes, key=lambda name: shapes[name]) if shapes else ""
    days = [pieces if pieces and pieces.shape == shape else None for pieces in cuts.days]
    has_day = np.array([pieces is not None for pieces in days])[cuts.day_codes]
    has_clock = np.array([pieces is not None for pieces in cuts.clocks])[cuts.clock_codes]
    is_given = cuts.day_codes >= 0
    is_cut = is_given & has_day & has_clock
    zones = [pieces.zone if pieces else None for pieces in cuts.clocks]
    _check_zones(np.array([zone is not None for zone in zones])[cuts.clock_codes], is_cut)
    clocks = np.array([pieces.clock if pieces else 0 for pieces in cuts.clocks])[cuts.clock_codes]
    has_times = any(pieces.has_clock for pieces in cuts.clocks if pieces)
    readings: dict[str, pd.DatetimeIndex] = {}
    nothing = _to_dates(np.zeros(len(is_cut), dtype="int64"), np.zeros(len(is_cut), dtype=bool))
    best = TextDates(nothing, np.flatnonzero(is_given), has_times)
    for order in dict.fromkeys(order for pieces in days if pieces for order in pieces.days):
        known = np.array([pieces is not None and order in pieces.days for pieces in days])
        ordinals = np.array([pieces.days.get(order, 0) if pieces else 0 for pieces in days])
        is_known = is_cut & known[cuts.day_codes]
        dates = _to_dates(ordinals[cuts.day_codes] * _DAY_US + clocks, is_known)
        unread = np.flatnonzero(is_given & ~is_known)
        if len(unread) < len(best.unread):
            best = TextDates(dates, unread, has_times)
        if (is_known == is_cut).all():
            readings[order] = dates
    if not readings or not is_cut.any():
        return best
    dates, names = _choose_order(readings)
    dates, notes = _put_in_zone(dates, zones, cuts.clock_codes)
    return TextDates(dates, np.flatnonzero(is_given & ~is_cut), has_times, names, notes)


def _to_dates(microseconds: np.ndarray, is_known: np.ndarray) -> pd.DatetimeIndex:
    stamps = microseconds.view("M8[us]").copy()
    stamps[~is_known] = np.datetime64("NaT")
    return pd.DatetimeIndex(stamps)


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


def _check_zones(has_zone: np.ndarray, is_cut: np.ndarray) -> None:
    with_zone, without_zone = is_cut & has_zone, is_cut & ~has_zone
    if with_zone.any() and without_zone.any():
        raise MixedZonesError(int(with_zone.argmax()), int(without_zone.argmax()))


def _put_in_zone(
    dates: pd.DatetimeIndex, zones: Sequence[str | int | None], codes: np.ndarray
) -> tuple[pd.DatetimeIndex, tuple[str, ...]]:
    distinct = {zone for zone in zones if zone is not None}
    if not distinct:
        return dates, ()
    if distinct and all(isinstance(zone, int) for zone in distinct):
        seconds = np.array([zone or 0 for zone in zones], dtype="int64")[codes]
        return _put_on_offsets(np.asarray(dates) - seconds.astype("m8[s]"), seconds)
    if len(distinct) == 1:
        return dates.tz_localize(str(distinct.pop()), ambiguous="infer"), ()
    zone_of = [zones[code] for code in codes]
    utc = pd.Series(pd.NaT, range(len(dates)), dtype="datetime64[us, UTC]")
    for zone in distinct:
        rows = [row for row, name in enumerate(zone_of) if name == zone]
        fixed = timezone(timedelta(seconds=zone)) if isinstance(zone, int) else zone
        utc.iloc[rows] = dates[rows].tz_localize(fixed).tz_convert("UTC")
    return pd.DatetimeIndex(utc), ("the dates are in several zones and were put into UTC",)
