"""Tables, and terms with what is said of each."""

import math
import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from lstm_strategy.evaluation.report.page.text import escape

_NUMBER = re.compile(r"[-+]?[\d,.]+(e[-+]?\d+)?%?")
_MOST_ROWS = 500
_LONG_NAME = 32  # letters; longer ones are broken, where others are scrolled to
_NO_NUMBER = ("", "n/a")


def table_html(
    frame: pd.DataFrame,
    caption: str,
    *,
    first: str,
    strong: str | None = None,
    shades: pd.DataFrame | None = None,
    helps: Mapping[str, str] | None = None,
) -> str:
    """Return a table that scrolls within its own box, its first column in place.

    Of more than 500 rows the first are shown, and the one that stands out; the caption says so.

    Args:
        frame: The cells as text.
        caption: The line above the table.
        first: The heading of the index.
        strong: The row that stands out.
        shades: For a heat map a class of each cell, as `shade_classes` gives them.
        helps: What a heading means, shown beside the pointer, by heading.
    """
    helps = helps or {}
    if len(frame) > _MOST_ROWS:
        caption = f"{caption} (the first {_MOST_ROWS:,} of {len(frame):,} rows)"
        is_own = frame.index == strong if strong is not None else np.zeros(len(frame), bool)
        kept = (np.arange(len(frame)) < _MOST_ROWS) | is_own
        frame, shades = frame[kept], None if shades is None else shades[kept]
    text_kinds = ["text" if _holds_text(frame[name]) else "" for name in frame]
    headings = "".join(
        f'<th scope="col"{_class_of(kind)}{_title_of(helps.get(heading))}>{escape(heading)}</th>'
        for heading, kind in zip((first, *frame), ("", *text_kinds), strict=True)
    )
    rows = []
    kinds = [text_kinds] * len(frame) if shades is None else shades.to_numpy().tolist()
    for (label, *values), row in zip(frame.itertuples(), kinds, strict=True):
        cells = "".join(
            f"<td{_class_of(kind)}>{escape(value)}</td>"
            for value, kind in zip(values, row, strict=True)
        )
        kind = ' class="own"' if strong is not None and label == strong else ""
        length = _class_of("long" if len(str(label)) > _LONG_NAME else "")
        rows.append(f'<tr{kind}><th scope="row"{length}>{escape(label)}</th>{cells}</tr>')
    return (
        f'<div class="scroll" role="region" aria-label="{escape(caption)}" tabindex="0">\n'
        f"<table><caption><span>{escape(caption)}</span></caption><thead><tr>{headings}</tr></thead>\n"
        f"<tbody>{''.join(rows)}</tbody></table></div>\n"
    )


def shade_classes(values: pd.DataFrame, *, most: float, levels: int = 4) -> pd.DataFrame:
    """Return the class of each cell of a heat map: "gain-1" to "gain-4", "loss-1" to "loss-4".

    Args:
        values: The numbers; NaN and zero get no class.
        most: The size from which on the last level is reached, above 0.
        levels: How many there are on each side; the style sheet knows 4.

    Example:
        >>> shade_classes(pd.DataFrame({"a": [0.1, -0.05], "b": [0.0, 0.01]}), most=0.1)
                a       b
        0  gain-4
        1  loss-2  gain-1
    """

    def shade(value: float) -> str:
        if value != value or value == 0:
            return ""
        level = min(levels, max(1, math.ceil(levels * abs(value) / most)))
        return f"{'gain' if value > 0 else 'loss'}-{level}"

    return values.map(shade)


def _class_of(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _title_of(text: str | None) -> str:
    return f' title="{escape(text)}"' if text else ""


def _holds_text(cells: pd.Series) -> bool:
    """Whether a column is made of words or dates, which are read from the left."""
    texts = [str(cell) for cell in cells]
    return any(not _NUMBER.fullmatch(text) for text in texts if text not in _NO_NUMBER)


def terms_html(rows: Iterable[tuple[str, object]], kind: str) -> str:
    """Return terms and what is said of each, as a list of the style `kind`.

    Example:
        >>> terms_html([("Seed", 7)], "facts")
        '<dl class="facts"><div><dt>Seed</dt><dd>7</dd></div></dl>'
    """
    body = "".join(
        f"<div><dt>{escape(term)}</dt><dd>{escape(value)}</dd></div>" for term, value in rows
    )
    return f'<dl class="{kind}">{body}</dl>'
