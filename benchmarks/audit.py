"""How long auditing a model takes: `python -m benchmarks.audit` prints the seconds.

A model with 12 features on 5,000 bars must be done within 20 s on 2 cores. Training isn't timed.
"""

from typing import Any

from rich.console import Console

from lstm_strategy import FeatureSet, LSTMForecaster, audit, sample_bars

N_BARS = 5_000
N_FEATURES = 12
MOST_SECONDS = 20.0
FEATURES: list[dict[str, Any]] = [
    {"kind": "log_return", "length": 1},
    {"kind": "log_return", "length": 21},
    {"kind": "natr", "length": 14},
    {"kind": "rsi", "length": 14},
    {"kind": "macd"},  # three columns
    {"kind": "adx", "length": 14},  # three columns
    {"kind": "obv"},
    {"kind": "relative_volume", "length": 20},
]


def main() -> None:
    features = FeatureSet(FEATURES)
    assert len(features.names) == N_FEATURES
    bars = sample_bars().iloc[:N_BARS]
    model = LSTMForecaster(features, epochs=3).fit(bars, progress=False)
    report = audit(bars, model=model)
    console = Console()
    console.print(f"{report.verdict} {len(features.names)} features, {len(bars):,} bars.")
    console.print(f"{report.seconds:.1f} s (the limit is {MOST_SECONDS:g} s on 2 cores)")


if __name__ == "__main__":
    main()
