"""The benchmark on published movements: labels, days and errors."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def acl18(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import acl18

    return acl18


def bars_of(closes, first="2015-09-29"):
    days = pd.bdate_range(first, periods=len(closes))
    return pd.DataFrame(dict.fromkeys(["open", "high", "low", "close"], closes), days).assign(
        volume=1.0
    )


def test_a_rise_from_055_percent_is_one_and_a_fall_from_05_percent_is_zero(acl18):
    closes = pd.Series(100 * np.cumprod([1, 1.0056, 1.0054, 0.9949, 0.9951]))
    labels = acl18.label_movements(closes.set_axis(pd.bdate_range("2015-10-01", periods=5)))
    np.testing.assert_array_equal(labels, [np.nan, 1, np.nan, 0, np.nan])


def test_a_forecast_is_held_against_the_movement_of_the_day_after(acl18):
    # a rise on 30 September, which isn't tested; then a rise, a fall and a rise
    panel = {"A": bars_of([100.0, 102.0, 104.0, 102.0, 104.0]), "B": bars_of([50.0] * 5)}
    told = pd.Series([0.1, 0.9, 0.4, 0.3, 0.9], panel["A"].index)
    accuracy = acl18.measure_accuracy({"A": told, "B": told}, panel)
    # told on 30 September and on 1 and 2 October: right, right and wrong; B never moves
    assert accuracy.of_forecasts.n_values == accuracy.of_always_up.n_values == 3
    assert accuracy.of_forecasts.mean == pytest.approx(2 / 3)
    assert accuracy.of_always_up.mean == pytest.approx(2 / 3)
    assert accuracy.lead.mean == pytest.approx(0.0)


def test_the_error_knows_that_shares_of_a_day_move_together(acl18):
    closes = [100.0, 101.0, 102.0, 100.0, 102.0, 104.0, 102.0]
    panel = {symbol: bars_of(closes) for symbol in "ABC"}
    told = {symbol: pd.Series(0.6, bars.index) for symbol, bars in panel.items()}
    accuracy = acl18.measure_accuracy(told, panel)
    up = [1.0, 0.0, 1.0, 1.0, 0.0]  # 1, 2, 5, 6 and 7 October
    assert accuracy.of_always_up.mean == pytest.approx(np.mean(up))
    assert accuracy.of_always_up.error == pytest.approx(np.std(up, ddof=1) / math.sqrt(len(up)))


def test_the_table_has_the_published_rows(acl18, capsys):
    panel = {"A": bars_of([100.0, 102.0, 104.0, 102.0, 104.0, 101.0])}
    accuracy = acl18.measure_accuracy({"A": pd.Series(0.6, panel["A"].index)}, panel)
    table = acl18.build_table({"This package": accuracy})
    names = [str(cell) for cell in table.columns[0].cells]
    assert names == ["LSTM", "ALSTM", "Adv-ALSTM", "Always up", "This package"]
    assert table.caption.startswith("LSTM, ALSTM and Adv-ALSTM are those of Feng et al. (2019)")


def test_the_runner_hands_its_arguments_to_a_benchmark_with_a_table_of_its_own(acl18, monkeypatch):
    from benchmarks import __main__ as runner

    monkeypatch.setattr(acl18, "main", lambda words: len(words))
    assert runner.main(["acl18", "FILE", "--seeds", "3"]) == 3
