"""The HTML that the report is made of: the page around its sections, tables, pictures and text.

Nothing here knows what a strategy is. The page needs no network, no script and no other file, and
all text that comes from outside is escapedd.
"""

import base64
import html
import io
from collections.abc import Iterable, Mapping
from string import Template
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

_DPI = 130


def page_html(title: str, *, terms: str, sections: Mapping[str, tuple[str, str]]) -> str:
    """Return the whole page.

    Args:
        title: The heading of the page.
        terms: One line below it.
        sections: Title and HTML of each section, by the id that links lead to.
    """
    return _PAGE.substitute(
        title=escape(title),
        style=_STYLE,
        heading=escape(title),
        terms=escape(terms),
        links="".join(
            f'<li><a href="#{key}">{heading}</a></li>' for key, (heading, _) in sections.items()
        ),
        sections="\n".join(
            f'<section id="{key}" aria-labelledby="{key}-title">'
            f'<h2 id="{key}-title">{heading}</h2>\n{body}</section>'
            for key, (heading, body) in sections.items()
        ),
    )


def picture_html(figure: Figure, alt: str, caption: str, *, on_phone: Figure | None = None) -> str:
    """Return a figure as a PNG within the page.

    Args:
        figure: The figure.
        alt: What it shows, for those who can't see it.
        caption: The line below it.
        on_phone: Another figure for narrow screens.
    """
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    narrow = ""
    if on_phone is not None:
        narrow = f'<source media="(max-width: 40rem)" srcset="{_data_uri(on_phone)}">'
    size = f' width="{width}" height="{height}"' if on_phone is None else ""
    return (
        f"<figure><picture>{narrow}"
        f'<img src="{_data_uri(figure)}" alt="{escape(alt)}"{size}></picture>'
        f"<figcaption>{escape(caption)}</figcaption></figure>\n"
    )


