"""Charts that answer to a pointer and to keys: growth, drawdown, exposure, price and trades.

Bokeh draws them in the reader's browser. Its script is embedded, compressed, so that a page needs
no network; bokeh is imported only when a chart is made.
"""

from typing import TYPE_CHECKING

from lstm_strategy.evaluation.interactive.policy import content_policy
from lstm_strategy.evaluation.interactive.style import chart_style
from lstm_strategy.support.lazy import import_on_first_use

if TYPE_CHECKING:
    from lstm_strategy.evaluation.interactive.charts import Charts, build_charts
    from lstm_strategy.evaluation.interactive.figure import InteractiveFigure
    from lstm_strategy.evaluation.interactive.views import MarketViews, view_markets

__all__ = [
    "Charts",
    "InteractiveFigure",
    "MarketViews",
    "build_charts",
    "chart_style",
    "content_policy",
    "view_markets",
]

__getattr__ = import_on_first_use(
    __name__,
    {
        "Charts": ".charts",
        "InteractiveFigure": ".figure",
        "MarketViews": ".views",
        "build_charts": ".charts",
        "view_markets": ".views",
    },
)
