"""Where prices come from: loaded, checked, simulated, and how often they come."""

from lstm_strategy.bars.fingerprint import bars_fingerprint
from lstm_strategy.bars.frequency import bar_spacing, bars_per_year
from lstm_strategy.bars.load import load_bars, sample_bars
from lstm_strategy.bars.simulate import simulate_bars
from lstm_strategy.bars.span import bars_until, first_bar_number, span_dates, span_text
from lstm_strategy.bars.validate import CheckedBars, check_bars, validate_bars

__all__ = [
    "CheckedBars",
    "bar_spacing",
    "bars_fingerprint",
    "bars_per_year",
    "bars_until",
    "check_bars",
    "first_bar_number",
    "load_bars",
    "sample_bars",
    "simulate_bars",
    "span_dates",
    "span_text",
    "validate_bars",
]
