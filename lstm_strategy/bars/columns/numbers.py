# ruff: noqa: RUF001 - signs of other alphabets are meant
"""Numbers as people and programs write them: `1.234,50`, `1,10,000.5`, `$12`, `1.2M`, `-`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lstm_strategy.bars.columns.values import Column, Rows, Text
from lstm_strategy.errors import BarsError

_MISSING = pa.array(
    [
        "",
        "-",
        "--",
        "---",
        "—",
        "–",
        "−",
        "?",
        ".",
        "..",
        "*",
        "<NA>",
        "NaT",
        "nd",
        "n.a.",
        "n/d",
        "N/D",
    ]
    + [
        form(w)
        for w in ("n/a", "na", "nan", "null", "none", "nil")
        for form in (str, str.upper, str.title)
    ]
    + ["NaN", "#N/A", "#NA", "#N/A N/A", "#VALUE!", "#DIV/0!", "#REF!", "-NaN", "-nan", "+nan"]
)
_MULTIPLES = {
    10**3: "k к тыс thousand",
    10**4: "万 萬 만",
    10**5: "lakh lac",
    10**6: "m mn mm mio mln м млн million",
    10**7: "cr crore",
    10**8: "亿 億 억",
    10**9: "b bn mrd mld млрд bio billion",
    10**12: "t tn трлн 兆 trillion",
}
_MULTIPLE_OF = {word: size for size, words in _MULTIPLES.items() for word in words.split()}
_CURRENCY = (
    r"(?:[$€£¥₹₽₩₺฿₿￥]|R\$|US\$|Rs\.?|USD|EUR|GBP|JPY|CNY|CHF|INR|RUB|BRL|zł|kr|元|円|원|руб\.?)?"
)
_WORDS = "|".join(sorted(map(re.escape, _MULTIPLE_OF), key=len, reverse=True))
_BLANKS = " \u00a0\u2009\u202f"
_NUMBER = re.compile(
    rf"(?P<bracket>\()?(?P<sign>[-+−–]?)\s*{_CURRENCY}\s*(?P<sign_behind>[-+−–]?)"
    rf"(?P<digits>\d[\d.,'’{_BLANKS}]*|[.,]\d+)(?P<power>[eE][-+]?\d{{1,3}})?"
    rf"\s*(?P<multiple>{_WORDS})?\.?\s*(?P<percent>%)?\s*{_CURRENCY}(?P<end>\))?",
    re.IGNORECASE,
)
_PLAIN = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?$"
# Numbers with one kind of mark between thousands, without anything else: nearly all cells.
_USUAL = {
    decimal: r"^[-+]?(?:\d+|"
    + "|".join(
        rf"[1-9]\d{{0,2}}(?:{mark}\d{{3}})+|[1-9]\d?(?:{mark}\d{{2}})*{mark}\d{{3}}"
        for mark in (group, "['’]", f"[{_BLANKS}]")
    )
    + rf")(?:\{decimal}\d*)?$"
    for decimal, group in ((".", ","), (",", r"\."))
}
_WITH_MARK = r"\d.*[.,]|[.,]\d"


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column of text read as numbers.

    Attributes:
        values: Shape (n_rows,), NaN where there is none or it can't be read.
        unread: The rows that hold text which isn't a number.
        has_percent: Whether some were written with a percent sign; these are fractions now.
    """

    values: np.ndarray
    unread: np.ndarray
    has_percent: bool = False


def parse_numbers(text: Text, decimal: str) -> Numbers:
    """Read numbers out of text.

    Args:
        text: The cells.
        decimal: The decimal mark of the file, `"."` or `","`.

    Returns:
        The numbers, and which cells are none.
    """
    no_rows = np.zeros(0, dtype=int)
    if decimal == ".":
        values = cast_numbers(text)
        if values is not None:
            return Numbers(values, no_rows)
    cells = null_if_missing(text)
    is_usual = pc.fill_null(pc.match_substring_regex(cells, _USUAL[decimal]), False)
    usual = pc.if_else(is_usual, cells, pa.scalar(None, pa.string()))
    usual = pc.replace_substring_regex(usual, f"[^0-9{decimal}+-]", "")
    values = cast_numbers(pc.replace_substring(usual, ",", "."))
    if values is None:
        return _parse_each(cells, decimal)
    others = _parse_each(pc.if_else(is_usual, pa.scalar(None, pa.string()), cells), decimal)
    values = np.where(is_usual.to_numpy(), values, others.values)
    return Numbers(values, others.unread, others.has_percent)


def null_if_missing(text: Text) -> Text:
    """The cells without blanks around them, null where they stand for no value."""
    cells = pc.utf8_trim(text, characters=_BLANKS + "\t\r\n\x0b\x0c")
    return pc.if_else(pc.is_in(cells, value_set=_MISSING), pa.scalar(None, pa.string()), cells)


def cast_numbers(cells: Text) -> np.ndarray | None:
    """Plain numbers with a decimal point, at the speed of pyarrow; None if one isn't plain."""
    try:
        values: np.ndarray = pc.cast(cells, pa.float64()).to_numpy()
    except pa.ArrowInvalid:
        return None
    return values


def _parse_each(cells: Text, decimal: str) -> Numbers:
    """Read each distinct cell once."""
    codes = pc.dictionary_encode(cells.combine_chunks())
    words = codes.dictionary.to_pylist()
    found = [_parse_number(word, decimal) for word in words]
    # the last one stands for a missing cell, whose code is -1
    values = np.array([np.nan if n is None else n for n in found] + [np.nan])
    is_unread = np.array([n is None for n in found] + [False])
    places = pc.fill_null(codes.indices, -1).to_numpy(zero_copy_only=False)
    has_percent = any("%" in word for word, n in zip(words, found, strict=True) if n is not None)
    return Numbers(values[places], np.flatnonzero(is_unread[places]), has_percent)


