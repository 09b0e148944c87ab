"""Which model forecasts the returns of many markets best? Measures of skill, side by side."""

from lstm_strategy.evaluation.forecasts.panel.comparison import SkillComparison
from lstm_strategy.evaluation.forecasts.panel.run import (
    PanelForecastSource,
    compare_on_panel,
    open_panel_models,
)

__all__ = ["PanelForecastSource", "SkillComparison", "compare_on_panel", "open_panel_models"]
