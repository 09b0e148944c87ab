"""Tables of text: the separator, the rows of names, the rows that don't fit."""

import csv
import io
import re
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.csv

from lstm_strategy.bars.columns import Column, Rows, count_usual_names, looks_like_number, text_of
from lstm_strategy.bars.files.table import Table, check_width
from lstm_strategy.errors import BarsError

_SEPARATORS = "\t;|,"
_FEWEST_CELLS = 5
_LINES_TO_LOOK_AT = 60
_HEAD_BYTES = 2**20
# Excel keeps a cell as it is written by ="10", and saves that as "=""10""".
_EXCEL_TEXT = re.compile(rb'(?<![^,;\t|\r\n ])"?="{1,2}([^"\r\n]*)"{1,3}(?=[,;\t|\r\n ]|$)')


@dataclass(frozen=True)
class _Layout:
    """How a text file is built.

    Attributes:
        separator: What stands between cells.
        header_lines: The line numbers and cells of the rows of names, from the top.
        first_line: The number of the first line of data, from 1.
        width: The number of cells in a row.
    """

    separator: str
    header_lines: tuple[tuple[int, tuple[str, ...]], ...]
    first_line: int
    width: int


def read_separated(data: bytes) -> Table:
    """Read a table of text, encoded as UTF-8.

    Lines above the names and notes below the last row are left out.

    Raises:
        BarsError: If there is no table, or a row is longer or shorter than the names.
    """
    if re.match(rb"\s*<(!doctype|html)", data[:200], re.IGNORECASE):
        raise BarsError("the file holds a web page, not prices. Download the file itself.")
    if b'="' in data:
        data = _EXCEL_TEXT.sub(rb'"\1"', data)
    layout = _find_layout(data[:_HEAD_BYTES].decode(errors="ignore"))
    check_width(layout.width)
    cells = _read_fast(data, layout)
    if cells is None:
        return _read_line_by_line(data, layout)
    rows = Rows("line", range(layout.first_line, layout.first_line + len(cells[0])))
    return _build_table(cells, rows, layout, b'"' in data)


def _find_layout(head: str) -> _Layout:
    lines = [
        line.rstrip("\n") for line in islice(io.StringIO(head, newline=None), _LINES_TO_LOOK_AT)
    ]
    separator = _find_separator(lines)
    rows = [
        (number, _split(line, separator)) for number, line in enumerate(lines, 1) if line.strip()
    ]
    if all(len(cells) < _FEWEST_CELLS for _, cells in rows):
        raise _no_names()
    first = next((n for n, (_, cells) in enumerate(rows) if _is_data(cells)), None)
    if first is None:
        first = _find_below_names([cells for _, cells in rows])
    # a damaged row on top is named later, and no row of names
    while first > 1 and _starts_with_date(rows[first - 1][1]):
        first -= 1
    above: list[tuple[int, tuple[str, ...]]] = []
    for number, cells in reversed(rows[:first]):
        if len(cells) < _FEWEST_CELLS or len(above) == 3:
            break
        above.insert(0, (number, tuple(cell.strip() for cell in cells)))
    if not above and first == len(rows):
        raise _no_names()
    first_line = rows[first][0] if first < len(rows) else len(lines) + 1
    width = len(rows[first][1]) if first < len(rows) else len(above[-1][1])
    first_row = rows[first][1] if first < len(rows) else []
    return _fit_header(_Layout(separator, tuple(above), first_line, width), first_row)


def _no_names() -> BarsError:
    return BarsError(
        "the file has no line of at least five column names. "
        "Add one such as Date,Open,High,Low,Close,Volume."
    )


def _find_separator(lines: list[str]) -> str:
    """The sign that stands in most lines; in doubt another than the comma, which numbers hold."""
    scores = {}
    for sign in _SEPARATORS:
        counts = [len(_split(line, sign)) for line in lines if line.strip()]
        scores[sign] = sum(count >= _FEWEST_CELLS for count in counts)
    return max(_SEPARATORS, key=lambda sign: scores[sign])


