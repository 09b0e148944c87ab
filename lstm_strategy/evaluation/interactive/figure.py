"""Charts that show themselves in a notebook, or make a page of their own."""

from functools import cached_property
from pathlib import Path
from string import Template

from lstm_strategy.evaluation.interactive.charts import Charts
from lstm_strategy.evaluation.interactive.policy import content_policy
from lstm_strategy.evaluation.interactive.style import chart_style
from lstm_strategy.support import escape_html, write_whole


class InteractiveFigure:
    """The charts of a comparison, with nothing around them.

    In a notebook they take the place of a still picture, and the colours of the page around them.
    The picture stays where scripts don't run: in a notebook that isn't trusted, and on pages that
    show none.

    Args:
        charts: What is shown.
        title: What the page says it is.
        still: The picture, as HTML.

    Example:
        >>> from lstm_strategy import BASELINES, compare, sample_bars
        >>> bars = sample_bars("sp500")
        >>> comparison = compare({"MACD": BASELINES["MACD"]}, bars, start="2016")
        >>> comparison.plot(interactive=True)
        InteractiveFigure('MACD')
        >>> comparison.plot(interactive=True).save("equity.html")  # doctest: +SKIP
    """

    def __init__(self, charts: Charts, title: str, *, still: str) -> None:
        self._charts, self._title, self._still = charts, title, still

    @cached_property
    def page(self) -> str:
        """The whole page as text; it needs no network and no other file."""
        return self._page_with(self._still)

    def save(self, path: str | Path) -> Path:
        """Write the page, whole or not at all.

        Args:
            path: The file.

        Returns:
            The path.
        """
        return write_whole(path, self.page.encode())

    def __repr__(self) -> str:
        return f"InteractiveFigure({self._title!r})"

    def _repr_html_(self) -> str:
        # quotes of JSON stay as they are: the page stands between apostrophes
        page = self._page_with("").replace("&", "&amp;").replace("'", "&#39;")
        # the page's script hides what stands before the frame, and gives the frame its height
        return (
            f"<div>{self._still}<div>{_HOW_TO_TOUCH}</div></div>"
            f"<iframe data-charts srcdoc='{page}' title=\"{escape_html(self._title)}\" "
            'style="display: block; width: 100%; height: 0; border: 0"></iframe>'
        )

    def _page_with(self, still: str) -> str:
        return _PAGE.substitute(
            title=escape_html(self._title),
            policy=content_policy(self._charts.scripts),
            style=chart_style(),
            still=still,
            equity=self._charts.equity,
            price=self._charts.price,
            markets=self._charts.markets,
            tail=self._charts.tail,
        )


_HOW_TO_TOUCH = (
    "A still picture: charts to zoom and to point at take its place where scripts may run. In "
    "JupyterLab trust the notebook, or run the cell."
)

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
<style>
:root { color-scheme: light dark; --page: #ffffff; --text: #1c2126; --soft: #59636e;
  --line: #d5dbe1; --box: #f4f6f8; --link: #0a56b0; }
@media (prefers-color-scheme: dark) {
  :root:not([data-theme="light"]) { --page: #14181c; --text: #e4e8ec; --soft: #9aa5b0;
    --line: #333b44; --box: #1d2329; --link: #7db7ff; }
}
:root[data-theme="light"] { color-scheme: light; }
:root[data-theme="dark"] { color-scheme: dark; --text: #e4e8ec; --soft: #9aa5b0;
  --line: #333b44; --box: #1d2329; --link: #7db7ff; }
body { margin: 0.5rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
:root[data-theme] body { margin: 0; background: transparent; font-size: 0.875rem; }
$style
@media print { :root[data-theme] .chart { display: block; } }
</style>
</head>
<body>
<main>
<div class="static">$still</div>
$equity
$price
$markets
</main>
$tail</body>
</html>
"""
)
