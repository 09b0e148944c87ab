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
    # how large the next moves are: what log-HAR with leverage sees, and more lengths
    "volatility": [
        *({"kind": "log_variance_ratio", "length": length} for length in (1, 2, 5, 10, 22, 66)),
        *({"kind": "scaled_return", "length": length} for length in (1, 5, 22)),
        *({"kind": "scaled_loss", "length": length} for length in (1, 5, 22)),
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
    # what the market itself tells, what positions cost there and how far the perpetual is from spot
    "perpetual": [
        {"kind": "log_return", "length": 1},
        {"kind": "log_return", "length": 21},
        {"kind": "natr", "length": 14},
        {"kind": "relative_volume", "length": 20},
        {"kind": "funding_rate"},
        {"kind": "funding_sum", "days": 1},
        {"kind": "funding_sum", "days": 7},
        {"kind": "funding_surprise", "days": 7},
        {"kind": "funding_run", "days": 7},
        {"kind": "premium"},
    ],
    # what the trend followers of Lim, Zohren & Roberts (2019) see, and how wild the market is
    "momentum_and_volatility": [
        *({"kind": "scaled_return", "length": length} for length in (1, 5, 21, 63, 126, 252)),
        {"kind": "scaled_macd", "fast": 8, "slow": 24},
        {"kind": "scaled_macd", "fast": 16, "slow": 48},
        {"kind": "scaled_macd", "fast": 32, "slow": 96},
        {"kind": "log_variance_ratio", "length": 5, "slow": 63},
        {"kind": "log_variance_ratio", "length": 21, "slow": 252},
    ],
}
