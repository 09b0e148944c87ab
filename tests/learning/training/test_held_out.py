import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lstm_strategy.learning.training.held_out import PanelRows

# dates  0 1 2 3 4 5 6 7
# A      x x x x x x x x    labels of two bars
# B            x x   x x    pauses at date 5, so that labels reach further
A, B = np.arange(8), np.array([3, 4, 6, 7])
ROWS = PanelRows(
    symbols=("A", "B"),
    markets=(slice(0, 8), slice(8, 12)),
    dates=np.r_[A, B],
    label_ends=np.r_[[2, 3, 4, 5, 6, 7, 7, 7], [6, 7, 7, 7]],
)


def test_a_stretch_of_dates_is_cut_in_all_markets_at_once():
    assert ROWS.rows_between(4, 6) == (slice(4, 6), slice(9, 10))
    assert ROWS.rows_between(0, 2) == (slice(0, 2),)  # B begins later


def test_rows_whose_labels_reach_into_the_stretch_are_not_learned_from():
    # B's first label ends at date 6, A's rows 2 and 3 end at 4 and 5; held out are dates 4 and 5
    assert ROWS.rows_apart_from(4, 6) == (slice(0, 2),)


def test_rows_that_a_held_out_label_of_another_market_reaches_are_not_learned_from():
    # A holds out dates 0 and 1, whose labels end at date 3
    assert ROWS.rows_apart_from(0, 2) == (slice(4, 8), slice(9, 12))


@st.composite
def panels(draw):
    n_dates, horizon = draw(st.integers(6, 25)), draw(st.integers(1, 3))
    markets, dates, ends = [], [], []
    for _ in range(draw(st.integers(1, 3))):
        days = sorted(draw(st.sets(st.integers(0, n_dates - 1), min_size=horizon + 1)))
        first = len(dates)
        dates += days[:-horizon]
        ends += days[horizon:]
        markets.append(slice(first, len(dates)))
    used = sorted(set(dates))
    number = {day: place for place, day in enumerate(used)}
    last_known = [max(place for place, day in enumerate(used) if day <= end) for end in ends]
    rows = PanelRows(
        tuple("ABC"[: len(markets)]),
        tuple(markets),
        np.array([number[day] for day in dates]),
        np.array(last_known),
    )
    start = draw(st.integers(0, len(used) - 1))
    return rows, start, draw(st.integers(start + 1, len(used))), dates, ends


@given(panels())
def test_no_label_that_is_learned_shares_time_with_one_that_is_held_out(panel):
    rows, start, stop, dates, ends = panel
    held_out = [row for span in rows.rows_between(start, stop) for row in range(*span.indices(99))]
    learned = [
        row for span in rows.rows_apart_from(start, stop) for row in range(*span.indices(99))
    ]
    assert set(learned).isdisjoint(held_out)
    for row in learned:
        for other in held_out:
            assert ends[row] < dates[other] or ends[other] < dates[row]


@given(panels())
def test_spans_never_cross_the_edge_of_a_market(panel):
    rows, start, stop, _, _ = panel
    for span in rows.rows_between(start, stop) + rows.rows_apart_from(start, stop):
        assert any(m.start <= span.start < span.stop <= m.stop for m in rows.markets)