def _parse_number(cell: str, decimal: str) -> float | None:
    match = _NUMBER.fullmatch(cell) if len(cell) < 400 else None
    if match is None or bool(match["bracket"]) != bool(match["end"]):
        return None
    digits = _without_marks(match["digits"].rstrip(_BLANKS), decimal)
    if digits is None or (match["sign"] and match["sign_behind"]):
        return None
    try:
        number = Decimal(digits + (match["power"] or ""))
    except InvalidOperation:
        return None
    number *= _MULTIPLE_OF[match["multiple"].lower()] if match["multiple"] else 1
    is_negative = match["bracket"] or (match["sign"] + match["sign_behind"]) in ("-", "−", "–")
    return float(number / 100 if match["percent"] else number) * (-1 if is_negative else 1)


def _without_marks(digits: str, decimal: str) -> str | None:
    """Digits with a decimal point alone; None where the marks between thousands are misplaced."""
    whole, mark, fraction = digits.partition(decimal)
    if mark and not re.fullmatch(r"\d*", fraction):
        return None
    group = next((sign for sign in whole if not sign.isdecimal()), None)
    if group is None:
        return f"{whole or 0}.{fraction or 0}" if digits.isascii() else None
    if not re.fullmatch(
        r"[1-9]\d{0,2}(G\d{3})+|[1-9]\d?(G\d{2})*G\d{3}", whole.replace(group, "G")
    ):
        return None
    return f"{whole.replace(group, '')}.{fraction or 0}"


def choose_decimal_mark(columns: Sequence[Column], rows: Rows, *, are_points_likely: bool) -> str:
    """Decide for a whole file which mark its decimals have.

    A cell such as `12,5` or `1.234,5` decides; one such as `1,234` fits both readings.

    Args:
        columns: The columns of the bars first, then the others; those of text are looked at.
        rows: What their rows are called.
        are_points_likely: Whether points in cells such as `1.234` are decimal points where no cell
            decides, since nothing else is usual in such a file.

    Returns:
        `"."` or `","`.

    Raises:
        BarsError: If all cells with marks fit both readings.
    """
    doubtful: tuple[Column, str] | None = None
    is_grouped = True
    for column in columns:
        if not isinstance(column.values, pa.ChunkedArray):
            continue
        for cell in _cells_with_marks(column.values):
            marks = _possible_marks(cell)
            if len(marks) == 1:
                return marks
            if marks and not doubtful:
                doubtful = column, cell
        is_grouped = is_grouped and not _has_plain_thousands(column.values)
    if doubtful is None:
        return "."
    column, cell = doubtful
    if "." in cell and (are_points_likely or not is_grouped):
        return "."
    row = pc.index(pc.utf8_trim_whitespace(column.values), cell).as_py()
    shifted = re.sub(r"[.,]", "", cell)
    raise BarsError(
        f"{rows.cell(max(row, 0), column)}: {cell!r} can be read as {shifted} and "
        f"as {cell.replace(',', '.')}, and no number in the file tells which. "
        f"Write that one as {_with_behind(cell, '0')} or as "
        f"{_with_behind(cell, ',0' if '.' in cell else '.0')}: one such number decides for all."
    )


def _with_behind(cell: str, more: str) -> str:
    """A number with more digits behind its last."""
    match = _NUMBER.fullmatch(cell)
    digits = match["digits"].rstrip(_BLANKS) if match else cell
    return cell.replace(digits, digits + more)


def _cells_with_marks(text: Text) -> Iterator[str]:
    for part in (text.slice(0, 1000), text.slice(1000)):
        marked = part.filter(pc.match_substring_regex(part, _WITH_MARK))
        yield from (cell.strip() for cell in pc.unique(marked).to_pylist() if cell)


def _possible_marks(cell: str) -> str:
    """The decimal marks that a cell can have: both in doubt, none if it isn't a number."""
    match = _NUMBER.fullmatch(cell) if len(cell) < 400 else None
    digits = match["digits"].rstrip(_BLANKS) if match else ""
    if match is None or not re.search("[.,]", digits):
        return ""
    # nobody groups the digits of a number with an exponent
    readings = "".join(mark for mark in ".," if _without_marks(digits, mark) is not None)
    return readings if len(readings) < 2 or not match["power"] else re.sub(r"[^.,]", "", digits)


def _has_plain_thousands(text: Text) -> bool:
    return bool(pc.any(pc.match_substring_regex(text, r"^\s*[-+]?[1-9]\d{3,}\s*$")).as_py())


def is_true_or_false(text: Text) -> bool:
    """Whether a column holds nothing but true and false."""
    words = pc.utf8_lower(pc.unique(null_if_missing(text))).drop_null().to_pylist()
    return bool(words) and set(words) <= {"true", "false"}


def parse_flags(text: Text) -> np.ndarray:
    """True as 1, False as 0, and NaN where there is neither."""
    words = pc.utf8_lower(null_if_missing(text))
    flags: np.ndarray = pc.cast(pc.equal(words, "true"), pa.float64()).to_numpy()
    return flags


def looks_like_number(cell: str) -> bool:
    """Whether a cell is a number in one way of writing or another."""
    return len(cell) < 400 and _NUMBER.fullmatch(cell.strip()) is not None
