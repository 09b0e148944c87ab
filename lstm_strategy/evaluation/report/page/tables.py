"""Tables, and terms with what is said of each."""

from collections.abc import Iterable

import pandas as pd

from lstm_strategy.evaluation.report.page.text import escape


def table_html(frame: pd.DataFrame, caption: str, *, first: str, strong: str | None = None) -> str:
    """Return a table that scrolls within its own box, its first column in place.

    Args:
        frame: The cells as text.
        caption: The line above the table.
        first: The heading of the index.
        strong: The row that stands out.
    """
    headings = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in (first, *frame))
    rows = []
    for label, *values in frame.itertuples():
        cells = "".join(f"<td>{escape(value)}</td>" for value in values)
        kind = ' class="own"' if strong is not None and label == strong else ""
        rows.append(f'<tr{kind}><th scope="row">{escape(label)}</th>{cells}</tr>')
    return (
        f'<div class="scroll" role="region" aria-label="{escape(caption)}" tabindex="0">\n'
        f"<table><caption><span>{escape(caption)}</span></caption><thead><tr>{headings}</tr></thead>\n"
        f"<tbody>{''.join(rows)}</tbody></table></div>\n"
    )


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
