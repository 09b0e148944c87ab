import re

import pandas as pd

from lstm_strategy.evaluation.report.page import table_html


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
