import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from lstm_strategy.evaluation.thinning import thin_rows


def test_few_rows_stay_as_they_are():
    table = pd.DataFrame({"a": [1.0, 2.0]})
    assert thin_rows(table) is table


def test_the_extremes_of_every_column_stay_at_their_own_dates():
    table = pd.DataFrame({"a": [5.0, 1.0, 9.0, 4.0, 8.0, 2.0, 3.0], "b": np.arange(7.0)})
    thin = thin_rows(table, most=6)  # in one piece: a row for each extreme, the first and the last
    assert thin.index.to_list() == [0, 1, 2, 6]
    pd.testing.assert_frame_equal(thin, table.loc[thin.index])


def test_unknown_values_are_left_out_of_account():
    table = pd.DataFrame({"a": [np.nan, np.nan, 3.0, np.nan, 1.0, np.nan]})
    assert thin_rows(table, most=4).index.to_list() == [0, 2, 4, 5]
    unknown = pd.DataFrame({"a": [np.nan] * 6})
    assert thin_rows(unknown, most=4).index.to_list() == [0, 5]


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=200),
    st.integers(6, 60),
)
def test_no_peak_and_no_trough_is_lost_and_no_date_is_wrong(values, most):
    table = pd.DataFrame(values, columns=["a", "b"])
    thin = thin_rows(table, most=most)
    assert len(thin) <= most or len(table) <= most
    pd.testing.assert_frame_equal(thin, table.loc[thin.index])
    for name in table:
        assert thin[name].max() == table[name].max()
        assert thin[name].min() == table[name].min()
    assert thin.index[0] == 0 and thin.index[-1] == len(table) - 1
    assert thin.index.is_monotonic_increasing
