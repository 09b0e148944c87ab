"""What the columns of a file mean.

Names in many languages, numbers with the marks of any country, dates in any usual form, and the
market that a row belongs to. What can't be read unambiguously is refused, with its line
and the remedy.
"""

from lstm_strategy.bars.columns.dates import DatedRows, date_rows, read_dates, reads_as_times
from lstm_strategy.bars.columns.fractions import describe_fraction, refuse_fractions
from lstm_strategy.bars.columns.names import (
    column_name,
    count_usual_names,
    find_bar_columns,
    find_by_choice,
    find_dates,
    find_families,
    find_tickers,
    is_summary,
    list_labels,
    plain_name,
    without_unit,
)
from lstm_strategy.bars.columns.numbers import (
    cast_numbers,
    choose_decimal_mark,
    is_true_or_false,
    looks_like_number,
    null_if_missing,
    parse_flags,
    parse_numbers,
)
from lstm_strategy.bars.columns.symbols import (
    SeveralMarketsError,
    choose_ticker_columns,
    choose_ticker_rows,
    group_ticker_rows,
    has_distinct_dates,
    list_ticker_columns,
)
from lstm_strategy.bars.columns.values import Column, Rows, plain_values, text_of
from lstm_strategy.bars.columns.volume import choose_volume

__all__ = [
    "Column",
    "DatedRows",
    "Rows",
    "SeveralMarketsError",
    "cast_numbers",
    "choose_decimal_mark",
    "choose_ticker_columns",
    "choose_ticker_rows",
    "choose_volume",
    "column_name",
    "count_usual_names",
    "date_rows",
    "describe_fraction",
    "find_bar_columns",
    "find_by_choice",
    "find_dates",
    "find_families",
    "find_tickers",
    "group_ticker_rows",
    "has_distinct_dates",
    "is_summary",
    "is_true_or_false",
    "list_labels",
    "list_ticker_columns",
    "looks_like_number",
    "null_if_missing",
    "parse_flags",
    "parse_numbers",
    "plain_name",
    "plain_values",
    "read_dates",
    "reads_as_times",
    "refuse_fractions",
    "text_of",
    "without_unit",
]
