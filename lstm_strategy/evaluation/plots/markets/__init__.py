"""Markets as pictures: their price with entries and exits, and what each of them earned."""

from lstm_strategy.evaluation.plots.markets.choice import choose_trades, mark_prices, rank_trades
from lstm_strategy.evaluation.plots.markets.contributions import plot_contributions
from lstm_strategy.evaluation.plots.markets.price import most_marked, plot_price

__all__ = [
    "choose_trades",
    "mark_prices",
    "most_marked",
    "plot_contributions",
    "plot_price",
    "rank_trades",
]
