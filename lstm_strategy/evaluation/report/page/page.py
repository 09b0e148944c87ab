"""The page around its sections.

The page needs no network and no other file. It runs the script that sorts tables and those that it
is given, and no others; without scripts all of it can be read.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from string import Template

from lstm_strategy.evaluation.interactive import content_policy
from lstm_strategy.evaluation.report.page.style import STYLE
from lstm_strategy.evaluation.report.page.text import escape

_LONG_TITLE = 120


def page_html(
    title: str,
    *,
    terms: str,
    sections: Mapping[str, tuple[str, str]],
    style: str = "",
    scripts: Sequence[str] = (),
    tail: str = "",
) -> str:
    """Return the whole page.

    Args:
        title: The heading of the page.
        terms: One line below it.
        sections: Title and HTML of each section, by the id that links lead to.
        style: More of the style sheet.
        scripts: The texts of all scripts that `tail` holds or brings about.
        tail: HTML at the end of the page.
    """
    sorter = _sorting_script()
    return _PAGE.substitute(
        title=escape(title),
        policy=content_policy([sorter, *scripts]),
        style=STYLE + style,
        tail=f"<script>{sorter}</script>\n{tail}",
        heading=escape(title),
        length=' class="long"' if len(title) > _LONG_TITLE else "",
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


@cache
def _sorting_script() -> str:
    return files(__package__).joinpath("tables.js").read_text(encoding="utf-8")


_PAGE = Template(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="$policy">
<title>$title</title>
<link rel="icon" href="data:,">
<style>$style</style>
</head>
<body>
<header>
<h1$length>$heading</h1>
<p>$terms</p>
<nav aria-label="Sections"><ul>$links</ul></nav>
</header>
<main>
$sections
</main>
$tail</body>
</html>
"""
)
