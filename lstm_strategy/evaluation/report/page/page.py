"""The page around its sections.

The page needs no network, no script and no other file.
"""

from collections.abc import Mapping
from string import Template

from lstm_strategy.evaluation.report.page.style import STYLE
from lstm_strategy.evaluation.report.page.text import escape


def page_html(title: str, *, terms: str, sections: Mapping[str, tuple[str, str]]) -> str:
    """Return the whole page.

    Args:
        title: The heading of the page.
        terms: One line below it.
        sections: Title and HTML of each section, by the id that links lead to.
    """
    return _PAGE.substitute(
        title=escape(title),
        style=STYLE,
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
