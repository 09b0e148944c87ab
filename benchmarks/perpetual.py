"""Does a policy with funding features earn more than holding, trends and funding carry?

`python -m benchmarks perpetual FILE` reads hourly bars of a perpetual (with mark, spot_close,
funding_rate and perhaps open_interest), makes longer ones, walks a policy forward over them, and
prints what it earned after 5 basis points a side and the funding paid, beside rules and the
verdict. `python -m benchmarks perpetual simulated` does so where the answer is known: shares of an
oracle's Sharpe ratio, and which features carry them. Nothing here is tuned to these bars.
"""

import argparse
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from lstm_strategy import (
    BASELINES,
    BrokerSettings,
    FeatureSet,
    LSTMForecaster,
    LSTMStrategy,
    Perpetual,
    Policy,
    WalkForward,
    compare,
    load_bars,
    run_backtest,
    simulate_bars,
    walk_forward,
)
from lstm_strategy.bars import aggregate_bars
from lstm_strategy.learning.inspection import feature_importance
from lstm_strategy.learning.serving import PrecomputedForecasts
from lstm_strategy.trading.baselines import PERPETUAL_BASELINES

COST_RATE = 0.0005
BROKER = BrokerSettings(instrument=Perpetual(taker_rate=COST_RATE), slippage_rate=0.0)
OF_FUNDING = ("funding", "premium")
RULES = {
    "hold": BASELINES["Buy and hold"],
    "momentum": BASELINES["12-1 momentum"],
    **{name.lower(): PERPETUAL_BASELINES[name] for name in PERPETUAL_BASELINES},
}
N_MARKETS = 4
N_HOURS = 40_000
TRAINING_SHARE = 0.75


def build_forecaster(
    features: Sequence[Mapping[str, Any]] | None = None,
    *,
    prior: Any = "flat",
    members: int = 5,
    seed: int = 0,
) -> LSTMForecaster:
    """A policy whose position of 1 is all of the equity, whatever the market's volatility."""
    chosen = FeatureSet.preset("perpetual") if features is None else FeatureSet(features)
    policy = Policy(prior=prior, cost_rate=COST_RATE, target_volatility=5.0, pull=0.0)
    return LSTMForecaster(chosen, target=policy, members=members, seed=seed)


def without_funding() -> list[dict[str, Any]]:
    """The features of the preset that read neither funding nor the premium."""
    features = FeatureSet.preset("perpetual").specs
    return [dict(spec) for spec in features if not spec["kind"].startswith(OF_FUNDING)]


def simulated_row(seed: int, *, members: int = 5) -> dict[str, float]:
    """What the policy earns on perpetuals whose rushes it must remember, as shares of the oracle's.

    Four markets of 40,000 hours share their rushes; one network is trained on the first three
    quarters of all, on bars of 8 hours, and each market is traded by itself on the rest.
    """
    made = simulate_bars("perpetual", N_HOURS, seed=seed, n_assets=N_MARKETS)
    panel, oracle = {}, {}
    for symbol, bars in made.bars.items():
        longer = aggregate_bars(bars.assign(oracle=made.oracle[symbol]), "8h")
        oracle[symbol] = longer.pop("oracle")
        panel[symbol] = longer
    dates = next(iter(panel.values())).index
    start = dates[int(len(dates) * TRAINING_SHARE)]
    known = {symbol: bars[bars.index < start] for symbol, bars in panel.items()}
    began = time.perf_counter()
    policy = build_forecaster(members=members, seed=seed).fit(known, progress=False)
    seconds = time.perf_counter() - began
    blind = build_forecaster(without_funding(), members=members, seed=seed)
    blind = blind.fit(known, progress=False)
    sharpes = pd.DataFrame(
        {
            symbol: {
                "policy": _sharpe_of(policy, bars, start),
                "without funding": _sharpe_of(blind, bars, start),
                "oracle": _sharpe_of(_as_model(oracle[symbol], start), bars, start),
                **{name: _sharpe_of_rule(rule, bars, start) for name, rule in RULES.items()},
            }
            for symbol, bars in panel.items()
        }
    ).mean(axis=1)
    importance = feature_importance(policy, panel["A01"], start=start, n_repeats=3).iloc[:, 0]
    is_funding = importance.index.str.lower().str.startswith(OF_FUNDING)
    return {
        "seed": seed,
        "oracle": sharpes["oracle"],
        "policy": sharpes["policy"],
        "share": sharpes["policy"] / sharpes["oracle"],
        "share without funding": sharpes["without funding"] / sharpes["oracle"],
        "of the best rule": sharpes[list(RULES)].max() / sharpes["oracle"],
        "importance of funding, bp a bar": 1e4 * float(importance[is_funding].max()),
        "of all else": 1e4 * float(importance[~is_funding].max()),
        "fit s": seconds,
    }