def _data_uri(figure: Figure) -> str:
    picture = io.BytesIO()
    # without matplotlib's version in it: the same page everywhere
    figure.savefig(picture, format="png", dpi=_DPI, transparent=True, metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(picture.getvalue()).decode()


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


def date_texts(values: Iterable[Any], *, missing: str = "") -> list[str]:
    """Return dates as text, with the time of day where one of them has any.

    Example:
        >>> date_texts([pd.Timestamp("2024-01-02"), pd.NaT], missing="open")
        ['2024-01-02', 'open']
    """
    times = [pd.Timestamp(value) for value in values]
    has_hours = any(pd.notna(time) and time != time.normalize() for time in times)
    form = "%Y-%m-%d %H:%M" if has_hours else "%Y-%m-%d"
    return [missing if pd.isna(time) else time.strftime(form) for time in times]


def number_text(value: float, form: str = "{:.2f}") -> str:
    """Return a number as text, "n/a" where there is none."""
    return "n/a" if pd.isna(value) else form.format(value)


def points_text(values: pd.Series, form: str = "{:.2f}") -> str:
    """Return values and where they stand, in words.

    Example:
        >>> points_text(pd.Series({0: 1.2, 10: 0.8}))
        '1.20 at 0, 0.80 at 10'
    """
    return ", ".join(f"{number_text(value, form)} at {key}" for key, value in values.items())


def settings_text(values: Mapping[str, object]) -> str:
    """Return names and values on one line, "none" without any.

    Example:
        >>> settings_text({"units": 32, "seed": 7})
        'units 32, seed 7'
    """
    return ", ".join(f"{key} {value}" for key, value in values.items()) or "none"


def capitalise(text: str) -> str:
    """Return the text with its first letter in upper case and the rest as it is."""
    return text[:1].upper() + text[1:]


def escape(value: object) -> str:
    """Return a value as text that HTML shows and never obeys."""
    return html.escape(str(value))


_PAGE = Template(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>$title</title>
<link rel="icon" href="data:,">
<style>$style</style>
</head>
<body>
<header>
<h1>$heading</h1>
<p>$terms</p>
<nav aria-label="Sections"><ul>$links</ul></nav>
</header>
<main>
$sections
</main>
</body>
</html>
"""
)

_STYLE = """
:root { color-scheme: light dark; --page: #ffffff; --text: #1c2126; --soft: #59636e;
  --line: #d5dbe1; --box: #f4f6f8; --own: #fdf0ef; --link: #0a56b0; --good: #1a7f37;
  --doubt: #9a5b00; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181c; --text: #e4e8ec; --soft: #9aa5b0; --line: #333b44; --box: #1d2329;
    --own: #362022; --link: #7db7ff; --good: #56d07a; --doubt: #e5a848; --bad: #ff8a80; }
  figure img { filter: invert(0.93) hue-rotate(180deg) saturate(1.5) brightness(1.12); }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 76rem; background: var(--page);
  color: var(--text); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; }
h2 { margin: 2.75rem 0 0.75rem; font-size: 1.3rem; }
h3 { margin: 1.25rem 0 0.25rem; font-size: 1rem; }
p, ul { margin: 0.5rem 0; max-width: 48rem; }
ul { padding-left: 1.25rem; }
a { color: var(--link); }
header p, figcaption, caption, dt { color: var(--soft); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; padding: 0; list-style: none;
  max-width: none; }
nav a { display: inline-block; padding: 0.2rem 0; }
.sentence { padding: 0.9rem 1.1rem; border-left: 0.35rem solid var(--soft);
  background: var(--box); font-size: 1.15rem; }
.sentence.claimed { border-color: var(--good); }
.sentence.doubtful { border-color: var(--doubt); }
.warning { color: var(--bad); }
.scroll { overflow-x: auto; margin: 0.75rem 0 1.25rem; border: 1px solid var(--line); }
.scroll:focus-visible { outline: 2px solid var(--link); }
table { border-collapse: separate; border-spacing: 0; width: 100%;
  font-size: 0.9rem; font-variant-numeric: tabular-nums; }
caption { padding: 0.5rem 0.6rem; text-align: left; }
caption span { position: sticky; left: 0.6rem; display: inline-block;
  max-width: min(100%, calc(100vw - 4rem)); }
th, td { padding: 0.35rem 0.6rem; border-top: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; white-space: normal; }
th:first-child { position: sticky; left: 0; background: var(--page); text-align: left;
  border-right: 1px solid var(--line); }
tbody th { font-weight: 400; }
.own th, .own td { background: var(--own); font-weight: 600; }
.own th:first-child { background: var(--own); }
figure { margin: 0.75rem 0 1.25rem; }
figure img { display: block; max-width: 100%; height: auto; }
figcaption { margin-top: 0.4rem; font-size: 0.9rem; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr));
  gap: 0 1.5rem; }
dl { margin: 0.75rem 0; }
dd { margin: 0; overflow-wrap: anywhere; }
.facts { display: flex; flex-wrap: wrap; gap: 0.75rem 2rem; }
.facts dt { font-size: 0.85rem; }
.facts dd { font-size: 1.1rem; font-variant-numeric: tabular-nums; }
.alarms > div { margin: 0.75rem 0; padding-left: 0.9rem; border-left: 0.35rem solid var(--doubt);
  max-width: 48rem; }
.alarms dt { color: var(--text); font-weight: 600; }
.provenance > div { padding: 0.4rem 0; border-top: 1px solid var(--line); font-size: 0.9rem; }
@media (min-width: 48rem) {
  .provenance > div { display: grid; grid-template-columns: 15rem 1fr; gap: 1rem; }
}
@media (max-width: 40rem) {
  body { padding: 1rem 1rem 3rem; }
  .scroll th, .scroll td { padding: 0.35rem 0.55rem; }
  #strategies tbody th { max-width: 8.5rem; white-space: normal; }
}
@media print { nav { display: none; } .scroll { overflow: visible; } }
"""
