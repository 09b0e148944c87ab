import re

import pandas as pd

from lstm_strategy.evaluation.report.page import escape, table_html


def test_columns_of_words_and_dates_are_read_from_the_left():
    frame = pd.DataFrame(
        {
            "Exit": ["2024-01-02", "open"],
            "Side": ["long", "short"],
            "Profit": ["-1,234", "n/a"],
            "Return": ["1.5%", ""],
        },
        index=["A", "B"],
    )
    page = table_html(frame, "Trades", first="Entry")
    headings = re.findall(r'<th scope="col"( class="text")?>(\w+)</th>', page)
    assert [name for kind, name in headings if kind] == ["Exit", "Side"]
    assert page.count('<td class="text">') == 4


def test_a_long_name_of_a_row_is_broken_so_that_its_numbers_can_be_seen_on_a_phone():
    frame = pd.DataFrame({"Sharpe": ["1.00", "2.00"]}, index=["SMA cross", "N" * 200])
    page = table_html(frame, "All", first="Strategy")
    assert f'<th scope="row" class="long">{"N" * 200}</th>' in page
    assert '<th scope="row">SMA cross</th>' in page


def test_text_that_turns_the_direction_is_shown_and_what_is_no_text_is_replaced():
    assert escape("<b>\u202eevil\u2066") == "&lt;b&gt;\\u202eevil\\u2066"
    assert escape("caf\udce9.csv") == "caf?.csv"  # a name of a file in Latin-1
    assert escape("\u0627\u0628") == "\u0627\u0628"
