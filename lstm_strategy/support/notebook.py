"""What objects show in a notebook: one card of HTML, in the notebook's own colours.

A card has no script and no style sheet, needs no network and no other file, and takes over the
colour of the text around it, so that it can be read on a light page and on a dark one.
"""

import base64
import html
import math
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from lstm_strategy.errors import escape_controls

_LINE = "1px solid rgba(128,128,128,0.4)"
_CELL = f"padding:0.2em 0.6em;border:0;border-top:{_LINE};text-align:right;white-space:nowrap"
_WIDTH, _HEIGHT = 220, 44


def escape_html(value: object) -> str:
    r"""Return a value as text that HTML shows and never obeys.

    What would turn the direction of the text around it is shown, and what isn't text at all is
    replaced: the name of a file may have both.

    Example:
        >>> escape_html("<b>\u202e"), escape_html("caf\udce9")
        ('&lt;b&gt;\\u202e', 'caf?')
    """
    return html.escape(escape_controls(str(value)).encode(errors="replace").decode())


def card_html(
    title: str,
    *,
    about: str = "",
    facts: Mapping[str, object] | None = None,
    parts: Iterable[str] = (),
    notes: Iterable[str] = (),
) -> str:
    """Return a card: a title, a line about it, facts, parts of HTML, and notes below them.

    Args:
        title: What it is.
        about: What a reader should know first.
        facts: Values by their name; an empty text or None is left out.
        parts: HTML of this module: tables and pictures.
        notes: One paragraph each.

    Example:
        >>> "<b>Audit</b>" in card_html("Audit", about="Clean: 3 < 4.", facts={"Bars": 12})
        True
    """
    shown = {name: value for name, value in (facts or {}).items() if value not in ("", None)}
    body = [f"<div><b>{escape_html(title)}</b></div>"]
    body += [f"<div>{escape_html(about)}</div>"] if about else []
    if shown:
        rows = "".join(
            f'<tr style="background:none"><td style="{_CELL};text-align:left;opacity:0.75">'
            f'{escape_html(name)}</td><td style="{_CELL};text-align:left;white-space:normal">'
            f"{escape_html(value)}</td></tr>"
            for name, value in shown.items()
        )
        body.append(_table(rows))
    body += parts
    body += [f'<div style="margin-top:0.4em">{escape_html(note)}</div>' for note in notes]
    return f'<div style="color:inherit;line-height:1.45;max-width:70em">{"".join(body)}</div>'


def frame_html(frame: pd.DataFrame, *, strong: str | None = None) -> str:
    """Return a table of texts that scrolls where it is too wide.

    Args:
        frame: The cells as text; its index is the first column.
        strong: The row that stands out.

    Example:
        >>> "&lt;b&gt;" in frame_html(pd.DataFrame({"Return": ["<b>"]}, ["LSTM"]))
        True
    """
    left = f"{_CELL};text-align:left"
    heading = f"{_CELL.replace('nowrap', 'normal')};vertical-align:bottom;border-top:0"
    names = ["" if name is None else str(name) for name in (frame.index.name, *frame)]
    head = "".join(
        f'<th scope="col" style="{heading if place else f"{heading};text-align:left"}">'
        f"{escape_html(name.replace('_', ' '))}</th>"
        for place, name in enumerate(names)
    )
    rows = []
    for label, *values in frame.itertuples():
        # said in each cell: where a notebook isn't trusted, JupyterLab takes "inherit" away
        weight = "bold" if strong is not None and label == strong else "normal"
        cells = "".join(
            f'<td style="{_CELL};font-weight:{weight}">{escape_html(value)}</td>'
            for value in values
        )
        name = f'<th scope="row" style="{left};font-weight:{weight}">{escape_html(label)}</th>'
        rows.append(f'<tr style="background:none">{name}{cells}</tr>')
    return _table(f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>")


def png_html(png: bytes, alt: str, *, width: int = 640) -> str:
    """Return a picture on white, whatever the colour of the page.

    Example:
        >>> png_html(b"", "Growth").startswith("<img")
        True
    """
    data = base64.b64encode(png).decode()
    look = f"max-width:min(100%,{width}px);background:#fff;border-radius:4px;margin-top:0.5em"
    return f'<img alt="{escape_html(alt)}" style="{look}" src="data:image/png;base64,{data}">'


def line_svg(values: Sequence[float], label: str) -> str:
    """Return a small line in the colour of the text, with its label; "" for fewer than two values.

    Args:
        values: From left to right; those that aren't finite are left out.
        label: What is drawn, below the line and for those who can't see it.

    Example:
        >>> line_svg([1.0, 2.0], "Loss").count("<polyline")
        1
    """
    finite = [float(value) for value in values if math.isfinite(value)]
    if len(finite) < 2:
        return ""
    low, high = min(finite), max(finite)
    step, scale = _WIDTH / (len(finite) - 1), (_HEIGHT - 4) / ((high - low) or 1.0)
    points = " ".join(
        f"{place * step:.1f},{_HEIGHT - 2 - (value - low) * scale:.1f}"
        for place, value in enumerate(finite)
    )
    text = escape_html(label)
    return (
        f'<div style="margin-top:0.5em"><svg role="img" aria-label="{text}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"><polyline points="{points}" '
        'fill="none" stroke="currentColor" stroke-width="1.5"/></svg>'
        f'<div style="opacity:0.75;font-size:90%">{text}</div></div>'
    )


def _table(rows: str) -> str:
    look = "border-collapse:collapse;border:0;margin:0.5em 0;color:inherit;font-size:90%"
    return f'<div style="overflow-x:auto"><table style="{look}">{rows}</table></div>'
