"""What bokeh draws: panels one above the other that share a time axis."""

from lstm_strategy.evaluation.interactive.panels.contributions import draw_contributions
from lstm_strategy.evaluation.interactive.panels.equity import draw_equity
from lstm_strategy.evaluation.interactive.panels.price import draw_price
from lstm_strategy.evaluation.interactive.panels.timeline import Timeline

__all__ = ["Timeline", "draw_contributions", "draw_equity", "draw_price"]
