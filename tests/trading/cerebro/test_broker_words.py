"""The terms of a run in words."""

from lstm_strategy import BrokerSettings, Perpetual, Spot

BROKER = BrokerSettings(
    instruments={"AAPL": Spot(), "MSFT": Spot()}, instrument=Perpetual(leverage=3)
)


def test_instruments_are_told_of_each_market_and_of_all_others():
    perpetual = "others: perpetual, leverage 3, taker fee 0.05%"
    spot = "spot, commission 0.10%"
    assert BROKER.describe_instruments() == f"AAPL: {spot}; MSFT: {spot}; {perpetual}"
    many = "2 markets with instruments of their own"
    assert BROKER.describe_instruments(most=1) == f"{many}; {perpetual}"
    assert BrokerSettings().describe_instruments() == ""


def test_instruments_in_full_say_what_is_usual_too():
    spot = "spot, commission 0.10%, half spread 0.00%, borrow fee 0.00% a year"
    words = BROKER.describe_instruments(in_full=True)
    assert words.startswith(f"AAPL: {spot}; MSFT: {spot}; others: perpetual, leverage 3, taker fee")
    assert words.endswith(BROKER.instrument.describe(in_full=True))


def test_settings_have_instruments_as_they_are_given():
    settings = BROKER.readable_settings()
    assert settings["instrument"] == "Perpetual(leverage=3.0)"
    assert settings["instrument of AAPL"] == "Spot()"
    assert not {"instrument", "instruments"} & BrokerSettings().readable_settings().keys()


def test_orders_that_leave_late_or_are_worked_over_bars_are_told():
    slow = BrokerSettings(execution_bars=4)
    assert slow.describe_timing() == ", orders worked over 4 bars (TWAP)"
    both = BrokerSettings(latency_bars=2, execution_bars=4)
    assert both.describe_timing() == ", orders 2 bars late, each worked over 4 bars (TWAP)"
    assert BrokerSettings(latency_bars=1).describe_timing() == ", orders 1 bar late"
    assert BrokerSettings().describe_timing() == ""
