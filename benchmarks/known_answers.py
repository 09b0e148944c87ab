"""Does the verdict find what is there, and nothing where there is nothing?

`python -m benchmarks.known_answers remembered_news` (or `targets`, `noise`, `targets_on_noise`,
`sp500`) prints the figures of markets whose right answer is known; `--picture FILE` draws what
memory is worth. The runs take minutes; `--seeds` makes them shorter. Nothing here is tuned to these
seeds.
"""

import argparse
import copy
import time
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from lstm_strategy import (
    BASELINES,
    BrokerSettings,
    LSTMForecaster,
    LSTMStrategy,
    Policy,
    WalkForward,
    compare,
    run_backtest,
    sample_bars,
    simulate_bars,
    verdict,
    walk_forward,
)
from lstm_strategy.evaluation.metrics import bar_returns
from lstm_strategy.evaluation.statistics import superior_predictive_ability
from lstm_strategy.learning.network import keras
from lstm_strategy.learning.reference import learning_baselines
from lstm_strategy.learning.serving import PrecomputedForecasts
from lstm_strategy.learning.targets import TARGETS

FREE = BrokerSettings(commission_rate=0, slippage_rate=0, band=0.0)
FLAT = {"policy": Policy(prior="flat", cost_rate=0.0)}
TRAINING_SHARE = 0.75


def out_of_sample_start(bars: pd.DataFrame) -> pd.Timestamp:
    return pd.Timestamp(bars.index[int(len(bars) * TRAINING_SHARE)])


def oracle_forecasts(
    oracle: pd.Series, bars: pd.DataFrame, training_end: pd.Timestamp
) -> PrecomputedForecasts:
    """A model that knows the exposure to hold, and counts as trained as long as the others."""
    frame = pd.DataFrame({"signal": oracle, "forecast": 0.5, "uncertainty": 0.0})
    return PrecomputedForecasts(frame, 0, list(bars.columns[:5]), training_end)


def sharpe_of_signal(signal: pd.Series, bars: pd.DataFrame, start: pd.Timestamp) -> float:
    """Sharpe ratio per bar of holding the signal over the next bar, close to close."""
    earned = (signal * bars["close"].pct_change().shift(-1)).loc[start:].dropna()
    return float(earned.mean() / earned.std())


def simple_rnn(n_features: int) -> keras.Model:
    """The network of the package with plain recurrent cells in place of LSTM cells."""
    settings = LSTMForecaster().settings
    inputs = rows = keras.Input((None, n_features))
    for units in settings.units:
        rows = keras.layers.SimpleRNN(units, return_sequences=True)(rows)
        rows = keras.layers.Dropout(settings.dropout)(rows)
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(rows))


def remembered_news(seeds: list[int]) -> pd.DataFrame:
    """The LSTM, its rivals and its own short memory, as shares of the oracle's Sharpe ratio."""
    return pd.DataFrame([remembered_news_row(seed) for seed in seeds]).set_index("seed")


def remembered_news_row(seed: int) -> dict[str, float]:
    market = simulate_bars("remembered_news", seed=seed)
    bars, start = market.bars, out_of_sample_start(market.bars)
    known = bars[bars.index < start]
    began = time.perf_counter()
    lstm = LSTMForecaster(seed=seed).fit(known, progress=False)
    seconds = time.perf_counter() - began
    plain = LSTMForecaster(seed=seed, network=simple_rnn).fit(known, progress=False)
    rivals = {name: rival.fit(known) for name, rival in learning_baselines().items()}
    models = {
        "LSTM": lstm,
        "SimpleRNN": plain,
        "LSTM, 5 bars of memory": lstm.with_memory("window", lookback=5),
        **rivals,
        "oracle": oracle_forecasts(market.oracle, bars, known.index[-1]),
    }
    strategies = {name: (LSTMStrategy, {"model": model}) for name, model in models.items()}
    comparison = compare({**strategies, **BASELINES}, bars, start=start, broker=FREE)
    sharpe = comparison.table["sharpe"] / comparison.table["sharpe"]["oracle"]
    sharpe = sharpe.fillna(0.0)  # of one that never traded
    # the test is against all baselines and learners, but not against the other networks
    others = ["LSTM", *rivals, *BASELINES]
    returns = comparison.equity[others].apply(bar_returns)
    return {
        "seed": seed,
        **sharpe[[name for name in models if name != "oracle"]],
        "best baseline": sharpe[list(BASELINES)].max(),
        "SPA p": superior_predictive_ability(returns, "LSTM").p_value,
        "fit s": seconds,
    }


def memory_picture(shares: pd.DataFrame) -> Figure:
    """What memory is worth: each network's and learner's share of the oracle, a dot a seed."""
    shares = shares.drop(columns=["SPA p", "fit s"])
    medians = shares.median()
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.add_subplot()
    places = np.arange(len(medians))[::-1]
    colors = ["#1f5fa8" if name == "LSTM" else "#9db4cc" for name in medians.index]
    axes.barh(places, medians, color=colors, height=0.66)
    for place, name in zip(places, medians.index, strict=True):
        axes.plot(shares[name], np.full(len(shares), place), ".", color="#222222", markersize=5)
    axes.axvline(1, color="#222222", linewidth=1)
    axes.annotate(
        "oracle",
        (1, places[0] + 0.45),
        ha="right",
        va="bottom",
        xytext=(-4, 0),
        textcoords="offset points",
    )
    axes.set_yticks(places, medians.index)
    axes.set_xlim(min(-0.15, shares.min().min() - 0.05), 1.02)
    axes.set_xlabel("Sharpe ratio out of sample, as a share of the oracle's; a dot a market")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure


