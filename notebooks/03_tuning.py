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
# Whoever tries many settings will find one that looks good. `tune` searches with Optuna and counts:
# every trial is scored out of sample by a walk forward, a *holdout* at the end of the bars is seen
# by the best setting alone, and the result says how likely its lead is luck.
#
# It is done twice: on a market with something to find, and on a random walk with nothing.

# %%
import logging
import os

import pandas as pd

from lstm_strategy import BrokerSettings, LSTMForecaster, plot_equity, simulate_bars, tune

pd.set_option("display.precision", 3)
QUICK = os.environ.get("LSTM_STRATEGY_QUICK") == "1"  # the tests train for a moment only
logging.getLogger("lstm_strategy").setLevel(logging.ERROR)  # not of every single order
N_BARS, N_TRIALS = (1_400, 3) if QUICK else (8_000, 12)

# %% [markdown]
# ## The space
#
# Plain data: a list is a choice, a pair is a range, `"log"` puts it on a logarithmic scale. Every
# argument of `LSTMForecaster` and every parameter of `LSTMStrategy` can be named; what isn't comes
# from `forecaster`. Two networks a trial and few epochs keep the search short.

# %%
space = {
    "units": [4, 12, 24],
    "dropout": (0.0, 0.6),
    "learning_rate": (0.003, 0.1, "log"),
    "min_signal": (0.0, 0.4),
}
base = LSTMForecaster(
    members=1 if QUICK else 2, epochs=3 if QUICK else 30, lookback=20 if QUICK else 60, seed=7
)
broker = BrokerSettings(commission_rate=0.0002, slippage_rate=0.0001)
settings = {"forecaster": base, "broker": broker, "n_folds": 2, "seed": 1}

# %% [markdown]
# ## A market with something to find

# %%
market = simulate_bars("remembered_news", N_BARS, seed=3, strength=0.7)
tuned = tune(market.bars, space, N_TRIALS, **settings)
tuned

# %%
tuned.figure("history")

# %% [markdown]
# Each point is a trial's Sharpe ratio on the inner test folds, the red line the best so far. A
# cross was stopped after its first fold, because it lay below the median of earlier trials there.
# **The dashed line is the one to believe**: the best setting on the last fifth of the bars, which
# no trial has seen. It may lie on either side of the red line, by the chance of other bars; it lies
# below on average, because the red line was chosen as the highest of many.

# %%
tuned.figure("importance")

# %% [markdown]
# Share of the score's variance that each dimension explains (fANOVA). With so few trials this is a
# hint: it says where to search next, not what is true.

# %%
tuned.best

# %% [markdown]
# ## How much of it is luck


# %%
def luck(result):
    return {
        "Sharpe ratio of the best, inside": result.best_value,
        "the same setting on the holdout": result.holdout.scores["sharpe"],
        "AUC on the holdout (coin flip: 0.5)": result.holdout.scores["auc"],
        "probability of backtest overfitting": result.pbo,
        "deflated Sharpe ratio": result.deflated_sharpe,
        "p-value of its lead over buy and hold": result.spa_p_value,
        "trials": result.n_trials,
        "independent trials that they amount to": result.n_independent,
    }


pd.Series(luck(tuned), name="remembered news").map("{:.3g}".format).to_frame()

# %% [markdown]
# - *Probability of backtest overfitting*: the bars are cut into blocks, the best trial in one half
#   of them is looked up in the other half. This is how often it falls below the median there. Near
#   one half, the choice said nothing; near zero, what was better stayed better.
# - *Deflated Sharpe ratio*: the confidence that the best is above what the luckiest of so many
#   trials without any skill would show. Trials that do much the same count as fewer.
# - *p-value*: how often the best of all would lead buy and hold so far if none were better.

# %%
plot_equity({"LSTM, tuned": tuned.holdout.result})

# %% [markdown]
# The holdout, traded once. If you look at it, change the space and search again, it has become part
# of the search; with `folder=` the result counts how often that happened (`holdout.n_looks`).
#
# ## A market with nothing in it
#
# The same search on a random walk.

# %%
nothing = simulate_bars("noise", N_BARS, seed=3)
by_luck = tune(nothing.bars, space, N_TRIALS, **settings)
by_luck.figure("history")

# %%
outcomes = pd.DataFrame({"remembered news": luck(tuned), "random walk": luck(by_luck)})
outcomes.map("{:.3g}".format)

# %% [markdown]
# On the left everything agrees: what was better stayed better, the holdout confirms it, and no luck
# among so many trials explains the lead. On the right no setting traded: what its networks had
# learned didn't hold up on the bars that they held out, so nothing was left of their signals. All
# Sharpe ratios are 0, and the one that is called the best is merely the first. Its AUC on the
# holdout is that of a coin flip, and the probability of overfitting says that the choice meant
# nothing. Strategies that trade on whatever they know have a best setting on every random walk, and
# the last rows of the table are there for them.
#
# ## From here
#
# `tuned.forecaster` is untrained and has the best settings. Train it, or walk forward with it, and
# tell the verdict how many trials it was chosen from:
# `verdict(comparison, n_trials=tuned.n_trials)`.
# With `folder="tuning"` a search that was stopped goes on, and several processes share it. From the
# shell: `lstm-strategy tune BARS --trials 50 --out tuning`.

# %%
tuned.forecaster
