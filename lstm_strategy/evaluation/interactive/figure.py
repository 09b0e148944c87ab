"""Charts that show themselves in a notebook, or make a page of their own."""

import html
from functools import cached_property
from pathlib import Path
from string import Template

from lstm_strategy.evaluation.interactive.charts import Charts
from lstm_strategy.evaluation.interactive.policy import content_policy
from lstm_strategy.evaluation.interactive.style import chart_style
from lstm_strategy.support import write_whole

_HEIGHT = 1_480


class InteractiveFigure:
    """The charts of a comparison, with nothing around them.

    Args:
        charts: What is shown.
        title: What the page says it is.

    Example:
        >>> from lstm_strategy import BASELINES, compare, sample_bars
        >>> bars = sample_bars("sp500")
        >>> comparison = compare({"MACD": BASELINES["MACD"]}, bars, start="2016")
        >>> comparison.plot(interactive=True)
        InteractiveFigure('MACD')
        >>> comparison.plot(interactive=True).save("equity.html")  # doctest: +SKIP
    """

    def __init__(self, charts: Charts, title: str) -> None:
        self._charts, self._title = charts, title

    @cached_property
    def page(self) -> str:
        """The whole page as text; it needs no network and no other file."""
        return _PAGE.substitute(
            title=html.escape(self._title),
            policy=content_policy(self._charts.scripts),
            style=chart_style(),
            equity=self._charts.equity,
            price=self._charts.price,
            tail=self._charts.tail,
        )

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
        return (
            f'<iframe srcdoc="{html.escape(self.page)}" title="{html.escape(self._title)}" '
            f'style="width: 100%; height: {_HEIGHT}px; border: 0"></iframe>'
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
  :root { --page: #14181c; --text: #e4e8ec; --soft: #9aa5b0; --line: #333b44; --box: #1d2329;
    --link: #7db7ff; }
}
body { margin: 0.5rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
$style
</style>
</head>
<body>
<main>
$equity
$price
</main>
$tail</body>
</html>
"""
)
