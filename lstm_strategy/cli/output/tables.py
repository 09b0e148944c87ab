"""Tables that keep every number whole, however narrow the terminal is."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich import box
from rich.cells import cell_len
from rich.table import Table

from lstm_strategy.cli.output.console import out
from lstm_strategy.errors import escape_controls

_LONGEST_NAME, _SHORTEST_NAME, _LEAST = 24, 6, 6
_GAP = 2  # a blank that pads a column, and one that parts it from the next


@dataclass
class ResultTable:
    """Rows of text to be printed by `print_table`.

    Attributes:
        headings: The heading of each column; the first column names the rows.
        sentences: Which of the headings are of columns that may be wrapped at words; all others
            but the first hold numbers, dates and single words.
        strong: The heading of a column to be printed bold; None for none.

    Example:
        >>> table = ResultTable(["market", "return"])
        >>> table.add_row("ES", "12.0%")
        >>> table.rows
        [('ES', '12.0%')]
    """

    headings: Sequence[str]
    sentences: Sequence[str] = ()
    strong: str | None = None
    rows: list[tuple[str, ...]] = field(default_factory=list)
    styles: list[str | None] = field(default_factory=list)

    def add_row(self, *cells: str, style: str | None = None) -> None:
        """Add a row below the others, one cell a column."""
        self.rows.append(tuple(map(escape_controls, cells)))
        self.styles.append(style)


def print_table(table: ResultTable) -> None:
    """Print a table to stdout, in blocks of columns where the terminal is too narrow for all.

    Names and sentences are wrapped to fit. A number never is: where not even one column of them
    fits beside the names, it is printed beyond the edge.

    Args:
        table: The rows; the first column stands in every block.

    Example:
        >>> table = ResultTable(["market", "return"])
        >>> table.add_row("ES", "12.0%")
        >>> print_table(table)
        <BLANKLINE>
        market  return
        ───────────────
        ES       12.0%
        <BLANKLINE>
    """
    for columns in _choose_blocks(table, out.width):
        out.print(_draw_block(table, columns, out.width), crop=False)


def fits_in_one_block(table: ResultTable) -> bool:
    """Whether the terminal has room for all columns beside each other."""
    return len(_choose_blocks(table, out.width)) == 1


def _choose_blocks(table: ResultTable, width: int) -> list[list[int]]:
    """The columns of each block, by their positions, beside the first."""
    blocks: list[list[int]] = [[]]
    for position in range(1, len(table.headings)):
        columns = [*blocks[-1], position]
        if blocks[-1] and _width_of(_least_widths(table, columns, width)) > width:
            blocks.append([position])
        else:
            blocks[-1] = columns
    return blocks


def _draw_block(table: ResultTable, columns: list[int], width: int) -> Table:
    least = _least_widths(table, columns, width)
    widths = _share_room(table, least, width)
    drawn = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), width=_width_of(least | widths))
    for position in (0, *columns):
        heading = table.headings[position]
        is_text = position == 0 or heading in table.sentences
        drawn.add_column(
            escape_controls(heading),
            justify="left" if is_text else "right",
            width=widths[position],
            overflow="fold",
            style="bold" if position and heading == table.strong else "",
        )
    for row, style in zip(table.rows, table.styles, strict=True):
        drawn.add_row(*(row[position] for position in (0, *columns)), style=style)
    return drawn


def _least_widths(table: ResultTable, columns: list[int], width: int) -> dict[int, int]:
    """The width that each column of a block needs, by its position; the names get the rest."""
    least = {position: _least_width(table, position, width) for position in columns}
    longest = min(_natural_width(table, 0), max(_LONGEST_NAME, width // 3))
    room = width - _width_of({0: 0, columns[0]: least[columns[0]]})
    return {0: max(min(longest, room), min(longest, _SHORTEST_NAME))} | least


def _least_width(table: ResultTable, position: int, width: int) -> int:
    words = table.headings[position].split()
    if table.headings[position] in table.sentences:
        words += [word for row in table.rows for word in row[position].split()]
        return min(max(map(cell_len, words)), max(width - _SHORTEST_NAME - 3 * _GAP, _LEAST))
    heading = min(max(map(cell_len, words), default=0), _LONGEST_NAME)
    return max(heading, _LEAST, *(cell_len(row[position]) for row in table.rows), 0)


def _natural_width(table: ResultTable, position: int) -> int:
    cells = [table.headings[position], *(row[position] for row in table.rows)]
    least = _LEAST if position and table.headings[position] not in table.sentences else 0
    return max(least, *(cell_len(line) for cell in cells for line in cell.split("\n") or [""]))


def _share_room(table: ResultTable, least: dict[int, int], width: int) -> dict[int, int]:
    """The widths of the columns once each has taken what is left of the room, sentences first."""
    widths, spare = dict(least), width - _width_of(least)
    is_sentence = {at: table.headings[at] in table.sentences for at in widths}
    for position in sorted(widths, key=lambda at: (not is_sentence[at], at == 0, at)):
        wanted = max(_natural_width(table, position) - widths[position], 0)
        taken = min(wanted, max(spare, 0))
        widths[position] += taken
        spare -= taken
    return widths


def _width_of(widths: dict[int, int]) -> int:
    """The width of a block on the screen, its edges included."""
    return sum(widths.values()) + _GAP * len(widths) + 1
