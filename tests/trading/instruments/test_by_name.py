"""Instruments from one line of text and from tables of a file."""

import pytest

from lstm_strategy.errors import TradingError
from lstm_strategy.trading.instruments import (
    Future,
    Perpetual,
    Spot,
    build_instrument,
    parse_instrument,
)


@pytest.mark.parametrize(
    ("text", "market", "instrument"),
    [
        ("spot", "", Spot()),
        ("perpetual:leverage=3,taker_rate=4e-4", "", Perpetual(leverage=3, taker_rate=0.0004)),
        ("perpetual:funding=none,mark=mark_price", "", Perpetual(funding=None, mark="mark_price")),
        ("BTC/USDT:USDT=perpetual:leverage=2", "BTC/USDT:USDT", Perpetual(leverage=2)),
        (
            "ES=future:multiplier=50,initial_margin=12000",
            "ES",
            Future(multiplier=50, initial_margin=12_000),
        ),
        ("perpetual:funding=spot", "", Perpetual(funding="spot")),
        (
            "perpetual:maintenance_margin_rate=((0, 0.004),(50_000, 0.005)),leverage=3",
            "",
            Perpetual(leverage=3, maintenance_margin_rate=((0, 0.004), (50_000, 0.005))),
        ),
        (
            "A=perpetual:leverage=3,maintenance_margin_rate=[[0,0.004],[50000,0.005]]",
            "A",
            Perpetual(leverage=3, maintenance_margin_rate=((0, 0.004), (50_000, 0.005))),
        ),
    ],
)
def test_a_line_says_what_is_traded_and_in_which_market(text, market, instrument):
    assert parse_instrument(text) == (market, instrument)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("perpetul", "there is no instrument 'perpetul'. Did you mean perpetual"),
        ("perpetual:leverage", "must be name=value, joined by commas, got 'leverage' in"),
        ("perpetual:taker_rate=0,=3", "must be name=value, joined by commas, got '=3'"),
        ("perpetual:leverage=3, leverage=2", "leverage is given twice in"),
        ("perpetual:maintenance_margin_rate=((0,0.004),(5", "maintenance_margin_rate must be made"),
        ("perpetual:maintenance_margin_rate=((0,0.004),5)", "maintenance_margin_rate must be one"),
        ("perpetual:leverge=3", r"has no setting 'leverge'\. Did you mean leverage\?"),
        ("perpetual:leverage=0.5", "leverage must be at least 1, got 0.5"),
        ("spot:multiplier=5", "has no multiplier, got 5"),
    ],
)
def test_a_line_that_is_off_is_refused_in_one_sentence(text, message):
    with pytest.raises(TradingError, match=message):
        parse_instrument(text)


def test_a_table_has_its_kind_and_its_tiers():
    table = {"kind": "perpetual", "maintenance_margin_rate": [[0, 0.004], [50_000, 0.005]]}
    tiers = ((0.0, 0.004), (50_000.0, 0.005))
    assert build_instrument(table) == Perpetual(maintenance_margin_rate=tiers)
    with pytest.raises(TradingError, match="needs its kind"):
        build_instrument({"leverage": 3})
    with pytest.raises(TradingError, match=r"no instrument 'perp'\. Did you mean perpetual\?"):
        build_instrument({"kind": "perp"})
