"""Does one network for many futures earn more than following their trends?

`python -m benchmarks futures FILE` reads daily closes of many futures (columns date, instrument,
adjusted, price, carry_price, years_to_carry, cost_rate), trains a policy on all of them up to the
first day of each test span, and prints its net Sharpe ratio beside those of three rules. Each
market is held at 15% volatility, all weigh the same, and each span counts the same in the ratio of
all.
"""

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from lstm_strategy import LSTMForecaster, Policy, load_panel
from lstm_strategy.bars import proportional_bars, slice_panel

SPANS = (("2003", "2006"), ("2007", "2010"), ("2011", "2014"))
YEAR = 252
FEWEST_BARS = 3 * YEAR  # of a market that is learned from
TARGET_VOLATILITY = 0.15
FEATURES = [
    *({"kind": "scaled_return", "length": length} for length in (1, 21, 63, 126, 252)),
    {"kind": "scaled_macd", "fast": 8, "slow": 24},
    {"kind": "scaled_macd", "fast": 16, "slow": 48},
    {"kind": "scaled_macd", "fast": 32, "slow": 96},
    {"kind": "column", "column": "carry", "mirrored": "negated"},
]


def read_futures(file: Path) -> tuple[dict[str, pd.DataFrame], dict[str, float]]:
    """The bars of each market, made of closes alone, and its one-way cost rate.

    A return is the change of the back-adjusted price over the price of the contract the day before;
    the column carry is the annual roll yield in units of annual volatility, 0 where it isn't known.
    """
    closes_alone = dict.fromkeys(("open", "high", "low", "close"), "adjusted")
    panel, rates = {}, {}
    for name, series in load_panel(file, columns=closes_alone).items():
        bars = proportional_bars(series)
        returns = bars["close"].pct_change().fillna(0.0)
        volatility = returns.ewm(span=60, min_periods=60).std() * np.sqrt(YEAR)
        roll_yield = (1 - bars["carry_price"] / bars["price"]) / bars["years_to_carry"]
        carry = (roll_yield / volatility).replace([np.inf, -np.inf], np.nan)
        panel[name] = bars.assign(carry=carry.clip(-5, 5).ffill().fillna(0.0))
        rates[name] = float(bars["cost_rate"].median())
    return panel, rates


