"""Figures without pyplot: no screen needed, no trace left in matplotlib."""

from typing import TYPE_CHECKING

from lstm_strategy.support.lazy import import_on_first_use

if TYPE_CHECKING:
    from lstm_strategy.evaluation.plots.curves import on_plain_dates
    from lstm_strategy.evaluation.plots.equity import plot_equity
    from lstm_strategy.evaluation.plots.forecasts import plot_forecasts
    from lstm_strategy.evaluation.plots.inspection import (
        plot_gradients,
        plot_hidden_states,
        plot_importance,
        plot_saliency,
    )
    from lstm_strategy.evaluation.plots.markets import (
        choose_trades,
        mark_prices,
        most_marked,
        plot_contributions,
        plot_price,
        rank_trades,
    )
    from lstm_strategy.evaluation.plots.model import plot_course, plot_epochs
    from lstm_strategy.evaluation.plots.robustness import (
        plot_cost_break_even,
        plot_delay_break_even,
        plot_each_cost,
        plot_folds,
        plot_members,
        plot_permutation_test,
    )
    from lstm_strategy.evaluation.plots.skill import (
        plot_by_horizon,
        plot_calibration,
        plot_quantiles,
    )
    from lstm_strategy.evaluation.plots.style import (
        STRONG_COLORS,
        NotebookFigure,
        draw_pixels,
        figure_html,
        picture_name,
        plotting_style,
    )
    from lstm_strategy.evaluation.plots.training import plot_history
    from lstm_strategy.evaluation.plots.tuning import plot_search_importance, plot_trials

__all__ = [
    "STRONG_COLORS",
    "NotebookFigure",
    "choose_trades",
    "draw_pixels",
    "figure_html",
    "mark_prices",
    "most_marked",
    "on_plain_dates",
    "picture_name",
    "plot_by_horizon",
    "plot_calibration",
    "plot_contributions",
    "plot_cost_break_even",
    "plot_course",
    "plot_delay_break_even",
    "plot_each_cost",
    "plot_epochs",
    "plot_equity",
    "plot_folds",
    "plot_forecasts",
    "plot_gradients",
    "plot_hidden_states",
    "plot_history",
    "plot_importance",
    "plot_members",
    "plot_permutation_test",
    "plot_price",
    "plot_quantiles",
    "plot_saliency",
    "plot_search_importance",
    "plot_trials",
    "plotting_style",
    "rank_trades",
]

__getattr__ = import_on_first_use(
    __name__,
    {
        "on_plain_dates": ".curves",
        "plot_equity": ".equity",
        "plot_forecasts": ".forecasts",
        "plot_gradients": ".inspection",
        "plot_hidden_states": ".inspection",
        "plot_importance": ".inspection",
        "plot_saliency": ".inspection",
        "choose_trades": ".markets",
        "mark_prices": ".markets",
        "most_marked": ".markets",
        "plot_contributions": ".markets",
        "plot_price": ".markets",
        "rank_trades": ".markets",
        "plot_course": ".model",
        "plot_epochs": ".model",
        "plot_cost_break_even": ".robustness",
        "plot_delay_break_even": ".robustness",
        "plot_each_cost": ".robustness",
        "plot_folds": ".robustness",
        "plot_members": ".robustness",
        "plot_permutation_test": ".robustness",
        "plot_by_horizon": ".skill",
        "plot_calibration": ".skill",
        "plot_quantiles": ".skill",
        "STRONG_COLORS": ".style",
        "draw_pixels": ".style",
        "figure_html": ".style",
        "NotebookFigure": ".style",
        "picture_name": ".style",
        "plotting_style": ".style",
        "plot_history": ".training",
        "plot_search_importance": ".tuning",
        "plot_trials": ".tuning",
    },
)
