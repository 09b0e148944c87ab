"""What a message quotes of a stranger's file is shown, not obeyed."""

import pytest

from lstm_strategy import LSTMStrategyError
from lstm_strategy.errors import BarsError, escape_controls


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("close\x1b[2J", "close\\x1b[2J", id="escape"),
        pytest.param("close\x9b31m", "close\\x9b31m", id="escape of one byte"),
        pytest.param("a\rb\x08\x07", "a\\rb\\x08\\x07", id="carriage return, backspace, bell"),
        pytest.param("\u202egnp.exe", "\\u202egnp.exe", id="right to left"),
        pytest.param("\ufeffop\u200ben\u2028", "\\ufeffop\\u200ben\\u2028", id="nothing to see"),
        pytest.param("höchst\n\t收盘", "höchst\n\t收盘", id="letters"),
    ],
)
def test_a_message_holds_nothing_that_a_terminal_obeys_or_nobody_sees(text, shown):
    assert escape_controls(text) == shown
    error = BarsError(text)
    assert str(error) == str(LSTMStrategyError(f"{error}")) == shown