def build_rules(panel: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The positions, -1…1, of the rules that the network is measured against."""
    returns = daily_returns(panel)
    held = returns.ffill().notna().astype(float)
    year = returns.fillna(0.0).rolling(YEAR).sum()
    closes = {name: bars["close"] for name, bars in panel.items()}
    trends = {name: baz_trend(close) for name, close in closes.items()}
    return {
        "long only": held.where(held > 0),
        "12-month momentum": np.sign(year).where(held > 0),
        "MACD": pd.DataFrame(trends).reindex(returns.index).ffill(),
    }


def baz_trend(close: pd.Series) -> pd.Series:
    """The mean of three MACDs after the response function of Baz et al. (2015)."""
    speeds = ((8, 24), (16, 48), (32, 96))
    return pd.concat([_respond(close, *speed) for speed in speeds], axis=1).mean(axis=1)


def _respond(close: pd.Series, fast: int, slow: int) -> pd.Series:
    distance = close.ewm(alpha=1 / fast).mean() - close.ewm(alpha=1 / slow).mean()
    scaled = distance / close.rolling(63).std()
    scaled /= scaled.rolling(YEAR).std()
    return scaled * np.exp(-(scaled**2) / 4) / 0.89


def daily_returns(panel: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Returns shape (n_dates, n_markets); NaN where a market has no bar."""
    return pd.DataFrame({name: bars["close"].pct_change() for name, bars in panel.items()})


def net_returns(
    positions: pd.DataFrame, panel: Mapping[str, pd.DataFrame], rates: Mapping[str, float]
) -> pd.Series:
    """What equal shares in all markets earn after costs, each at the target volatility."""
    returns = daily_returns(panel)
    steady = returns.apply(lambda market: _ewm_volatility(market.dropna()))
    scale = TARGET_VOLATILITY / (steady.reindex(returns.index).ffill() * np.sqrt(YEAR))
    exposure = (positions.reindex(returns.index).ffill() * scale)[list(panel)]
    held = exposure.shift()
    paid = pd.Series(rates)[list(panel)] * exposure.diff().abs().shift()
    net = held * returns.fillna(0.0) - paid
    return net.sum(axis=1) / held.notna().sum(axis=1)


def _ewm_volatility(returns: pd.Series) -> pd.Series:
    return np.sqrt((returns**2).ewm(span=60, min_periods=60).mean())


def judge(net: pd.Series) -> dict[str, float]:
    """The annual Sharpe ratio of all test spans, each brought to equal volatility, and of each."""
    spans = {f"{first}-{last}": net[first:last] for first, last in SPANS}
    together = pd.concat([span / span.std() for span in spans.values()])
    return {"all": _sharpe(together), **{name: _sharpe(span) for name, span in spans.items()}}


def _sharpe(returns: pd.Series) -> float:
    return float(returns.mean() / returns.std() * np.sqrt(YEAR))


def train_positions(
    panel: Mapping[str, pd.DataFrame], forecaster: LSTMForecaster
) -> tuple[pd.DataFrame, list[float]]:
    """The network's positions in the test spans, and the seconds that each training took."""
    parts, seconds = [], []
    for first, last in SPANS:
        known = slice_panel(panel, end=str(int(first) - 1))
        began = time.perf_counter()
        trained = forecaster.unfitted_copy().fit(
            {symbol: bars for symbol, bars in known.items() if len(bars) > FEWEST_BARS}
        )
        seconds.append(time.perf_counter() - began)
        frames = trained.forecast(slice_panel(panel, end=last))
        positions = pd.DataFrame({symbol: frame["forecast"] for symbol, frame in frames.items()})
        parts.append(positions[first:last])
    return pd.concat(parts), seconds


def build_forecaster(rates: Mapping[str, float], *, members: int, seed: int) -> LSTMForecaster:
    """A policy that begins with nothing; exposures are so low that no limit cuts any of them."""
    return LSTMForecaster(
        FEATURES,
        target=Policy(prior="flat", pull=0.0, target_volatility=0.01, cost_rate=rates),
        units=(32,),
        dropout=0.1,
        learning_rate=2e-3,
        weight_decay=1e-3,
        lookback=42,
        batch_size=64,
        mirror=False,
        members=members,
        seed=seed,
    )


def build_table(sharpes: Mapping[str, Mapping[str, float]]) -> Table:
    table = Table("net Sharpe ratio", *next(iter(sharpes.values())))
    for name, row in sharpes.items():
        table.add_row(name, *(f"{value:.2f}" for value in row.values()))
    return table


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks futures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="a Parquet file of futures")
    parser.add_argument("--leave-out", nargs="*", default=["PALLAD"], help="markets to leave out")
    parser.add_argument("--seeds", type=int, default=1, help="how many policies; 0 for the rules")
    parser.add_argument("--members", type=int, default=5, help="of each policy")
    arguments = parser.parse_args(words)
    panel, rates = read_futures(arguments.file)
    for name in arguments.leave_out:
        panel.pop(name, None)
        rates.pop(name, None)
    sharpes = {
        name: judge(net_returns(positions, panel, rates))
        for name, positions in build_rules(panel).items()
    }
    seconds: list[float] = []
    for seed in range(arguments.seeds):
        forecaster = build_forecaster(rates, members=arguments.members, seed=seed)
        positions, took = train_positions(panel, forecaster)
        sharpes[f"LSTM policy, seed {seed}"] = judge(net_returns(positions, panel, rates))
        seconds += took
    console = Console(width=120)
    console.print(build_table(sharpes))
    if seconds:
        console.print("Seconds of training: " + ", ".join(f"{each:.0f}" for each in seconds))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
