# ---
# jupyter:
#   jupytext:
#     formats: py:percent,ipynb
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Perpetuals: funding, and what it tells
#
# Whoever holds a perpetual pays funding, or is paid. This notebook makes bars of a simulated
# perpetual, shows what its funding says about crowds, lets a policy learn from it, and pays the
# funding in the backtest. [The how-to page](../docs/how-to/perpetuals.md) makes the same bars of
# an exchange's files.

# %%
import logging
import os

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from lstm_strategy import (
    BASELINES,
    BrokerSettings,
    FeatureSet,
    LSTMForecaster,
    LSTMStrategy,
    Perpetual,
    Policy,
    compare,
    run_backtest,
    simulate_bars,
)
from lstm_strategy.bars import aggregate_bars
from lstm_strategy.learning.inspection import feature_importance
from lstm_strategy.trading.baselines import PERPETUAL_BASELINES

pd.set_option("display.precision", 3)
QUICK = os.environ.get("LSTM_STRATEGY_QUICK") == "1"  # the tests train for a moment only
logging.getLogger("lstm_strategy").setLevel(logging.ERROR)  # not of every single order
brief = {"epochs": 1, "members": 1, "lookback": 20} if QUICK else {"members": 3}

# %% [markdown]
# ## The market
#
# Every hour has a mark price, the close of the spot market and the open interest, and every eighth
# hour a funding rate settles as the bar opens. Now and then a crowd rushes in, and pays: it lifts
# the premium over spot or lowers it, and funding follows. A day later, when premium and funding are
# as usual again, the price begins to go against that crowd, until a day after the next rush.

# %%
made = simulate_bars("perpetual", 9_000 if QUICK else 40_000, seed=1, n_assets=4)
hours = made.bars["A01"]
hours[hours["funding_rate"].notna()].tail(3)

# %%
shown = hours.iloc[1_000:1_700]
premium = np.log(shown["mark"] / shown["spot_close"])
figure, axes = plt.subplots(3, sharex=True, figsize=(9, 6), layout="constrained")
axes[0].plot(shown["close"])
axes[0].set_ylabel("close")
axes[1].plot(100 * premium, label="premium over spot, %")
axes[1].plot(100 * shown["funding_rate"].dropna(), ".", label="funding rate, %")
axes[1].legend()
axes[2].plot(made.oracle["A01"].reindex(shown.index))
axes[2].set_ylabel("what to hold")
plt.show()

# %% [markdown]
# ## Longer bars, the same funding
#
# An hour is mostly noise. Bars of eight hours keep every settlement at their open; in longer ones
# those within the bar add up to a payment.

# %%
panel = {symbol: aggregate_bars(bars, "8h") for symbol, bars in made.bars.items()}
bars = panel["A01"]
days = aggregate_bars(hours, "1D")
days[["close", "funding_rate", "funding_payment"]].tail(3)

# %% [markdown]
# ## A policy that sees the funding
#
# The preset `perpetual` has funding, its sums, its surprise and the premium beside what prices
# tell. One network is trained on all four markets, whose crowds rush together. The policy begins
# flat and is told what a trade costs.

# %%
start = bars.index[int(0.75 * len(bars))]
known = {symbol: market[market.index < start] for symbol, market in panel.items()}
policy = Policy(prior="flat", cost_rate=0.0005, target_volatility=5.0, pull=0.0)
model = LSTMForecaster(FeatureSet.preset("perpetual"), target=policy, seed=7, **brief)
model.fit(known, progress=False)
pd.Series(model.validation_scores).to_frame("on held-out bars")

# %% [markdown]
# ## Traded with funding
#
# `Perpetual` says what is traded: here a fee of 5 basis points, no leverage, and the columns of
# funding and mark that the bars have. Everybody in the table pays the same.

# %%
terms = BrokerSettings(instrument=Perpetual(taker_rate=0.0005), slippage_rate=0.0)
entries = {
    "LSTM policy": (LSTMStrategy, {"model": model}),
    "Buy and hold": BASELINES["Buy and hold"],
    **PERPETUAL_BASELINES,
}
comparison = compare(entries, bars, start=start, broker=terms)
comparison.table[["cagr", "sharpe", "max_drawdown", "turnover"]]

# %%
comparison.plot()

# %% [markdown]
# The rules of funding find a part of it: what was paid over a week is a memory, too. They don't
# know when a crowd begins to pay, nor when the next one takes its place.
#
# Buying and holding pays the interest of 0.01% every eight hours: the same run without funding
# shows how much that is.

# %%
unfunded = BrokerSettings(instrument=Perpetual(taker_rate=0.0005, funding=None), slippage_rate=0.0)
held = {
    name: run_backtest(BASELINES["Buy and hold"], bars, start=start, broker=broker)
    for name, broker in {"funding paid": terms, "without funding": unfunded}.items()
}
pd.DataFrame({name: result.metrics[["cagr", "sharpe"]] for name, result in held.items()})

# %% [markdown]
# ## What carries it
#
# Shuffle one feature in time and see how much worse the positions become. Features that say the
# same thing stand in for each other, so the sums may hide behind the rate.

# %%
feature_importance(model, bars, start=start, n_repeats=3).round(4)

# %% [markdown]
# Real funding is no planted rule. On real coins the table of
# [published results](../docs/published-results.md) says what the same policy earned.
