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
# Can the network learn what to hold, instead of what will happen? A forecast isn't a decision yet:
# between the two stand costs, risk, and what you hold already. A *policy* answers with the
# position itself, and is trained on what positions earn, less what it costs to change them.

# %%
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

bars = simulate_bars("remembered_news", 9_000, seed=5, strength=0.7).bars
known, start = bars[:6_750], bars.index[6_750]

policy = LSTMForecaster(target=Policy(prior="flat", cost_rate=0.001), members=3, seed=7).fit(known)
direction = LSTMForecaster(target="direction", members=3, seed=7).fit(known)
entries = {
    "LSTM policy": (LSTMStrategy, {"model": policy}),
    "LSTM direction": (LSTMStrategy, {"model": direction}),
    "Buy and hold": BASELINES["Buy and hold"],
}
costly = BrokerSettings(commission_rate=0.001, slippage_rate=0.0, band=0.0)
comparison = compare(entries, bars, start=start, broker=costly)
comparison.plot()

# %% [markdown]
# ## Where there is something to learn
#
# In `remembered_news` rare news decides, until the next news, whether busy bars are followed by
# rises or by falls. Nothing is gained by just holding this market, so the policy starts flat
# (`prior="flat"`). Each trade costs 0.1%, and the policy is told so. The other LSTM has the same
# size, forecasts the direction, and knows nothing of costs. Both are traded on the last quarter of
# the bars.

# %%
comparison

# %% [markdown]
# Both find the rule, which is far stronger here than any rule of a real market. The policy changes
# its positions less, because it pays for that in training; it earned about as much, at a lower
# risk and lower costs. It is also the more timid of the two. Where the rule is weaker (try
# `strength=0.6`), its first clumsy positions cost more than they earn, and it stays flat where the
# direction still pays.
#
# ## Where there is nothing to learn
#
# A stock index pays for being held. There the policy starts long at constant volatility (`prior`),
# is pulled towards that in training (`pull`), and keeps only those of its changes that paid on
# bars kept for validation. The share that it keeps is its *confidence*.

# %%
index = sample_bars("sp500")
model = LSTMForecaster(target="policy", members=3, seed=7).fit(index[:"2012"])
print(f"confidence: {model.card.signal.confidence:.2f}")

# %%
entries = {
    "LSTM policy": (LSTMStrategy, {"model": model}),
    "Buy and hold": BASELINES["Buy and hold"],
    "Volatility target": BASELINES["Volatility target"],
}
real = compare(entries, index, start="2013")
real.plot()

# %%
real

# %%
print(real.assess().verdict)

# %% [markdown]
# With a confidence of 0 the strategy is what it started as: the index at constant volatility, at
# next to no cost. That isn't skill, and the verdict doesn't call it that. It is what a network
# should do where it has learned nothing.
