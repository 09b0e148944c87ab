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
# # Policies: let the network choose the position
#
# A forecast isn't a decision. Between the two stand costs, risk, and what is held already. A
# *policy* skips the forecast: the network answers the position itself, and is trained on what
# positions earn, less what it costs to change them.

# %%
import logging
import os

import pandas as pd

from lstm_strategy import (
    BASELINES,
    BrokerSettings,
    LSTMForecaster,
    LSTMStrategy,
    Policy,
    compare,
    sample_bars,
    simulate_bars,
)

pd.set_option("display.precision", 3)
QUICK = os.environ.get("LSTM_STRATEGY_QUICK") == "1"  # the tests train for a moment only
logging.getLogger("lstm_strategy").setLevel(logging.ERROR)  # not of every single order
brief = {"epochs": 2, "members": 2, "lookback": 20} if QUICK else {"members": 3}

# %% [markdown]
# ## Where there is something to learn
#
# In `remembered_news`, rare news decides, until the next news, whether busy bars are followed by
# rises or by falls. Nothing is gained by holding this market, so the policy begins flat. Each trade
# costs 0.1%, and the policy is told so. Beside it, an LSTM of the same size that forecasts the
# direction and knows nothing of costs.

# %%
market = simulate_bars("remembered_news", 2_000 if QUICK else 9_000, seed=5, strength=0.7)
bars = market.bars
start = bars.index[int(0.75 * len(bars))]
known = bars[bars.index < start]
targets = {"LSTM policy": Policy(prior="flat", cost_rate=0.001), "LSTM direction": "direction"}
models = {
    name: LSTMForecaster(target=target, seed=7, **brief).fit(known, progress=False)
    for name, target in targets.items()
}
pd.Series(models["LSTM policy"].validation_scores).to_frame("policy, on held-out bars")

# %% [markdown]
# `sharpe` is that of the positions after costs, on bars that the network held out; the prior holds
# nothing, so it has none. Now both are traded on the last quarter of the bars:

# %%
costly = BrokerSettings(commission_rate=0.001, slippage_rate=0.0, band=0.0)
entries = {name: (LSTMStrategy, {"model": model}) for name, model in models.items()}
held = {"Buy and hold": BASELINES["Buy and hold"]}
comparison = compare({**entries, **held}, bars, start=start, broker=costly)
comparison.table[["cagr", "sharpe", "max_drawdown", "turnover", "costs"]]

# %%
comparison.plot()

# %% [markdown]
# Both find the rule, which is far stronger here than any that a real market has. The policy changes
# its positions less, because it pays for that in training. It is also the more timid one: where
# the rule is weaker (try `strength=0.6`), what its first clumsy positions cost outweighs what they
# earn, and it stays flat on bars where the direction still pays.
#
# ## Where there is nothing to learn
#
# A stock index pays for being held. There the policy begins long at constant volatility (`prior`),
# is pulled towards that in training (`pull`), and keeps of its changes only what paid on bars that
# it held out. What it keeps is its *confidence*.

# %%
index = sample_bars("sp500")
policy = LSTMForecaster(target="policy", seed=7, **brief).fit(index[:"2012"], progress=False)
print(f"confidence: {policy.card.signal.confidence:.2f}")
print(f"features: {', '.join(policy.features.names)}")

# %%
rules = {name: BASELINES[name] for name in ("Buy and hold", "Volatility target")}
traded = compare({"LSTM policy": (LSTMStrategy, {"model": policy}), **rules}, index, start="2013")
traded.table[["cagr", "volatility", "sharpe", "max_drawdown", "turnover", "costs"]]

# %%
traded.plot()

# %% [markdown]
# With a confidence of 0 the strategy is its prior: the index at constant volatility, and next to no
# costs. That is not skill, and the verdict won't call it that; it is what a network should do where
# it has learned nothing.

# %%
print(traded.assess().verdict)
