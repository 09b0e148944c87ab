"""The symbols of a universe, one on each line."""

import os

import pytest

from lstm_strategy.cli.reading.universe import read_universe, split_symbols
from lstm_strategy.errors import SettingsError


def test_a_universe_holds_a_symbol_a_line_with_comments_and_gaps(tmp_path):
    file = tmp_path / "universe.txt"
    file.write_text("\ufeff# large caps\nAAPL\n\n  BRK.B   # two classes\nBTC/USDT:USDT\n", "utf-8")
    assert read_universe(file) == ["AAPL", "BRK.B", "BTC/USDT:USDT"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            b"AAPL\n# x\nMSFT\nAAPL\n", "line 4: AAPL stands on line 1 already", id="twice"
        ),
        pytest.param(
            b"AAPL MSFT\n", "line 1: a line must hold one symbol, got 'AAPL MSFT'", id="two"
        ),
        pytest.param(b"AAPL,MSFT\n", "one symbol, got 'AAPL,MSFT'", id="commas"),
        pytest.param(b"# none\n\n", "holds no symbol", id="empty"),
        pytest.param(b"#" * 10**7 + b"\nAAPL", "it is larger than", id="large"),
        pytest.param(b"\xff\xfeA\x00", "isn't text in UTF-8", id="no text"),
    ],
)
def test_a_universe_that_cannot_be_read_is_refused_by_its_line(tmp_path, text, message):
    file = tmp_path / "universe.txt"
    file.write_bytes(text)
    with pytest.raises(SettingsError, match=message):
        read_universe(file)


def test_a_universe_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="there is no such file"):
        read_universe(tmp_path / "none.txt")


def test_symbols_are_joined_by_commas():
    assert split_symbols("SPY, QQQ,") == ["SPY", "QQQ"]
    with pytest.raises(SettingsError, match="joined by commas, got ','"):
        split_symbols(",")


def test_a_universe_that_would_never_end_is_refused(tmp_path):
    os.mkfifo(tmp_path / "universe.txt")
    with pytest.raises(SettingsError, match="it isn't a regular file"):
        read_universe(tmp_path / "universe.txt")
