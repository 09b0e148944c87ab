"""Does the verdict find what is there, and nothing where there is nothing?

``python -m benchmarks.known_answers remembered_news`` (or ``noise``, ``sp500``) prints the figures
of markets whose right answer is known. The runs take minutes to an hour; ``--seeds`` makes them
shorter. Nothing here is tuned to these seeds.
"""

import argparse
import time

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from lstm_strategy import (
    BrokerSettings,
    LSTMForecaster,
    LSTMStrategy,
    WalkForward,
    compare,
    sample_bars,
    simulate_bars,
    walk_forward,
)
from lstm_strategy.evaluation.metrics import bar_returns
from lstm_strategy.evaluation.significance import superior_predictive_ability
from lstm_strategy.evaluation.verdict import verdict
from lstm_strategy.learning.models import ReadyForecasts
from lstm_strategy.learning.tabular import learning_baselines
from strategies import BASELINES

FREE = BrokerSettings(commission_rate=0, slippage_rate=0, band=0.0)
TRAINING_SHARE = 0.75


def out_of_sample_start(bars: pd.DataFrame) -> pd.Timestamp:
    return bars.index[int(len(bars) * TRAINING_SHARE)]


def oracle_forecasts(market, start: pd.Timestamp) -> ReadyForecasts:
    frame = pd.DataFrame({"signal": market.oracle, "forecast": 0.5, "spread": 0.0})
    return ReadyForecasts(frame, 0, list(market.bars.columns[:5]), start)


def sharpe_of_signal(signal: pd.Series, bars: pd.DataFrame, start: pd.Timestamp) -> float:
    """Sharpe ratio per bar of holding ``signal`` over the next bar, close to close."""
    earned = (signal * bars["close"].pct_change().shift(-1)).loc[start:].dropna()
    return float(earned.mean() / earned.std())


def remembered_news(seeds: list[int]) -> Table:
    """The LSTM, its rivals and its own short memory, as shares of the oracle's Sharpe ratio."""
    rows = [remembered_news_row(seed) for seed in seeds]
    table = Table(title="remembered_news: out-of-sample Sharpe as a share of the oracle's")
    for column in rows[0]:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*(f"{value:.3f}" for value in row.values()))
    medians = {column: np.median([row[column] for row in rows]) for column in rows[0]}
    table.add_section()
    table.add_row("median", *(f"{v:.3f}" for c, v in medians.items() if c != "seed"))
    return table


def remembered_news_row(seed: int) -> dict[str, float]:
    market = simulate_bars("remembered_news", seed=seed)
    bars, start = market.bars, out_of_sample_start(market.bars)
    known = bars[bars.index < start]
    began = time.perf_counter()
    lstm = LSTMForecaster(seed=seed).fit(known, progress=False)
    seconds = time.perf_counter() - began
    strategies = {
        "LSTM": (LSTMStrategy, {"model": lstm}),
        "oracle": (LSTMStrategy, {"model": oracle_forecasts(market, known.index[-1])}),
        **{
            name: (LSTMStrategy, {"model": rival.fit(known)})
            for name, rival in learning_baselines().items()
        },
        **BASELINES,
    }
    board = compare(strategies, bars, start=start, broker=FREE)
    sharpe = board.table["sharpe"] / board.table["sharpe"]["oracle"]
    returns = board.equity.apply(bar_returns).drop(columns="oracle")
    short = lstm.unfitted_copy(memory="window", lookback=5)
    short._network, short.card = lstm._network, lstm.card
    oracle = sharpe_of_signal(market.oracle, bars, start)
    return {
        "seed": seed,
        "LSTM": sharpe["LSTM"],
        "5 bars of memory": sharpe_of_signal(short.forecast(bars)["signal"], bars, start) / oracle,
        **{name: sharpe[name] for name in learning_baselines()},
        "best baseline": sharpe[list(BASELINES)].max(),
        "SPA p": superior_predictive_ability(returns, "LSTM").p_value,
        "fit s": seconds,
    }


def noise(seeds: list[int]) -> Table:
    """How often the verdict claims skill where there is none."""
    claims = []
    for seed in seeds:
        bars = simulate_bars("noise", 2_500, seed=seed).bars
        start = out_of_sample_start(bars)
        lstm = LSTMForecaster(seed=seed).fit(bars[bars.index < start], progress=False)
        board = compare({"LSTM": (LSTMStrategy, {"model": lstm}), **BASELINES}, bars, start=start)
        claims.append(verdict(board).claims_skill)
    table = Table(title="noise: verdicts that claim skill")
    table.add_column("markets", justify="right")
    table.add_column("claims", justify="right")
    table.add_row(str(len(claims)), str(sum(claims)))
    return table


def sp500(seeds: list[int]) -> Table:
    """How long all folds of yearly refits take."""
    bars = sample_bars("sp500")
    table = Table(title="S&P 500, 10 years of training, yearly refits")
    for column in ("n_jobs", "folds", "seconds"):
        table.add_column(column, justify="right")
    for n_jobs in (1, 2):
        began = time.perf_counter()
        walked = walk_forward(
            bars, LSTMForecaster(), WalkForward("10 years", "1 year"), n_jobs=n_jobs
        )
        seconds = time.perf_counter() - began
        table.add_row(str(n_jobs), str(len(walked.refits)), f"{seconds:.1f}")
    return table


FIGURES = {"remembered_news": (remembered_news, 5), "noise": (noise, 40), "sp500": (sp500, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("market", choices=FIGURES)
    parser.add_argument("--seeds", type=int, help="how many seeds, from --first on")
    parser.add_argument("--first", type=int, default=1)
    arguments = parser.parse_args()
    figure, n_seeds = FIGURES[arguments.market]
    seeds = range(arguments.first, arguments.first + (arguments.seeds or n_seeds))
    Console(width=160).print(figure(list(seeds)))


if __name__ == "__main__":
    main()
