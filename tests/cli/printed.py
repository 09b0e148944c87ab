"""What tests read from the terminal and from folders."""

import re


def rows_of(printed):
    """The other cells of each line of a printed table, by its first cell."""
    lines = [re.split(r"\s{2,}", line.strip("> ")) for line in printed.splitlines()]
    return {cells[0]: cells[1:] for cells in lines if len(cells) > 1}


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())