def _as_model(oracle: pd.Series, start: pd.Timestamp) -> PrecomputedForecasts:
    frame = pd.DataFrame({"signal": oracle, "forecast": 0.5, "uncertainty": 0.0})
    columns = ["open", "high", "low", "close", "volume"]
    training_end = oracle.index[oracle.index < start][-1]
    return PrecomputedForecasts(frame.tz_localize(None), 0, columns, training_end)


def _sharpe_of(model: Any, bars: pd.DataFrame, start: pd.Timestamp) -> float:
    """The annual Sharpe ratio after costs and funding; 0 where nothing was traded."""
    result = run_backtest(LSTMStrategy, bars, start=start, model=model, broker=BROKER)
    return float(np.nan_to_num(result.metrics["sharpe"]))


def _sharpe_of_rule(rule: type, bars: pd.DataFrame, start: pd.Timestamp) -> float:
    metrics = run_backtest(rule, bars, start=start, broker=BROKER).metrics
    return float(np.nan_to_num(metrics["sharpe"]))


def walk_coin(file: Path, *, length: str, windows: tuple[str, str], members: int, seed: int) -> Any:
    """Walk policies forward over the bars of a coin, and compare them with the rules."""
    bars = aggregate_bars(load_bars(file), length)
    splits = WalkForward(*windows, expanding=True)
    models = {}
    for prior in ("flat", "long"):
        forecaster = build_forecaster(prior=prior, members=members, seed=seed)
        models[f"LSTM policy, {prior} prior"] = walk_forward(bars, forecaster, splits)
    start = splits.folds(bars)[0].test_start
    strategies = {name: (LSTMStrategy, {"model": model}) for name, model in models.items()}
    return compare({**strategies, **RULES}, bars, start=start, broker=BROKER)


def build_table(frame: pd.DataFrame, title: str) -> Table:
    table = Table(title, *map(str, frame.columns))
    for label, row in frame.iterrows():
        table.add_row(str(label), *(f"{value:.2f}" for value in row))
    return table


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks perpetual",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="a file of hourly bars, or simulated")
    parser.add_argument("--length", default="8h", help="of the bars to learn from")
    parser.add_argument("--train", default="2 years", help="the first training window")
    parser.add_argument("--test", default="6 months", help="from one training to the next")
    parser.add_argument("--members", type=int, default=5, help="networks of each policy")
    parser.add_argument("--seeds", type=int, default=3, help="how many simulated panels")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    arguments = parser.parse_args(words)
    console = Console(width=140)
    logging.getLogger("lstm_strategy").setLevel(logging.ERROR)  # not of every single order
    if str(arguments.file) == "simulated":
        seeds = range(arguments.first, arguments.first + arguments.seeds)
        rows = [simulated_row(seed, members=arguments.members) for seed in seeds]
        console.print(build_table(pd.DataFrame(rows).set_index("seed"), "seed"))
        return 0
    began = time.perf_counter()
    comparison = walk_coin(
        arguments.file,
        length=arguments.length,
        windows=(arguments.train, arguments.test),
        members=arguments.members,
        seed=arguments.first,
    )
    console.print(build_table(_describe(comparison.table), arguments.file.stem))
    for name in comparison.results:
        if name.startswith("LSTM"):
            console.print(f"{name}: {comparison.assess(name).verdict}")
    console.print(f"{time.perf_counter() - began:.0f} seconds")
    return 0


def _describe(table: pd.DataFrame) -> pd.DataFrame:
    """The columns of the table that matter here, as far as they are there."""
    wanted = ["sharpe", "cagr", "volatility", "max_drawdown", "turnover", "costs", "funding"]
    return table[[name for name in wanted if name in table.columns]]


if __name__ == "__main__":
    raise SystemExit(main())
