"""Dates: digits, texts and their pieces, a column read as dates, and the columns that hold them."""

from lstm_strategy.bars.columns.dates.find import DatedRows, date_rows
from lstm_strategy.bars.columns.dates.read import read_dates
from lstm_strategy.bars.columns.dates.times import reads_as_times

__all__ = ["DatedRows", "date_rows", "read_dates", "reads_as_times"]
