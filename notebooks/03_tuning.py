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
# # Tuning, and how much of it is luck
#
# Which settings are best, and how much of their lead is luck? Whoever tries many settings will
# find one that looks good. `tune` searches with Optuna and keeps count: every trial is scored out
# of sample by a walk forward, and a *holdout* at the end of the bars is shown to the best setting
# alone.

# %%
from lstm_strategy import BrokerSettings, LSTMForecaster, plot_equity, simulate_bars, tune

space = {
    "units": [4, 12, 24],
    "dropout": (0.0, 0.6),
    "learning_rate": (0.003, 0.1, "log"),
    "min_signal": (0.0, 0.4),
}
settings = {
    "forecaster": LSTMForecaster(members=1, epochs=30, lookback=60, seed=7),
    "broker": BrokerSettings(commission_rate=0.0002, slippage_rate=0.0001),
    "n_folds": 2,
    "seed": 1,
}
market = simulate_bars("remembered_news", 8_000, seed=3, strength=0.7)
tuned = tune(market.bars, space, 10, **settings)
tuned.plot("history")

# %% [markdown]
# This market was simulated with something to find. Each point is the Sharpe ratio of a trial on
# the inner test folds, and the red line is the best so far. A trial that falls below the median of
# earlier ones after its first fold is stopped there, and would be drawn as a cross.
#
# **The dashed line is the one to believe.** It is the best setting on the last fifth of the bars,
# which no trial has seen. By the chance of other bars it may lie on either side of the red line,
# and here it lies far above; on average it lies below, because the red line was chosen as the
# highest of many.
#
# ## The space
#
# The space is plain data: a list is a choice, a pair is a range, and `"log"` puts it on a
# logarithmic scale. It can name every argument of `LSTMForecaster` and every parameter of
# `LSTMStrategy`. What it doesn't name comes from `forecaster`; a single network and few epochs for
# each trial keep this search short.

# %%
tuned.best

# %%
tuned.plot("importance")

# %% [markdown]
# This is the share of the score's variance that each setting explains (fANOVA). With so few trials
# it is a hint where to search next, and no more.
#
# ## How much of it is luck?

# %%
print(tuned)

# %% [markdown]
# - The *probability of backtest overfitting*: the bars are cut into blocks, and the best trial in
#   one half of them is looked up in the other half. This is how often it falls below the median
#   there. Near one half the choice said nothing; near zero, what was better stayed better.
# - The *deflated Sharpe ratio* is the confidence that the best is above what the luckiest of so
#   many trials without any skill would show. Trials that do much the same count as fewer.
# - The *p-value* is how often the best of all would lead buy and hold by so much if none were
#   better.
#
# The first two say that the choice is sound. The p-value misses the usual 5% by a little: with two
# inner folds and ten trials, luck isn't ruled out before the holdout is seen.

# %%
plot_equity({"LSTM, tuned": tuned.holdout.result})

# %% [markdown]
# This is the holdout, traded once. If you look at it, change the space and search again, it has
# become part of the search. With `folder=` the result counts how often that happened
# (`holdout.n_looks`).
#
# ## A market with nothing in it
#
# The same search on a random walk.

# %%
nothing = simulate_bars("noise", 8_000, seed=3)
by_luck = tune(nothing.bars, space, 10, **settings)
by_luck.plot("history")

# %%
print(by_luck)

# %% [markdown]
# No setting traded: what the networks had learned didn't hold up on the bars that they kept for
# validation, so nothing was left of their signals. All Sharpe ratios are 0, the one that is called
# the best is merely the first, and where nothing varies the two confidences are unknown.
# Strategies that trade on whatever they know have a best setting on every random walk; these
# numbers are there for them.
#
# ## From here
#
# `tuned.forecaster` has the best settings and is untrained. Train it, or walk forward with it, and
# tell the verdict how many trials it was chosen from: `verdict(comparison,
# n_trials=tuned.n_trials)`. With `folder="tuning"` a search that was stopped goes on where it was,
# and several processes can share it. From the shell: `lstm-strategy tune BARS --trials 50 --out
# tuning`.

# %%
tuned.forecaster
