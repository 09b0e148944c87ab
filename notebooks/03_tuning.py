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
from lstm_strategy import (
    BrokerSettings,
    LSTMForecaster,
    plot_equity,
    sample_bars,
    simulate_bars,
    tune,
)

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
tuned

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
# ## Stops on the S&P 500
#
# Now a search like those that traders run: which stops make the most of the S&P 500? The network
# is asked for a policy, which holds the index at constant volatility where it learns nothing, so
# every trial trades.

# %%
stops = {
    "stop_loss_atr": (0.5, 8.0, "log"),
    "trailing_stop_atr": (0.5, 8.0, "log"),
    "min_signal": (0.0, 0.9),
}
settings["forecaster"] = LSTMForecaster(target="policy", members=1, epochs=10, seed=7)
by_luck = tune(sample_bars("sp500"), stops, 12, **settings)
by_luck

# %% [markdown]
# A search always has a winner. The best stops have a Sharpe ratio of 0.41 inside, and on the
# holdout they lost money, in four years in which the index rose. Two of the numbers had said so:
# a confidence of 41%, and a lead over buy and hold that luck gives three times in four. The
# probability of overfitting proves little here, because few trials ran to the end and several
# of them traded alike.
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