def noise(seeds: list[int]) -> pd.DataFrame:
    """Which verdicts claim skill where there is none."""
    rows = []
    for seed in seeds:
        bars = simulate_bars("noise", 2_500, seed=seed).bars
        start = out_of_sample_start(bars)
        lstm = LSTMForecaster(seed=seed).fit(bars[bars.index < start], progress=False)
        entry = (LSTMStrategy, {"model": lstm})
        result = verdict(compare({"LSTM": entry, **BASELINES}, bars, start=start))
        rows.append({"seed": seed, "claims": float(result.claims_skill), "p": result.p_value})
    return pd.DataFrame(rows).set_index("seed")


def targets(seeds: list[int]) -> pd.DataFrame:
    """What each target earns where only a memory can trade, as shares of the oracle's Sharpe ratio.

    A volatility isn't among them: it says how much to hold, and not on which side.
    """
    rows = []
    for seed in seeds:
        market = simulate_bars("remembered_news", seed=seed)
        bars, start = market.bars, out_of_sample_start(market.bars)
        known = bars[bars.index < start]
        models = {
            name: LSTMForecaster(target=target, seed=seed).fit(known, progress=False)
            for name, target in {**dict(zip(TARGETS, TARGETS, strict=True)), **FLAT}.items()
            if name != "volatility"
        }
        models["oracle"] = oracle_forecasts(market.oracle, bars, known.index[-1])
        strategies = {name: (LSTMStrategy, {"model": model}) for name, model in models.items()}
        sharpe = compare(strategies, bars, start=start, broker=FREE).table["sharpe"]
        shares = (sharpe / sharpe["oracle"]).fillna(0.0)  # of one that never traded
        rows.append({"seed": seed, **shares[list(models)[:-1]]})
    return pd.DataFrame(rows).set_index("seed")


def targets_on_noise(seeds: list[int]) -> pd.DataFrame:
    """The annual Sharpe ratio after costs of each target less its prior's, where nothing is."""
    rows = []
    for seed in seeds:
        bars = simulate_bars("noise", 2_500, seed=seed).bars
        start = out_of_sample_start(bars)
        known = bars[bars.index < start]
        lead = {}
        for name in TARGETS:
            model = LSTMForecaster(target=name, seed=seed).fit(known, progress=False)
            both = [net_sharpe(each, bars, start) for each in (model, prior_of(model))]
            lead[name] = both[0] - both[1]
        rows.append({"seed": seed, **lead})
    return pd.DataFrame(rows).set_index("seed")


def prior_of(model: LSTMForecaster) -> LSTMForecaster:
    """The model as it is where its forecasts held up no better than luck."""
    prior = copy.copy(model)
    nothing = model.card.signal.model_copy(update={"confidence": 0.0})
    prior.card = model.card.model_copy(update={"signal": nothing})
    return prior


def net_sharpe(model: LSTMForecaster, bars: pd.DataFrame, start: pd.Timestamp) -> float:
    """The annual Sharpe ratio after costs; 0 where nothing was traded."""
    sharpe = run_backtest(LSTMStrategy, bars, start=start, model=model).metrics["sharpe"]
    return 0.0 if np.isnan(sharpe) else float(sharpe)


def sp500(seeds: list[int]) -> pd.DataFrame:
    """How long all folds of yearly refits take."""
    bars = sample_bars("sp500")
    rows = []
    for n_jobs in (1, 2):
        began = time.perf_counter()
        splits = WalkForward("10 years", "1 year")
        walked = walk_forward(bars, LSTMForecaster(), splits, n_jobs=n_jobs)
        seconds = time.perf_counter() - began
        rows.append({"n_jobs": n_jobs, "folds": len(walked.refits), "seconds": seconds})
    return pd.DataFrame(rows).set_index("n_jobs")


FIGURES = {
    "remembered_news": (remembered_news, 5),
    "targets": (targets, 5),
    "noise": (noise, 40),
    "targets_on_noise": (targets_on_noise, 40),
    "sp500": (sp500, 1),
}


def build_table(figures: pd.DataFrame) -> Table:
    table = Table(str(figures.index.name))
    for column in figures:
        table.add_column(str(column), justify="right")
    for label, row in figures.iterrows():
        table.add_row(str(label), *(f"{value:.3f}" for value in row))
    if len(figures) > 2:
        table.add_section()
        for label, row in {"median": figures.median(), "sum": figures.sum()}.items():
            table.add_row(label, *(f"{value:.3f}" for value in row))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("market", choices=FIGURES)
    parser.add_argument("--seeds", type=int, help="how many markets, one a seed, from --first on")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--picture", type=Path, help="with remembered_news: draw the shares")
    arguments = parser.parse_args()
    figure, n_seeds = FIGURES[arguments.market]
    seeds = range(arguments.first, arguments.first + (arguments.seeds or n_seeds))
    figures = figure(list(seeds))
    Console(width=180).print(build_table(figures))
    if arguments.picture is not None:
        memory_picture(figures).savefig(arguments.picture, dpi=120)


if __name__ == "__main__":
    main()
