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
# # Volatility: forecast it, judge the forecast, and hold less where it is high
#
# Which way prices will go is hard to know. How much they will move is not: wild days follow wild
# days. Here an LSTM is asked for the variance of the next bar, first on a market whose true
# variance is known, then on the S&P 500, where it decides how much to hold.

# %%
import logging
import os

import numpy as np
import pandas as pd

from lstm_strategy import (
    BASELINES,
    LSTMForecaster,
    LSTMStrategy,
    Volatility,
    compare,
    compare_forecasts,
    sample_bars,
    simulate_bars,
)
from lstm_strategy.learning.reference import volatility_baselines

pd.set_option("display.precision", 3)
QUICK = os.environ.get("LSTM_STRATEGY_QUICK") == "1"  # the tests train for a moment only
logging.getLogger("lstm_strategy").setLevel(logging.ERROR)  # not of every single order
brief = {"epochs": 2, "members": 2} if QUICK else {"members": 3}

# %% [markdown]
# ## A market whose variance is known
#
# `garch` is a GARCH(1,1): each day's move raises or lowers the variance of the days after it.
# `variance` is the true one of the next bar, known at each close.

# %%
market = simulate_bars("garch", 2_500 if QUICK else 8_000, seed=3)
bars = market.bars
start = bars.index[int(0.7 * len(bars))]
known = bars[bars.index < start]
truth = np.sqrt(252 * market.variance)  # a year of these bars has 252
ax = truth.plot(figsize=(9, 3), lw=0.8, title="True volatility of the next bar, annualised")

# %% [markdown]
# The network sees what econometricians see (the preset "volatility"): the variance of 1 to 66 bars
# against that of 250, and returns, losses apart. It begins as a regression on these, which is
# log-HAR with leverage, and the LSTM learns what that leaves out.

# %%
lstm = LSTMForecaster(target=Volatility(), seed=7, **brief).fit(known, progress=False)
pd.Series(lstm.validation_scores).to_frame("on held-out bars")

# %% [markdown]
# ## Whose forecast is closer?
#
# The same bars for all: the LSTM, an EWMA, log-HAR with and without leverage, two kinds of GARCH,
# and the truth itself. The loss is QLIKE, in which calm and wild times weigh the same.

# %%
rivals = {name: model.fit(known) for name, model in volatility_baselines().items()}
comparison = compare_forecasts({"LSTM": lstm, **rivals, "truth": truth}, bars, start=start)
columns = ["qlike", "mz_slope", "dm_p", "in_confidence_set"]
comparison.table[columns].sort_values("qlike").round(3)

# %%
print(comparison.verdict)

# %%
comparison.plot()

# %% [markdown]
# On a GARCH market nothing can beat GARCH, which is the rule itself. What the loss of the truth
# shows is how noisy a single bar is as a measure of its variance: even who knows it has that loss.
#
# ## Hold less where it is high
#
# A forecast of volatility is a strategy: hold the target volatility over the forecast one. On the
# S&P 500, trained on the bars before 2013 and traded after them, against holding the index and
# against the rule that does the same with the volatility of the past.

# %%
index = sample_bars("sp500")
forecaster = LSTMForecaster(target=Volatility(target_volatility=0.12), seed=7, **brief)
forecaster.fit(index[:"2012"], progress=False)
rules = {name: BASELINES[name] for name in ("Buy and hold", "Volatility target")}
traded = compare(
    {"LSTM volatility": (LSTMStrategy, {"model": forecaster}), **rules}, index, start="2013"
)
traded.table[["cagr", "volatility", "sharpe", "max_drawdown", "turnover", "costs"]]

# %%
traded.plot()

# %% [markdown]
# The drawdown is smaller because less is held, and least before it gets wild. That is what a
# forecast of volatility can do. It says nothing about the direction, and a Sharpe ratio near that
# of holding the index is what to expect.