def _split(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error as error:
        raise BarsError(f"a line can't be cut into cells ({error}). Check the file.") from error


def _is_data(cells: list[str]) -> bool:
    """Whether a row holds data: at least four numbers, or nothing but gaps after a date."""
    if len(cells) < _FEWEST_CELLS:
        return False
    numbers = [looks_like_number(cell) for cell in cells if cell.strip()]
    starts_with_digit = bool(re.match(r"\s*\d", next((cell for cell in cells if cell.strip()), "")))
    return sum(numbers) >= 4 or (starts_with_digit and sum(numbers) >= len(numbers) - 2)


def _find_below_names(rows: list[list[str]]) -> int:
    """The first row with digits below the row of names, where no row holds numbers as it should."""
    wide = [number for number, cells in enumerate(rows) if len(cells) >= _FEWEST_CELLS]
    names = max(wide, key=lambda number: count_usual_names(rows[number]))
    below = (n for n in wide if n > names and re.search(r"\d", "".join(rows[n])))
    return next(below, wide[-1] + 1)


def _starts_with_date(cells: list[str]) -> bool:
    first = next((cell for cell in cells if cell.strip()), "")
    return len(cells) >= _FEWEST_CELLS and bool(
        re.match(r"\s*(\d{1,4}[-/.]\d{1,2}[-/.]\d|\d{8})", first)
    )


def _fit_header(layout: _Layout, first_row: list[str]) -> _Layout:
    """The layout with names for as many cells as a row has."""
    if not layout.header_lines:
        return layout
    fitting = []
    for number, names in layout.header_lines:
        lacking = layout.width - len(names)
        is_short = lacking > 0 and any(cell.strip() for cell in first_row[-lacking:])
        if is_short and _lacks_row_names(names, first_row):
            names = ("", *names)
        elif (is_short or any(names[layout.width :])) and number == layout.header_lines[-1][0]:
            raise BarsError(
                f"line {layout.first_line} has {layout.width} cells, and the header in line "
                f"{number} has {len(names)} names. Give every column one name."
            )
        fitting.append((number, (names + ("",) * layout.width)[: layout.width]))
    return _Layout(layout.separator, tuple(fitting), layout.first_line, layout.width)


def _lacks_row_names(names: tuple[str, ...], first_row: list[str]) -> bool:
    """Whether only the dates in front have no name, as R writes them."""
    has_date_name = count_usual_names(["date", *names]) > count_usual_names(names)
    return has_date_name and len(first_row) == len(names) + 1


def _read_fast(data: bytes, layout: _Layout) -> list[pa.ChunkedArray] | None:
    """The cells at the speed of pyarrow; None where rows don't fit or lines aren't rows."""
    names = [str(place) for place in range(layout.width)]
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            read_options=pyarrow.csv.ReadOptions(
                skip_rows=layout.first_line - 1, column_names=names, use_threads=False
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=layout.separator, ignore_empty_lines=False
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError):
        return None
    n_lines = data.count(b"\n") + (not data.endswith(b"\n")) - (layout.first_line - 1)
    is_row_a_line = table.num_rows == n_lines and (b"\r" not in data or b"\r\n" in data)
    return table.columns if is_row_a_line else None


def _read_line_by_line(data: bytes, layout: _Layout) -> Table:
    lines = io.StringIO(data.decode(), newline=None)
    for _ in range(layout.first_line - 1):
        next(lines)
    reader = csv.reader(lines, delimiter=layout.separator, skipinitialspace=True)
    found: list[list[str]] = []
    numbers: list[int] = []
    line = layout.first_line
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found.append(cells)
                numbers.append(line)
            line = layout.first_line + reader.line_num
    except csv.Error as error:
        raise BarsError(
            f"line {line} can't be cut into cells ({error}). Correct that line."
        ) from error
    footer = []
    while found and _is_footer(found[-1]):
        numbers.pop()
        footer.append(" ".join(cell.strip() for cell in found.pop() if cell.strip()))
    for number, cells in zip(numbers, found, strict=True):
        if len(cells) < layout.width or any(cell.strip() for cell in cells[layout.width :]):
            what = "header has {} names" if layout.header_lines else "first row has {}"
            count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
            raise BarsError(
                f"line {number} has {count}, and the {what.format(layout.width)}. "
                "Correct that line, or drop it."
            )
    cells = [text_of([row[place] for row in found]) for place in range(layout.width)]
    notes = tuple(
        f"left out the line {words[:80]!r} below the last bar" for words in reversed(footer)
    )
    table = _build_table(cells, Rows("line", np.array(numbers, dtype=int)), layout, b'"' in data)
    return Table(
        table.columns, table.rows, table.has_header, table.header_rows, table.is_plain, None, notes
    )


def _is_footer(cells: list[str]) -> bool:
    given = [cell.strip() for cell in cells if cell.strip()]
    return len(given) <= 2 and not re.match(r"[\d\W]*\d", given[0])


def _build_table(
    cells: list[pa.ChunkedArray], rows: Rows, layout: _Layout, has_quotes: bool
) -> Table:
    headers = [names for _, names in layout.header_lines]
    if headers:
        best = max(headers, key=lambda names: (count_usual_names(names), names is headers[-1]))
        is_several = len(headers) > 1 and _is_header_of_tickers(headers)
        labels, header_rows = best, tuple(headers) if is_several else ()
    else:
        labels, header_rows = ("",) * layout.width, ()
    columns = [Column(label, values) for label, values in zip(labels, cells, strict=True)]
    is_marked = any(label.startswith("<") for label in labels)
    is_plain = (not has_quotes and layout.separator in ",\t") or is_marked
    kept = [
        place
        for place, column in enumerate(columns)
        if not _is_trailing_gap(place, column, bool(headers))
    ]
    return Table(
        tuple(columns[place] for place in kept),
        rows,
        has_header=bool(headers),
        header_rows=tuple(tuple(row[place] for place in kept) for row in header_rows),
        is_plain=is_plain,
    )


def _is_trailing_gap(place: int, column: Column, has_header: bool) -> bool:
    """Whether a column is there only since each line ends in a separator."""
    if column.label or not has_header or not place:
        return False
    values = column.values
    return isinstance(values, pa.ChunkedArray) and not any(
        v.strip() for v in values.unique().to_pylist()
    )


def _is_header_of_tickers(headers: list[tuple[str, ...]]) -> bool:
    """Whether there is a row of fields with a row of the tickers that they belong to."""
    fields = max(headers, key=count_usual_names)
    others = [row for row in headers if row is not fields]
    return any(sum(map(bool, row)) >= len(row) - 1 for row in others)
