"""Ready sets of features."""

from typing import Any

# The default has few columns: an LSTM remembers by itself what oscillators sum up, and every column
# more is one more to fit noise with (measured on simulated markets, see docs/known-answers.md).
PRESETS: dict[str, list[dict[str, Any]]] = {
    "default": [
        {"kind": "log_return", "length": 1},
        {"kind": "log_return", "length": 21},
        {"kind": "natr", "length": 14},
        {"kind": "true_range"},
        {"kind": "relative_volume", "length": 20},
    ],
    "momentum": [
        {"kind": "log_return", "length": 1},
        {"kind": "roc", "length": 10},
        {"kind": "roc", "length": 63},
        {"kind": "rsi", "length": 14},
        {"kind": "macd", "fast": 12, "slow": 26, "signal": 9},
        {"kind": "stoch", "k": 14, "d": 3},
        {"kind": "willr", "length": 14},
        {"kind": "mfi", "length": 14},
    ],
    "volatility": [
        {"kind": "log_return", "length": 1},
        {"kind": "true_range"},
        {"kind": "natr", "length": 14},
        {"kind": "bbands", "length": 20, "col_numbers": [3, 4]},
        {"kind": "hvol", "length": 20},
        {"kind": "chop", "length": 14},
        {"kind": "ui", "length": 14},
        {"kind": "relative_volume", "length": 20},
    ],
    "trend": [
        {"kind": "log_return", "length": 1},
        {"kind": "ema", "length": 20},
        {"kind": "sma", "length": 50},
        {"kind": "sma", "length": 200},
        {"kind": "adx", "length": 14},
        {"kind": "aroon", "length": 25},
        {"kind": "donchian", "lower_length": 20, "upper_length": 20},
        {"kind": "obv"},
    ],
    # the default for markets without volume
    "prices": [
        {"kind": "log_return", "length": 1},
        {"kind": "log_return", "length": 21},
        {"kind": "natr", "length": 14},
        {"kind": "true_range"},
    ],
}
