"""The benchmark on perpetuals: what it trades on, and that its oracle earns what it knows."""

from pathlib import Path

import pandas as pd
import pytest

from lstm_strategy import simulate_bars
from lstm_strategy.bars import aggregate_bars

ROOT = Path(__file__).parents[1]


@pytest.fixture
def perpetual(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import perpetual

    return perpetual


def test_everybody_pays_five_basis_points_a_side_and_the_funding(perpetual):
    assert perpetual.BROKER.cost_rate == 0.0005
    assert perpetual.BROKER.instrument.funding == "funding_rate"
    assert list(perpetual.RULES) == [
        "hold",
        "momentum",
        "funding carry",
        "funding reversal",
        "basis reversion",
    ]


def test_the_blind_policy_sees_neither_funding_nor_premium(perpetual):
    kinds = [spec["kind"] for spec in perpetual.without_funding()]
    assert kinds
    assert not [kind for kind in kinds if "funding" in kind or "premium" in kind]


def test_the_oracle_trades_as_a_model(perpetual):
    made = simulate_bars("perpetual", 4_000, seed=1, strength=0.3)
    bars = aggregate_bars(made.bars.assign(oracle=made.oracle), "8h")
    oracle = bars.pop("oracle")
    start = bars.index[100]
    sharpe = perpetual._sharpe_of(perpetual._as_model(oracle, start), bars, start)
    assert 15 < sharpe < 0.3 * 8760**0.5  # bars of eight hours turn up to seven hours late


def test_the_table_has_what_matters_as_far_as_it_is_there(perpetual):
    table = pd.DataFrame({"sharpe": [1.0], "trades": [7], "turnover": [3.0]}, index=["hold"])
    assert list(perpetual._describe(table)) == ["sharpe", "turnover"]
    assert perpetual.build_table(table, "coin").row_count == 1
