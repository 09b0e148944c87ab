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
# What does funding cost me, and can a network learn from it? Whoever holds a perpetual pays
# funding or receives it. Here are the bars of a simulated perpetual, and what its funding says
# about crowds. Then a policy learns from it, and pays it in the backtest. [The how-to
# page](../docs/how-to/perpetuals.md) makes the same bars from an exchange's files.

# %%
import numpy as np
import pandas as pd

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

market = simulate_bars("perpetual", 24 * 1_667, seed=1, n_assets=4)
hours = market.bars["A01"]

shown = pd.DataFrame(
    {
        "close": hours["close"],
        "premium over spot, %": 100 * np.log(hours["mark"] / hours["spot_close"]),
        "funding rate, %": 100 * hours["funding_rate"],
        "what to hold": market.oracle["A01"],
    }
)[1_000:1_700]
axes = shown.plot(
    subplots=[("close",), ("premium over spot, %", "funding rate, %"), ("what to hold",)],
    style={"funding rate, %": "."},
    figsize=(9, 7),
    lw=0.9,
    xlabel="",
    title="Four weeks of a perpetual",
)

# %% [markdown]
# Now and then a crowd rushes in, and pays for it: it lifts the premium over spot or lowers it, and
# funding follows. A day later, when premium and funding are as usual again, the price starts to go
# against that crowd, until a day after the next rush. The lowest chart shows what somebody who
# knows this rule would hold.
#
# ## The bars
#
# Every hour has a mark price, the close of the spot market and the open interest. Every eighth
# hour a funding rate settles as the bar opens.

# %%
hours[hours["funding_rate"].notna()].tail(3).round(4)

# %% [markdown]
# An hour is mostly noise. Bars of eight hours keep every settlement at their open. In longer bars
# those within the bar add up to a payment:

# %%
aggregate_bars(hours, "1D")[["close", "funding_rate", "funding_payment"]].tail(3).round(4)

# %% [markdown]
# ## A policy that sees the funding
#
# The preset `perpetual` has funding, its sums, its surprise and the premium beside what prices
# tell. One network is trained on all four markets, whose crowds rush in together. The policy
# starts flat and is told what a trade costs.

# %%
panel = {symbol: aggregate_bars(bars, "8h") for symbol, bars in market.bars.items()}
bars, start = panel["A01"], panel["A01"].index[3_750]
known = {symbol: market[market.index < start] for symbol, market in panel.items()}

policy = Policy(prior="flat", cost_rate=0.0005, target_volatility=5.0, pull=0.0)
features = FeatureSet.preset("perpetual")
model = LSTMForecaster(features, target=policy, members=3, seed=7).fit(known)

# %% [markdown]
# ## Traded with funding
#
# `Perpetual` says what is traded: here a fee of 5 basis points, no leverage, and funding and mark
# from the columns of the bars. Every strategy pays the same.

# %%
terms = BrokerSettings(instrument=Perpetual(taker_rate=0.0005), slippage_rate=0.0)
entries = {
    "LSTM policy": (LSTMStrategy, {"model": model}),
    "Buy and hold": BASELINES["Buy and hold"],
    **PERPETUAL_BASELINES,
}
comparison = compare(entries, bars, start=start, broker=terms)
comparison.plot()

# %%
comparison

# %% [markdown]
# The rules of funding find a part of it, because the funding that was paid over a week is a
# memory, too. But they don't know when a crowd starts to pay for its rush, nor when the next one
# takes its place. The network's Sharpe ratio is well above that of the best of them.
#
# Buying and holding pays the interest of 0.01% every eight hours. The same run without funding
# shows how much that is:

# %%
unfunded = BrokerSettings(instrument=Perpetual(taker_rate=0.0005, funding=None), slippage_rate=0.0)
for name, broker in {"funding paid": terms, "without funding": unfunded}.items():
    held = run_backtest(BASELINES["Buy and hold"], bars, start=start, broker=broker)
    print(f"{name}: {held.metrics['cagr']:.0%} a year, Sharpe ratio {held.metrics['sharpe']:.2f}")

# %% [markdown]
# ## What carries it
#
# Shuffle one feature in time, and see how much worse the positions become on bars after the
# training:

# %%
from lstm_strategy.evaluation.plots import plot_importance

plot_importance(feature_importance(model, bars, start=start, n_repeats=3))

# %% [markdown]
# The surprise of the funding, the premium and the rate carry most of it. Features that say the
# same thing stand in for each other, so the sums may hide behind these.
#
# Real funding follows no planted rule. What the same policy earned on real coins is on the page
# [published results](../docs/published-results.md).
